"""The trainings of a search: short ones, each kept when it is done, and scored on validation records only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.data.split import Split
from bioloom.errors import UserError
from bioloom.evaluation.resampling import Resampling
from bioloom.events import Listener
from bioloom.journey.contenders import Contender, recipe_of
from bioloom.journey.learnable import Learnable, make_job
from bioloom.journey.prepare import Prepared
from bioloom.journey.shelf import Arrays, Shelf
from bioloom.metrics import METRICS
from bioloom.processors import processors
from bioloom.training.halving import Portion
from bioloom.training.loop import Job, fit, predict
from bioloom.training.members import Work, run_all

Clock = Callable[[], float]

SPEED = 5e9
"""Multiplications that one thread trains with per second, about: only to tell whether other processes pay."""


@dataclass(frozen=True)
class Attempt:
    """One short training, and what the network says of the validation records."""

    job: Job
    clock: Clock

    def __call__(self) -> Arrays:
        """raw (validation, outputs), losses (epochs, 2) and seconds (1,); `failed` holds the reason as UTF-8."""
        began = self.clock()
        try:
            fitted = fit(self.job)
        except UserError as error:
            reason = np.frombuffer(error.what.encode(), dtype=np.uint8).astype(np.float32)
            return {"failed": reason, "seconds": self._since(began)}
        asked = {name: each.take(self.job.validation) for name, each in self.job.inputs.items()}
        losses = [(each.loss, each.validation_loss or np.nan) for each in fitted.history]
        return {
            "raw": predict(fitted.network, asked, device=self.job.device),
            "losses": np.array(losses, dtype=np.float32),
            "seconds": self._since(began),
        }

    def _since(self, began: float) -> NDArray[np.float32]:
        return np.array([self.clock() - began], dtype=np.float32)


@dataclass(frozen=True)
class Outcome:
    """What came of a training of a contender.

    value:  predictions of the validation records in the target's units; None where the training failed
    score:  on them, in the metric that decides; NaN where it is not defined
    losses: (epochs, 2) of training and validation
    failed: why, in words; empty where it did not
    """

    portion: Portion
    value: NDArray[np.float32] | None
    score: float
    losses: NDArray[np.float32]
    seconds: float
    failed: str = ""


@dataclass(frozen=True)
class Ground:
    """What all contenders of a search share; test records are nowhere in it but in arrays that nobody asks.

    shelf: where trainings are kept that are done
    """

    prepared: Prepared
    split: Split
    learnable: Learnable
    shelf: Shelf
    clock: Clock = time.perf_counter

    @cached_property
    def whole(self) -> Job:
        """The training of the default."""
        return make_job(self.prepared, self.split, self.learnable)

    @property
    def metric(self) -> str:
        """The metric that decides."""
        return self.whole.task.primary

    @cached_property
    def truth(self) -> NDArray[np.float32]:
        """Of the validation records, (validation, targets)."""
        return self.learnable.truth[self.whole.validation]

    @property
    def side_by_side(self) -> int:
        """How many trainings can run at once."""
        here = processors() if self.whole.device == "cpu" else 1
        return max(1, min(self.prepared.recipe.threads or here, here))

    def units(self, index: NDArray[np.int64]) -> NDArray[Any] | None:
        """What some records are resampled by: given groups, else what the split kept together."""
        group, units = self.prepared.records.group, self.split.alike
        if group is not None:
            return group[index]
        return None if units is None else units[index]

    @property
    def resampling(self) -> Resampling:
        """Of the validation records."""
        rows = self.whole.validation
        return Resampling(len(rows), self.units(rows), self.prepared.recipe.evaluation.draws, self.whole.seed)

    def job(self, contender: Contender) -> Job:
        """The whole training of a contender."""
        told = replace(self.prepared, recipe=recipe_of(self.prepared.recipe, contender))
        whole = self.whole  # one copy of what is the same for all
        job = replace(make_job(told, self.split, self.learnable), truth=whole.truth, weight=whole.weight)
        if contender.candidate.rate == 1:
            return job
        rate = float(f"{job.plan.learning_rate * contender.candidate.rate:.3g}")  # as a recipe shows it
        return replace(job, plan=replace(job.plan, learning_rate=rate))

    def attempt(self, contender: Contender, portion: Portion) -> Attempt:
        """A portion of it, in one thread."""
        job = self.job(contender)
        plan = Resampling(len(job.train), self.units(job.train), seed=job.seed + 4)
        rows = job.train[plan.part(portion.records / len(job.train))]
        patience = max(3, ceil(portion.epochs / 2))
        short = replace(job.plan, epochs=portion.epochs, patience=min(job.plan.patience, patience))
        return Attempt(replace(job, train=rows, plan=short, threads=1), self.clock)

    def outcome(self, portion: Portion, arrays: Mapping[str, NDArray[Any]]) -> Outcome:
        """What kept arrays say."""
        seconds = float(arrays["seconds"][0])
        if "failed" in arrays:
            reason = arrays["failed"].astype(np.uint8).tobytes().decode()
            return Outcome(portion, None, float("nan"), np.empty((0, 2), np.float32), seconds, reason)
        value = self.whole.task.activate(arrays["raw"], self.learnable.targets)
        score = METRICS[self.metric](self.truth, value)
        reason = (METRICS[self.metric].undefined(self.truth, value) or "") if np.isnan(score) else ""
        return Outcome(portion, value, score, arrays["losses"], seconds, reason)

    def run(
        self, named: Mapping[str, Contender], portion: Portion, listener: Listener
    ) -> Iterator[tuple[str, Outcome]]:
        """Train contenders by the names of their trainings; what a stopped run has finished is taken from the shelf."""
        kept = {name: self.shelf.kept(name) for name in named}
        missing = [name for name, arrays in kept.items() if arrays is None]
        results = run_all(
            [self.attempt(named[name], portion) for name in missing],
            self._work([named[name] for name in missing], portion),
        )
        for number, (name, arrays) in enumerate(kept.items()):
            listener.progress(number / len(kept), named[name].name)
            found = self.shelf.keep(name, next(results)) if arrays is None else arrays
            yield name, self.outcome(portion, found)

    def _work(self, contenders: Sequence[Contender], portion: Portion) -> Work:
        passes = portion.records * portion.epochs
        seconds = sum(each.multiplications for each in contenders) * 3 * passes / SPEED
        return Work(seconds, self.whole.device, self.prepared.recipe.threads)
