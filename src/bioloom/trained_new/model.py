"""The trained model: what is delivered, stored without pickle, and what predicts.

A model folder holds `weights.safetensors`, `model.json` (everything needed to build the network again, by
name), `recipe.toml`, `example.json` (a few inputs and their predictions, computed again on every load) and
`card.md` for people.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from bioloom import recipe as recipes
from bioloom.data.records import Problem, take_rows
from bioloom.errors import UserError
from bioloom.explanation import Explanation, Question, explainers
from bioloom.files import write_bytes, write_json, write_text
from bioloom.modalities import Kind, Modality, Shape, modalities
from bioloom.models import Network, build
from bioloom.models.layers import layer_table
from bioloom.recipe import InputRecipe, Recipe
from bioloom.targets import Targets, targets_from_json
from bioloom.tasks import task
from bioloom.training.device import session, threads_for
from bioloom.training.loop import predict as raw_outputs

FORMAT = 1
"""Raise it when a folder written by this version cannot be read by the one before; keep reading all older ones."""

BATCH = 64
"""Records in a batch of predictions, about."""

EXAMPLE_TOLERANCE = 1e-3
"""How far a recomputed example may lie from the stored one, relative to the spread of the outputs."""


@dataclass(frozen=True)
class Model:
    """A trained network with everything needed to predict from raw columns.

    inputs:     by name, modality and columns
    modalities: by input name, the modality with what it learned from the training rows
    """

    network: Network
    inputs: dict[str, InputRecipe]
    modalities: dict[str, Modality]
    targets: Targets
    recipe: Recipe

    def predict(self, values: Values) -> pd.DataFrame:
        """Predict from sequences, or from a table with the model's input columns.

        values: a list of sequences (models of one sequence), a DataFrame, or a mapping of columns
        Returns one row per record in the same order: the prediction in the target's units, or the probability
        of each class and the likeliest class; rows that cannot be predicted are empty, with the reason in a
        column `problem`.
        """
        return self.predict_frames(self.frames(values))

    def predict_frames(self, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Predict from one frame per input; see `predict`."""
        problems = self._problems(frames)
        usable = self.usable(frames, problems)
        values = np.full((len(usable), len(self.targets.column_names())), np.nan, dtype=np.float32)
        if usable.any():
            values[usable] = self.values({name: take_rows(frame, usable) for name, frame in frames.items()})
        return self._table(values, problems)

    def usable(
        self, frames: Mapping[str, pd.DataFrame], problems: Sequence[Problem] | None = None
    ) -> NDArray[np.bool_]:
        """Which rows can be predicted, (records,)."""
        usable = np.ones(len(next(iter(frames.values()))), dtype=bool)
        for problem in self._problems(frames) if problems is None else problems:
            usable[problem.rows] = False
        return usable

    def _problems(self, frames: Mapping[str, pd.DataFrame]) -> list[Problem]:
        found = [each for name, modality in self.modalities.items() for each in modality.check(frames[name])]
        return [problem for problem in found if problem.severity == "drop"]

    def values(self, frames: Mapping[str, pd.DataFrame], device: str = "cpu") -> NDArray[np.float32]:
        """Predictions in the target's units for clean rows, (records, targets or classes)."""
        raw = self.raw(frames, device)
        return task(self.targets.task).activate(raw, self.targets)

    def raw(self, frames: Mapping[str, pd.DataFrame], device: str = "cpu") -> NDArray[np.float32]:
        """Raw outputs of the network (standardised targets, or logits), (records, outputs)."""
        encoded = {name: modality.encode(frames[name]) for name, modality in self.modalities.items()}
        with session(self.threads):
            return raw_outputs(self.network, encoded, device=device)

    @property
    def threads(self) -> int:
        """Processor threads that pay for a network of this size."""
        shapes = {name: modality.shape for name, modality in self.modalities.items()}
        return threads_for(layer_table(self.network, shapes).multiplications * BATCH)

    def notes(self, frames: Mapping[str, pd.DataFrame]) -> list[Problem]:
        """What encoding changes in these rows, such as cropped sequences or unseen categories."""
        return [note for name, modality in self.modalities.items() for note in modality.notes(frames[name])]

    def explain(self, frames: Mapping[str, pd.DataFrame], asked: Asked) -> Explanation:
        """Why the network answers as it does for these clean rows; see the explainers for what each method says."""
        modality = self.modalities[asked.input]
        explainer = explainers[asked.method]
        resident = {
            name: each.encode(frames[name]).on(asked.device) for name, each in self.modalities.items()
        }
        index = torch.arange(len(frames[asked.input]), device=asked.device)
        batch = {name: each.batch(index) for name, each in resident.items()}
        background = None
        if explainer.needs_background:
            background = modality.background(batch[asked.input], asked.seed, asked.references)
        network = self.network.to(asked.device)
        question = Question(network, batch, asked.input, asked.output, background, asked.seed, asked.progress)
        with session(self.threads):
            return explainer.explain(question)

    @staticmethod
    def index(count: int) -> torch.Tensor:
        """The numbers of `count` records, as batches are asked for."""
        return torch.arange(count)

    def frames(self, values: Values) -> dict[str, pd.DataFrame]:
        """One frame per input from sequences or from a table with the model's input columns."""
        columns = [column for recipe in self.inputs.values() for column in recipe.columns]
        if isinstance(values, pd.DataFrame):
            frame = values.reset_index(drop=True)
        elif isinstance(values, Mapping):
            frame = _frame_of(values)
        elif isinstance(values, str):
            frame = pd.DataFrame({columns[0]: [values]})
        elif len(columns) == 1:
            frame = pd.DataFrame({columns[0]: list(values)})
        else:
            raise UserError(
                f"This model reads {len(columns)} columns, and a plain list has no column names.",
                fix=f"give a DataFrame or a mapping with the columns {', '.join(columns)}",
            )
        missing = [column for column in columns if column not in frame.columns]
        if missing:
            raise UserError(
                f'The model needs a column "{missing[0]}".',
                fix=f"the columns given are: {', '.join(map(str, frame.columns))}",
            )
        return {name: frame[list(recipe.columns)] for name, recipe in self.inputs.items()}

    def _table(self, values: NDArray[np.float32], problems: Sequence[Problem]) -> pd.DataFrame:
        table = pd.DataFrame(values, columns=pd.Index(self.targets.column_names()))
        if self.targets.classes:
            likelihoods = np.column_stack([1 - values, values]) if self.targets.task == "binary" else values
            best = np.nan_to_num(likelihoods, nan=-1.0).argmax(axis=1)
            names = np.array(self.targets.classes, dtype=object)[best]
            table["class"] = pd.Series(np.where(np.isnan(values[:, 0]), None, names), dtype=object)
        if problems:
            reasons = np.full(len(values), "", dtype=object)
            for problem in problems:
                reasons[problem.rows] = problem.message
            table["problem"] = reasons
        return table


@dataclass(frozen=True)
class Asked:
    """What is to be explained, and how.

    method:     the explainer's name
    input:      the name of the explained input
    output:     which raw output (target, or class)
    references: how many backgrounds, for methods that compare with "nothing here"
    """

    method: str
    input: str
    output: int = 0
    references: int = 4
    seed: int = 0
    device: str = "cpu"
    progress: Callable[[float], None] = lambda _: None


def _frame_of(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    cells = {str(name): list(column) for name, column in columns.items()}
    if len({len(column) for column in cells.values()}) > 1:
        lengths = ", ".join(f"{name} has {len(column)}" for name, column in cells.items())
        raise UserError(f"The columns differ in length: {lengths}.", fix="give one cell for each record")
    return pd.DataFrame(cells)


Values = Sequence[str] | str | pd.DataFrame | Mapping[str, Sequence[Any]]
"""What a model predicts from."""


# ---- storing --------------------------------------------------------------------------------------------


def save(model: Model, folder: Path, examples: Mapping[str, pd.DataFrame], card: str) -> None:
    """Write a model folder; `examples` holds a few clean records per input."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.network.state_dict().items()}
    write_bytes(folder / "weights.safetensors", save_tensors(state))
    write_text(folder / "recipe.toml", recipes.dumps(model.recipe))
    write_text(folder / "card.md", card)
    write_json(
        folder / "example.json",
        {
            "inputs": {name: _cells(frame) for name, frame in examples.items()},
            "raw": model.raw(examples).astype(float).tolist(),
        },
    )
    write_json(folder / "model.json", _description(model))


def _description(model: Model) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "network": model.network.name,
        "settings": model.recipe.model.settings,
        "targets": asdict(model.targets),
        "inputs": {
            name: {
                "modality": recipe.modality,
                "columns": list(recipe.columns),
                "state": model.modalities[name].state(),
                "kind": str(model.modalities[name].shape.kind),
                "sizes": list(model.modalities[name].shape.sizes),
            }
            for name, recipe in model.inputs.items()
        },
    }


def _cells(frame: pd.DataFrame) -> dict[str, list[Any]]:
    cells = frame.astype(object).where(frame.notna(), None)
    return {
        str(name): [cell.item() if isinstance(cell, np.generic) else cell for cell in cells[name]]
        for name in cells.columns
    }


def load(folder: Path) -> Model:
    """Read a model folder, build its network by name, and check it on its own examples.

    Raises UserError where the folder is no model, was written by a newer bioloom, was damaged, or does not
    reproduce its stored predictions.
    """
    description = _read_json(folder / "model.json", folder)
    if not isinstance(description.get("format"), int) or description["format"] > FORMAT:
        raise UserError(
            f"This model was written in format {description.get('format')}, and this bioloom reads up to {FORMAT}.",
            where=str(folder),
            fix="update bioloom",
        )
    try:
        model = _build(description, recipes.load(folder / "recipe.toml"))
        model.network.load_state_dict(load_tensors((folder / "weights.safetensors").read_bytes()))
    except FileNotFoundError as error:
        raise UserError(
            "A file of the model is missing.", where=str(error.filename), fix="copy the whole folder"
        ) from None
    except (KeyError, TypeError, ValueError, AttributeError, SafetensorError, RuntimeError) as error:
        raise UserError(
            f"The model is damaged: {_briefly(error)}.", where=str(folder), fix="copy it anew, or train again"
        ) from None
    model.network.eval()
    _check_example(model, _read_json(folder / "example.json", folder), folder)
    return model


def _briefly(error: Exception) -> str:
    """The first line that says something; a network lists every weight that does not fit."""
    lines = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if not line.endswith(":")), type(error).__name__)


def _build(description: dict[str, Any], recipe: Recipe) -> Model:
    inputs = {
        name: InputRecipe(modality=entry["modality"], columns=tuple(entry["columns"]))
        for name, entry in description["inputs"].items()
    }
    fitted = {
        name: modalities[entry["modality"]].from_state(entry["state"])
        for name, entry in description["inputs"].items()
    }
    shapes = {
        name: Shape(Kind(entry["kind"]), tuple(map(int, entry["sizes"])))
        for name, entry in description["inputs"].items()
    }
    targets = targets_from_json(description["targets"])
    network = build(description["network"], shapes, targets.outputs, description["settings"])
    return Model(network, inputs, fitted, targets, recipe)


def _read_json(path: Path, folder: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            "This is not a model folder.", where=str(folder), fix=f"it holds no {path.name}"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise _damaged(path) from None
    if not isinstance(content, dict):
        raise _damaged(path)
    return content


def _damaged(path: Path) -> UserError:
    return UserError("A file of the model is damaged.", where=str(path), fix="copy it anew, or train again")


def _check_example(model: Model, example: dict[str, Any], folder: Path) -> None:
    try:
        frames = {name: pd.DataFrame(columns, dtype=object) for name, columns in example["inputs"].items()}
        stored = np.array(example["raw"], dtype=np.float64)
        found = model.raw(frames).astype(np.float64)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _damaged(folder / "example.json") from None
    if found.shape != stored.shape or not (
        np.abs(found - stored).max() <= EXAMPLE_TOLERANCE * max(1.0, np.abs(stored).max())
    ):  # written so that NaN, from damaged weights, does not pass
        raise UserError(
            "The model does not reproduce the predictions stored with it.",
            where=str(folder),
            fix="the weights or bioloom changed since; train again, or use the version in environment.json",
        )
