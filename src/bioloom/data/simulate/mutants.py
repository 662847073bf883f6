"""A mutant library of one promoter with known truth: additive, between pairs of positions, or by thermodynamics.

Every sequence is a parent of 40 letters with about a tenth of its letters replaced, as in a library made by doped
synthesis. The truth has two parts, as in Tareen (2022) doi:10.1186/s13059-022-02661-7: a number phi that depends on
the sequence (the genotype-phenotype map), and what is measured of it (a saturating curve and noise).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.simulate import Made, Simulator, simulators

LENGTH = 40
RATE = 0.1
"""Share of letters that are replaced."""

NOISE = 0.15
"""Standard deviation of the measurement, in units of the dynamic range."""


def _library(records: int, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The parent, (40,), and its variants, (records, 40), letters 0 to 3."""
    parent = random.integers(0, 4, size=LENGTH)
    replaced = random.random((records, LENGTH)) < RATE
    step = random.integers(1, 4, size=(records, LENGTH))
    return parent, np.where(replaced, (parent + step) % 4, parent)


def _matrix(random: np.random.Generator, parent: NDArray[np.int64], places: slice) -> NDArray[np.float64]:
    """What each letter at each position of a stretch adds, (positions, 4): 0 for the parent's, mostly less for others."""
    width = len(parent[places])
    effects = -random.gamma(1.2, 0.5, size=(width, 4))
    effects[np.arange(width), parent[places]] = 0.0
    return np.asarray(effects)


def _additive(letters: NDArray[np.int64], parent: NDArray[np.int64], random: np.random.Generator) -> _Truth:
    """Every position counts by itself."""
    effects = _matrix(random, parent, slice(5, 35))
    phi = effects[np.arange(30), letters[:, 5:35]].sum(axis=1)
    return 2.0 + phi, {"effects": effects.tolist(), "first": 5}


def _pairwise(letters: NDArray[np.int64], parent: NDArray[np.int64], random: np.random.Generator) -> _Truth:
    """Every position counts by itself, and six pairs of positions together."""
    phi, told = _additive(letters, parent, random)
    chosen = random.choice(np.arange(5, 35), size=(6, 2), replace=False)
    tables = random.normal(0, 1.5, size=(6, 4, 4))
    for (one, other), table in zip(chosen, tables, strict=True):
        table[parent[one], :] = table[:, parent[other]] = 0.0  # a single replacement shows nothing of it
        phi = phi + table[letters[:, one], letters[:, other]]
    return phi, {**told, "pairs": chosen.tolist(), "tables": tables.tolist()}


def _thermodynamic(
    letters: NDArray[np.int64], parent: NDArray[np.int64], random: np.random.Generator
) -> _Truth:
    """An activator and a polymerase bind and help each other, as in Kinney (2010) doi:10.1073/pnas.1004290107.

    With P = exp(-polymerase), C = exp(-activator) and w = exp(-interaction), the polymerase is bound a share
    P (1 + C w) / (1 + C + P + C P w) of the time; phi is the logarithm of that over the rest.
    """
    activator, polymerase = _matrix(random, parent, slice(3, 13)), _matrix(random, parent, slice(22, 36))
    energy_c = -2.0 - activator[np.arange(10), letters[:, 3:13]].sum(axis=1)
    energy_p = 1.5 - polymerase[np.arange(14), letters[:, 22:36]].sum(axis=1)
    interaction = -3.0
    c, p, w = np.exp(-energy_c), np.exp(-energy_p), np.exp(-interaction)
    phi = np.log(p * (1 + c * w)) - np.log(1 + c)
    return phi, {
        "activator": {"first": 3, "effects": activator.tolist(), "energy": -2.0},
        "polymerase": {"first": 22, "effects": polymerase.tolist(), "energy": 1.5},
        "interaction": interaction,
    }


_Truth = tuple[NDArray[np.float64], dict[str, object]]
_Map = Callable[[NDArray[np.int64], NDArray[np.int64], np.random.Generator], _Truth]


def _make(chart: _Map, records: int, seed: int) -> Made:
    random = np.random.default_rng(seed)
    parent, letters = _library(records, random)
    phi, told = chart(letters, parent, random)
    signal = 1 / (1 + np.exp(-phi))  # a logistic curve: the measurement saturates at both ends
    activity = signal + NOISE * random.normal(size=records)
    texts = np.array(list("ACGT"))[letters]
    frame = pd.DataFrame(
        {
            "id": [f"variant{number + 1}" for number in range(records)],
            "sequence": ["".join(row) for row in texts],
            "activity": activity.round(5),
        }
    )
    told |= {"parent": "".join("ACGT"[letter] for letter in parent), "noise": NOISE}
    told["best_r2"] = round(float(1 - NOISE**2 / np.var(activity)), 4)  # of a model that knows the truth
    return Made(frame, told)


for _name, _chart, _words in (
    ("additive", _additive, "every position counts by itself"),
    ("pairwise", _pairwise, "six pairs of positions count together"),
    ("thermodynamic", _thermodynamic, "an activator and a polymerase bind together"),
):
    simulators.register(
        Simulator(
            name=f"mutants_{_name}",
            title=f"variants of one promoter of 40 nt with a measured activity: {_words}",
            target="activity",
            task="regression",
            make=partial(_make, _chart),
            source="global epistasis, Tareen et al. (2022) doi:10.1186/s13059-022-02661-7",
        )
    )
