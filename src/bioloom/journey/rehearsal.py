"""All contests of a run: one for a single split, one for each fold of a cross-validation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

from threadpoolctl import threadpool_limits

from bioloom.data.folds import Folds
from bioloom.data.split import Split
from bioloom.events import Listener, Silent, Within
from bioloom.journey.attempts import Ground
from bioloom.journey.contest import Answers, compete, pool
from bioloom.journey.further import Programme
from bioloom.journey.learnable import Learnable, encode
from bioloom.journey.lineup import line_up
from bioloom.journey.prepare import Prepared
from bioloom.journey.rivals import Early, Rivals, fit_rivals
from bioloom.journey.search import Searched, search
from bioloom.journey.shelf import Arrays, Shelf
from bioloom.journey.trainee import Trainee, train_network
from bioloom.training.device import session
from bioloom.training.members import Work, run_all

CONTEST = 2.0
"""About how much longer a fold takes than the training of its network alone."""


@dataclass(frozen=True)
class Rehearsal:
    """Where a network is tried out on records it did not learn from.

    folds: of a cross-validation; None where the split of the run has test records of its own
    early: the rivals that were begun while the network of the run trained
    """

    prepared: Prepared
    folds: Folds | None
    shelf: Shelf
    early: Early = field(default_factory=Early)

    def answers(self, trainee: Trainee, listener: Listener) -> tuple[Rivals, Answers]:
        """The rivals of the network; and what it, they and the controls say of the test records of every contest."""
        early = self.early.result()  # waited for before other processes begin: a copy of a busy one may hang
        if self.folds is None:
            rivals, values = compete(trainee, Programme.of(trainee), self.shelf, listener, early)
            return rivals, pool([trainee.split], [values], repeats=1)
        rivals = early or fit_rivals(trainee)
        return rivals, pool(self.folds.splits, self._all_folds(trainee, listener), self.folds.repeats)

    def _all_folds(self, trainee: Trainee, listener: Listener) -> list[Arrays]:
        """The answers of every fold; those that a stopped run has finished are taken from the shelf."""
        splits = () if self.folds is None else self.folds.splits
        kept = {number: self.shelf.kept(f"fold {number}") for number in range(len(splits))}
        missing = [number for number, arrays in kept.items() if arrays is None]
        each = CONTEST * trainee.seconds * len(trainee.members)
        work = Work(each * len(missing), trainee.job.device, trainee.job.threads)
        together = work.workers(len(missing)) > 1  # other processes cannot tell how far they are
        parts = [Within(listener, n / len(splits), (n + 1) / len(splits), f"fold {n + 1}") for n in missing]
        heard: list[Listener] = [Silent() if together else part for part in parts]
        folds = [partial(self._fold, n, splits[n], each) for n, each in zip(missing, heard, strict=True)]
        results = run_all(folds, work)
        for number, part in zip(missing, parts, strict=True):
            part.progress(0.0)
            kept[number] = self.shelf.keep(f"fold {number}", next(results))
        return [arrays for arrays in kept.values() if arrays is not None]

    def _search(
        self, number: int, prepared: Prepared, split: Split, learnable: Learnable, listener: Listener
    ) -> Searched:
        """The search anew on the training and validation records of one fold: what it takes has not seen its test."""
        lineup = line_up(prepared, split, learnable)
        shelf = self.shelf.below(f"fold {number}").below("search")
        searched = search(Ground(prepared, split, learnable, shelf), lineup, listener)
        shelf.keep_facts("found", {"chosen": searched.told.get("chosen")})
        return searched

    def chosen(self) -> list[str | None]:
        """Which candidate each fold took; None where nothing was tried, or not kept."""
        splits = () if self.folds is None else self.folds.splits
        shelves = (self.shelf.below(f"fold {number}").below("search") for number in range(len(splits)))
        return [(shelf.facts("found") or {}).get("chosen") for shelf in shelves]

    def _fold(self, number: int, split: Split, listener: Listener) -> Arrays:
        """Everything anew on the training records of one fold: encoding, network, rivals, controls.

        In one thread, so that the numbers do not depend on whether another fold runs beside it.
        """
        recipe = self.prepared.recipe.model_copy(update={"threads": 1})
        prepared = replace(self.prepared, recipe=recipe)
        saved = (
            None if self.shelf.folder is None else self.shelf.folder / f"fold {number} training.safetensors"
        )
        learnable = encode(prepared, split, self.shelf.folder)
        searched = self._search(number, prepared, split, learnable, Within(listener, 0.0, 0.2))
        training = Within(listener, 0.2, 0.5)
        trainee = train_network(
            searched.prepared,
            split,
            learnable,
            saved,
            lambda stand: training.progress(stand.share, stand.words),
        )
        with session(trainee.fitted.threads), threadpool_limits(1, "blas"):
            shelf = self.shelf.below(f"fold {number}")
            return compete(trainee, Programme.of(trainee), shelf, Within(listener, 0.5, 1.0))[1]
