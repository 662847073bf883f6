"""Evaluation: the paired difference between the model and each baseline, on the same test records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import metric_title, signed
from bioloom.report.questions import baseline_title, difference, in_order
from bioloom.report.templating import fill
from bioloom.report.words import capital


def render(facts: Facts) -> Markup | None:
    """Is the model better, and by how much."""
    baselines = facts["scores"]["baselines"]
    rows = [row for row in facts.result.get("comparison") or () if row["against"] in baselines]
    if not rows:
        return None
    order = in_order(list(baselines))
    rows.sort(key=lambda row: order.index(row["against"]))
    return fill("comparison.html", {"rows": [_row(row, baselines[row["against"]]) for row in rows]})


def _row(row: Mapping[str, Any], baseline: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    name, metric = baseline_title(row["against"], baseline), str(row["metric"])
    called = capital(metric_title(metric))
    if row.get("difference") is None:
        return name, "cannot be said", called, "", str(row.get("undefined") or "")
    answer = difference(row)
    low, high = row.get("low"), row.get("high")
    span = (
        str(row.get("undefined") or "") if low is None else f"{signed(metric, low)} to {signed(metric, high)}"
    )
    return name, answer.word or "without an interval", called, signed(metric, row["difference"]), span


comparison = sections.register(
    Section("comparison", "evaluation", 30, "Better than the simpler models?", render)
)
