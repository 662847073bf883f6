"""Simulated data with known truth, for learning how a method behaves where the right answer is known.

A simulator is one file here: a Simulator row and a function that makes records from a number and a seed.

>>> made = simulate("bioreactor", records=200, seed=0)
>>> made.frame.to_csv("bioreactor.csv", index=False)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from bioloom.errors import UserError
from bioloom.registry import Registry


@dataclass(frozen=True)
class Made:
    """Simulated records.

    frame: one row per record, ready to be trained on
    truth: what was planted, as JSON, such as which genes matter
    beside: further tables by name, such as the layers of cell lines, each written into a file of its own
    files:  the bytes of files that cells of the frame name, by their path from its folder
    """

    frame: pd.DataFrame
    truth: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Simulator:
    """A way to make records with known truth.

    title:  what is simulated, in one line
    target: the column that is to be predicted, and its task
    make:   (records, seed) -> records; the same for the same seed
    source: the equations or the paper behind it
    words:  what else `bioloom train` has to be told, such as "--input current=signal"
    """

    name: str
    title: str
    target: str
    task: str
    make: Callable[[int, int], Made]
    source: str
    words: str = ""


simulators: Registry[Simulator] = Registry("simulator", "bioloom.data.simulate", "bioloom.simulators")
"""All simulators by name."""


def simulate(name: str, records: int = 500, seed: int = 0) -> Made:
    """Make records by the name of a simulator. Raises UserError for an unknown one, or fewer than ten records."""
    return made(simulators[name], records, seed)


def made(simulator: Simulator, records: int, seed: int) -> Made:
    """Make records by a simulator. Raises UserError for fewer than ten records."""
    if records < 10:
        raise UserError(
            f"{records} records are too few to learn from.", where="--records", fix="ask for ten or more"
        )
    return simulator.make(records, seed)
