"""Evaluation: how far the score would move with other test records, and with another seed."""

from __future__ import annotations

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import metric_title, score
from bioloom.report.templating import fill, typeset
from bioloom.report.words import capital


def render(facts: Facts) -> Markup | None:
    """The components of variance as standard deviations."""
    found = facts.part("variance")
    if not found.get("scores") or found.get("seeds") is None:
        return None
    metric = str(found["metric"])
    seeds = score(metric, found["seeds"])
    if found.get("seeds_low") is not None:
        seeds += f" ({score(metric, found['seeds_low'])} to {score(metric, found['seeds_high'])})"
    rows = [("Score of each training", ", ".join(score(metric, each) for each in found["scores"]))]
    if found.get("data") is not None:
        rows.append(("Other test records", score(metric, found["data"])))
    rows.append(("Another seed", seeds))
    if found.get("total") is not None:
        rows.append(("Both", score(metric, found["total"])))
    values = {
        "text": str(found.get("text") or ""),
        "metric": capital(metric_title(metric)),
        "rows": [(name, typeset(value)) for name, value in rows],
    }
    return fill("variance.html", values)


variance = sections.register(Section("variance", "evaluation", 27, "With another seed", render))
