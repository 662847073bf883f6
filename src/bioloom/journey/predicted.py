"""Predictions for a new file: one row for each row of it, in the same order."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bioloom.data import readers
from bioloom.data.reading.beside import joined
from bioloom.data.reading.joining import upright_for
from bioloom.data.reading.long import as_series
from bioloom.data.records import Problem, Table, take_rows
from bioloom.data.stores import from_text
from bioloom.data.wording import counted
from bioloom.errors import UserError
from bioloom.evaluation.placed import each_position
from bioloom.events import Listener
from bioloom.files import word, write_bytes
from bioloom.journey.roles import columns_for
from bioloom.trained import Model
from bioloom.trained.asides import without_promise


@dataclass(frozen=True)
class PredictionTable:
    """Predictions beside the id of each row.

    frame: one row per row of the file: id, prediction columns, and `problem` where some rows could not be predicted
    notes: what the user should know, such as cropped sequences
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def missing(self) -> int:
        """Rows without a prediction."""
        return int((self.frame["problem"] != "").sum()) if "problem" in self.frame.columns else 0


def predict_file(model: Model, source: Any, listener: Listener) -> PredictionTable:
    """Predict every row of a file; rows that cannot be used stay empty and say why in the column `problem`."""
    table, frames, notes = read_table(model, source)
    predictions = model.predict_frames(frames)
    usable = model.usable(frames)
    if usable.any():
        kept = {name: take_rows(frame, usable) for name, frame in frames.items()}
        notes += [_told(note, several=len(frames) > 1) for note in model.notes(kept)]
    predictions.insert(0, "id", _ids(table))
    found = PredictionTable(predictions, tuple(notes))
    if lacking := without_promise(model):
        notes.append(lacking)
    unlike = int((predictions["unlike"] == "yes").sum()) if "unlike" in predictions else 0
    if unlike:
        notes.append(
            f"{unlike} of {len(predictions)} rows {'is' if unlike == 1 else 'are'} unlike the "
            "records the model learned from; the column why says in what"
        )
    if found.missing:
        notes.append(
            f"{found.missing} of {len(predictions)} rows could not be predicted; the column problem says why"
        )
    for note in notes:
        listener.message(note)
    return PredictionTable(predictions, tuple(notes))


def with_files(found: PredictionTable, model: Model, out: Path) -> PredictionTable:
    """Predicted masks as PNG files in a folder beside the table, which then names them; other predictions as they are."""
    if len(model.targets.places) != 2:
        return found
    (name,), frame = model.targets.names, found.frame.copy()
    folder = out.parent / f"{out.stem}_masks"
    for row, cell in enumerate(frame[name]):
        if isinstance(cell, str):
            path = folder / f"{row + 1}_{word(str(frame['id'].iloc[row]), '-_.', 80)}.png"
            write_bytes(path, _png(cell))
            frame.loc[frame.index[row], name] = f"{folder.name}/{path.name}"
    return PredictionTable(frame, found.notes)


def _png(cell: str) -> bytes:
    """A stored array as PNG."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.asarray(from_text(cell))).save(stream, format="PNG")
    return stream.getvalue()


def predict_positions(model: Model, source: Any) -> pd.DataFrame:
    """One row for each position of each row of a file that can be used: id, position from 1, and what is predicted there.

    Raises UserError for a model with one answer for a record.
    """
    if len(model.targets.places) != 1:
        raise UserError(
            "This model gives one answer for a record, not one for each position.",
            where="--positions",
            fix="leave out --positions",
        )
    table, frames, _ = read_table(model, source)
    usable = model.usable(frames)
    kept = {name: take_rows(frame, usable) for name, frame in frames.items()}
    ids = [name for name, good in zip(_ids(table), usable, strict=True) if good]
    return each_position(model.targets, ids, model.values(kept), model.lengths(kept))


def read_records(model: Model, source: Any, listener: Listener) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The usable records of a file and their ids, for explaining; rows that cannot be used are told."""
    table, frames, notes = read_table(model, source)
    usable = model.usable(frames)
    if not usable.any():
        raise UserError(
            "None of the rows can be used.", where=table.source, fix="run bioloom check on the file"
        )
    if not usable.all():
        notes.append(f"{int((~usable).sum())} of {len(usable)} rows cannot be used and are left out")
    for note in notes:
        listener.message(note)
    ids = [name for name, good in zip(_ids(table), usable, strict=True) if good]
    return {name: take_rows(frame, usable) for name, frame in frames.items()}, ids


def read_table(model: Model, source: Any) -> tuple[Table, dict[str, pd.DataFrame], list[str]]:
    """A file with the inputs of a model in it, and notes on what had to be guessed; UserError where it has no row."""
    table = as_series(readers.read(source), model.recipe.data.record, model.recipe.data.time)
    wanted = {column for each in model.inputs.values() for column in each.columns}
    # the files that stood beside the records when the model was trained
    if model.recipe.data.join and wanted - set(table.frame.columns):
        table = joined(table, model.recipe.data.join, readers.read)
    table = upright_for(table, wanted)
    if not len(table.frame):
        raise UserError(
            "There is no row to predict.", where=table.source, fix="give a file with at least one record"
        )
    frames, notes = columns_for(table, model.inputs)
    return table, frames, [*table.notes, *notes]


def _told(note: Problem, several: bool) -> str:
    """What happens to how many rows, and in which column where there are several inputs."""
    column = f', column "{note.column}"' if several and note.column else ""
    rows = f"{counted(len(note.rows), 'row')}{column}: " if len(note.rows) else ""
    return f"{rows}{note.message}"


def _ids(table: Table) -> list[str]:
    if "id" in table.frame.columns:
        return ["" if pd.isna(cell) else str(cell) for cell in table.frame["id"]]
    return [str(number + 1) for number in range(len(table.frame))]
