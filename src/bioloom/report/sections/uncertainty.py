"""Evaluation: how far a single prediction may be off, and whether that promise was kept on the test records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import number
from bioloom.report.questions import baseline_title, measured_on
from bioloom.report.templating import fill
from bioloom.report.words import in_sentence

TARGETS_AT_MOST = 12
"""Targets that are listed."""


def render(facts: Facts) -> Markup | None:
    """Promised and found coverage of prediction intervals or sets of classes."""
    block = facts.part("uncertainty")
    if not block.get("coverage"):
        return None
    sets = block.get("kind") == "sets"
    listed = block["coverage"][:TARGETS_AT_MOST]
    own = str(facts["data"]["target"]["names"][0])
    size = "Classes in a set, on average" if sets else "Width of the interval"
    values = {
        "text": str(block.get("text") or ""),
        "head": ("Target", "Promised", "Found on test records (95 % interval)", size),
        "rows": [_row(each, float(block["level"]), own) for each in listed],
        "left": max(0, len(block["coverage"]) - TARGETS_AT_MOST),
        "sets": sets,
        "source": measured_on(facts.result),
        "whose": _whose(facts),
        "spread": bool(block.get("constant")),
        "grouped": bool(block.get("groups")),
    }
    return fill("uncertainty.html", values)


def _whose(facts: Facts) -> str:
    """The model that `bioloom predict` uses, in a sentence."""
    delivered, baselines = facts["model"].get("delivered", "network"), facts["scores"]["baselines"]
    if delivered == "network":
        return "the network"
    return in_sentence(baseline_title(delivered, baselines.get(delivered) or {}))


def _row(each: Mapping[str, Any], level: float, own: str) -> tuple[str, str, str, str]:
    size = number(each.get("size"), 4) if each.get("size") is not None else "no ends"
    return str(each.get("name") or own), f"{100 * level:.0f} %", _found(each), size


def _found(each: Mapping[str, Any]) -> str:
    if each.get("value") is None:
        return "–"
    value = f"{100 * each['value']:.1f}"
    if each.get("low") is None:
        return f"{value} % ({each.get('undefined') or 'no interval'})"
    return f"{value} % ({100 * each['low']:.1f} to {100 * each['high']:.1f} %)"


uncertainty = sections.register(
    Section("uncertainty", "evaluation", 75, "How far may a single prediction be off?", render)
)
