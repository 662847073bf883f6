"""Every number of a small training, step by step, to see on paper what a network does.

Nothing here is part of the loop: it watches a network from outside while the loop trains it, so that a training
that is not recorded costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count, islice
from math import prod
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bioloom.errors import UserError, did_you_mean
from bioloom.modalities import Signal
from bioloom.models import Network
from bioloom.models.layers import layer_table
from bioloom.training.job import Job
from bioloom.training.loop import started

MOST = 10_000_000
"""Numbers that a recording may hold: 40 MB."""

Arrays = Mapping[str, NDArray[np.float32]]

KEPT = ("weights", "gradients", "activations", "errors")
"""What a recording holds by name."""


@dataclass(frozen=True)
class Recording:
    """What happened in each step of a training.

    records:     (steps, batch) positions of the records that were learned from; -1 where a batch is smaller
    rates:       (steps,) learning rates
    losses:      (steps,) of each batch, before its step
    weights:     by name, (steps + 1, *shape): before each step, and after the last one
    gradients:   by the same names, (steps, *shape): of the loss, as backpropagation gave them, before clipping
    activations: by layer, (steps, batch, *shape): the inputs, and what each layer made of them; NaN where a batch
                 is smaller
    errors:      by layer, the same shapes: the gradient of the loss with respect to what the layer gave
    """

    records: NDArray[np.int64]
    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    weights: Arrays
    gradients: Arrays
    activations: Arrays
    errors: Arrays

    def table(self, what: str) -> pd.DataFrame:
        """Weights, gradients, activations or errors as a long table: step, name, place in the array, value.

        what:   "weights", "gradients", "activations" or "errors"; for the last two the first place is the record
        Raises UserError for another word.
        """
        if what not in KEPT:
            raise UserError(
                f'A recording holds no "{what}".{did_you_mean(what, KEPT)}',
                fix=f"use one of: {', '.join(KEPT)}",
            )
        held: Arrays = getattr(self, what)
        return pd.concat([_long(name, values) for name, values in held.items()], ignore_index=True)


def record(job: Job, steps: int) -> Recording:
    """Train a small network for some steps and keep every weight, gradient, activation and loss.

    The steps are those of the training of this job, bit for bit (with one thread); validation records are not looked
    at. With accumulated batches each batch is an entry, and the weights move after the last of them.
    Raises UserError where the recording would hold more than ten million numbers.
    """
    with started(job) as (run, _):
        _refuse_large(job, run.network, steps)
        watch = _Watch(run.network, job, lambda: run.learning_rate)
        with watch.looking():
            batches = (
                (rows, loss)
                for number in count(1)
                for rows, loss in _epoch(run.order(number), run.updates, job.plan.batch_size)
            )
            for rows, loss in islice(batches, steps):
                watch.step(rows, loss)
        return watch.recording(steps)


def _epoch(
    order: Tensor, updates: Callable[[Tensor], Iterator[Tensor]], size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """The records of each batch of an epoch, and its loss."""
    return zip(torch.split(order, size), updates(order), strict=True)


class _Watch:
    """Hooks on a network and its weights, and what they saw."""

    def __init__(self, network: Network, job: Job, rate: Callable[[], float]) -> None:
        self.network, self.job, self.rate = network, job, rate  # rate: of the next step
        self.records: list[NDArray[np.int64]] = []
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.seen: dict[str, dict[str, list[NDArray[np.float32]]]] = {each: {} for each in KEPT}

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Within it, all that the network does is kept."""
        self._weights()
        layers = [
            (name, module)
            for name, module in self.network.named_modules()
            if name and not any(module.children())
        ]
        hooks = [
            self.network.register_forward_pre_hook(self._inputs),
            *(module.register_forward_hook(self._layer(name)) for name, module in layers),
            *(
                weights.register_hook(self._keeper("gradients", name))  # type: ignore[no-untyped-call]
                for name, weights in self.network.named_parameters()
            ),
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def step(self, rows: Tensor, loss: Tensor) -> None:
        """Take in that a batch was learned from."""
        self.records.append(rows.cpu().numpy())
        self.losses.append(float(loss))
        self._weights()

    def recording(self, steps: int) -> Recording:
        """All that was seen."""
        size = max(len(rows) for rows in self.records)
        held = {
            what: {
                name: np.stack([_filled(each, size) for each in values]) for name, values in by_name.items()
            }
            if what in ("activations", "errors")
            else {name: np.stack(values) for name, values in by_name.items()}
            for what, by_name in self.seen.items()
        }
        rows = np.full((steps, size), -1, dtype=np.int64)
        for number, each in enumerate(self.records):
            rows[number, : len(each)] = each
        return Recording(rows, np.array(self.rates[:steps]), np.array(self.losses), **held)

    def _weights(self) -> None:
        for name, weights in self.network.named_parameters():
            self._keep("weights", name, weights)

    def _inputs(self, _: nn.Module, given: tuple[Any, ...]) -> None:
        self.rates.append(self.rate())
        if isinstance(given[0], Tensor):
            self._keep("activations", next(iter(self.job.inputs)), given[0])
            return
        batch: Mapping[str, Signal] = given[0]
        for name, signal in batch.items():
            self._keep("activations", name, signal.x)

    def _layer(self, name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def look(_: nn.Module, __: object, output: Tensor) -> None:
            self._keep("activations", name, output)
            if output.requires_grad:
                output.register_hook(self._keeper("errors", name))  # type: ignore[no-untyped-call]

        return look

    def _keeper(self, what: str, name: str) -> Callable[[Tensor], None]:
        return lambda values: self._keep(what, name, values)

    def _keep(self, what: str, name: str, values: Tensor) -> None:
        array = values.detach().float().cpu().numpy().copy()
        self.seen[what].setdefault(name, []).append(array)


def _refuse_large(job: Job, network: Network, steps: int) -> None:
    """Refuse what would fill the memory: a recording is for networks that fit a sheet of paper."""
    table = layer_table(network, job.shapes)
    given = sum(prod(shape.sizes) for shape in job.shapes.values())
    records = min(job.plan.batch_size, len(job.train))
    each = 2 * (table.parameters + records * (given + sum(prod(layer.shape) for layer in table.layers)))
    if steps < 1 or steps * each > MOST:
        least = f"at most {MOST // each:,} steps" if each <= MOST else "a smaller network or smaller batches"
        raise UserError(
            f"{steps:,} steps of {each:,} numbers each are not recorded; the limit is {MOST:,} numbers.",
            where=f"the network {job.network} with {table.parameters:,} weights, batches of {records:,} records",
            fix=f"record {least}" if steps >= 1 else "record at least one step",
        )


def _filled(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """A batch of so many records, NaN where there is none."""
    lacking = np.full((size - len(values), *values.shape[1:]), np.nan, dtype=np.float32)
    return np.concatenate([values, lacking])


def _long(name: str, values: NDArray[np.float32]) -> pd.DataFrame:
    places = [",".join(map(str, place)) for place in np.ndindex(values.shape[1:])]
    return pd.DataFrame(
        {
            "step": np.repeat(np.arange(len(values)), len(places)),
            "name": name,
            "place": list(chain.from_iterable([places] * len(values))),
            "value": values.reshape(-1),
        }
    )
