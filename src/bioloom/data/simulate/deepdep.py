"""Cell lines with four omics layers, genes with a fingerprint, and how much each cell line depends on each gene.

A few hidden states of a cell line shape all of its layers; pathways follow from the states, and a gene is needed where
the pathways that it belongs to are active. What is planted is the structure that Chiu et al. (2021), doi:10.1126/sciadv.abh1275,
assume; numbers are drawn from a seed, no measurement is behind them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.simulate import Made, Simulator, simulators

Floats = NDArray[np.float64]

STATES, PATHWAYS = 6, 8
"""Hidden states of a cell line, and pathways that follow from them."""

SIZES = {"mutation": 120, "expression": 160, "methylation": 160, "copy_number": 160}
"""Genes of each layer: published are 4,539, 6,016, 6,617 and 7,460."""

SETS = 80
"""Gene sets of a fingerprint: published are 3,115."""

GENES = 30
"""Genes of which the dependency is given; published are 1,298."""

TUMOURS = 800
"""Tumours with the same layers and no label; published are 8,238."""

NOISE = 0.15
"""Standard deviation of a measured dependency, where the differences between genes and cell lines are about 0.5."""


@dataclass(frozen=True)
class World:
    """What all cell lines and tumours share.

    weights:    by layer, (states, genes)
    pathways:   (states, pathways)
    membership: (genes, pathways) 0 or 1
    """

    weights: dict[str, Floats]
    pathways: Floats
    membership: Floats


def world(random: np.random.Generator) -> World:
    """Draw which states shape which genes of a layer, and which gene belongs to which pathway."""
    weights = {name: random.normal(size=(STATES, size)) for name, size in SIZES.items()}
    membership = np.zeros((GENES, PATHWAYS))
    membership[np.arange(GENES), random.integers(0, PATHWAYS, GENES)] = 1.0
    return World(weights, random.normal(size=(STATES, PATHWAYS)) / np.sqrt(STATES), membership)


def layers(states: Floats, given: World, random: np.random.Generator) -> dict[str, Floats]:
    """The layers of some cell lines, (cell lines, genes) each, from their states, (cell lines, states)."""
    drive = {name: states @ weights / np.sqrt(STATES) for name, weights in given.weights.items()}

    def noise(name: str, size: float) -> Floats:
        return np.asarray(random.normal(0, size, drive[name].shape))

    mutated = random.random(drive["mutation"].shape) < 1 / (1 + np.exp(2.5 - 2 * drive["mutation"]))
    return {
        "mutation": mutated.astype(float),
        "expression": 5 + 2 * np.tanh(drive["expression"]) + noise("expression", 0.7),  # log2(TPM + 1)
        "methylation": 1
        / (1 + np.exp(-1.5 * drive["methylation"] + noise("methylation", 0.5))),  # beta value
        "copy_number": np.round(drive["copy_number"]) * 0.4 + noise("copy_number", 0.2),  # log2 ratio
    }


def activity(states: Floats, given: World) -> Floats:
    """How active each pathway is, (cell lines, pathways), -1 to 1; as a bent sum of its states."""
    return np.asarray(np.tanh(2 * states @ given.pathways))


def dependency(states: Floats, given: World, usual: Floats) -> Floats:
    """How much cell lines depend on genes, (cell lines, genes), before noise; below 0: the cells die without it."""
    return np.asarray(usual - 0.6 * activity(states, given) @ given.membership.T)


def fingerprints(given: World, random: np.random.Generator) -> NDArray[np.int64]:
    """Gene sets that each gene belongs to, (genes, sets): sets follow pathways, with a tenth of errors."""
    of_pathway = np.arange(SETS) % PATHWAYS
    belongs = given.membership[:, of_pathway] > 0
    wrong = random.random(belongs.shape) < 0.1
    return (belongs ^ wrong).astype(np.int64)


def _make(records: int, seed: int) -> Made:
    random = np.random.default_rng(seed)
    given = world(random)
    lines = max(2, round(records / GENES))
    states = random.normal(size=(lines, STATES))
    usual = random.normal(-0.4, 0.35, size=GENES)
    truth = dependency(states, given, usual)
    measured = truth + random.normal(0, NOISE, truth.shape)
    lines_named = [f"line{number + 1}" for number in range(lines)]
    genes_named = [f"gene{number + 1}" for number in range(GENES)]
    frame = pd.DataFrame(
        {
            "cell_line": np.repeat(lines_named, GENES),
            "gene": np.tile(genes_named, lines),
            "dependency": measured.ravel().round(4),
        }
    )
    beside = {
        name: _named("cell_line", lines_named, values)
        for name, values in layers(states, given, random).items()
    }
    beside["fingerprint"] = _named("gene", genes_named, fingerprints(given, random), "set")
    tumours = layers(random.normal(size=(TUMOURS, STATES)), given, random)
    ids = pd.DataFrame({"id": [f"tumour{number + 1}" for number in range(TUMOURS)]})
    unlabelled = [_named("", [], values).add_prefix(f"{name}:") for name, values in tumours.items()]
    beside["tumours"] = pd.concat([ids, *unlabelled], axis="columns")
    return Made(frame, _planted(given, genes_named, truth, measured), beside)


def _planted(given: World, genes: list[str], truth: Floats, measured: Floats) -> dict[str, Any]:
    pathways = {
        gene: int(place) + 1 for gene, place in zip(genes, given.membership.argmax(axis=1), strict=True)
    }
    best = float(np.corrcoef(truth.ravel(), measured.ravel())[0, 1])
    return {"pathway": pathways, "states": STATES, "pearson_of_the_noiseless_truth": round(best, 4)}


def _named(key: str, ids: list[str], values: NDArray[Any], word: str = "g") -> pd.DataFrame:
    frame = pd.DataFrame(values, columns=[f"{word}{number + 1}" for number in range(values.shape[1])]).round(
        4
    )
    if key:
        frame.insert(0, key, ids)
    return frame


simulators.register(
    Simulator(
        name="deepdep",
        title=f"dependency of cell lines on {GENES} genes, with four omics layers, fingerprints and unlabelled tumours",
        target="dependency",
        task="regression",
        make=_make,
        source="structure of Chiu et al. (2021) doi:10.1126/sciadv.abh1275",
    )
)
