"""The model folder: a trained model on disk, without pickle.

`weights.safetensors` (the network), `beside.safetensors` (the simpler model and what is needed to tell unlike
records), `model.json` (everything needed to build them again, by name), `recipe.toml`, `example.json` (a few
inputs and their predictions, computed again on every load) and `card.md` for people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from bioloom import recipe as recipes
from bioloom.data.assets import embedded
from bioloom.data.learned import Learned
from bioloom.errors import UserError
from bioloom.evaluation.calibration import Calibration
from bioloom.evaluation.conformal import Conformal
from bioloom.evaluation.domain import Domain
from bioloom.files import write_bytes, write_json, write_text
from bioloom.modalities import Kind, Shape, modalities
from bioloom.models import Network, build, simple_models
from bioloom.models.ensemble import build_several, members_of
from bioloom.recipe import InputRecipe, Recipe
from bioloom.targets import targets_from_json
from bioloom.tasks import task
from bioloom.trained.model import Model

FORMAT = 3
"""Raise it when a folder written by this version cannot be read by the one before; keep reading all older ones.

1: the network alone
2: with calibration, prediction intervals, the simpler model that the verdict prefers, and the training domain
3: several networks whose mean predicts, and intervals that are wider where these lie apart
"""

STUDENT = "student.safetensors"
"""The network that learned to say what the mean of several says, where there is one."""

EXAMPLE_TOLERANCE = 1e-3
"""How far a recomputed example may lie from the stored one, relative to the spread of the outputs."""


def save(model: Model, folder: Path, examples: Mapping[str, pd.DataFrame], card: str) -> None:
    """Write a model folder; `examples` holds a few clean records per input, files that they name in full."""
    examples = {name: embedded(frame) for name, frame in examples.items()}
    write_bytes(folder / "weights.safetensors", _weights(model.network))
    if model.student is not None:
        write_bytes(folder / STUDENT, _weights(model.student))
    write_bytes(folder / "beside.safetensors", save_arrays(_beside(model)))
    write_text(folder / "recipe.toml", recipes.dumps(model.recipe))
    write_text(folder / "card.md", card)
    write_json(
        folder / "example.json",
        {
            "inputs": {name: _cells(frame) for name, frame in examples.items()},
            "raw": model.raw(examples).astype(float).tolist(),
            "values": _numbers(model.values(examples)),
        },
    )
    write_json(folder / "model.json", _description(model))


def _numbers(values: NDArray[np.float32]) -> list[Any]:
    """As JSON has them; what is not defined, such as a place behind the end of a record, is null."""
    found: NDArray[Any] = values.astype(float)
    if not np.isfinite(values).all():
        found = found.astype(object)
        found[~np.isfinite(values)] = None
    return list(found.tolist())


def _weights(network: Network) -> bytes:
    return save_tensors(
        {name: each.detach().cpu().contiguous() for name, each in network.state_dict().items()}
    )


def _description(model: Model) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "network": members_of(model.network)[0].name,
        "settings": model.recipe.model.settings,
        "members": len(members_of(model.network)),
        "student": model.student is not None,
        "strands": list(members_of(model.network)[0].strands),
        "delivered": model.delivered,
        "rival": None if model.rival is None else {"role": model.role, "name": model.rival.name},
        "calibration": {name: each.to_json() for name, each in model.calibration.items()},
        "conformal": {name: each.to_json() for name, each in model.conformal.items()},
        "targets": asdict(model.targets),
        "inputs": {
            name: {
                "modality": recipe.modality,
                "columns": list(recipe.columns),
                "state": model.modalities[name].state(),
                "kind": str(model.modalities[name].shape.kind),
                "sizes": list(model.modalities[name].shape.sizes),
                **({"tokens": tokens} if (tokens := model.modalities[name].shape.tokens) else {}),
            }
            for name, recipe in model.inputs.items()
        },
    }


def _beside(model: Model) -> dict[str, NDArray[Any]]:
    """The arrays that are kept beside the network."""
    arrays: dict[str, NDArray[Any]] = {}
    if model.rival is not None:
        arrays |= {f"rival.{name}": array for name, array in model.rival.state().items()}
    if model.domain is not None:
        arrays |= {f"domain.{name}": array for name, array in model.domain.state().items()}
    if model.learned is not None:
        arrays |= {f"learned.{name}": array for name, array in model.learned.state().items()}
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


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
        beside = folder / "beside.safetensors"
        arrays = load_arrays(beside.read_bytes()) if description["format"] > 1 else {}
        model = _build(description, recipes.load(folder / "recipe.toml"), arrays)
        model.network.load_state_dict(load_tensors((folder / "weights.safetensors").read_bytes()))
        if model.student is not None:
            model.student.load_state_dict(load_tensors((folder / STUDENT).read_bytes()))
            model.student.eval()
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


def _build(description: dict[str, Any], recipe: Recipe, arrays: Mapping[str, NDArray[Any]]) -> Model:
    inputs = {
        name: InputRecipe(modality=entry["modality"], columns=tuple(entry["columns"]))
        for name, entry in description["inputs"].items()
    }
    fitted = {
        name: modalities[entry["modality"]].from_state(entry["state"])
        for name, entry in description["inputs"].items()
    }
    shapes = {
        name: Shape(
            Kind(entry["kind"]),
            tuple(map(int, entry["sizes"])),
            int(entry.get("tokens", 0)),
            fitted[name].shape.edges,
        )
        for name, entry in description["inputs"].items()
    }
    targets = targets_from_json(description["targets"])
    kind, members = description["network"], description.get("members", 1)  # one before format 3
    outputs = task(targets.task).raw_outputs(targets, recipe.training.loss)
    network = build_several(kind, shapes, outputs, description["settings"], members)
    student = build(kind, shapes, outputs, description["settings"]) if description.get("student") else None
    for member in (*members_of(network), *([] if student is None else [student])):
        member.strands = tuple(description.get("strands", ()))
    model = Model(network, inputs, fitted, targets, recipe, student=student)
    return model if description["format"] == 1 else _with_beside(model, description, arrays)


def _with_beside(model: Model, description: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
    """What formats from 2 on keep beside the network."""
    rival, domain, learned = description["rival"], _below("domain.", arrays), _below("learned.", arrays)
    return replace(
        model,
        calibration={name: Calibration.from_json(each) for name, each in description["calibration"].items()},
        rival=None if rival is None else simple_models[rival["name"]].from_state(_below("rival.", arrays)),
        role="simple" if rival is None else rival["role"],
        delivered=description["delivered"],
        conformal={name: Conformal.from_json(each) for name, each in description["conformal"].items()},
        domain=Domain.from_state(domain) if domain else None,
        learned=Learned.from_state(learned) if learned else None,
    )


def _below(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): each for name, each in arrays.items() if name.startswith(prefix)}


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
        pairs = [(np.array(example["raw"], dtype=np.float64), model.raw(frames))]
        if "values" in example:  # from format 2 on
            pairs.append((np.array(example["values"], dtype=np.float64), model.values(frames)))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise _damaged(folder / "example.json") from None
    if not all(_close(stored, found) for stored, found in pairs):
        raise UserError(
            "The model does not reproduce the predictions stored with it.",
            where=str(folder),
            fix="the weights or bioloom changed since; train again, or use the version in environment.json",
        )


def _close(stored: NDArray[np.float64], found: NDArray[np.float32]) -> bool:
    """Whether predictions are as they were stored; written so that NaN, from damaged weights, does not pass.

    What was not defined then, such as a place behind the end of a record, must not be defined now.
    """
    known = ~np.isnan(stored)
    if stored.shape != found.shape or not np.array_equal(known, ~np.isnan(found)) or not known.any():
        return False
    stored, found = stored[known], found[known]
    return bool(np.abs(found - stored).max() <= EXAMPLE_TOLERANCE * max(1.0, np.abs(stored).max()))
