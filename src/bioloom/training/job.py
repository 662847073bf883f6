"""What a training is told, and what comes out of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bioloom.modalities import Encoded
from bioloom.models import Network, Shapes
from bioloom.tasks import Task
from bioloom.training.augment import Augmentation
from bioloom.training.plan import Plan

ROWS_AT_ONCE = 4096
"""Records hashed at a time."""


@dataclass(frozen=True)
class Job:
    """Everything that a training follows from.

    network, settings: by name; the network is built here, so that its first weights follow from the seed
    outputs:    numbers per record that the network gives
    inputs:     encoded records by name of the input
    truth:      (records, targets) float32, standardised for regression; NaN where unknown
    weight:     (records,) float32
    train:      positions of the training records
    validation: positions of the validation records; with none, the last weights are kept
    threads:    0 chooses by the size of the network
    start:      weights by name that the network begins with; those that are not named here begin at random
    augmentation: how records are changed at random while they are learned from
    """

    network: str
    settings: Mapping[str, Any]
    outputs: int
    inputs: Mapping[str, Encoded]
    truth: NDArray[np.float32]
    weight: NDArray[np.float32]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    task: Task
    plan: Plan
    seed: int = 0
    device: str = "cpu"
    threads: int = 0
    start: Mapping[str, Tensor] = field(default_factory=dict)
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def predicted(self) -> int:
        """How many of the outputs are predictions; those after them say how far off they may be."""
        head = self.task.head(self.plan.loss)
        return self.outputs if head is None else self.outputs // head.per_target

    @property
    def shapes(self) -> Shapes:
        """The shape of each input."""
        return {name: encoded.shape for name, encoded in self.inputs.items()}


@dataclass(frozen=True)
class Epoch:
    """One pass over the training records.

    number:          from 1, of `epochs` at most
    loss:            mean over the training records while they were learned from
    validation_loss: of the averaged weights; None without validation records
    learning_rate:   at the end of the epoch
    best:            whether no epoch before had a lower validation loss
    seconds:         that the epoch took, validation included
    raw:             raw outputs for the validation records, not kept in the history
    """

    number: int
    epochs: int
    loss: float
    validation_loss: float | None
    learning_rate: float
    best: bool
    seconds: float
    raw: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Fitted:
    """A trained network and how it came about.

    network: with the weights of the best epoch, on the CPU, ready to predict
    history: all epochs
    best:    the epoch whose weights were kept
    resumed: epochs that were taken over from a checkpoint
    threads: that were used
    notes:   what the user should know, such as a checkpoint that was of no use
    """

    network: Network
    history: tuple[Epoch, ...]
    best: Epoch
    resumed: int
    threads: int
    notes: tuple[str, ...]


def fingerprint(job: Job) -> str:
    """A hash of all that the final weights depend on, but for the machine: data, settings, plan, seed."""
    told = {
        "network": job.network,
        "settings": dict(job.settings),
        "shapes": {name: str(shape) for name, shape in job.shapes.items()},
        "outputs": job.outputs,
        "task": job.task.name,
        "plan": asdict(job.plan),
        "augmentation": asdict(job.augmentation),
        "seed": job.seed,
    }
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name in sorted(job.start):
        digest.update(name.encode())
        digest.update(job.start[name].contiguous().cpu().numpy().tobytes())
    rows = np.concatenate([job.train, job.validation])
    for values in (job.train, job.validation, job.truth[rows], job.weight[rows]):
        digest.update(np.ascontiguousarray(values).tobytes())
    for name in sorted(job.inputs):
        for first in range(0, len(rows), ROWS_AT_ONCE):
            for array in job.inputs[name].told(rows[first : first + ROWS_AT_ONCE]):
                digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
