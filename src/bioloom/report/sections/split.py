"""Data: how records were divided into training, validation and test, and why this way."""

from __future__ import annotations

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count
from bioloom.report.templating import fill

PURPOSES = {
    "train": ("Training", "the model learns from these"),
    "validation": ("Validation", "decides when to stop; the model is not scored on these"),
    "test": ("Test", "every score in this report; looked at once, at the end"),
}


def render(facts: Facts) -> Markup:
    """The way of splitting, its reason, and how many records each part has."""
    split = facts["split"]
    rows = [(name, purpose, count(split["counts"][part])) for part, (name, purpose) in PURPOSES.items()]
    values = {
        "method": str(split["method"]),
        "reason": str(split["reason"]).rstrip("."),
        "rows": rows,
        "notes": list(split.get("notes") or ()),
    }
    return fill("split.html", values)


split = sections.register(Section("split", "data", 30, "Split", render))
