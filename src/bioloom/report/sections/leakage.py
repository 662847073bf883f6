"""Data: what stands on both sides of the split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count
from bioloom.report.templating import fill

MEANING = {
    "exact_copies": (
        "Exact copies",
        "test records that the model also learned from: it can remember their answer",
    ),
    "reverse_complements": ("Reverse complements", "test records whose other strand the model learned from"),
    "near_copies": ("Near copies", "test records almost identical to one the model learned from"),
    "conflicting_labels": (
        "Conflicting labels",
        "copies whose labels disagree: no model can be right on all of them",
    ),
}


def render(facts: Facts) -> Markup | None:
    """Counts of copies across the split, how likeness was judged, and examples."""
    leakage = facts["leakage"] or {}
    rows = [
        (name, meaning, count(leakage[key]))
        for key, (name, meaning) in MEANING.items()
        if isinstance(leakage.get(key), int)
    ]
    if not rows:
        return None
    examples = [_example(each) for each in leakage.get("examples") or ()]
    return fill("leakage.html", {"rows": rows, "notion": leakage.get("notion") or "", "examples": examples})


def _example(example: Any) -> str:
    """One example, whatever fields it has."""
    if isinstance(example, Mapping):
        return ", ".join(f"{key}: {value}" for key, value in example.items())
    return " and ".join(map(str, example)) if isinstance(example, list | tuple) else str(example)


leakage = sections.register(Section("leakage", "data", 40, "Copies across the split", render))
