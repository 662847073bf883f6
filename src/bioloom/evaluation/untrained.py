"""Two controls that learn little on purpose: a network that was never trained, and a model of bulk properties.

What the architecture knows by itself (a random network is already a rich set of features; Jarrett et al. 2009,
doi:10.1109/ICCV.2009.5459469), and what length and composition alone give away, is no credit to training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bioloom.modalities import Encoded
from bioloom.models import Network, TrainingData, simple_models
from bioloom.models.predict import cache_sized, predict
from bioloom.targets import Targets
from bioloom.tasks import Task

RECORDS = 10_000
"""Training records that a control learns from, at most; a quarter as many validation records."""

WIDEST = 1_024
"""Inputs of the last layer that are used, at most; more are added up at random (Achlioptas 2003)."""


@dataclass(frozen=True)
class Control:
    """What a control predicts for the test records.

    value:       (test records, targets or classes) in the target's units; None where there is no such control
    description: what was fitted, in one phrase
    reason:      why there is none; empty otherwise
    """

    value: NDArray[np.float32] | None
    description: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Parts:
    """Which records a control learns from, chooses by and is scored on, and what is true of them.

    train, validation, test: positions of records
    truth:  (records, targets) of all records in the target's units; unknown ones are NaN
    weight: (records,) of all records
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    truth: NDArray[np.float32]
    weight: NDArray[np.float32]

    def fewer(self, how: How) -> Parts:
        """At most so many training records and a quarter as many validation records, chosen at random."""
        random = np.random.default_rng(how.seed)
        train = np.sort(random.permutation(self.train)[: how.records])
        validation = np.sort(random.permutation(self.validation)[: how.records // 4])
        return Parts(train, validation, self.test, self.truth, self.weight)

    def among(self, rows: NDArray[np.int64]) -> Parts:
        """The same records by their places among some rows (rising); training records not among them are left out."""
        train, validation, test = (
            np.searchsorted(rows, part[np.isin(part, rows)])
            for part in (self.train, self.validation, self.test)
        )
        return Parts(train, validation, test, self.truth[rows], self.weight[rows])


def untrained(
    network: Network, encoded: Mapping[str, Encoded], parts: Parts, targets: Targets, how: How
) -> Control:
    """Fit the simple model of the task on what enters the last layer of a network with fresh random weights.

    network: freshly built, never trained; it is left as it is
    """
    parts = parts.fewer(how)
    places = np.concatenate([parts.train, parts.validation, parts.test])
    features = untrained_features(network, encoded, places, how.seed)
    if features is None:
        return Control(None, reason="the network has no linear layer that receives one row for each record")
    ends = np.cumsum([len(parts.train), len(parts.validation)])
    return _fitted(tuple(np.split(features, ends)), parts, targets, how)


@dataclass(frozen=True)
class How:
    """The task, whose simple model is fitted, the seed of everything random, and training records at most."""

    task: Task
    seed: int
    records: int = RECORDS


def untrained_features(
    network: Network, encoded: Mapping[str, Encoded], index: NDArray[np.int64], seed: int = 0
) -> NDArray[np.float32] | None:
    """What enters the last linear layer of a network, (index, features) float32; None where there is no such layer,
    or it does not receive one row for each record.

    Where more than 1,024 numbers enter (or one per position), these are added up with random signs to 1,024.
    """
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    if not linear:
        return None
    caught: list[Tensor] = []
    signs: dict[int, Tensor] = {}

    def catch(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        flat = given[0].detach().flatten(1).float().cpu()
        caught.append(_narrow(flat, signs, seed))

    size = cache_sized(network, {name: each.shape for name, each in encoded.items()})  # runs it once, unheard
    hook = linear[-1].register_forward_pre_hook(catch)
    try:
        predict(network, {name: each.take(index) for name, each in encoded.items()}, batch_size=size)
    finally:
        hook.remove()
    found = torch.cat(caught).numpy() if caught else np.empty((0, 0), dtype=np.float32)
    if len(found) != len(index):  # a layer that sees positions of records one by one; no reason to end a run
        return None
    return np.nan_to_num(found.astype(np.float32))


def _narrow(flat: Tensor, signs: dict[int, Tensor], seed: int) -> Tensor:
    width = flat.shape[1]
    if width <= WIDEST:
        return flat
    if width not in signs:
        random = torch.Generator().manual_seed(seed)
        signs[width] = (torch.randint(0, 2, (width, WIDEST), generator=random) * 2 - 1).float() / WIDEST**0.5
    return flat @ signs[width]


def property_model(properties: NDArray[np.floating], parts: Parts, targets: Targets, how: How) -> Control:
    """Fit the simple model of the task on bulk properties alone: length, GC, shares of letters, missing cells.

    properties: (records, properties) of all records; columns that never vary in training say nothing
    """
    values = np.nan_to_num(np.asarray(properties, dtype=np.float32))
    parts = parts.fewer(how)
    if not values.shape[1] or (values[parts.train] == values[parts.train[:1]]).all():
        return Control(None, reason="length, composition and missing cells are the same for all records")
    return _fitted(
        tuple(values[each] for each in (parts.train, parts.validation, parts.test)), parts, targets, how
    )


def _fitted(blocks: tuple[NDArray[np.float32], ...], parts: Parts, targets: Targets, how: How) -> Control:
    """The simple model of the task on these features of training, validation and test records."""
    learned, checked, tested = blocks
    data = TrainingData(
        features=learned,
        truth=parts.truth[parts.train],
        weight=parts.weight[parts.train],
        validation_features=checked,
        validation_truth=parts.truth[parts.validation],
    )
    model = simple_models[how.task.simple].fit(data, targets, how.seed)
    return Control(model.predict(tested), model.describe())
