"""Evaluation: how surprised a language model is by single records, learned and held out."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from bioloom.figures.histogram import distribution
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import from_figure
from bioloom.report.predictions import PARTS
from bioloom.report.templating import fill

COLUMN = "nats_per_token"

CAPTION = (
    "Nats per token of each record. Held-out records that lie further to the right than those that were learned from "
    "surprise the network more: that far it knows the training text better than the language."
)


def render(facts: Facts) -> Markup | None:
    """The distribution of nats per token in each part of the split; None of runs that learned anything else."""
    if COLUMN not in facts["data"]["target"]["names"]:
        return None
    parts: dict[str, list[float]] = {part: [] for part in PARTS}
    for row in facts.each_row("predictions.csv"):
        parts[row["part"]].append(float(row[COLUMN]))
    known = {part: np.array(values) for part, values in parts.items() if values}
    if not known:
        return None
    figure = distribution(known, label="nats per token")
    return fill("surprise.html", {"images": [from_figure(figure, caption=CAPTION)]})


surprise = sections.register(
    Section("surprise", "evaluation", 13, "How surprising single records are", render)
)
