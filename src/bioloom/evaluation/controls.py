"""Controls: runs in which nothing can be learned, so that whatever the score then shows is an artefact.

Label shuffle: all training and validation labels are permuted and the whole training is repeated on a
reduced budget. Such a model knows nothing about the target; scored on the true test labels it must read as
guessing. The same short training with the true labels is scored beside it, since a short training is not
the model of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.distributions import student_quantile
from bioloom.evaluation.intervals import rounded
from bioloom.evaluation.resampling import Resampling
from bioloom.metrics import METRICS, Metric
from bioloom.tasks import Task

Truth = NDArray[np.float32]

LUCK_DRAWS = 100
"""Permutations of the test labels that show how far a guess strays on this test."""

FIRM = 5
"""Fewer shuffles prove nothing: where one direction of the input matters, each lies along it with probability 1/2."""


@dataclass(frozen=True)
class Shuffle:
    """What the same training finds in shuffled labels.

    values:   the deciding metric of each shuffled training on the true test labels
    real:     of the same short training on the true labels
    guessing: what guessing gives
    p:        (1 + shuffled at least as good as real) / (1 + shuffled); never below 1 / (1 + shuffled)
    reads_as_guessing: whether the shuffled trainings do no better than chance allows
    firm:    whether there are enough shuffled trainings to tell luck from a leak
    """

    metric: str
    values: tuple[float, ...]
    mean: float
    real: float
    guessing: float
    p: float
    reads_as_guessing: bool
    text: str
    firm: bool = True

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        numbers = {name: rounded(getattr(self, name)) for name in ("mean", "real", "guessing", "p")}
        return asdict(self) | numbers | {"values": [rounded(value) for value in self.values]}


def read_shuffles(
    task: Task,
    test_truth: Truth,
    shuffled: Sequence[NDArray[np.float32]],
    real: NDArray[np.float32],
    seed: int,
) -> Shuffle:
    """Score trainings on shuffled labels, and the same training on the true ones, on true test labels.

    test_truth: (test records, targets)
    shuffled, real: predictions of the test records, (records, targets or classes); a constant prediction, for which
                    correlations are not defined, counts as guessing
    """
    metric = METRICS[task.primary]
    guessing = metric.chance(test_truth.astype(np.float64))

    def score(value: NDArray[np.float32]) -> float:
        found = metric(test_truth, value)
        return found if np.isfinite(found) else guessing

    values, true = tuple(score(value) for value in shuffled), score(real)
    as_good = sum(metric.gain(value, true) >= 0 for value in values)
    luck = max((_luck(metric, test_truth, value, seed) for value in shuffled), default=0.0)
    mean = float(np.mean(values))
    guess = metric.gain(mean, guessing) <= _allowance(metric, values, (true, guessing), luck)
    p = (1 + as_good) / (1 + len(values))
    firm = len(values) >= FIRM
    reads = _reads(metric, mean, (true, guessing), guess=guess, firm=firm)
    text = (
        f"Trained on shuffled labels, the same pipeline scores {metric.text(mean)} in {metric.title}, {reads} "
        f"({metric.text(guessing)}); the same short training on the true labels scores {metric.text(true)}."
    )
    return Shuffle(metric.name, values, mean, true, guessing, p, guess, text, firm)


def permute_places(truth: NDArray[Any], seed: int) -> NDArray[Any]:
    """Deal the labels of all known places out anew, whatever record they are of; unknown places stay unknown.

    (records, 1, *places) -> (records, 1, *places)
    """
    known, dealt = np.isfinite(truth), truth.copy()
    dealt[known] = np.random.default_rng(seed).permutation(truth[known])
    return dealt


def permute(truth: Truth, groups: NDArray[Any] | None, seed: int) -> Truth:
    """Deal the labels out anew; where all labels of each group agree, groups swap theirs as a whole.

    All targets of a record stay together. (records, targets) -> (records, targets)
    """
    random = np.random.default_rng(seed)
    codes = Resampling(len(truth), groups).codes
    units, first = np.unique(codes, return_index=True)
    constant = np.array_equal(truth[first][codes], truth, equal_nan=True)
    if groups is None or not constant or len(units) == len(truth):
        return truth[random.permutation(len(truth))]
    return np.asarray(truth[first][random.permutation(len(units))][codes])


def _luck(metric: Metric, truth: Truth, value: NDArray[np.float32], seed: int) -> float:
    """How far the score strays when predictions have nothing to do with the test labels."""
    random = np.random.default_rng(seed)
    guesses = [metric(truth[random.permutation(len(truth))], value) for _ in range(LUCK_DRAWS)]
    return float(np.std(guesses)) if np.isfinite(guesses).all() else 0.0


def _allowance(metric: Metric, values: tuple[float, ...], levels: tuple[float, float], luck: float) -> float:
    """How far above guessing the mean of shuffled trainings may lie and still be called a guess.

    The largest of: two standard deviations of a guess on this test; the upper 95 % limit of the mean, where
    there are two shuffles or more; a quarter of what the true labels give. The last is there because a model
    of shuffled labels is one random function of the input: where the input has few directions that matter,
    it lies along the true one, or against it, by luck that the first two cannot see.
    """
    real, guessing = levels
    allowed = [2 * luck, 0.25 * metric.gain(real, guessing)]
    if len(values) >= 2:
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        allowed.append(float(student_quantile(0.975, len(values) - 1) * error))
    return max(allowed)


def _reads(metric: Metric, mean: float, levels: tuple[float, float], *, guess: bool, firm: bool) -> str:
    """How the mean of shuffled trainings compares with guessing; the level of guessing follows in brackets."""
    real, guessing = levels
    if guess:
        far_below = metric.gain(mean, guessing) < -0.25 * abs(metric.gain(real, guessing))
        return "which is no better than guessing" if far_below else "which reads as guessing"
    if firm:
        return "which is better than guessing and should not be"
    return "which so few shuffles may reach by luck where guessing is expected"
