"""Evaluation: some test records with the answer that was written and the true one."""

from __future__ import annotations

from itertools import islice

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count
from bioloom.report.templating import fill

SHOWN = 12
"""Test records that are shown: the first ones of the file."""

LONGEST = 60
"""Characters of an answer that are shown."""


def render(facts: Facts) -> Markup | None:
    """A table of the first test records; None of runs that wrote no answers."""
    target = facts["data"]["target"]
    if not target.get("written"):
        return None
    (name,) = target["names"]
    found = (row for row in facts.each_row("predictions.csv") if row["part"] == "test")
    rows = [
        (row["id"], _short(row[name]), _short(row[f"{name} predicted"]), row["right"])
        for row in islice(found, SHOWN)
    ]
    summary = target["summary"]
    values = {
        "name": name,
        "rows": rows,
        "tokens": count(summary["tokens"]),
        "shortest": count(summary["shortest"]),
        "longest": count(summary["longest"]),
    }
    return fill("answers.html", values)


def _short(text: object) -> str:
    words = str(text or "")
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


answers = sections.register(Section("answers", "evaluation", 14, "What was written", render))
