"""Evaluation: the score in each fold, their mean with a corrected interval, and differences over folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count, metric_title, number, score, signed
from bioloom.report.questions import baseline_title, in_order
from bioloom.report.templating import fill
from bioloom.report.words import capital

FOLDS_AT_MOST = 20
"""Folds listed one by one; leave-one-out has too many to read."""

METRICS_AT_MOST = 3
"""Metrics whose folds are listed, the deciding one first; more would not fit beside each other."""


def render(facts: Facts) -> Markup | None:
    """Tables of folds and of differences."""
    found = facts.part("folds")
    if not found.get("folds"):
        return None
    means: Mapping[str, Any] = found.get("mean") or {}
    primary = str(facts["scores"]["primary"])
    names = sorted((name for name in means if means[name] is not None), key=lambda name: name != primary)
    names = names[:METRICS_AT_MOST]
    folds = found["folds"] if len(found["folds"]) <= FOLDS_AT_MOST else []
    values = {
        "text": str(found.get("text") or ""),
        "head": ("Fold", "Trained on", "Tested on", *(capital(metric_title(name)) for name in names)),
        "rows": [_fold(each, names, many=any(fold["repeat"] for fold in folds)) for each in folds]
        + _summary(found, names),
        "differences": _differences(found.get("differences") or {}, facts["scores"]["baselines"]),
    }
    return fill("folds.html", values)


def _fold(fold: Mapping[str, Any], names: Sequence[str], *, many: bool) -> tuple[str, ...]:
    called = f"{fold['repeat'] + 1}.{fold['fold'] + 1}" if many else str(fold["fold"] + 1)
    scores = (score(name, fold["values"].get(name)) for name in names)
    return called, count(fold["n_train"]), count(fold["n_test"]), *scores


def _summary(found: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, ...]]:
    rows = [("Mean", "", "", *(score(name, found["mean"][name]) for name in names))]
    intervals = found.get("interval") or {}
    if intervals:
        spans = (
            f"{score(name, intervals[name][0])} to {score(name, intervals[name][1])}"
            if name in intervals
            else ""
            for name in names
        )
        rows.append(("95 % interval", "", "", *spans))
    spread, pooled = found.get("sd") or {}, found.get("pooled") or {}
    if any(spread.get(name) is not None for name in names):
        rows.append(("Standard deviation", "", "", *(score(name, spread.get(name)) for name in names)))
    if pooled:
        rows.append(("Pooled", "", "", *(score(name, pooled.get(name)) for name in names)))
    return rows


def _differences(differences: Mapping[str, Any], baselines: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for role in in_order(list(differences)):
        each = differences[role]
        if each.get("mean") is None:
            continue
        name = baseline_title(role, baselines[role]) if role in baselines else role
        metric, low, high = str(each["metric"]), each.get("low"), each.get("high")
        none = str(each.get("undefined") or "")
        span = none if low is None else f"{signed(metric, low)} to {signed(metric, high)}"
        rows.append(
            (name, capital(metric_title(metric)), signed(metric, each["mean"]), span, _p(each.get("p")))
        )
    return rows


def _p(value: float | None) -> str:
    return "" if value is None else "below 0.001" if value < 0.001 else number(value, 2)


folds = sections.register(Section("folds", "evaluation", 25, "In each fold", render))
