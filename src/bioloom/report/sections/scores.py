"""Evaluation: every metric of the network and of each baseline, with intervals and plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bioloom.metrics import described
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import interval, metric_title, plural, score, without_number
from bioloom.report.questions import baseline_title, in_order
from bioloom.report.summary import network_title
from bioloom.report.templating import fill
from bioloom.report.words import capital, in_sentence, listed


def render(facts: Facts) -> Markup:
    """The table of all metrics."""
    scores = facts["scores"]
    names = in_order(list(scores["baselines"]))
    columns = [(network_title(facts.result), scores["model"])]
    columns += [
        (baseline_title(name, scores["baselines"][name]), scores["baselines"][name].get("scores") or {})
        for name in names
    ]
    primary = scores["primary"]
    metrics = [primary, *(name for name in scores["model"] if name != primary)]
    values = {
        "head": [title for title, _ in columns],
        "rows": [_row(name, [scored for _, scored in columns], name == primary) for name in metrics],
        "described": [
            (
                baseline_title(name, scores["baselines"][name]),
                str(scores["baselines"][name].get("description") or ""),
            )
            for name in names
            if scores["baselines"][name].get("description")
        ],
        "folds": bool(facts.part("folds")),
        "features": _features(scores["baselines"]),
        "fewer": _fewer(facts),
        "records": plural(int(scores["model"][primary].get("n") or 0), "test record"),
        "intervals": _intervals(scores["model"]),
    }
    return fill("scores.html", values)


def _features(baselines: Mapping[str, Mapping[str, Any]]) -> str:
    """What the baselines see of an input; the same for all."""
    return next((str(each["features"]) for each in baselines.values() if each.get("features")), "")


def _fewer(facts: Facts) -> str:
    """Which baselines learned from fewer records than the network, such as "nearest training record 1,000"."""
    baselines, learned = facts["scores"]["baselines"], int(facts["split"]["counts"]["train"])
    told = {name: int(baselines[name].get("records") or learned) for name in in_order(list(baselines))}
    return listed(
        [
            f"{in_sentence(baseline_title(name, baselines[name]))} {records:,}"
            for name, records in told.items()
            if records < learned
        ]
    )


def _row(name: str, columns: Sequence[Mapping[str, Any]], primary: bool) -> dict[str, Any]:
    known = described(name)
    direction = "" if known is None or known.higher_is_better else "lower is better"
    return {
        "title": capital(metric_title(name)),
        "direction": direction,
        "plain": known.plain if known else "",
        "decides": primary,
        "cells": [_cell(name, scores.get(name)) for scores in columns],
    }


def _cell(name: str, scored: Mapping[str, Any] | None) -> dict[str, str]:
    if scored is None:
        return {"value": "–", "span": "", "why": ""}
    why = without_number(scored)
    if scored.get("value") is None:
        return {"value": "", "span": "", "why": why or "not defined"}
    return {"value": score(name, scored["value"]), "span": interval(name, scored), "why": why}


def _intervals(scores: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Which kinds of interval the table holds, each with its metrics."""
    kinds: dict[str, list[str]] = {}
    for name, scored in scores.items():
        kind = scored.get("interval")
        if kind and kind != "none":
            kinds.setdefault(str(kind), []).append(metric_title(name))
    if len(kinds) == 1:
        return list(kinds)
    return [f"{kind} ({', '.join(names)})" for kind, names in kinds.items()]


scores = sections.register(Section("scores", "evaluation", 20, "All scores", render))
