"""Everything the checks and the verdict may look at, gathered once at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.split import Splitter, splitters
from bioloom.data.wording import plural
from bioloom.evaluation.comparison import Difference
from bioloom.evaluation.controls import Shuffle
from bioloom.evaluation.evidence import Evidence
from bioloom.evaluation.intervals import Score
from bioloom.metrics import METRICS, Metric
from bioloom.targets import Targets
from bioloom.tasks import Task


@dataclass(frozen=True)
class Facts:
    """What is known about a run. Arrays are over all records used, in one order; `part` says which is where.

    truth:      (records, targets), unknown ones NaN
    part:       (records,) "train", "validation" or "test"
    value:      (test records, targets or classes) predictions of the model, in the order of the records
    scores:     by role ("model", the baselines "trivial", "nearest", "simple", "boosting", and the controls
                "untrained" and "properties"), each metric
    titles:     by role, how sentences call it: "the network", "ridge regression on k-mers"
    dropped:    rows of the file that could not be used
    leakage:    records of the test with a copy among the training or validation records, by kind: exact_copies,
                reverse_complements, near_copies, conflicting_labels; and records of the whole file that repeat an
                earlier one: repeated_in_file, conflicting_in_file; kinds that were not looked for are missing
    train_score: the deciding metric on the training records
    inputs:     columns of table inputs, as given
    columns:    columns of the file that no network sees
    properties: one number per record that says little by itself: length, GC content
    scored:     positions of the records that were scored, where these are not the test records of `part`: in a
                cross-validation `part` and `value` show the first fold, and every record is scored
    units:      what scored records were drawn by, such as "310 families"; empty where one by one
    independent: how many of them; None where not known
    split:      how records were divided, such as "random" or "similarity"
    start:      the run whose network the training began with, as sentences call it; empty for random weights
    evidence:   what else the answers tell: learning curve, noise ceiling, calibration and so on
    code:       numbers by which the network describes a record; None where no row of numbers does
    looked_at:  positions of the records that ids, groups, inputs, columns and properties are of, where these are not
                all: of very many records the test, validation and a sample of the training records
    """

    task: Task
    targets: Targets
    truth: NDArray[np.float32]
    part: NDArray[np.object_]
    value: NDArray[np.float32]
    scores: Mapping[str, Mapping[str, Score]]
    comparison: tuple[Difference, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    shuffle: Shuffle | None = None
    dropped: int = 0
    leakage: Mapping[str, int] = field(default_factory=dict)
    train_score: float | None = None
    ids: NDArray[np.object_] | None = None
    groups: NDArray[Any] | None = None
    inputs: pd.DataFrame = field(default_factory=pd.DataFrame)
    columns: pd.DataFrame = field(default_factory=pd.DataFrame)
    properties: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    scored: NDArray[np.int64] | None = None
    units: str = ""
    independent: int | None = None
    split: str = "random"
    start: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    code: int | None = None
    looked_at: NDArray[np.int64] | None = None

    def narrowed(self) -> Facts:
        """The same of the records that are looked at one by one."""
        if self.looked_at is None:
            return self
        return replace(self, truth=self.truth[self.looked_at], part=self.part[self.looked_at], looked_at=None)

    @property
    def splitter(self) -> Splitter:
        """How records were divided, with what advice has to know of it."""
        return splitters[self.split]

    @property
    def metric(self) -> Metric:
        """The metric that decides."""
        return METRICS[self.task.primary]

    @property
    def test(self) -> NDArray[np.bool_]:
        """Which records are in the test."""
        return np.asarray(self.part == "test")

    @property
    def scored_truth(self) -> NDArray[np.float32]:
        """(scored records, targets) of the records that were scored."""
        return self.truth[self.test] if self.scored is None else self.truth[self.scored]

    @property
    def labelled(self) -> str:
        """What has a label, in words: "records", or "positions" where each of them has one."""
        return plural(self.task.place or "record")

    @property
    def tested(self) -> int:
        """How many records were scored."""
        return len(self.scored_truth)

    @property
    def folds(self) -> int:
        """How many folds one repeat of the cross-validation has; 1 for a single split."""
        found = self.evidence.folds
        return 1 if found is None else max(1, sum(fold.repeat == 0 for fold in found.folds))

    @property
    def guessing(self) -> float:
        """What guessing gives on the scored records in the metric that decides.

        Where that does not follow from the truths, it is the score of the model that guesses.
        """
        found, trivial = self.metric.chance(self.scored_truth.astype(np.float64)), self.score("trivial")
        if np.isfinite(found) or trivial is None or trivial.value is None:
            return found
        return trivial.value

    def score(self, role: str = "model") -> Score | None:
        """The deciding metric of a model; None where that model was not scored."""
        return self.scores.get(role, {}).get(self.task.primary)

    def beats_guessing(self, role: str = "model", stretch: float = 1.0) -> bool:
        """Whether the whole interval of a model lies on the better side of guessing.

        stretch: how much farther the near end is moved away from the score, where several models are looked at
        """
        score = self.score(role)
        if score is None or score.low is None or score.high is None:
            return False
        near = score.low if self.metric.higher_is_better else score.high
        if score.value is not None:
            near += (stretch - 1) * (near - score.value)
        return self.metric.gain(near, self.guessing) > 0

    def difference(self, against: str) -> Difference | None:
        """The model compared with a baseline."""
        return next((entry for entry in self.comparison if entry.against == against), None)

    def title(self, role: str) -> str:
        """How sentences call a model."""
        return self.titles.get(role, "the network" if role == "model" else f"the {role} baseline")
