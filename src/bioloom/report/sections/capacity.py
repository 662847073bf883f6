"""Evaluation: under- and overfitting, by the size of the network."""

from __future__ import annotations

from markupsafe import Markup

from bioloom.figures.capacity import capacity as draw
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import from_figure
from bioloom.report.numbers import metric_title, score
from bioloom.report.templating import fill, typeset
from bioloom.report.words import capital

CAPTION = (
    "Each dot is a training of a network of another size; bars are 95 % intervals. Where both lines are low the network "
    "is too small for the task; where they part, it remembers its training records."
)


def render(facts: Facts) -> Markup | None:
    """The curve as a figure, and its numbers."""
    found = facts.part("capacity")
    if not found.get("sizes"):
        return None
    metric = str(found["metric"])
    rows = [
        (
            int(size["parameters"]),
            size.get("fitted"),
            size["score"].get("value"),
            size["score"].get("low"),
            size["score"].get("high"),
        )
        for size in found["sizes"]
    ]
    values = {
        "text": str(found.get("text") or ""),
        "image": from_figure(draw(rows, label=capital(metric_title(metric))), caption=CAPTION),
        "setting": str(found["setting"]),
        "rows": [
            (
                str(size["value"]),
                f"{row[0]:,}",
                typeset(score(metric, row[1])),
                typeset(score(metric, row[2])),
            )
            for size, row in zip(found["sizes"], rows, strict=True)
        ],
    }
    return fill("capacity.html", values)


capacity = sections.register(
    Section("capacity", "evaluation", 83, "Is the network too small, or too large?", render)
)
