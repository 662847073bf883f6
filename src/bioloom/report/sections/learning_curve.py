"""Evaluation: the score with fewer training records, and what more of them would add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.figures.learning import learning
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import from_figure
from bioloom.report.numbers import metric_title
from bioloom.report.questions import SIZES, baseline_title
from bioloom.report.templating import fill
from bioloom.report.words import capital

CAPTION = (
    "Each dot is a training on a part of the training records, scored on the same test records; bars are 95 % "
    "intervals. Where the dots still climb at the right, more data would help."
)


def render(facts: Facts) -> Markup | None:
    """The curve as a figure, and its answer in a sentence."""
    curve = facts.part("learning_curve")
    if not curve.get("points"):
        return None
    baselines = facts["scores"]["baselines"]
    points: dict[str, list[tuple[float, float, float | None, float | None]]] = {}
    for each in curve["points"]:
        row = (each["n"], each["value"], each.get("low"), each.get("high"))
        points.setdefault(_title(str(each.get("role") or "model"), baselines), []).append(row)
    ahead = [tuple(row) for row in curve.get("curve") or ()]
    figure = learning(points, ahead, label=capital(metric_title(str(curve["metric"]))))
    sizes = {row[0] for rows in points.values() for row in rows}
    values = {
        "text": str(curve.get("text") or ""),
        "image": from_figure(figure, caption=CAPTION) if len(sizes) > 1 else None,
        "few": len(next(iter(points.values()))) < SIZES,
    }
    return fill("learning_curve.html", values)


def _title(role: str, baselines: Mapping[str, Any]) -> str:
    if role == "model":
        return "network"
    return baseline_title(role, baselines[role]) if role in baselines else role


learning_curve = sections.register(
    Section("learning_curve", "evaluation", 60, "Would more data help?", render)
)
