"""Pictures of two shapes with a caption, or with a question and its answer: something to learn words for pictures from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.simulate import Made, Simulator, simulators

SIDE = 20
"""Pixels of each side of a picture."""

SHAPES = ("square", "ring", "cross", "triangle")
RADIUS = {"small": 2, "large": 4}
"""Pixels from the middle of a shape to its edge."""


@dataclass(frozen=True)
class Thing:
    """One shape in a picture: its name, how large it is, and where its middle is (row, column)."""

    shape: str
    size: str
    at: tuple[int, int]

    @property
    def words(self) -> str:
        """Such as "a small ring"."""
        return f"a {self.size} {self.shape}"


def drawn(things: tuple[Thing, ...], random: np.random.Generator) -> NDArray[np.int64]:
    """The picture of some shapes on a grey ground with noise, (20 x 20,) whole numbers from 0 to 255."""
    canvas = random.normal(60, 15, size=(SIDE, SIDE))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    for thing in things:
        up, along = rows - thing.at[0], columns - thing.at[1]
        canvas[_inside(thing, up, along)] += 120
    return canvas.clip(0, 255).round().astype(np.int64).ravel()


def _inside(thing: Thing, up: NDArray[np.int64], along: NDArray[np.int64]) -> NDArray[np.bool_]:
    radius = RADIUS[thing.size]
    near = (np.abs(up) <= radius) & (np.abs(along) <= radius)
    distance = np.hypot(up, along)
    found = {
        "square": near,
        "ring": (distance <= radius + 0.5) & (distance > radius - 1),
        "cross": near & ((np.abs(up) < radius / 2) | (np.abs(along) < radius / 2)),
        "triangle": near & (2 * np.abs(along) <= up + radius),
    }
    return np.asarray(found[thing.shape], dtype=np.bool_)


def _things(random: np.random.Generator) -> tuple[tuple[Thing, Thing], str]:
    """Two different shapes, the first left of the second or above it, and how they stand."""
    first, second = random.choice(SHAPES, 2, replace=False)
    sizes = random.choice(list(RADIUS), 2)
    beside = random.random() < 0.5
    across, ends = random.integers(7, 13, 2), (random.integers(4, 6), random.integers(14, 16))
    places = [(int(across[0]), int(ends[0])), (int(across[1]), int(ends[1]))]
    if not beside:
        places = [(end, middle) for middle, end in places]
    things = [
        Thing(str(shape), str(size), place)
        for shape, size, place in zip((first, second), sizes, places, strict=True)
    ]
    return (things[0], things[1]), "left of" if beside else "above"


def _question(things: tuple[Thing, Thing], stands: str, random: np.random.Generator) -> tuple[str, str]:
    """A question about two shapes, and its answer in one word."""
    thing = things[int(random.integers(2))]
    if random.random() < 0.5:
        return f"how large is the {thing.shape}", thing.size
    sides = ("left", "right") if stands == "left of" else ("top", "bottom")
    return f"which shape is at the {sides[things.index(thing)]}", thing.shape


def _make(asks: bool, records: int, seed: int) -> Made:
    random = np.random.default_rng(seed)
    pixels, told = [], []
    for _ in range(records):
        things, stands = _things(random)
        pixels.append(drawn(things, random))
        told.append(
            _question(things, stands, random) if asks else (f"{things[0].words} {stands} {things[1].words}",)
        )
    names = ["question", "answer"] if asks else ["caption"]
    frame = pd.DataFrame(np.array(pixels), columns=pd.Index([f"pixel{n + 1}" for n in range(SIDE * SIDE)]))
    words = pd.DataFrame(told, columns=pd.Index(names))
    ids = pd.Series([f"picture{n + 1}" for n in range(records)], name="id")
    return Made(pd.concat([ids, words, frame], axis=1), {"shapes": list(SHAPES), "pixels": SIDE})


simulators.register(
    Simulator(
        name="captions",
        title="pictures of two shapes (20 x 20 pixels), with a caption in words",
        target="caption",
        task="translation",
        make=partial(_make, False),
        source="shapes drawn at random places on a noisy ground",
    )
)
simulators.register(
    Simulator(
        name="questions",
        title="pictures of two shapes (20 x 20 pixels), with a question and its answer",
        target="answer",
        task="translation",
        make=partial(_make, True),
        source="shapes drawn at random places on a noisy ground; after Malinowski and Fritz (2014) arXiv:1410.0210",
    )
)
