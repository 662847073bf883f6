"""References of a model: training records of other classes that explainers compare with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from bioloom.data.records import take_rows
from bioloom.errors import UserError
from bioloom.explanation.maps.references import Pool, ReferenceLibrary, Scan, drawn, hash_of
from bioloom.files import word
from bioloom.models.ensemble import members_of

if TYPE_CHECKING:
    from bioloom.data.records import Records
    from bioloom.models import Network
    from bioloom.trained.model import Model


OTHERS = 512
"""Training records that are looked at for the references of another network, such as one with random weights."""


def with_references(model: Model, folder: Path, records: Callable[[], Records]) -> Model:
    """The same model, which can compare with training records: chosen at first use, and kept in the folder of its run.

    records: gives the clean training records
    """
    return replace(
        model, references=lambda name, device: References(model, folder, cache(records), name, device)
    )


@dataclass(frozen=True)
class References:
    """References of a model for one of its inputs, in the folder of its run; those of other networks are not kept.

    records: gives the clean training records
    """

    model: Model
    folder: Path
    records: Callable[[], Records]
    name: str
    device: str

    def of(self, network: Network, layer: str = "") -> ReferenceLibrary:
        """The library of this network: read, or else chosen among the training records.

        Of a network of the mean they have to be classified rightly by itself; one with random weights cannot do that.
        """
        if network is self.model.network or hash_of(network) == hash_of(self.model.network):
            return self._own(layer)
        learned = any(network is member for member in members_of(self.model.network))
        other, scan = replace(self.model, network=network), Scan(records=OTHERS, rightly=learned, layer=layer)
        return build_references(other, self.records(), self.name, self.device, scan)

    def _own(self, layer: str) -> ReferenceLibrary:
        stem = "-".join(["references", *(word(each) for each in (self.name, layer) if each)])
        path = self.folder / "explanations" / f"{stem}.safetensors"
        found = _stored(self.model, path, self.name, layer)
        if found is None:
            scan = Scan(seed=self.model.recipe.seed, layer=layer)
            found = build_references(self.model, self.records(), self.name, self.device, scan)
            found.save(path)
        return found


def build_references(model: Model, records: Records, name: str, device: str, scan: Scan) -> ReferenceLibrary:
    """Choose references for one input of a model among clean training records.

    Raises UserError where the model predicts numbers, or where nothing is classified rightly.
    """
    if not model.targets.classes or model.targets.places:
        raise UserError(
            "This method compares a record with records of another class, and this model gives no record one class.",
            fix="use another method, such as grad_cam, occlusion or integrated_gradients",
        )
    truth: NDArray[np.float32] = model.targets.truth(records.targets)[:, 0]
    known = np.flatnonzero(np.isfinite(truth))
    known = known[drawn(len(known), scan).numpy()]  # what is not looked at is not encoded
    resident = {
        each: modality.encode(take_rows(records.inputs[each], known)).on(device)
        for each, modality in model.modalities.items()
    }
    pool = Pool(
        lambda index: {each: stored.batch(index.to(device)) for each, stored in resident.items()},
        torch.from_numpy(truth[known].astype(np.int64)),
    )
    return ReferenceLibrary.build(model.network.to(device), pool, name, scan, encoding_of(model))


def _stored(model: Model, path: Path, name: str, layer: str) -> ReferenceLibrary | None:
    """The library in a file, where there is one and it is that of this model."""
    if not path.is_file():
        return None
    found = ReferenceLibrary.load(path)
    own = (found.model, found.encoding, found.input, found.layer)
    return found if own == (hash_of(model.network), encoding_of(model), name, layer) else None


def encoding_of(model: Model) -> str:
    """A hash of how a model encodes records, with all that this learned from training rows."""
    told = {
        name: [modality.name, list(modality.shape.sizes), modality.state()]
        for name, modality in model.modalities.items()
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
