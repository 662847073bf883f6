"""Evaluation: the predictions of the test records themselves, drawn as the task needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from bioloom.figures.confusion import confusion
from bioloom.figures.curves import precision_recall, roc
from bioloom.figures.scatter import scatter
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import Image, from_figure
from bioloom.report.predictions import Predictions, read
from bioloom.report.templating import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

TARGETS_AT_MOST = 6
"""Targets whose predictions are drawn."""

THRESHOLD = 0.5
"""Probability from which a record is called positive, as in the scores."""


def render(facts: Facts) -> Markup | None:
    """Scatter, curves or confusion matrix of the test records."""
    predictions = read(facts)
    if predictions is None:
        return None
    test = predictions.of("test")
    task = str(facts["data"]["target"]["task"])
    if not len(test.truth) or not np.isfinite(test.truth).any():
        return None
    names = [str(name) for name in facts["data"]["target"]["names"]]
    images = _regression(test, names) if task == "regression" else _classes(test, task)
    return fill("predictions.html", {"images": images, "left": max(0, len(names) - TARGETS_AT_MOST)})


def _regression(test: Predictions, names: list[str]) -> list[Image]:
    caption = (
        "Each test record: measured across, predicted upwards. Good predictions lie along the dashed line."
    )
    return [
        from_figure(scatter(test.truth[:, place], test.value[:, place], target=name), caption=caption)
        for place, name in enumerate(names[:TARGETS_AT_MOST])
        if np.isfinite(test.truth[:, place]).any()
    ]


def _classes(test: Predictions, task: str) -> list[Image]:
    known = np.isfinite(test.truth[:, 0])
    truth, value = test.truth[known, 0].astype(np.int64), test.value[known]
    if task == "binary":
        called = (value[:, 0] >= THRESHOLD).astype(np.int64)
        return [_matrix(truth, called, test.classes), *_curves(truth == 1, value[:, 0], test.classes[1])]
    return [_matrix(truth, value.argmax(axis=1), test.classes)]


def _matrix(truth: NDArray[Any], called: NDArray[Any], classes: tuple[str, ...]) -> Image:
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (truth, called), 1)
    caption = "Each row is a true class, each column what it was taken for. A good model fills the diagonal."
    return from_figure(confusion(counts, classes), caption=caption)


def _curves(positive: NDArray[Any], score: NDArray[Any], name: str) -> list[Image]:
    if positive.all() or not positive.any():
        return []
    far = "The further a curve bends to the upper left, the better; the dashed diagonal is a coin toss."
    pure = "How pure the list stays as more positives are found; the dashed line is the share of positives."
    return [
        from_figure(roc(positive, {"this model": score}, positive=name), caption=far),
        from_figure(precision_recall(positive, {"this model": score}, positive=name), caption=pure),
    ]


predictions = sections.register(
    Section("predictions", "evaluation", 10, "Predictions of the test records", render)
)
