"""Optimisation: what the network had learned before it saw a label, and whether that helped."""

from __future__ import annotations

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.templating import fill


def render(facts: Facts) -> Markup | None:
    """What was seen, what was left out, and the comparison with random weights."""
    seen, gain = facts.part("pretraining"), facts.part("pretrained")
    if not seen and not gain:
        return None
    values = {
        "text": str(seen.get("text") or ""),
        "notion": str(seen.get("notion") or ""),
        "unusable": int(seen.get("unusable") or 0),
        "verdict": str(seen.get("verdict") or ""),
        "folder": str(seen.get("folder") or ""),
        "gain": str(gain.get("text") or ""),
    }
    return fill("pretraining.html", values)


pretraining = sections.register(
    Section("pretraining", "optimisation", 5, "Learning without labels first", render)
)
