"""Evaluation: the same mistake every time, or another one with each training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import number, plural
from bioloom.report.templating import fill, typeset


def render(facts: Facts) -> Markup | None:
    """The parts of the mean loss, which add up to it."""
    found = facts.part("bias_variance")
    if found.get("loss") is None:
        return None
    values = {
        "text": str(found.get("text") or ""),
        "trainings": plural(int(found["trainings"]), "training"),
        "rows": [(name, typeset(number(value))) for name, value in _parts(found)],
    }
    return fill("bias_variance.html", values)


def _parts(found: Mapping[str, Any]) -> list[tuple[str, float]]:
    if found["kind"] == "squared":
        rows = [("Mean squared error", found["loss"]), ("Bias, squared", found["bias"])]
        rows.append(("Variance", found["net"]))
        return rows + ([("Noise of the measurement", found["noise"])] if found.get("noise") else [])
    return [
        ("Error rate", found["loss"]),
        ("Bias: records that most trainings name wrongly", found["bias"]),
        ("Variance that costs: departures from a right majority", found["unbiased"]),
        ("Variance that helps: departures from a wrong majority to the right class", found["biased"]),
        ("Net variance", found["net"]),
    ]


bias_variance = sections.register(
    Section("bias_variance", "evaluation", 85, "The same mistake, or another each time?", render)
)
