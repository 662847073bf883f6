"""The only training loop: a job in, a fitted network out, resumable after every epoch.

All randomness of an epoch follows from the seed and the number of the epoch, so that a run that was killed and
started again ends with the same weights, bit for bit, as one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, replace
from itertools import islice
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bioloom.errors import Interrupted
from bioloom.modalities import Batch, Signal
from bioloom.models import Network, apply
from bioloom.models.layers import layer_table
from bioloom.models.lora import merged
from bioloom.models.places import by_length, lengths_of, trimmed, trimmed_as
from bioloom.models.predict import cache_sized, outputs, predict
from bioloom.training.augment import augment
from bioloom.training.begin import begun, changeable
from bioloom.training.checkpoint import Checkpoint, Keeper
from bioloom.training.device import session, threads_for
from bioloom.training.diagnosis import constant, memory_told, not_finite
from bioloom.training.job import Epoch, Fitted, Job, fingerprint
from bioloom.training.loss import loss_of
from bioloom.training.optimisers import OptimiserSettings, optimisers
from bioloom.training.order import shuffled
from bioloom.training.plan import Plan
from bioloom.training.schedule import SCHEDULES, Schedule

BLOCK = 2**21
"""Numbers expanded at once (8 MB of float32): most of a small data set, a few batches of long sequences."""

LOSSES = 256
"""Losses put together at once: thousands of single ones, each a few bytes, would keep freed memory from being reused."""

__all__ = ["Epoch", "Fitted", "Job", "fit", "predict"]


def _ignore(epoch: Epoch) -> None:
    pass


def fit(
    job: Job,
    *,
    checkpoint: Path | None = None,
    on_epoch: Callable[[Epoch], None] = _ignore,
    save_every: float = 5.0,
    until: int = 0,
) -> Fitted:
    """Train a network, going on from a checkpoint of the same job where there is one.

    checkpoint: file to keep the state in, written after an epoch if the last time is `save_every` seconds ago
    until:      the epoch after which to pause, as if stopped there; 0: go on to the end
    Raises Interrupted on Ctrl-C, with the last complete epoch saved; UserError with advice where the loss
    leaves the finite numbers, all predictions are the same, memory runs out, or the checkpoint cannot be written.
    """
    with started(job) as (run, threads):
        keeper = Keeper(checkpoint, "" if checkpoint is None else fingerprint(job), save_every)
        run.take_over(keeper.load())
        resumed = len(run.history)
        _epochs(run, keeper, on_epoch, until)
        return Fitted(run.finish(), tuple(run.history), run.best, resumed, threads, keeper.notes)


def trace(job: Job, schedule: Schedule, updates: int) -> Generator[tuple[float, float]]:
    """The learning rate of each of some single updates, and the loss of its batch before it.

    schedule: the rate as a share of that of the plan, by the share of updates that are done
    """
    with started(replace(job, plan=replace(job.plan, accumulate=1))) as (run, _):
        run.schedule, run.steps = schedule, updates
        while run.optimiser.steps < updates:
            for loss in run.updates(run.order(number=1 + run.optimiser.steps // run.batches)):
                done = run.optimiser.steps
                rate = schedule((done - 1) / updates, ()) * job.plan.learning_rate
                yield rate, float(loss)
                if done == updates:
                    break


@contextmanager
def started(job: Job) -> Iterator[tuple[_Run, int]]:
    """A network with its first weights, ready to learn, and the threads that it does so with."""
    with _own_randomness(job.device), memory_told(job.plan):
        torch.manual_seed(job.seed)
        network = begun(job)
        network.strands = job.augmentation.strands
        work = layer_table(network, job.shapes).multiplications * job.plan.batch_size
        threads = threads_for(work, job.threads)
        with session(threads):
            yield _Run(job, changeable(network.to(job.device), job)), threads


def _epochs(run: _Run, keeper: Keeper, on_epoch: Callable[[Epoch], None], until: int) -> None:
    """Train until the plan is done, patience is over or a pause is due; one checkpointable state after each epoch."""
    try:
        while not run.done and not 0 < until <= len(run.history):
            on_epoch(run.epoch())
            keeper.offer(run.state)
    except KeyboardInterrupt:
        keeper.save()
        kept = "what is done is kept" if keeper.path else "nothing was kept"
        done = f"after {len(run.history)} of {run.job.plan.epochs} epochs"
        raise Interrupted(f"Training was stopped {done}; {kept}.") from None
    keeper.save()


class _Run:
    """The moving parts of a training: network, optimiser, data on the device, history."""

    def __init__(self, job: Job, network: Network) -> None:
        plan, device = job.plan, job.device
        self.job, self.network = job, network
        self.inputs = {name: encoded.on(device) for name, encoded in job.inputs.items()}
        self.truth = torch.from_numpy(job.truth).to(device)  # (records, targets, *places)
        self.lengths = lengths_of(job.truth)  # (records,), None where all are alike
        self.weight = torch.from_numpy(job.weight).to(device)  # (records,)
        self.even = _even(job)  # nothing unknown, all weights 1: then neither is looked at in each step
        self.train = torch.from_numpy(job.train)
        self.validation = torch.from_numpy(job.validation).to(device)
        self.batches = ceil(len(self.train) / plan.batch_size)
        self.steps = plan.epochs * ceil(self.batches / plan.accumulate)
        self.optimiser = optimisers[plan.optimiser](network, _settings(plan, self.steps))
        self.schedule = SCHEDULES[plan.schedule]
        self.loss = loss_of(job)
        self.numbers = sum(prod(shape.sizes) for shape in job.shapes.values())  # of one record
        self.evaluation_batch = cache_sized(network, job.shapes)
        self.history: list[Epoch] = []
        self.best_weights: dict[str, Tensor] = {}

    @property
    def best(self) -> Epoch:
        """The epoch whose weights are kept: the last that was better than all before."""
        return next(epoch for epoch in reversed(self.history) if epoch.best)

    @property
    def done(self) -> bool:
        """Whether all epochs are over, or the validation loss has not fallen for too long."""
        past = len(self.history)
        if past == 0:
            return False
        return past >= self.job.plan.epochs or past - self.best.number >= self.job.plan.patience

    def epoch(self) -> Epoch:
        """Learn from all training records once, in an order that follows from seed and epoch; then validate."""
        began, number = time.perf_counter(), len(self.history) + 1
        loss = self._learn(self.order(number))
        if not np.isfinite(loss):
            raise not_finite(self.job.plan, number)
        with self.optimiser.averaged():
            raw, validation_loss = self._validate()
            best = validation_loss is None or not any(
                past.validation_loss is not None and past.validation_loss <= validation_loss
                for past in self.history
            )
            if best:
                self.best_weights = {name: each.clone() for name, each in self.network.state_dict().items()}
        epoch = Epoch(
            number=number,
            epochs=self.job.plan.epochs,
            loss=loss,
            validation_loss=validation_loss,
            learning_rate=self.learning_rate,
            best=best,
            seconds=time.perf_counter() - began,
        )
        self.history.append(epoch)
        return replace(epoch, raw=raw)

    def order(self, number: int) -> Tensor:
        """The training records in the order of an epoch, whose randomness begins here."""
        _seed(_mixed(self.job.seed, number), self.job.device)
        order = self.train[shuffled(len(self.train))]
        if self.lengths is not None:
            order = by_length(order, self.lengths, self.job.plan.batch_size)
        return order.to(self.job.device)

    def _learn(self, order: Tensor) -> float:
        """Learn from the records in this order; the mean loss (read once, so that a graphics card need not wait)."""
        updates, parts = self.updates(order), list[Tensor]()
        while some := list(islice(updates, LOSSES)):
            parts.append(torch.stack(some))
        return float(torch.cat(parts).mean())

    def updates(self, order: Tensor) -> Iterator[Tensor]:
        """Learn from the records in this order; the loss of each batch before its step."""
        self.network.train()
        for number, (batch, truth, weight) in enumerate(self._batches(order), start=1):
            loss = self._scored(batch, truth, weight)
            self.optimiser.add(loss)
            if number % self.job.plan.accumulate == 0 or number == self.batches:
                self.optimiser.step(self.learning_rate)
            yield loss.detach()

    def _scored(self, batch: Batch, truth: Tensor, weight: Tensor) -> Tensor:
        """The loss of a batch, its records changed at random where the job says so."""
        told, mixture = self.job.augmentation, None
        if told:
            batch, mixture = augment(batch, told)
        if self.network.everywhere:
            batch = trimmed(batch)
        with self._arithmetic():
            raw = apply(self.network, batch)
        if self.network.everywhere:
            truth = trimmed_as(truth, raw)
        if mixture is not None:
            loss = mixture.loss(self.loss, raw.float(), truth, weight)
        else:
            loss = self._loss(raw.float(), truth, weight)
        return loss if self.network.penalty is None else loss + self.network.penalty

    def _loss(self, raw: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
        if self.even:
            return self.loss(raw, truth, None, None)
        return self.loss(raw, truth, ~truth.isnan(), weight)

    def _batches(self, order: Tensor) -> Iterator[tuple[Batch, Tensor, Tensor]]:
        """Batches in the given order with their truths and weights; whole blocks are expanded at once and cut,
        because many small expansions would take longer than a step of a small network."""
        size = self.job.plan.batch_size
        for block in torch.split(order, size * max(1, BLOCK // (size * self.numbers))):
            signals = {name: each.batch(block) for name, each in self.inputs.items()}
            truth, weight = self.truth[block], self.weight[block]
            parts = {name: _cut(signal, size) for name, signal in signals.items()}
            for number, cut in enumerate(
                zip(torch.split(truth, size), torch.split(weight, size), strict=True)
            ):
                yield {name: each[number] for name, each in parts.items()}, *cut

    def _validate(self) -> tuple[NDArray[np.float32] | None, float | None]:
        """Raw outputs for the validation records, and their loss."""
        number = len(self.history) + 1
        if not len(self.validation):
            if not bool(self.optimiser.weights.isfinite().all()):  # no later loss would show it
                raise not_finite(self.job.plan, number)
            return None, None
        raw = outputs(self.network, self.inputs, self.validation, self.evaluation_batch)
        truth = self.truth[self.validation]
        loss = float(self._loss(raw, truth, self.weight[self.validation]))
        if not np.isfinite(loss):
            raise not_finite(self.job.plan, number)
        shown = raw[:, : self.job.predicted]
        if number >= 3 and len(raw) >= 20 and float((shown.amax(0) - shown.amin(0)).max()) < 1e-7:
            raise constant(self.job.plan, number)
        return raw.cpu().numpy(), loss

    @property
    def learning_rate(self) -> float:
        """That of the next step."""
        return self.job.plan.learning_rate * self.schedule(self.optimiser.steps / self.steps, self.history)

    def _arithmetic(self) -> AbstractContextManager[object]:
        if self.job.plan.precision == "float32":
            return nullcontext()
        return torch.autocast(torch.device(self.job.device).type, dtype=torch.bfloat16)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Everything the next epoch depends on, copied: facts as JSON, and tensors."""
        facts = {
            "steps": self.optimiser.steps,
            "history": [
                {key: value for key, value in asdict(epoch).items() if key != "raw"} for epoch in self.history
            ],
        }
        tensors = {f"optimiser.{name}": each for name, each in self.optimiser.state().items()}
        tensors |= {f"buffer.{name}": each.clone() for name, each in self.network.named_buffers()}
        return facts, tensors | {f"best.{name}": each for name, each in self.best_weights.items()}

    def take_over(self, checkpoint: Checkpoint | None) -> None:
        """Go on from a state."""
        if checkpoint is None:
            return
        tensors = {name: each.to(self.job.device) for name, each in checkpoint.tensors.items()}
        self.optimiser.load(_below("optimiser.", tensors), checkpoint.facts["steps"])
        buffers = _below("buffer.", tensors)
        for name, buffer in self.network.named_buffers():
            buffer.copy_(buffers[name])
        self.best_weights = _below("best.", tensors)
        self.history = [Epoch(**facts) for facts in checkpoint.facts["history"]]

    def finish(self) -> Network:
        """The network with its best weights, on the CPU, as if it had never been trained here."""
        self.network.load_state_dict(self.best_weights)
        self.optimiser.release()
        return merged(self.network).cpu().eval()


@contextmanager
def _own_randomness(device: str) -> Iterator[None]:
    """Within it, seeds may be set without the caller's random numbers changing."""
    cards = [torch.cuda.current_device()] if device == "cuda" else []
    with torch.random.fork_rng(devices=cards):
        yield


def _cut(signal: Signal, size: int) -> list[Signal]:
    """Batches of so many records; the last may be smaller."""
    xs = torch.split(signal.x, size)
    masks = [None] * len(xs) if signal.mask is None else torch.split(signal.mask, size)
    return [Signal(x, mask) for x, mask in zip(xs, masks, strict=True)]


def _settings(plan: Plan, steps: int) -> OptimiserSettings:
    return OptimiserSettings(plan.weight_decay, plan.l1, plan.l2, plan.clip, plan.average, steps)


def _even(job: Job) -> bool:
    """Whether all targets are known and all records count alike, in training and in validation."""
    rows = np.concatenate([job.train, job.validation])
    return bool(np.isfinite(job.truth[rows]).all() and (job.weight[rows] == 1).all())


def _seed(number: int, device: str) -> None:
    """Where the random numbers of an epoch begin.

    On a processor without asking the graphics libraries: each time, torch would write down for them who asked.
    """
    if device == "cpu":
        torch.default_generator.manual_seed(number)
    else:
        torch.manual_seed(number)


def _mixed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> 1)


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}
