"""Evaluation: the score by likeness to the training records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.figures.steps import Step, steps
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import from_figure
from bioloom.report.numbers import metric_title, score
from bioloom.report.templating import fill
from bioloom.report.words import capital

CAPTION = (
    "Each dot is the score of the test records whose nearest learned record is that alike; the line through it is "
    "its 95 % interval. A line that falls to the left says that the model does worse on records unlike those it knows."
)


def render(facts: Facts) -> Markup | None:
    """The sentence, the figure, and why a bin has no number."""
    curve = facts.part("identity")
    bins = curve.get("bins") or []
    if not bins:
        return None
    values = {
        "text": str(curve.get("text") or ""),
        "image": _image(curve, bins, facts) if len(bins) > 1 else None,
        "missing": [
            f"{capital(str(each['label']))}: {each['undefined']}" for each in bins if each.get("undefined")
        ],
        "rows": [_row(curve, each) for each in bins],
    }
    return fill("identity.html", values)


def _image(curve: Mapping[str, Any], bins: list[Mapping[str, Any]], facts: Facts) -> Any:
    metric = str(curve.get("metric") or facts["scores"]["primary"])
    points = [
        Step(
            str(each["label"]),
            int(each["n"]),
            *(_number(each.get(key)) for key in ("value", "low95", "high95")),
        )
        for each in bins
    ]
    whole = (facts["scores"]["model"].get(metric) or {}).get("value")
    notion = str(curve.get("notion") or "likeness to the training records")
    positions = notion.startswith("positions")
    axis = "Nearest learned record" if positions else "Identity to the nearest learned record"
    drawn = steps(
        points, metric=capital(metric_title(metric)), axis=axis, guessing=curve.get("guessing"), whole=whole
    )
    return from_figure(drawn, caption=CAPTION)


def _row(curve: Mapping[str, Any], each: Mapping[str, Any]) -> tuple[str, str, str, str]:
    metric = str(curve.get("metric") or "")
    if each.get("value") is None:
        return str(each["label"]), f"{each['n']:,}", "not defined", ""
    low, high = each.get("low95"), each.get("high95")
    span = "" if low is None or high is None else f"{score(metric, low)} to {score(metric, high)}"
    return str(each["label"]), f"{each['n']:,}", score(metric, each["value"]), span


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


identity = sections.register(
    Section(
        "identity", "evaluation", 35, "Does the score hold for records unlike the training records?", render
    )
)
