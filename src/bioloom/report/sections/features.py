"""Evaluation: how well each feature of a record is restored, where a run learned without labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count
from bioloom.report.questions import baseline_title
from bioloom.report.templating import fill


def render(facts: Facts) -> Markup | None:
    """The features that are restored best and worst."""
    found = facts.part("features")
    if not found.get("shown"):
        return None
    simple = facts["scores"]["baselines"].get("simple")
    values = {
        "head": ("Feature", "Restored by the network", "95 % interval", _title(simple)),
        "rows": [_row(each) for each in found["shown"]],
        "left_out": count(found["left_out"]) if found.get("left_out") else "",
        "constant": found.get("constant") or 0,
        "file": str(found.get("file") or ""),
    }
    return fill("features.html", values)


def _title(simple: Mapping[str, Any] | None) -> str:
    return baseline_title("simple", simple) if simple else "Simple model"


def _row(each: Mapping[str, Any]) -> tuple[str, str, str, str]:
    span = "" if each.get("low") is None else f"{_share(each['low'])} to {_share(each['high'])}"
    return str(each["feature"]), _share(each.get("explained")), span, _share(each.get("simple"))


def _share(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


features = sections.register(
    Section("features", "evaluation", 12, "How well each feature is restored", render)
)
