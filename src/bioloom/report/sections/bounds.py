"""Evaluation: what the test promises about new records, beside what training alone could have promised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count
from bioloom.report.templating import fill


def render(facts: Facts) -> Markup | None:
    """The bound to act on, and the bounds of families of models."""
    found = facts.part("bounds")
    test = found.get("test")
    if not test:
        return None
    values = {
        "text": str(found.get("text") or test.get("text") or ""),
        "rows": [_family(each) for each in found.get("families") or ()],
    }
    return fill("bounds.html", values)


def _family(each: Mapping[str, Any]) -> tuple[str, str, str, str]:
    gap = each.get("gap")
    says = (
        "nothing: an error is never above 100 %"
        if each["vacuous"]
        else f"at most {gap:.0%} above".replace("%", " %")
    )
    return str(each["title"]), f"{each['dimension']:,.0f}", count(each["records"]), says


bounds = sections.register(
    Section("bounds", "evaluation", 80, "What can be promised about new records", render)
)
