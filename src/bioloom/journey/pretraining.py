"""Learning from records without labels first: which of them may be learned from, and what the network then begins with.

A test is honest only where nothing like its records was learned from, with a label or without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data import large
from bioloom.data.leakage import Alike, compare_copies
from bioloom.data.records import Table, take_rows
from bioloom.data.wording import counted
from bioloom.errors import UserError
from bioloom.journey.division import Division
from bioloom.journey.prepare import Prepared, Request
from bioloom.journey.roles import columns_for
from bioloom.journey.start import started_from, taken_over
from bioloom.modalities import Across, Similarity, modalities
from bioloom.models import networks
from bioloom.recipe import Recipe

FOLDER = "pretraining"
"""Where the first training lies in the folder of the run; it is a run of its own, with its own report."""

FEWEST = 30
"""With fewer records nothing is learned first."""


@dataclass(frozen=True)
class Seen:
    """What the first training could see.

    file:   as the user named it
    rows:   of the file
    used:   that were learned from
    copies, near: left out because they are copies, or near copies, of records that are tested or decide when to stop
    unusable: left out because they cannot be read as the inputs
    kept_from: what they were compared with, in words; notion: what counts as near
    """

    file: str
    rows: int
    used: int
    copies: int
    near: int
    unusable: int
    kept_from: str
    notion: str

    @property
    def text(self) -> str:
        """What was seen, in a few sentences."""
        told = f"Before it saw a label, the network learned from {counted(self.used, 'record')} of {self.file} without labels."
        found = self.copies + self.near
        if not found:
            return f"{told} None of its records is like {self.kept_from}."
        left = f"{counted(found, 'record')} that {'is a copy or near copy' if found == 1 else 'are copies or near copies'}"
        return f"{told} Left out: {left} of {self.kept_from} ({self.copies:,} exact, {self.near:,} near)."

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return asdict(self) | {"text": self.text, "folder": FOLDER}


@dataclass(frozen=True)
class Unlabelled:
    """Records without labels that may be learned from: the columns of the inputs, one row each."""

    frame: pd.DataFrame
    seen: Seen


def choose(prepared: Prepared, division: Division) -> Unlabelled:
    """The records of the unlabelled file without those like a tested or a validation record.

    In a cross-validation every record is tested, so those like any record with a label are left out.
    Raises UserError for several inputs, and where too few records are left.
    """
    table = prepared.unlabelled
    assert table is not None
    name, values = _only_input(prepared, table)
    modality = modalities[prepared.recipe.data.inputs[name].modality]
    usable = np.ones(len(values), dtype=bool)
    for problem in modality.check(values):
        if problem.severity in ("drop", "fatal"):
            usable[problem.rows] = False
    held, words = _held_out(prepared, division)
    rows = np.flatnonzero(usable)
    known = take_rows(prepared.records.inputs[name], held)
    found = _alike(prepared, name, take_rows(values, usable), known)
    exact = np.isin(found.kind, ("exact", "reverse"))
    near = (found.partner >= 0) & ~exact
    kept = rows[~(exact | near)]
    if len(kept) < FEWEST:
        raise UserError(
            f"Only {counted(len(kept), 'record')} of {table.source} can be learned from without labels; "
            f"{counted(int((exact | near).sum()), 'record')} are like {words}.",
            where="--pretrain",
            fix="give a file with more other records, or leave out --pretrain",
        )
    seen = Seen(
        file=table.source,
        rows=len(values),
        used=len(kept),
        copies=int(exact.sum()),
        near=int(near.sum()),
        unusable=int((~usable).sum()),
        kept_from=words,
        notion=found.notion,
    )
    frame = take_rows(values, kept)
    if "id" in table.frame.columns and "id" not in frame.columns:
        frame.insert(0, "id", table.frame["id"].to_numpy()[kept])
    return Unlabelled(frame, seen)


def _only_input(prepared: Prepared, table: Table) -> tuple[str, pd.DataFrame]:
    inputs = prepared.recipe.data.inputs
    if len(inputs) > 1:
        raise UserError(
            f"Learning without labels takes one input, and there are {len(inputs)}: {', '.join(inputs)}.",
            where="--pretrain",
            fix="name one of them with --input",
        )
    frames, _ = columns_for(table, inputs)
    return next(iter(frames.items()))


def _held_out(prepared: Prepared, division: Division) -> tuple[NDArray[np.int64], str]:
    """Positions of the records that nothing learned first may be like, and how they are called."""
    if division.folds is not None:
        return np.arange(len(prepared.records)), "records with labels, each of which is tested in a fold"
    return np.flatnonzero(division.split.part != "train"), "test and validation records"


def _alike(prepared: Prepared, name: str, unlabelled: pd.DataFrame, held: pd.DataFrame) -> Alike:
    """For each unlabelled record the most alike of those held out; of very many only exact copies are looked for."""
    modality = modalities[prepared.recipe.data.inputs[name].modality]
    both = pd.concat([unlabelled, held], ignore_index=True)
    first = np.arange(len(unlabelled))
    across = Across(first, len(first) + np.arange(len(held)), _similarity(prepared.recipe))
    if large.many(len(both)):
        return compare_copies(modality.copies(both), across.queries, across.targets)
    return modality.alike(both, across)


def _similarity(recipe: Recipe) -> Similarity:
    return Similarity(recipe.split.similarity, recipe.split.engine)


def request(prepared: Prepared, unlabelled: Unlabelled) -> Request:
    """The first training, as a request of its own: the same inputs and network, one test, and no labels."""
    recipe = prepared.recipe
    inputs = {
        name: {"modality": each.modality, "columns": list(each.columns)}
        for name, each in recipe.data.inputs.items()
    }
    settings: dict[str, Any] = {"data.inputs": inputs, "split.folds": 1, "evaluation.seeds": 1}
    if recipe.model.network != "auto":
        network = networks[recipe.model.network]
        settings |= {
            "model.network": network.name,
            "model.settings": network.for_labels(recipe.model.settings, labels=False),
        }
    settings |= {f"encoding.{name}": dict(each) for name, each in recipe.encoding.items()}
    settings |= dict(_dotted(recipe.model.pretraining))
    return Request(
        source=unlabelled.frame,
        task=str(settings.pop("data.task", "reconstruct")),
        settings=settings,
        budget=recipe.budget,
        seed=recipe.seed,
        device=recipe.device,
        threads=recipe.threads or None,
    )


def _dotted(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as dotted keys; those of a network stay together."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and before + key != "model.settings":
            yield from _dotted(value, f"{before}{key}.")
        else:
            yield before + key, value


def begun_with(prepared: Prepared, folder: Path) -> Prepared:
    """The same records, to be learned from by the network of a first training."""
    start = started_from(folder / "model", FOLDER, prepared.table)
    recipe = prepared.recipe
    model = recipe.model.model_copy(update=taken_over(recipe, start))
    return replace(prepared, start=start, recipe=recipe.model_copy(update={"model": model}))
