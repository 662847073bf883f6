"""References of a model: training records of other classes that explainers compare with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from bioloom.errors import UserError
from bioloom.explanation.references import Pool, ReferenceLibrary, Scan, hash_of

if TYPE_CHECKING:
    from bioloom.data.records import Records
    from bioloom.trained.model import Model


def with_references(model: Model, folder: Path, records: Callable[[], Records]) -> Model:
    """The same model, which can compare with training records: chosen at first use, and kept in the folder of its run.

    records: gives the clean training records
    """

    def given(name: str, device: str) -> ReferenceLibrary:
        word = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:60]
        path = folder / "explanations" / f"references-{word}.safetensors"
        found = _stored(model, path, name)
        if found is None:
            learned = records()
            found = build_references(model, learned.inputs, learned.targets, name, device)
            found.save(path)
        return found

    return replace(model, references=given)


def build_references(
    model: Model, frames: Mapping[str, pd.DataFrame], labels: pd.DataFrame, name: str, device: str = "cpu"
) -> ReferenceLibrary:
    """Choose references for one input of a model among clean training rows.

    frames: of each input; labels: the target columns of the same rows
    Raises UserError where the model predicts numbers, or where nothing is classified rightly.
    """
    if not model.targets.classes or model.targets.places:
        raise UserError(
            "This method compares a record with records of another class, and this model gives no record one class.",
            fix="use another method, such as grad_cam, occlusion or integrated_gradients",
        )
    truth: NDArray[np.float32] = model.targets.truth(labels)[:, 0]
    known = np.flatnonzero(np.isfinite(truth))
    resident = {each: modality.encode(frames[each]).on(device) for each, modality in model.modalities.items()}
    rows = torch.from_numpy(known)
    pool = Pool(
        lambda index: {each: stored.batch(rows[index].to(device)) for each, stored in resident.items()},
        torch.from_numpy(truth[known].astype(np.int64)),
    )
    network = model.network.to(device)
    return ReferenceLibrary.build(network, pool, name, Scan(seed=model.recipe.seed), encoding_of(model))


def _stored(model: Model, path: Path, name: str) -> ReferenceLibrary | None:
    """The library in a file, where there is one and it is that of this model."""
    if not path.is_file():
        return None
    found = ReferenceLibrary.load(path)
    own = (found.model, found.encoding, found.input, found.layer)
    return found if own == (hash_of(model.network), encoding_of(model), name, "") else None


def encoding_of(model: Model) -> str:
    """A hash of how a model encodes records, with all that this learned from training rows."""
    told = {
        name: [modality.name, list(modality.shape.sizes), modality.state()]
        for name, modality in model.modalities.items()
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
