"""How often a 95 % interval holds the true value, over repeated simulated studies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.honesty.studies import RHO, STUDIES, Size, noise, numbers, true_values
from bioloom.evaluation.ceiling import Noise, noise_ceiling, noise_from_errors, noise_from_repeats
from bioloom.evaluation.comparison import compare
from bioloom.evaluation.conformal import Calibrating, Conformal
from bioloom.evaluation.curve import Trained, learning_curve
from bioloom.evaluation.folds import FoldMean, OutOfFold, fold_scores
from bioloom.evaluation.information import predictive_information
from bioloom.evaluation.intervals import FEW_UNITS, delong, wilson
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.metrics import METRICS
from bioloom.tasks import TASKS

Floats = NDArray[np.float64]
Ends = tuple[float | None, float | None]
Generator = np.random.Generator

LOW, HIGH = 0.93, 0.97
"""Coverage of a nominal 95 % interval that passes."""


@dataclass(frozen=True)
class Row:
    """One interval in one kind of study.

    coverage: share of the repetitions in which there was an interval, whose interval held the true value
    above:    share in which the whole interval lay above the true value: the model was called too good
    none:     share of the repetitions in which no interval was given
    """

    kind: str
    of: str
    size: str
    repetitions: int
    coverage: float
    above: float
    none: float = 0.0
    aim: float = 0.95

    @property
    def passes(self) -> bool:
        """Within two points of what was promised."""
        return abs(self.coverage - self.aim) <= HIGH - 0.95 + 1e-9

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"passes": self.passes}


def row(kind: str, of: str, size: str, ends: Iterable[Ends], true: float) -> Row:
    """Count how often pairs of ends hold the true value."""
    found = list(ends)
    known = np.array([end for end in found if None not in end], dtype=float)
    inside = (known[:, 0] <= true) & (true <= known[:, 1])
    return Row(kind, of, size, len(found), float(inside.mean()), float((known[:, 0] > true).mean()),
               1 - len(known) / len(found))  # fmt: skip


# ---- scores and differences of a run ----------------------------------------------------------------------


def score_rows(name: str, size: Size, repetitions: int, draws: int = 400) -> list[Row]:
    """Every metric of a study, and the paired difference of two models in the metric that decides."""
    study, true = STUDIES[name], true_values(name)
    task = replace(TASKS[study.task], metrics=study.metrics)
    draws = 60 if size.groups < FEW_UNITS else draws  # the jackknife takes its interval from none of them
    random = np.random.default_rng(size.records + 7 * size.groups)
    ends: dict[str, list[Ends]] = {metric: [] for metric in true}
    for repetition in range(repetitions):
        truth, model, poorer = (part.astype(np.float32) for part in study.draw(random, size))
        plan = Resampling(size.records, size.labels, draws, repetition)
        drawn = resample(task, truth, {"model": model, "simple": poorer}, plan)
        for metric, score in drawn.scores("model").items():
            ends[metric].append((score.low, score.high))
        (difference,) = compare(drawn)
        ends["difference"].append((difference.low, difference.high))
    title = {"difference": f"difference of two models in {METRICS[study.metrics[0]].title}"}
    return [
        row(name, title.get(metric, "") or METRICS[metric].title, size.text(), each, true[metric])
        for metric, each in ends.items()
    ]


def wilson_rows(repetitions: int) -> list[Row]:
    """Shares between 5 and 95 %, of 60 records, each drawn anew; a single share swings with the counts."""
    random, ends = np.random.default_rng(5), []
    for _ in range(repetitions):
        share = random.uniform(0.05, 0.95)
        end = wilson(random.binomial(60, share), 60)
        assert end.low is not None
        assert end.high is not None
        ends.append((end.low - share, end.high - share))
    return [row("shares", "Wilson, shares of 5 to 95 %", "60 records", ends, 0.0)]


def delong_rows(repetitions: int) -> list[Row]:
    """Areas of classes that lie 1.2 and 3 standard deviations apart."""
    rows = []
    for shift, positives, records in ((1.2, 30, 100), (3.0, 15, 40)):
        random, positive = np.random.default_rng(records), np.arange(records) < positives
        found = (delong(positive, shift * positive + random.normal(size=records)) for _ in range(repetitions))
        true = float(stats.norm.cdf(shift / np.sqrt(2)))
        of = f"DeLong, true area {true:.2f}"
        rows.append(row("shares", of, f"{records} records", ((e.low, e.high) for e in found), true))
    return rows


# ---- folds --------------------------------------------------------------------------------------------------


def _least_squares(x: Floats, y: Floats, columns: int, new: Floats) -> Floats:
    solved: Floats = np.linalg.solve(
        x[:, :columns].T @ x[:, :columns] + np.eye(columns), x[:, :columns].T @ y
    )
    return np.asarray(new[:, :columns] @ solved)


FEATURES, KNOWN = 12, 6
"""Columns that the better model sees, and the poorer one."""


def _linear(random: Generator, records: int) -> tuple[Floats, Floats]:
    x = random.normal(size=(records, FEATURES))
    return x, x @ np.linspace(0.6, 0.1, FEATURES) + random.normal(size=records)


def _tested_by_folds(random: Generator, records: int, folds: int) -> OutOfFold:
    x, y = _linear(random, records)
    fold = random.permutation(np.arange(records) % folds)
    values = {name: np.empty((1, records, 1)) for name in ("model", "simple")}
    for number in range(folds):
        test, train = fold == number, fold != number
        for name, columns in (("model", FEATURES), ("simple", KNOWN)):
            values[name][0, test, 0] = _least_squares(x[train], y[train], columns, x[test])
    task = replace(TASKS["regression"], metrics=("r2",))
    return OutOfFold(task, y[:, None], values, fold[None].astype(np.int64))


def fold_rows(repetitions: int) -> list[Row]:
    """The mean R² over 5 and 10 folds, and the difference of two models, against endless trainings of that size."""
    rows = []
    for records, folds in ((100, 5), (200, 10)):
        own, difference = _expected_r2(records - records // folds)
        random = np.random.default_rng(folds)
        found = [fold_scores(_tested_by_folds(random, records, folds)) for _ in range(repetitions)]
        size = f"{records} records, {folds} folds"
        of = [("mean R²", [each.mean["r2"] for each in found], own)]
        of += [
            ("difference of two models in R²", [each.differences["simple"][1] for each in found], difference)
        ]
        rows += [row("folds", name, size, map(_ends, means), true) for name, means, true in of]
    return rows


def _ends(mean: FoldMean) -> Ends:
    return mean.low, mean.high


def _expected_r2(learned: int) -> tuple[float, float]:
    """The mean R² of models that learned from so many records, on endless test records; and the difference."""
    random, found = np.random.default_rng(1), []
    test, truth = _linear(random, 20_000)
    for _ in range(400):
        x, y = _linear(random, learned)
        found.append([1 - np.mean((truth - _least_squares(x, y, columns, test)) ** 2) / truth.var()
                      for columns in (FEATURES, KNOWN)])  # fmt: skip
    own, poorer = np.mean(found, axis=0)
    return float(own), float(own - poorer)


# ---- what the answers tell besides ----------------------------------------------------------------------------


def information_rows(repetitions: int) -> list[Row]:
    """Bits that a prediction tells about the truth; the truth is a closed form of the normal distribution."""
    rows, true = [], float(-0.5 * np.log2(1 - RHO**2))
    for size in (Size(200, 200), Size(600, 600), Size(400, 40)):
        random, ends = np.random.default_rng(size.records), []
        for repetition in range(repetitions):
            truth, model, _ = numbers(random, size)
            found = predictive_information(truth, model, size.labels, repetition)
            ends.append((found.low, found.high))
        rows.append(row("information", "predictive information", size.text(), ends, true))
    return rows


SLOPE, SCALE, FLOOR = 0.5, 0.6, 0.15
"""The simulated learning curve in 1 - Spearman: SCALE (n / 1000)^-SLOPE / 4 + FLOOR."""


def _curve_study(random: Generator, shares: tuple[float, ...], floor: float) -> tuple[Ends, float]:
    records, largest = 300, 1000
    task = replace(TASKS["regression"], metrics=("spearman",))
    truth = random.normal(size=records)
    common = random.normal(size=records)  # models of different sizes err on the same records
    values = {}
    for share in shares:
        rho = 2 * np.sin(np.pi / 6 * (1 - _error(share, floor)))
        own = np.sqrt(0.5) * common + np.sqrt(0.5) * random.normal(size=records)
        values[f"{share}"] = (rho * truth + np.sqrt(1 - rho**2) * own)[:, None].astype(np.float32)
    plan = Resampling(records, None, 200, int(random.integers(1 << 30)))
    drawn = resample(task, truth[:, None].astype(np.float32), values, plan).drawn
    trained = [
        Trained(
            round(largest * share), drawn[f"{share}", "spearman"].value, drawn[f"{share}", "spearman"].draws
        )
        for share in shares
    ]
    doubling = learning_curve("spearman", trained).doubling
    return (doubling.low, doubling.high), _error(1.0, floor) - _error(2.0, floor)


def _error(share: float, floor: float) -> float:
    return SCALE / 4 * share**-SLOPE + floor


def curve_rows(repetitions: int) -> list[Row]:
    """What twice the records would add, where the curve is a power law with and without a floor."""
    rows = []
    three, six = (1 / 16, 1 / 4, 1.0), (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
    for name, shares, floor in (
        ("3 sizes, no floor", three, 0.0),
        ("3 sizes, a floor", three, FLOOR),
        ("6 sizes, a floor", six, FLOOR),
    ):
        random = np.random.default_rng(len(shares))
        found = [_curve_study(random, shares, floor) for _ in range(repetitions)]
        of = f"gain of twice the data, {name}"
        rows.append(row("learning curve", of, "300 test records", (ends for ends, _ in found), found[0][1]))
    return rows


NOISE = 0.2
"""Variance of the measurement, where that of the true signal is 1."""


def ceiling_rows(repetitions: int) -> list[Row]:
    """The best possible R² from repeated measurements, and from stated standard errors."""
    rows, true = [], 1 / (1 + NOISE)
    for of, study, size in (
        ("repeats", _from_repeats, Size(300, 150)),
        ("repeats", _from_repeats, Size(60, 30)),
        ("standard errors", _from_errors, Size(200, 200)),
        ("standard errors", _from_errors, Size(400, 40)),
    ):
        random, ends = np.random.default_rng(size.records), []
        for repetition in range(repetitions):
            found = study(random, size, repetition)
            ends.append((None, None) if found is None else found)
        rows.append(row("ceiling", f"noise ceiling by {of}", size.text(), ends, true))
    return rows


def _from_repeats(random: Generator, size: Size, seed: int) -> Ends | None:
    """Every record was measured twice; pairs are the groups."""
    copies = size.labels
    assert copies is not None
    signal = random.normal(size=size.groups)[copies]
    truth = signal + np.sqrt(NOISE) * random.normal(size=size.records)
    plan = Resampling(size.records, copies, 400, seed)
    return _ceiling_ends(noise_from_repeats(truth, copies, plan), truth, signal)


def _from_errors(random: Generator, size: Size, seed: int) -> Ends | None:
    variance = NOISE * random.gamma(4, 1 / 4, size.records)
    signal = noise(random, size)
    truth = signal + np.sqrt(variance) * random.normal(size=size.records)
    plan = Resampling(size.records, size.labels, 400, seed)
    return _ceiling_ends(noise_from_errors(np.sqrt(variance), plan), truth, signal)


def _ceiling_ends(found: Noise | None, truth: Floats, value: Floats) -> Ends | None:
    ceiling = None if found is None else noise_ceiling(found, truth, value)
    return None if ceiling is None else (ceiling.low, ceiling.high)


# ---- single predictions -----------------------------------------------------------------------------------


def conformal_rows(repetitions: int) -> list[Row]:
    """The share of new records that intervals and sets hold, averaged over calibrations: the promise made."""
    rows = []
    for name in ("numbers", "three classes"):
        for size, level in (
            (Size(100, 100), 0.9), (Size(100, 100), 0.8), (Size(200, 200), 0.95),
            (Size(200, 20), 0.9), (Size(300, 60), 0.95),
        ):  # fmt: skip
            rows.append(_conformal_row(name, size, level, repetitions))
    return rows


def _conformal_row(name: str, size: Size, level: float, repetitions: int) -> Row:
    """As many new records, of new groups, as calibrated it."""
    study, random = STUDIES[name], np.random.default_rng(size.records + round(100 * level))
    held = []
    for _ in range(repetitions):
        (truth, value, _), (new_truth, new_value, _) = study.draw(random, size), study.draw(random, size)
        given = Calibrating(value, truth, ("y",), 0, size.labels)
        if name != "numbers":
            given = replace(given, names=("a", "b", "c"), classes=3)
        fitted = Conformal.fit(given, level)
        assert fitted.level == level
        held.append(float(np.nanmean(fitted.held(new_truth, new_value)[0][:, 0])))
    of = "interval around a number" if name == "numbers" else "set of classes"
    return Row("conformal", of, size.text(), repetitions, float(np.mean(held)), 0.0, aim=level)


SIZES = {
    "numbers": (Size(40, 40), Size(120, 120), Size(300, 300), Size(96, 8), Size(200, 20), Size(300, 60),
                Size(500, 250)),
    "two classes": (Size(100, 100), Size(300, 300), Size(160, 8), Size(200, 20), Size(300, 60)),
    "three classes": (Size(150, 150), Size(300, 300), Size(200, 20), Size(300, 60)),
}  # fmt: skip


def parts(repetitions: int) -> Iterator[Callable[[], list[Row]]]:
    """Every simulation, to be done one after the other."""
    for name, sizes in SIZES.items():
        for size in sizes:
            yield partial(score_rows, name, size, repetitions)
    for part in (
        wilson_rows,
        delong_rows,
        fold_rows,
        information_rows,
        curve_rows,
        ceiling_rows,
        conformal_rows,
    ):
        yield partial(part, repetitions)
