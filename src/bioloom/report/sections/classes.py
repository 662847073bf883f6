"""Evaluation: the scores of each class by itself, where there are three or more, or one at every place."""

from __future__ import annotations

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count, metric_title, with_interval
from bioloom.report.templating import fill
from bioloom.report.words import capital

SHOWN = 60
"""Classes in the table; `result.json` holds all."""


def render(facts: Facts) -> Markup | None:
    """One row for each class: how many there are, how many of them are found, how many calls are right."""
    per_class = facts["scores"].get("per_class") or {}
    if not per_class:
        return None
    things = f"{facts['data']['target'].get('place') or 'test record'}s"
    metrics = list(next(iter(per_class.values())))
    rows = [
        (
            str(name),
            count((scores.get("sensitivity") or {}).get("n")),
            *(with_interval(metric, scores.get(metric) or {}) for metric in metrics),
        )
        for name, scores in list(per_class.items())[:SHOWN]
    ]
    head = ("Class", capital(things), *(capital(metric_title(name)) for name in metrics))
    left = max(0, len(per_class) - SHOWN)
    return fill(
        "classes.html", {"head": head, "rows": rows, "things": things, "left": count(left) if left else ""}
    )


classes = sections.register(Section("classes", "evaluation", 34, "Each class by itself", render))
