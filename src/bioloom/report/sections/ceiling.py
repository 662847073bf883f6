"""Evaluation: how good any model could be, given the noise of the measurement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import number, score
from bioloom.report.templating import fill, typeset


def render(facts: Facts) -> Markup | None:
    """The ceiling, what of it is reached, and what noise it rests on."""
    found = facts.part("ceiling")
    if not found.get("text"):
        return None
    rows = _classes(found) if found.get("accuracy") is not None else _numbers(found)
    return fill(
        "ceiling.html", {"text": str(found["text"]), "rows": [(name, typeset(value)) for name, value in rows]}
    )


def _numbers(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("Best possible R²", _span("r2", found, "r2", "low", "high"))]
    if found.get("reached") is not None:
        rows.append(("R² of the network", score("r2", found["reached"])))
    if found.get("explained") is not None:
        rows.append(("Share of the possible that is reached",
                     _span("", found, "explained", "explained_low", "explained_high")))  # fmt: skip
    if found.get("pearson") is not None:
        rows.append(("Best possible Pearson correlation", score("pearson", found["pearson"])))
    if found.get("noise") is not None:
        rows.append(("Noise of one measurement, standard deviation", number(found["noise"] ** 0.5)))
    return rows


def _classes(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Best possible accuracy on repeated records", _span("accuracy", found, "accuracy", "low", "high"))
    ]


def _span(metric: str, found: Mapping[str, Any], value: str, low: str, high: str) -> str:
    def text(key: str) -> str:
        return score(metric, found[key]) if metric else f"{found[key]:.0%}".replace("%", " %")

    if found.get(low) is None or found.get(high) is None:
        return text(value)
    return f"{text(value)} ({text(low)} to {text(high)})"


ceiling = sections.register(Section("ceiling", "evaluation", 40, "How good could any model be?", render))
