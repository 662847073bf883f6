"""An independent judge of designs: a model trained with other random numbers on half of what the first one learned from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bioloom import recipe as recipes
from bioloom import workflow
from bioloom.data.records import take_rows
from bioloom.errors import UserError
from bioloom.events import Listener
from bioloom.files import sha256, write_json
from bioloom.journey.prepare import Prepared, prepare
from bioloom.modalities import modalities

OF = "judges.json"
"""File in the folder of a judge that says whose designs it judges."""

LARGEST = 0.4
"""Share of the records in one cluster from which half of the records stand in for half of the clusters."""

FEWEST = 100
"""Records of which half can teach a judge something."""


def train_judge(
    run: Path, folder: Path, listener: Listener, settings: Mapping[str, Any] | None = None
) -> Path:
    """Train a judge for the designs of a run; returns its folder. A judge that is there already is taken as it is.

    It learns from half of the clusters of the training records, with another seed, so that it does not share the
    first model's mistakes by having seen the same. Raises UserError where the data of the run cannot be read any more.
    """
    if (folder / "result.json").exists():
        _refuse_other_judge(run, folder)
        return folder
    recipe = recipes.load(run / "recipe.toml")
    if not recipe.data.file:
        raise UserError(
            "The data of this run are not known, so that no judge can be trained.",
            where=str(run),
            fix="train a second run with another --seed, and name it with --judge",
        )
    prepared = prepare(
        workflow.Request(
            source=str(run / "recipe.toml"), settings={"model.start": "", "model.start_sha256": ""}
        )
    )
    rows = half_of_clusters(prepared, run, recipe.seed + 1)
    if len(rows) < FEWEST / 2:
        raise UserError(
            f"Half of the training records are {len(rows)}: too few for a judge.",
            fix="design without one: --no-judge",
        )
    frame = _frame(prepared, rows)
    listener.message(
        f"training a judge on {len(rows):,} records, about half of the training records, whole families where there are any"
    )
    data = recipe.data
    request = workflow.Request(
        source=frame,
        target=data.target,
        inputs=tuple(f"{column}={each.modality}" for each in data.inputs.values() for column in each.columns),
        task=data.task,
        positive=data.positive,
        settings={"budget": "fast", "split.folds": 1, **(settings or {})},
        seed=recipe.seed + 1,
    )
    workflow.train(request, folder, listener=listener)
    write_json(folder / OF, {"judges": _identity(run)})
    return folder


def refuse_judge(run: Path, judge: Path) -> None:
    """UserError for a judge that is the designer itself, or was trained on another target."""
    if run.resolve() == judge.resolve():
        raise UserError(
            "The model cannot judge its own designs.",
            where="--judge",
            fix="train another run with another --seed",
        )
    targets = [recipes.load(folder / "recipe.toml").data.target for folder in (run, judge)]
    if targets[0] != targets[1]:
        raise UserError(
            f"The judge was trained on {', '.join(targets[1])}, and the designs are made for {', '.join(targets[0])}.",
            where="--judge",
            fix="name a run on the same target",
        )


def _identity(run: Path) -> str:
    """What tells one trained model from another."""
    return sha256(run / "model" / "weights.safetensors")


def _refuse_other_judge(run: Path, folder: Path) -> None:
    try:
        judged = json.loads((folder / OF).read_text(encoding="utf-8"))["judges"]
    except (OSError, KeyError, ValueError):
        judged = ""
    if judged != _identity(run):
        raise UserError(
            "The judge in this folder belongs to another model.",
            where=str(folder),
            fix="choose another --outdir",
        )


def half_of_clusters(prepared: Prepared, run: Path, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Training records of half of the clusters, (records,); half of the records where one cluster holds most of them."""
    parts = pd.read_csv(run / "split.csv", dtype=str, keep_default_na=False)["part"].to_numpy(dtype=object)
    train = np.flatnonzero(parts == "train")
    ((name, each),) = prepared.recipe.data.inputs.items()
    values = take_rows(prepared.records.inputs[name], train)
    labels = modalities[each.modality].clusters(values).labels
    kinds = np.unique(labels)
    random = np.random.default_rng(seed)
    largest = np.bincount(np.unique(labels, return_inverse=True)[1]).max()
    # nearly all are relatives: half of the clusters would be all or nothing
    if largest > LARGEST * len(train):
        return np.sort(random.permutation(train)[: len(train) // 2])
    chosen = random.permutation(kinds)[: len(kinds) // 2]
    return np.asarray(train[np.isin(labels, chosen)], dtype=np.int64)


def _frame(prepared: Prepared, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pd.DataFrame:
    """Inputs and targets of some records as one table."""
    frames = [take_rows(frame, rows) for frame in prepared.records.inputs.values()]
    return pd.concat([*frames, take_rows(prepared.records.targets, rows)], axis=1)
