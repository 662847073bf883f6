"""Optimisation: what the network had learned before it saw a label, and whether that helped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.templating import fill


def render(facts: Facts) -> Markup | None:
    """What was seen, what was left out, and the comparison with random weights."""
    seen, gain = facts.result.get("pretraining") or [], facts.part("pretrained")
    if not seen and not gain:
        return None
    return fill(
        "pretraining.html", {"seen": [_told(each) for each in seen], "gain": str(gain.get("text") or "")}
    )


def _told(each: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "text": str(each.get("text") or ""),
        "notion": str(each.get("notion") or ""),
        "unusable": int(each.get("unusable") or 0),
        "verdict": str(each.get("verdict") or ""),
        "folder": str(each.get("folder") or ""),
    }


pretraining = sections.register(
    Section("pretraining", "optimisation", 7, "Learning without labels first", render)
)
