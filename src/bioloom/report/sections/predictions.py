"""Evaluation: the predictions of the test records themselves, drawn as numbers, two classes or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from bioloom.figures.confusion import confusion
from bioloom.figures.curves import precision_recall, roc
from bioloom.figures.scatter import scatter
from bioloom.report import places
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
    """Scatter, curves or confusion matrix of the test records; None where there are no labels to compare with."""
    if facts["data"]["target"].get("labelled") is False:
        return None
    if facts["data"]["target"].get("place"):
        found = places.images(facts)
        told = {"images": found, "left": 0, "folds": facts["split"].get("folds"), "aside": ""}
        return fill("predictions.html", told) if found else None
    predictions = read(facts)
    if predictions is None:
        return None
    test = predictions.of("test")
    if not len(test.truth) or not np.isfinite(test.truth).any():
        return None
    names = [str(name) for name in facts["data"]["target"]["names"]]
    values = {
        "images": _classes(test) if test.classes else _numbers(test, names, _of_network(facts)),
        "left": max(0, len(names) - TARGETS_AT_MOST),
        "folds": facts["split"].get("folds"),
        "aside": _aside(names, test.classes, facts.part("uncertainty")),
    }
    return fill("predictions.html", values)


def _of_network(facts: Facts) -> Mapping[str, Any]:
    """The promise about single predictions, where it is that of the network, whose predictions are drawn here."""
    return facts.part("uncertainty") if facts["model"].get("delivered", "network") == "network" else {}


def _aside(names: list[str], classes: tuple[str, ...], promised: Mapping[str, Any]) -> str:
    """Which columns stand beside a prediction of new records."""
    if not promised.get("coverage"):
        return ""
    level = f"{100 * promised['level']:g} %"
    if classes:
        return f'"possible": all classes that the record may belong to, the true one among them for {level} of records'
    return f'"{names[0]} low" and "{names[0]} high": the ends of the {level} interval'


def _numbers(test: Predictions, names: list[str], promised: Mapping[str, Any]) -> list[Image]:
    caption = (
        "Each test record: measured across, predicted upwards. Good predictions lie along the dashed line."
    )
    widths = [each.get("size") for each in promised.get("coverage") or ()]
    if promised.get("kind") == "intervals" and len(widths) == len(names):
        caption += f" Between the thin lines the {100 * promised['level']:g} % interval (mean width) holds the measurement."
    else:
        widths = [None] * len(names)
    return [
        from_figure(
            scatter(test.truth[:, place], test.value[:, place], target=name, width=widths[place]),
            caption=caption,
        )
        for place, name in enumerate(names[:TARGETS_AT_MOST])
        if np.isfinite(test.truth[:, place]).any()
    ]


def _classes(test: Predictions) -> list[Image]:
    known = np.isfinite(test.truth[:, 0])
    truth, value = test.truth[known, 0].astype(np.int64), test.value[known]
    if len(test.classes) == 2:
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
        from_figure(roc(positive, {"network": score}, positive=name), caption=far),
        from_figure(precision_recall(positive, {"network": score}, positive=name), caption=pure),
    ]


predictions = sections.register(
    Section("predictions", "evaluation", 10, "Predictions of the test records", render)
)
