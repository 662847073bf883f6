"""Data: what stands on both sides of the split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count, number, plural
from bioloom.report.questions import looked_for
from bioloom.report.templating import fill
from bioloom.report.words import in_sentence

MEANING = {
    "exact_copies": (
        "Exact copies",
        "test records that the model also learned from: it can remember their answer",
    ),
    "reverse_complements": ("Reverse complements", "test records whose other strand the model learned from"),
    "contained_copies": (
        "Contained copies",
        "test records that lie inside a longer record the model learned from, or hold one",
    ),
    "near_copies": ("Near copies", "test records almost identical to one the model learned from"),
    "start_copies": (
        "Known to the start",
        "test records that the model with which training began had learned from",
    ),
    "conflicting_labels": (
        "Conflicting labels",
        "copies whose labels disagree: no model can be right on all of them",
    ),
}


def render(facts: Facts) -> Markup | None:
    """Counts of copies across the split, how likeness was judged, and examples."""
    leakage = facts["leakage"] or {}
    counted = looked_for(facts.result)
    labels = ("conflicting_labels",) if facts["data"]["target"].get("labelled", True) else ()
    counted |= {key: leakage[key] for key in labels if leakage.get(key) is not None}
    if not counted:
        return None
    values = {
        "rows": [(*MEANING[key], count(n)) for key, n in counted.items()],
        "notion": in_sentence(str(leakage.get("notion") or "").rstrip(".")),
        "others": list(_others(leakage)),
        "examples": [_example(each) for each in leakage.get("examples") or ()],
    }
    return fill("leakage.html", values)


def _others(leakage: Mapping[str, Any]) -> Iterator[str]:
    """What else was counted, where there is any."""
    straddling, repeated = leakage.get("groups_straddling") or 0, leakage.get("repeated_in_file") or 0
    if straddling:
        yield f"{plural(straddling, 'test record')} of a group that the model also learned from."
    validation = leakage.get("validation_copies") or 0
    if validation:
        yield (
            f"{plural(validation, 'validation record')} with a copy among the training records: when to stop was "
            "decided partly on records the model remembers."
        )
    if repeated:
        conflicting = leakage.get("conflicting_in_file") or 0
        labels = f", {count(conflicting)} of them with another label" if conflicting else ""
        yield f"In the whole file {plural(repeated, 'record')} repeat an earlier one{labels}."


def _example(example: Mapping[str, Any]) -> str:
    """A pair of records: "test record s12 and learned record s801: near, identity 0.987"."""
    identity = example.get("identity")
    alike = f", identity {number(identity)}" if identity is not None else ""
    return f"test record {example['test']} and learned record {example['learned']}: {example['kind']}{alike}"


leakage = sections.register(Section("leakage", "data", 40, "Copies across the split", render))
