"""Data: how records were divided into training, validation and test, and why this way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count, plural
from bioloom.report.templating import fill

PURPOSES = {
    "train": ("Training", "the model learns from these"),
    "validation": ("Validation", "decides when to stop; the model is not scored on these"),
    "test": ("Test", "every score in this report; looked at once, at the end"),
}


def render(facts: Facts) -> Markup:
    """The way of splitting, its reason, and how many records each part has."""
    split = facts["split"]
    counts = split["counts"]
    folds = split.get("folds")
    rows = [
        (name, purpose, count(counts[part]))
        for part, (name, purpose) in PURPOSES.items()
        if not folds or part != "test"
    ]
    values = {
        "method": str(split["method"]),
        "reason": str(split["reason"]).rstrip("."),
        "rows": rows,
        "notes": list(split.get("notes") or ()),
        "folds": _folds(split, counts) if folds else "",
    }
    return fill("split.html", values)


def _folds(split: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    """How the scores came about, and what the delivered model learned from instead."""
    repeats = split.get("repeats") or 1
    again = f", and all of it was done {repeats} times with other folds" if repeats > 1 else ""
    return (
        f"The score comes from {plural(int(split['folds']), 'fold')}: the records of each fold were predicted by "
        f"networks and simpler models that had learned from the other folds only{again}. The model that is kept "
        f"learned afterwards from the {count(sum(counts.values()))} records below. It was not tested itself: the score "
        "is that of models made in the same way from a few records less."
    )


split = sections.register(Section("split", "data", 30, "Split", render))
