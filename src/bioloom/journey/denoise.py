"""Counts of single cells, restored: which genes a cell expresses that too few of its molecules were caught to show.

A network that squeezes a cell through a few numbers learns which genes go together (Eraslan et al. 2019,
doi:10.1038/s41467-018-07931-2). Whether what it restores is nearer to the truth is asked of molecules that were held
out of every cell, beside the mean of all cells, the cell's own counts, and a few principal components.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data import readers
from bioloom.data.profiles import as_counts, as_matrix
from bioloom.data.records import Table
from bioloom.data.wording import counted
from bioloom.errors import UserError
from bioloom.evaluation import molecules
from bioloom.evaluation.molecules import Told
from bioloom.events import Listener
from bioloom.figures import style
from bioloom.figures.bars import Bar, comparison
from bioloom.files import write_json, write_text
from bioloom.journey.roles import propose
from bioloom.likelihoods import COUNTS, PARTS, shares_of
from bioloom.modalities import Modality, modalities
from bioloom.models import Network, check_settings, networks
from bioloom.models.predict import predict
from bioloom.recipe import Recipe, TrainingRecipe
from bioloom.training.device import choose
from bioloom.training.loop import Job, fit
from bioloom.training.plan import plan

Floats = NDArray[np.float32]

HELD = 0.1
"""Share of the cells that say when to stop learning."""

FEWEST_CELLS, FEWEST_GENES = 50, 20

TITLES = {
    "network": "Network (autoencoder)",
    "low_rank": "Principal components",
    "own": "The cell's own counts",
    "mean": "Mean of all cells",
}
"""What is compared, by name, in the order of preference at equal scores reversed."""


@dataclass(frozen=True)
class Wish:
    """What a user asks for.

    genes: genes used at most, those that vary most; recipe: budget, seed, device and settings of the network
    """

    source: Any
    recipe: Recipe = field(default_factory=Recipe)
    genes: int = 3_000
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Denoised:
    """Restored counts and what they are worth.

    frame: one row per cell: id, then the expected count of each gene at the depth of the cell
    content: what stands in result.json
    """

    frame: pd.DataFrame
    content: Mapping[str, Any]
    told: Mapping[str, Told]


@dataclass(frozen=True)
class Cells:
    """Counts with the names of cells and genes."""

    table: Table
    ids: list[str]
    genes: tuple[str, ...]
    counts: Floats
    modality: type[Modality]
    notes: tuple[str, ...]


def restore_counts(wish: Wish, outdir: Path, listener: Listener) -> Denoised:
    """Learn to restore counts, ask held-out molecules, and write restored counts, scores and a figure to a folder.

    Raises UserError where the file holds no counts, or too few cells or genes.
    """
    listener.stage("check", "Reading counts")
    cells = read_cells(wish)
    seed = wish.recipe.seed
    read, asked = molecules.thin(cells.counts, seed)
    mean = molecules.mean_profile(read)
    listener.stage("train", "Training the network on 9 of 10 molecules")
    trained = _train(cells, read, wish, listener)
    listener.stage("rivals", "Choosing simpler ways on the same molecules")
    settings = molecules.choose_low_rank(read, seed + 1)
    weight = molecules.choose_own(read, seed + 1)
    profiles = {
        "network": trained.shares(read),
        "low_rank": molecules.low_rank(read, read, mean, settings),
        "own": molecules.own_profile(read, mean, weight),
    }
    listener.stage("evaluate", "Asking the molecules that were held out")
    told = {name: molecules.told(each, asked, mean) for name, each in profiles.items()}
    told["mean"] = molecules.told(np.broadcast_to(mean, asked.shape), asked, mean)
    chosen, verdict = judge(told)
    weights = Weights(mean, settings, weight)
    restored = trained.shares(cells.counts) if chosen == "network" else weights.restore(chosen, cells.counts)
    expected = restored * cells.counts.sum(axis=1, keepdims=True)
    frame = pd.DataFrame(expected.astype(np.float32), columns=list(cells.genes))
    frame.insert(0, "id", cells.ids)
    content = _content(cells, trained, told, (chosen, verdict)) | {
        "low_rank": {"components": settings[0], "share_of_mean": settings[1]},
        "own": {"molecules_of_mean": weight},
        "seed": seed,
    }
    found = Denoised(frame, content, told)
    _write(found, outdir)
    return found


def read_cells(wish: Wish) -> Cells:
    """The counts of a file, of the genes that at least three cells hold; cells without a molecule are left out."""
    table = readers.read(wish.source)
    free = [name for name in map(str, table.frame.columns) if name not in {"id", *wish.exclude}]
    inputs, _ = propose(table, free)
    ((_, recipe), *others) = inputs.items()
    modality = modalities[recipe.modality]
    if others or modality.columns != "many" or len(recipe.columns) < FEWEST_GENES:
        raise UserError(
            "No profile of genes was found in the file.",
            where=table.source,
            fix="give an .h5ad file, or a table of counts with cells in rows and genes in columns",
        )
    matrix = as_matrix(table.frame[list(recipe.columns)])
    counts = as_counts(matrix)
    if counts is None:
        raise UserError(
            "The numbers are no counts of molecules, nor the logarithms of counts per cell.",
            where=table.source,
            fix='give the counts, in X or in a layer called "counts"',
        )
    notes = () if counts is matrix else ("counts were worked back from logarithms of counts per cell",)
    return _usable(table, recipe.columns, counts, (wish, modality, notes))


def _usable(
    table: Table,
    columns: tuple[str, ...],
    counts: Floats,
    asked: tuple[Wish, type[Modality], tuple[str, ...]],
) -> Cells:
    wish, modality, notes = asked
    cells = np.flatnonzero(counts.sum(axis=1) > 0)
    genes = np.flatnonzero((counts[cells] > 0).sum(axis=0) >= 3)
    if len(cells) < FEWEST_CELLS or len(genes) < FEWEST_GENES:
        raise UserError(
            f"There are {counted(len(cells), 'cell')} with molecules and {counted(len(genes), 'gene')} in three cells or more.",
            where=table.source,
            fix=f"give at least {FEWEST_CELLS} cells and {FEWEST_GENES} genes",
        )
    if len(cells) < len(counts):
        notes += (f"{counted(len(counts) - len(cells), 'cell')} without a molecule are left out",)
    if len(genes) > wish.genes:
        part = counts[np.ix_(cells, genes)]
        mean = part.mean(axis=0)
        spread = part.var(axis=0) / np.maximum(mean, 1e-9)  # 1 where molecules fall by chance alone
        notes += (f"{wish.genes:,} of {len(genes):,} genes are used, those that vary most (--genes)",)
        genes = np.sort(genes[np.argsort(-spread, kind="stable")[: wish.genes]])
    ids = (
        table.frame["id"].map(str).tolist()
        if "id" in table.frame
        else [str(row + 1) for row in range(len(counts))]
    )
    return Cells(
        table=table,
        ids=[ids[cell] for cell in cells],
        genes=tuple(columns[gene] for gene in genes),
        counts=np.ascontiguousarray(counts[np.ix_(cells, genes)]),
        modality=modality,
        notes=notes,
    )


@dataclass(frozen=True)
class Weights:
    """What the simpler ways need: the mean profile, components and blend, and molecules of the mean to add."""

    mean: NDArray[np.float64]
    low_rank: tuple[int, float]
    own: float

    def restore(self, name: str, counts: Floats) -> NDArray[np.floating]:
        """The share of each gene by one of the simpler ways, (cells, genes)."""
        if name == "low_rank":
            return molecules.low_rank(counts, counts, self.mean, self.low_rank)
        if name == "own":
            return molecules.own_profile(counts, self.mean, self.own)
        return np.broadcast_to(self.mean, counts.shape)


@dataclass(frozen=True)
class Restorer:
    """A network that restores counts, with what it learned about its input."""

    network: Network
    modality: Modality
    genes: tuple[str, ...]
    about: Mapping[str, Any]

    def shares(self, counts: Floats) -> Floats:
        """The share of each gene, (cells, genes)."""
        encoded = self.modality.encode(pd.DataFrame(counts, columns=list(self.genes)))
        return shares_of(predict(self.network, {"cells": encoded}))


def _train(cells: Cells, read: Floats, wish: Wish, listener: Listener) -> Restorer:
    """Train the autoencoder to say the counts that it reads."""
    recipe, frame = wish.recipe, pd.DataFrame(read, columns=list(cells.genes))
    fitted = cells.modality.fit(frame)
    name = recipe.model.network if recipe.model.network != "auto" else COUNTS.network
    order = np.random.default_rng(recipe.seed).permutation(len(read))
    held = max(10, round(HELD * len(read)))
    encoded = fitted.encode(frame)
    settings = {"hidden": (128,), "dropout": 0.1, "hide": 0.2} | dict(recipe.model.settings)
    checked = networks[name].complete(check_settings(networks[name], settings), {"cells": encoded.shape})
    device = choose(recipe.device)
    training = (
        recipe.training
        if recipe.training != TrainingRecipe()
        else TrainingRecipe(epochs=EPOCHS[recipe.budget])
    )
    job = Job(
        network=name,
        settings=checked.model_dump(),
        outputs=PARTS * len(cells.genes),
        inputs={"cells": encoded},
        truth=read,
        weight=np.ones(len(read), dtype=np.float32),
        train=np.sort(order[held:]),
        validation=np.sort(order[:held]),
        task=COUNTS,
        plan=plan(training, len(read) - held, networks[name], recipe.budget, device),
        seed=recipe.seed,
        device=device,
        threads=recipe.threads,
    )
    done = fit(
        job, on_epoch=lambda epoch: listener.progress(epoch.number / epoch.epochs, f"epoch {epoch.number}")
    )
    about = {"network": name, "settings": job.settings, "epochs": len(done.history), "best": done.best.number}
    return Restorer(done.network, fitted, cells.genes, about)


EPOCHS = {"fast": 40, "normal": 150, "thorough": 400}
"""Passes over the cells at most, by budget; learning stops when held-out cells are said no better."""


def judge(told: Mapping[str, Told]) -> tuple[str, str]:
    """Which way is used, and why: the network only where it is better than every simpler way for sure."""
    simpler = max(("mean", "own", "low_rank"), key=lambda name: told[name].value)
    difference, low, high = told["network"].beside(told[simpler])
    span = f"{difference:+.4f} bits per molecule, 95 % interval {low:+.4f} to {high:+.4f}"
    title = TITLES[simpler][0].lower() + TITLES[simpler][1:]
    if low > 0:
        return "network", f"The network restores held-out molecules better than {title} ({span})."
    if high < 0:
        return simpler, f"The network is worse than {title} ({span}): the simpler way is used."
    return simpler, f"The network is not clearly better than {title} ({span}): the simpler way is used."


def _content(
    cells: Cells, trained: Restorer, told: Mapping[str, Told], chosen: tuple[str, str]
) -> dict[str, Any]:
    scores = {}
    for name, each in told.items():
        low, high = each.interval() if name != "mean" else (0.0, 0.0)
        scores[name] = {"title": TITLES[name], "bits_per_molecule": each.value, "low": low, "high": high}
    return {
        "source": cells.table.source,
        "cells": len(cells.ids),
        "genes": len(cells.genes),
        "molecules_per_cell": float(np.median(cells.counts.sum(axis=1))),
        "zeros": float((cells.counts == 0).mean()),
        "held_out": int(told["network"].molecules.sum()),
        "notes": [*cells.table.notes, *cells.notes],
        "model": dict(trained.about),
        "scores": scores,
        "used": chosen[0],
        "verdict": chosen[1],
    }


def _write(found: Denoised, outdir: Path) -> None:
    outdir.mkdir(parents=True, exist_ok=True)
    text = found.frame.to_csv(index=False, lineterminator="\n", float_format="%.5g")
    write_text(outdir / "denoised.csv", text)
    write_json(outdir / "result.json", dict(found.content))
    bars = [
        Bar(
            each["title"],
            each["bits_per_molecule"],
            each["low"],
            each["high"],
            strong=name == found.content["used"],
        )
        for name, each in found.content["scores"].items()
        if name != "mean"
    ]
    figure = comparison(bars, metric="Bits per held-out molecule")
    style.save(figure, outdir / "denoised.svg")
