"""Constructed situations at the end of a run, for the tests of checks and verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.evaluation.assessment import assess
from bioloom.evaluation.ceiling import Ceiling, noise_ceiling, noise_from_errors
from bioloom.evaluation.comparison import Difference, compare
from bioloom.evaluation.conformal import Calibrating, Conformal, Coverage
from bioloom.evaluation.controls import Shuffle
from bioloom.evaluation.curve import Curve, Trained, learning_curve
from bioloom.evaluation.evidence import Evidence
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.folds import Fold, FoldMean, FoldScores
from bioloom.evaluation.identity import Bin, IdentityCurve
from bioloom.evaluation.intervals import Score
from bioloom.evaluation.pretrained import Pretrained, pretrained
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.evaluation.variance import VarianceComponents
from bioloom.targets import Targets
from bioloom.tasks import TASKS

PARTS = np.repeat(np.array(["train", "validation", "test"], dtype=object), [300, 50, 150])

CLEAN = {"exact_copies": 0, "reverse_complements": 0, "contained_copies": 0, "near_copies": 0,
         "validation_copies": 0, "conflicting_labels": 0,
         "repeated_in_file": 0, "conflicting_in_file": 0}  # fmt: skip

TITLES = {
    "model": "the network",
    "simple": "ridge regression on k-mers",
    "boosting": "gradient boosting on k-mers",
    "forest": "random forest on k-mers",
    "nearest": "the nearest training record",
    "untrained": "the untrained network with a simple model on top",
    "properties": "length, composition and missing cells alone",
}


def numbers(noise: float = 0.5, seed: int = 0, part: NDArray[Any] = PARTS) -> Facts:
    """A sound regression run: the model is better than all baselines, and nothing is wrong."""
    random = np.random.default_rng(seed)
    truth = random.normal(10, 2, (len(part), 1)).astype(np.float32)
    value = truth + random.normal(0, noise * 2, truth.shape)
    baselines = {
        "trivial": np.full_like(truth, 10),
        "nearest": truth + random.normal(0, 4, truth.shape),
        "simple": truth + random.normal(0, 3, truth.shape),
    }
    others = np.random.default_rng(seed + 1)
    for role, size in (("boosting", 3.5), ("forest", 4), ("untrained", 5), ("properties", 8)):
        baselines[role] = truth + others.normal(0, size, truth.shape)
    sizes = {"nearest": 4, "simple": 3, "boosting": 3.5, "forest": 4, "untrained": 5, "properties": 8}
    for role, size in sizes.items():  # as far from the mean as is best, as models that learned are
        baselines[role] = 10 + (baselines[role] - 10) * 4 / (4 + size**2)
    facts = Facts(
        task=TASKS["regression"],
        targets=Targets("regression", ("y",), mean=(10.0,), scale=(2.0,)),
        truth=truth,
        part=part,
        value=value[part == "test"].astype(np.float32),
        scores={},
        titles=TITLES,
        leakage=CLEAN,
        ids=np.array([f"r{i}" for i in random.permutation(len(part))], dtype=object),
        columns=pd.DataFrame(
            {"reads": random.integers(1, 9, len(part)), "plate": random.choice(["a", "b"], len(part))}
        ),
        inputs=pd.DataFrame(
            {"pH": random.normal(7, 1, len(part)), "strain": random.choice(["k", "m"], len(part))}
        ),
        properties={"length": random.integers(50, 60, len(part)), "GC content": random.random(len(part))},
        groups=np.array(
            [f"g{i % 20}" if kind != "test" else f"t{i % 40}" for i, kind in enumerate(part)], dtype=object
        ),
        shuffle=shuffled(0.01, True),
    )
    return scored(facts, baselines)


def classes(count: int = 2, part: NDArray[Any] = PARTS, seed: int = 0) -> Facts:
    """A sound run with classes in equal shares."""
    random = np.random.default_rng(seed)
    labels = np.arange(len(part)) % count
    raw = np.exp(3 * np.eye(count)[labels] + random.normal(0, 1, (len(part), count)))
    value = raw / raw.sum(axis=1, keepdims=True)
    weak = np.exp(random.normal(0, 0.3, (len(part), count)))
    poor = weak / weak.sum(axis=1, keepdims=True)
    names = tuple("abcdefgh"[:count])
    task = "binary" if count == 2 else "multiclass"
    if count == 2:
        value, poor = value[:, 1:], poor[:, 1:]
    facts = replace(
        numbers(part=part),
        task=TASKS[task],
        targets=Targets(task, ("site",), classes=names),
        truth=labels.astype(np.float32)[:, None],
        value=value[part == "test"].astype(np.float32),
    )
    roles = ("nearest", "simple", "boosting", "forest", "untrained", "properties")
    return scored(facts, {"trivial": np.full_like(poor, 1 / count)} | dict.fromkeys(roles, poor))


def scored(facts: Facts, baselines: dict[str, NDArray[Any]]) -> Facts:
    """The scores and the comparison of the model and of baselines that predict all records."""
    values = {"model": facts.value} | {
        role: value[facts.test].astype(np.float32) for role, value in baselines.items()
    }
    drawn = resample(facts.task, facts.truth[facts.test], values, Resampling(facts.tested, draws=200))
    score = drawn.scores("model")[facts.task.primary].value
    return replace(
        facts,
        scores={role: drawn.scores(role) for role in values},
        comparison=compare(drawn),
        train_score=None if score is None else score + 0.01,
    )


def shuffled(mean: float, reads_as_guessing: bool) -> Shuffle:
    return Shuffle(
        "spearman", (mean,), mean, 0.8, 0.0, 0.5, reads_as_guessing, f"Shuffled labels give {mean}."
    )


def with_difference(facts: Facts, against: str, low: float | None, high: float | None) -> Facts:
    """The same run with another outcome against one baseline."""
    middle = None if low is None or high is None else (low + high) / 2
    undefined = None if low is not None else "no interval, because the draws are undefined"
    changed = Difference(facts.task.primary, against, middle, low, high, undefined)
    rest = tuple(entry for entry in facts.comparison if entry.against != against)
    return replace(facts, comparison=(*rest, changed))


def with_score(facts: Facts, role: str, value: float | None, low: float | None, high: float | None) -> Facts:
    """The same run with another score of one model in the metric that decides."""
    why = None if value is not None else "not defined, because every true value is the same"
    score = Score(value, low, high, facts.tested, "made up", why)
    return replace(
        facts, scores=dict(facts.scores) | {role: dict(facts.scores[role]) | {facts.task.primary: score}}
    )


@dataclass(frozen=True)
class Pair:
    """A run in which a check finds something, and one in which it finds nothing."""

    fires: Facts
    quiet: Facts


def leaking(**counts: int) -> Pair:
    return Pair(replace(numbers(), leakage=CLEAN | counts), numbers())


def begun(**counts: int) -> Pair:
    """Runs that began with the network of another."""
    sound = replace(numbers(), start="runs/first", leakage=CLEAN | {"start_copies": 0})
    return Pair(replace(sound, leakage=sound.leakage | counts), sound)


def with_truth(facts: Facts, change: Any) -> Facts:
    truth = facts.truth.copy()
    change(truth)
    return replace(facts, truth=truth)


def few(count: int) -> Facts:
    return numbers(part=np.repeat(np.array(["train", "test"], dtype=object), [200, count]))


def patients(level: pd.Series) -> list[str]:
    """Names of 20 patients, dealt by rank of a number: each stands on records of about the same number."""
    return [
        f"patient {chr(65 + rank)}"
        for rank in (level.rank(method="first") - 1).astype(int) * 20 // len(level)
    ]


def missing_where_high(facts: Facts) -> pd.DataFrame:
    high = facts.truth[:, 0] > 10
    return pd.DataFrame({"dose": np.where(high, np.nan, 1.0)})


def situations() -> dict[str, Pair]:
    """For every check, by its code."""
    return _from_records() | _from_evidence()


def _from_records() -> dict[str, Pair]:
    sound, two, four = numbers(), classes(2), classes(4)
    target = pd.Series(sound.truth[:, 0])
    in_order = np.array([f"rec_{rank}" for rank in target.rank().astype(int)], dtype=object)
    straddling = np.array([f"g{i % 20}" for i in range(len(PARTS))], dtype=object)
    random = np.random.default_rng(9)
    here_and_there = pd.DataFrame({"dose": np.where(random.random(len(PARTS)) < 0.2, np.nan, 1.0)})
    uneven = (np.arange(len(PARTS)) % 25 == 0).astype(np.float32)[:, None]

    def unlabel(truth: NDArray[Any]) -> None:
        truth[:120] = np.nan

    def lose_a_class_in_training(truth: NDArray[Any]) -> None:
        truth[:300][truth[:300] == 3] = 0

    def make_rare(truth: NDArray[Any]) -> None:
        truth[truth == 3] = 0
        truth[400] = 3

    return {
        "leak.exact_copies": leaking(exact_copies=20),
        "leak.reverse_complements": leaking(reverse_complements=2),
        "leak.contained_copies": leaking(contained_copies=3),
        "leak.start_copies": begun(start_copies=6),
        "leak.validation_copies": leaking(validation_copies=6),
        "leak.near_copies": leaking(near_copies=60),
        "leak.conflicting_labels": leaking(conflicting_labels=1),
        "leak.groups": Pair(replace(sound, groups=straddling), sound),
        "leak.shuffled_labels": Pair(replace(sound, shuffle=shuffled(0.7, False)), sound),
        "leak.input_column": Pair(replace(sound, inputs=pd.DataFrame({"log_y": np.exp(target / 5)})), sound),
        "leak.unused_column": Pair(
            replace(sound, columns=pd.DataFrame({"copy": target.map("{:.4f}".format)})), sound
        ),
        "leak.ids": Pair(replace(sound, ids=in_order), sound),
        "leak.repeated_names": Pair(
            replace(sound, groups=None, columns=pd.DataFrame({"patient": patients(target)})),
            replace(
                sound,
                groups=None,
                columns=pd.DataFrame({"patient": patients(target.sample(frac=1, random_state=0))}),
            ),
        ),
        "leak.simple_properties": Pair(
            replace(sound, properties={"length": (target * 10).round().to_numpy()}), sound
        ),
        "leak.missing_values": Pair(
            replace(sound, inputs=missing_where_high(sound)), replace(sound, inputs=here_and_there)
        ),
        "skill.guessing": Pair(with_score(sound, "model", 0.1, -0.05, 0.25), sound),
        "skill.nearest": Pair(with_difference(sound, "nearest", -0.05, 0.05), sound),
        "skill.simple": Pair(with_difference(sound, "simple", -0.2, -0.1), sound),
        "skill.boosting": Pair(with_difference(sound, "boosting", -0.02, 0.1), sound),
        "skill.forest": Pair(with_difference(sound, "forest", -0.02, 0.1), sound),
        "skill.untrained": Pair(with_difference(sound, "untrained", -0.01, 0.02), sound),
        "skill.properties": Pair(with_difference(sound, "properties", -0.01, 0.02), sound),
        "data.few_groups": Pair(
            replace(sound, units="7 families", independent=7),
            replace(sound, units="40 families", independent=40),
        ),
        "data.outliers": Pair(failed(sound), sound),
        "data.few_test_records": Pair(few(20), numbers(noise=0.1)),
        "data.imbalance": Pair(replace(two, truth=uneven), two),
        "data.rare_class": Pair(with_truth(four, make_rare), four),
        "data.absent_class": Pair(with_truth(four, lose_a_class_in_training), four),
        "data.repeated": leaking(repeated_in_file=40, conflicting_in_file=1),
        "data.dropped": Pair(replace(sound, dropped=100), sound),
        "data.missing_targets": Pair(with_truth(sound, unlabel), sound),
        "training.overfitting": Pair(
            replace(with_score(sound, "model", 0.4, 0.3, 0.5), train_score=0.99), sound
        ),
        "training.constant": Pair(replace(sound, value=np.full_like(sound.value, 10)), sound),
    }


# ---- what the answers tell beyond the score -------------------------------------------------------------


def told(facts: Facts, evidence: Evidence) -> Facts:
    return replace(facts, evidence=evidence)


def failed(facts: Facts) -> Facts:
    """One measurement that went wrong by far."""
    value = facts.value.copy()
    value[3] += 40
    return replace(facts, value=value)


def curve(
    last: float = 0.88, floor: float = 0.0, sizes: tuple[int, ...] = (20, 80, 320), spread: float = 0.003
) -> Curve:
    """A learning curve: the error falls with the power of one half to a floor; `last` is the score with all records."""
    random = np.random.default_rng(1)
    shared = random.normal(0, spread, 200)
    errors = [(1 - last - floor) * (size / sizes[-1]) ** -0.5 + floor for size in sizes]
    each = [
        Trained(size, 1 - error, 1 - error + shared + random.normal(0, spread / 10, 200))
        for size, error in zip(sizes, errors, strict=True)
    ]
    return learning_curve("spearman", each)


FLAT = curve(last=0.5, floor=0.4999, sizes=(40, 80, 160, 320), spread=0.0005)
STEEP = curve()


def ceiling(facts: Facts, noise: float) -> Ceiling:
    """A ceiling from standard errors of that variance; the measurements vary by 4."""
    truth, value = (array[:, 0].astype(np.float64) for array in (facts.truth[facts.test], facts.value))
    stated = noise_from_errors(np.full(len(truth), np.sqrt(noise)), drawn(facts))
    assert stated is not None
    found = noise_ceiling(stated, truth, value)
    assert found is not None
    return found


def drawn(facts: Facts) -> Resampling:
    return Resampling(int(facts.test.sum()), draws=200)


def calibrated(power: float = 1.0) -> Facts:
    """Two classes that happen as often as the model says; a power above 1 makes it too sure."""
    part = np.repeat(np.array(["train", "validation", "test"], dtype=object), [300, 50, 1500])
    facts, random = classes(2, part), np.random.default_rng(3)
    stated = random.uniform(0.05, 0.95, 1500)
    truth = facts.truth.copy()
    truth[facts.test, 0] = random.random(1500) < stated
    odds = (stated / (1 - stated)) ** power
    facts = replace(facts, truth=truth, value=(odds / (1 + odds)).astype(np.float32)[:, None])
    return told(
        facts, Evidence(calibration=assess(truth[facts.test], facts.value, facts.targets, drawn(facts)))
    )


def stretched(facts: Facts, by: float) -> Facts:
    """Predictions whose differences are too large."""
    facts = replace(facts, value=(10 + by * (facts.value - 10)).astype(np.float32))
    truth = facts.truth[facts.test]
    return told(facts, Evidence(calibration=assess(truth, facts.value, facts.targets, drawn(facts))))


def covered(facts: Facts, error: float) -> Coverage:
    """Intervals calibrated on validation records with errors of that size; those of the test are 1."""
    random = np.random.default_rng(4)
    promised = Conformal.fit(Calibrating(random.normal(0, error, (400, 1)), np.zeros((400, 1)), ("y",)))
    return promised.coverage(facts.truth[facts.test], facts.value, drawn(facts))


def by_likeness(far: tuple[float, float, float]) -> IdentityCurve:
    bins = (
        Bin("below 40 %", 0, 0.4, 50, *far, None),
        Bin("80 % and above", 0.8, 1, 100, 0.8, 0.7, 0.9, None),
    )
    return IdentityCurve("spearman", "identity", bins, "The score by likeness: Spearman correlation.", 0.0)


def over_folds(*values: float, metric: str = "spearman") -> FoldScores:
    each = tuple(Fold(number, 0, 30, 120, {metric: value}) for number, value in enumerate(values))
    mean = FoldMean(float(np.mean(values)), None, None)
    return FoldScores(each, {metric: mean}, {metric: float(np.std(values))}, {}, {}, {}, "Folds.")


def by_seed(sd: float) -> VarianceComponents:
    return VarianceComponents("spearman", (0.8, 0.81, 0.79), 150, 0.02, sd, sd / 2, 6 * sd, 0.03, "Seeds.")


def learned_first(facts: Facts, gain: float) -> Pretrained:
    """Errors that are smaller, or larger, where a network learned without labels first."""
    truth, error = (
        facts.truth[facts.test],
        np.random.default_rng(5).normal(0, 1, facts.truth[facts.test].shape),
    )
    values = tuple((truth + size * error).astype(np.float32) for size in (1 - gain, 1 + gain))
    return pretrained(facts.task, truth, (values[0], values[1]), drawn(facts))


def _from_evidence() -> dict[str, Pair]:
    sound = numbers()
    pairs = {
        "skill.more_data": (Evidence(curve=STEEP), Evidence(curve=FLAT)),
        "skill.ceiling": (Evidence(ceiling=ceiling(numbers(noise=0.9), 0.5)), Evidence(ceiling=ceiling(sound, 0.95))),
        "data.too_smooth": (Evidence(ceiling=ceiling(sound, 3.0)), Evidence(ceiling=ceiling(sound, 0.5))),
        "calibration.intervals": (Evidence(uncertainty=covered(sound, 0.5)), Evidence(uncertainty=covered(sound, 1.0))),
        "leak.identity": (Evidence(identity=by_likeness((0.3, 0.2, 0.4))), Evidence(identity=by_likeness((0.7, 0.6, 0.8)))),
        "folds.spread": (Evidence(folds=over_folds(0.5, 0.6, -0.1, 0.5)), Evidence(folds=over_folds(0.8, 0.75, 0.85, 0.8))),
        "skill.pretraining": (Evidence(pretrained=learned_first(sound, -0.6)), Evidence(pretrained=learned_first(sound, 0.6))),
        "training.seed": (Evidence(variance=by_seed(0.5)), Evidence(variance=by_seed(0.001))),
    }  # fmt: skip
    return {code: Pair(told(sound, fires), told(sound, quiet)) for code, (fires, quiet) in pairs.items()} | {
        "calibration.probabilities": Pair(calibrated(2.0), calibrated()),
        "calibration.numbers": Pair(stretched(sound, 2.0), stretched(sound, 0.8)),
    }
