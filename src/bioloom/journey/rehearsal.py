"""All contests of a run: one for a single split, one for each fold of a cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from bioloom.data.folds import Folds
from bioloom.data.split import Split
from bioloom.events import Listener, Within
from bioloom.journey.contest import Answers, compete, pool
from bioloom.journey.further import Programme
from bioloom.journey.learnable import encode
from bioloom.journey.prepare import Prepared
from bioloom.journey.shelf import Arrays, Shelf
from bioloom.journey.trainee import Rivals, Trainee, fit_rivals, train_network
from bioloom.training.device import session


@dataclass(frozen=True)
class Rehearsal:
    """Where a network is tried out on records it did not learn from.

    folds: of a cross-validation; None where the split of the run has test records of its own
    """

    prepared: Prepared
    folds: Folds | None
    shelf: Shelf

    def answers(self, trainee: Trainee, rivals: Rivals, listener: Listener) -> Answers:
        """What the network, its rivals and the controls say of the test records of every contest."""
        if self.folds is None:
            values = compete(trainee, rivals, Programme.of(trainee), self.shelf, listener)
            return pool([trainee.split], [values], repeats=1)
        found, count = [], len(self.folds.splits)
        for number, split in enumerate(self.folds.splits):
            within = Within(listener, number / count, (number + 1) / count, f"fold {number + 1} of {count}")
            within.progress(0.0)
            found.append(self.shelf.arrays(f"fold {number}", partial(self._fold, number, split, within)))
        return pool(self.folds.splits, found, self.folds.repeats)

    def _fold(self, number: int, split: Split, listener: Listener) -> Arrays:
        """Everything anew on the training records of one fold: encoding, network, rivals, controls."""
        saved = (
            None if self.shelf.folder is None else self.shelf.folder / f"fold {number} training.safetensors"
        )
        training = Within(listener, 0.0, 0.4)
        trainee = train_network(
            self.prepared,
            split,
            encode(self.prepared, split),
            saved,
            lambda epoch, _: training.progress(epoch.number / epoch.epochs, f"epoch {epoch.number}"),
        )
        with session(trainee.fitted.threads):
            shelf = self.shelf.below(f"fold {number}")
            return compete(
                trainee, fit_rivals(trainee), Programme.of(trainee), shelf, Within(listener, 0.4, 1.0)
            )
