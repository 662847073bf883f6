"""What was predicted at the positions of test records, beside what is true: for the section of predictions."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures.confusion import confusion
from bioloom.figures.histogram import distribution
from bioloom.figures.scatter import scatter
from bioloom.report.images import Image, from_figure, from_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bioloom.report.contract import Facts

POINTS = 5_000
"""Positions that are drawn as points, the first ones of the test."""

CORRECT = "correct"
"""The column of the share of positions that are right."""


def images(facts: Facts) -> list[Image]:
    """A table of what was taken for what and how much is right in each record; for numbers, points."""
    target = facts["data"]["target"]
    if target["place"] == "pixel":
        return _of_pictures(facts)
    name, classes = str(target["names"][0]), tuple(map(str, target.get("classes") or ()))
    return _of_classes(facts, name, classes) if classes else _of_numbers(facts, name)


def _of_pictures(facts: Facts) -> list[Image]:
    """Three test pictures with their areas, and how much is right in each."""
    found = []
    for which in ("best", "middle", "worst"):
        alt = f"The {which} test picture with its true and predicted areas."
        image = from_file(
            facts.folder, f"figures/areas-{which}.svg", alt=alt, title=f"The {which} of the test pictures"
        )
        found += [] if image is None else [image]
    shares = np.array([float(row.get(CORRECT) or "nan") for row in _tested(facts)])
    if np.isfinite(shares).sum() > 1:
        figure = distribution(
            {"test pictures": shares[np.isfinite(shares)]}, label="Share of pixels that are right"
        )
        found.append(from_figure(figure, caption="How much is right in each test picture."))
    return found


def _of_classes(facts: Facts, name: str, classes: tuple[str, ...]) -> list[Image]:
    counts, shares = np.zeros((len(classes), len(classes)), dtype=np.int64), list[float]()
    for row in _tested(facts):
        truth, called = row.get(name) or "", row.get(f"{name} predicted") or ""
        if len(truth) == len(called) and truth.strip("?"):
            np.add.at(counts, _codes(truth, called, classes), 1)
            shares.append(float(row.get(CORRECT) or "nan"))
    if not counts.any():
        return []
    caption = (
        "Positions of the test records: each row is a true class, each column what it was taken for. A good model fills "
        "the diagonal."
    )
    known = np.array([share for share in shares if np.isfinite(share)])
    found = [
        from_figure(
            confusion(counts, classes, things=f"{facts['data']['target']['place']}s"), caption=caption
        )
    ]
    if len(known) > 1:
        figure = distribution({"test records": known}, label="Share of positions that are right")
        found.append(
            from_figure(figure, caption="How much is right in each test record: some are harder than others.")
        )
    return found


def _codes(truth: str, called: str, classes: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Class numbers of the positions where both are known."""
    number = {letter: place for place, letter in enumerate(classes)}
    pairs = [
        (number[one], number[two])
        for one, two in zip(truth, called, strict=True)
        if one in number and two in number
    ]
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _of_numbers(facts: Facts, name: str) -> list[Image]:
    pairs = (
        (float(one), float(two))
        for row in _tested(facts)
        for one, two in zip(
            (row.get(name) or "").split(), (row.get(f"{name} predicted") or "").split(), strict=False
        )
    )
    both = np.array(list(islice(pairs, POINTS)), dtype=np.float64).reshape(-1, 2)
    both = both[np.isfinite(both).all(axis=1)]
    if len(both) < 2:
        return []
    caption = f"{len(both):,} positions of test records: measured across, predicted upwards."
    return [from_figure(scatter(both[:, 0], both[:, 1], target=name, width=None), caption=caption)]


def _tested(facts: Facts) -> Iterator[dict[str, str]]:
    return (row for row in facts.each_row("predictions.csv") if (row.get("part") or "test") == "test")
