"""Evaluation: a few texts that a language model writes, to be read."""

from __future__ import annotations

from textwrap import fill as wrapped
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import number
from bioloom.report.templating import fill
from bioloom.report.words import sentence

LINE = 80
"""Letters of a line of a sequence."""


def render(facts: Facts) -> Markup | None:
    """The texts as they were written; None of runs that write none."""
    found: dict[str, Any] | None = facts.result.get("written")
    if not found:
        return None
    texts = [
        {
            "text": wrapped(each["text"], LINE) if found["sequence"] else each["text"],
            "nats": number(each["nats_per_token"]),
        }
        for each in found["texts"]
    ]
    unit = "letter" if found["sequence"] else "token"
    return fill(
        "written.html", {"texts": texts, "unit": unit, "notes": [sentence(each) for each in found["notes"]]}
    )


written = sections.register(Section("written", "evaluation", 15, "What it writes", render))
