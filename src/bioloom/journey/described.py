"""Records described by few numbers: the codes of a run, and of new files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.columns import kind_of
from bioloom.data.records import take_rows
from bioloom.errors import UserError, did_you_mean
from bioloom.evaluation.features import FeatureScores, feature_scores
from bioloom.events import Listener
from bioloom.figures import style
from bioloom.figures.cloud import cloud
from bioloom.files import write_bytes
from bioloom.journey.areas import draw_areas
from bioloom.journey.judge import Trial
from bioloom.journey.predicted import PredictionTable, read_table
from bioloom.journey.result import predictions_table
from bioloom.journey.tables import write_table
from bioloom.journey.writing import taste
from bioloom.trained import Model

BESIDE = 5
"""Columns that no network sees and that may colour a map of the codes, at most."""


def codes_table(trial: Trial, model: Model) -> pd.DataFrame:
    """The code of every record used, beside its part and columns that no network sees, in the order of the file."""
    records = trial.trainee.records
    codes = model.describe(records.inputs)
    frame = pd.DataFrame(codes, columns=pd.Index(code_names(codes.shape[1])))
    frame.insert(0, "id", records.ids)
    frame.insert(1, "part", trial.division.split.part)
    telling = [name for name in records.columns if kind_of(records.columns[name]) in ("number", "category")]
    for name in telling[:BESIDE]:
        if str(name) not in frame.columns:
            frame[str(name)] = records.columns[name].to_numpy(dtype=object)
    return frame


def code_names(count: int) -> list[str]:
    """Names of the columns of a code."""
    return [f"code {number + 1}" for number in range(count)]


def restored_features(trial: Trial) -> FeatureScores:
    """How well each feature of the tested records is restored."""
    values = {role: trial.once.values[role] for role in ("model", "simple") if role in trial.once.values}
    return feature_scores(trial.truth, values, trial.trainee.learnable.targets.names, trial.plan)


def judged_table(trial: Trial) -> pd.DataFrame:
    """All records used: id, part and what a model says of each, where that is no prediction of a label."""
    trainee, division = trial.trainee, trial.division
    values = trainee.values
    if division.folds is not None:
        values = values.copy()
        values[trial.once.rows] = trial.once.values["model"]
    frame = pd.DataFrame(values, columns=pd.Index(trainee.learnable.targets.names))
    frame.insert(0, "id", trainee.records.ids)
    if division.folds is None:
        frame.insert(1, "part", division.split.part)
    else:
        frame.insert(1, "part", "test")
        frame.insert(2, "fold", division.folds.fold[0] + 1)
    return frame


def errors_table(trial: Trial) -> pd.DataFrame:
    """All records used: id, part and how far off each is restored, in units of the training spread of a feature."""
    trainee, division = trial.trainee, trial.division
    values = trainee.values
    if division.folds is not None:
        values = values.copy()
        values[trial.once.rows] = trial.once.values["model"]
    apart = trainee.learnable.truth - values
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.nanmean(apart.astype(np.float64) ** 2, axis=1))
    frame = pd.DataFrame({"id": trainee.records.ids, "part": "test", "error": error.astype(np.float32)})
    if division.folds is None:
        frame["part"] = division.split.part
    else:
        frame.insert(2, "fold", division.folds.fold[0] + 1)
    return frame


@dataclass(frozen=True)
class Drawing:
    """A map of codes.

    path:   the file, .svg or .png
    colour: the column that colours it; empty for none
    """

    path: Path
    colour: str = ""


@dataclass(frozen=True)
class Embedding:
    """How records are described.

    which:   "auto" for the model that the run recommends, "network", or "simple" for the simpler one beside it
    drawing: a map of them; None for none
    """

    which: str = "auto"
    drawing: Drawing | None = None


def describe_file(
    model: Model, source: Any, listener: Listener, drawing: Drawing | None = None
) -> PredictionTable:
    """The code of every row of a file; rows that cannot be used stay empty and say why in the column `problem`."""
    table, frames, notes = read_table(model, source)
    if drawing is not None and drawing.colour and drawing.colour not in table.frame.columns:
        columns = list(map(str, table.frame.columns))
        raise UserError(
            f'There is no column "{drawing.colour}" in {table.source}.{did_you_mean(drawing.colour, columns)}',
            where="--colour",
            fix=f"the columns are: {', '.join(columns[:20])}",
        )
    usable = model.usable(frames)
    codes = _codes(model, frames, usable)
    frame = pd.DataFrame(codes, columns=pd.Index(code_names(codes.shape[1])))
    ids = table.frame["id"] if "id" in table.frame.columns else pd.Series(range(1, len(frame) + 1))
    frame.insert(0, "id", ids.astype(object).where(ids.notna(), "").map(str).to_numpy())
    if not usable.all():
        frame["problem"] = np.where(usable, "", "the row cannot be used: run bioloom check on the file")
        notes.append(f"{int((~usable).sum())} of {len(usable)} rows cannot be described and are empty")
    for note in notes:
        listener.message(note)
    if drawing is not None:
        cells = None if not drawing.colour else list(table.frame.loc[usable, drawing.colour].astype(object))
        cells = None if cells is None else [None if pd.isna(cell) else cell for cell in cells]
        _draw(codes[usable], cells, drawing)
    return PredictionTable(frame, tuple(notes))


def _codes(
    model: Model, frames: Mapping[str, pd.DataFrame], usable: NDArray[np.bool_]
) -> NDArray[np.float32]:
    if not usable.any():
        raise UserError("None of the rows can be used.", fix="run bioloom check on the file")
    found = model.describe({name: take_rows(frame, usable) for name, frame in frames.items()})
    codes = np.full((len(usable), found.shape[1]), np.nan, dtype=np.float32)
    codes[usable] = found
    return codes


def _draw(codes: NDArray[np.float32], cells: list[Any] | None, drawing: Drawing) -> None:
    figure = cloud(codes, cells, label=drawing.colour)
    if drawing.path.suffix.lower() == ".svg":
        write_bytes(drawing.path, style.svg(figure).encode())
        return
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=150)
    write_bytes(drawing.path, stream.getvalue())


def write_codes(table: PredictionTable, path: Path) -> None:
    """Write codes as CSV, or as arrays "ids" and "codes" in an .npz file."""
    if path.suffix.lower() != ".npz":
        write_bytes(path, table.frame.to_csv(index=False, lineterminator="\n").encode())
        return
    names = [name for name in table.frame.columns if str(name).startswith("code ")]
    stream = io.BytesIO()
    ids = table.frame["id"].to_numpy().astype(str)
    np.savez(stream, ids=ids, codes=table.frame[names].to_numpy(dtype=np.float32))
    write_bytes(path, stream.getvalue())


def write_answers(trial: Trial, model: Model, folder: Path) -> dict[str, Any]:
    """What is said of each record; without labels also codes and features, and what a language model writes.

    Gives what result.json tells of them.
    """
    if not trial.task.restores:
        table = judged_table(trial) if trial.task.names else predictions_table(trial)
        write_table(folder / "predictions.csv", table)
        draw_areas(trial, folder / "figures")
        return taste(model)
    features = restored_features(trial)
    write_table(folder / "predictions.csv", errors_table(trial))
    write_table(folder / "codes.csv", codes_table(trial, model))
    write_table(folder / "features.csv", features.frame())
    return {"features": features.to_json()}
