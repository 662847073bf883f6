"""Data: what is predicted, how often each value or class occurs, and in which part of the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from bioloom.figures.histogram import class_shares, distribution
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import Image, from_figure
from bioloom.report.numbers import count, number
from bioloom.report.predictions import PARTS, Predictions, read
from bioloom.report.templating import fill

FIGURES_AT_MOST = 4
"""Targets whose distribution is drawn; the table lists all."""

NUMBERS = ("regression", "position_values")
"""Tasks whose targets are numbers."""

STATISTICS = ("mean", "sd", "min", "max", "missing")


def render(facts: Facts) -> Markup | None:
    """The target with its task, a table of its values and a figure of their distribution; None without labels."""
    target = facts["data"]["target"]
    if target.get("labelled") is False:
        return None
    predictions = read(facts)
    values = {
        "names": ", ".join(map(str, target["names"])),
        "task": str(target.get("title") or target["task"]),
        "reason": str(target.get("reason") or ""),
        "positive": target.get("positive"),
        "positive_reason": str(target.get("positive_reason") or ""),
        "numbers": _numbers(target),
        "classes": _classes(target),
        "counted": f"{str(target.get('place') or 'record').capitalize()}s",
        "images": _images(target, predictions, _parts(facts)) if predictions else [],
    }
    return fill("target.html", values)


def _numbers(target: Mapping[str, Any]) -> list[tuple[str, ...]]:
    summary = target.get("summary") or {}
    if target["task"] not in NUMBERS:
        return []
    return [
        (str(name), *(_statistic(summary[name], key) for key in STATISTICS))
        for name in target["names"]
        if isinstance(summary.get(name), dict)
    ]


def _statistic(of: Mapping[str, Any], key: str) -> str:
    value = of.get(key)
    if key == "missing":
        return count(value)
    if value is not None and key in ("min", "max") and 0 < abs(value) < 1000:
        return f"{value:.4g}"  # 1 rather than 1.00: an end of the scale is often exact
    return number(value)


def _classes(target: Mapping[str, Any]) -> list[tuple[str, str]]:
    if target["task"] in NUMBERS:
        return []
    summary = target.get("summary") or {}
    counts = summary.get("counts", summary)
    return [(str(name), count(counts[name])) for name in target.get("classes") or counts if name in counts]


def _parts(facts: Facts) -> dict[str, str]:
    """The parts of the split with their names in figures; with folds every record is tested, so there is one."""
    return {"test": "all records"} if facts["split"].get("folds") else {part: part for part in PARTS}


def _images(target: Mapping[str, Any], predictions: Predictions, parts: Mapping[str, str]) -> list[Image]:
    if target["task"] != "regression":
        counts = {
            called: Counter(predictions.classes[code] for code in predictions.labels(part))
            for part, called in parts.items()
        }
        shown = {part: {name: by[name] for name in predictions.classes} for part, by in counts.items() if by}
        return [from_figure(class_shares(shown))] if shown else []
    images = []
    for place, name in enumerate(target["names"][:FIGURES_AT_MOST]):
        groups = {
            called: predictions.truth[predictions.part == part, place] for part, called in parts.items()
        }
        known = {part: values for part, values in groups.items() if np.isfinite(values).any()}
        if known:
            images.append(from_figure(distribution(known, label=str(name))))
    return images


target = sections.register(Section("target", "data", 20, "Target", render))
