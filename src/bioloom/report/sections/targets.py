"""Evaluation: the scores of each target by itself, where there are several."""

from __future__ import annotations

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import metric_title, with_interval
from bioloom.report.templating import fill
from bioloom.report.words import capital


def render(facts: Facts) -> Markup | None:
    """One row for each target, one column for each metric."""
    per_target = facts["scores"].get("per_target") or {}
    if not per_target:
        return None
    metrics = list(facts["scores"]["model"])
    rows = [
        (str(target), *(with_interval(name, scores.get(name) or {}) for name in metrics))
        for target, scores in per_target.items()
    ]
    head = ("Target", *(capital(metric_title(name)) for name in metrics))
    return fill("targets.html", {"head": head, "rows": rows})


targets = sections.register(Section("targets", "evaluation", 33, "Each target by itself", render))
