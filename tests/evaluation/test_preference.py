"""The default is replaced by what is better, seldom by what only had more luck."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bioloom.evaluation.preference import prefer
from bioloom.evaluation.resampling import Resampling
from bioloom.metrics import METRICS


def situation(random: np.random.Generator, records: int, others: int, better: float = 0.0):
    """Truths, and predictions that err alike, but for the last, which may err less."""
    truth = random.normal(size=(records, 1)).astype(np.float32)
    noise = 0.5 * random.normal(size=(others + 1, records, 1))
    noise[-1] *= 1 - better
    return truth, {f"candidate {n}": (truth + each).astype(np.float32) for n, each in enumerate(noise)}


@pytest.mark.parametrize("others", [1, 8])
def test_equally_good_candidates_replace_the_default_about_one_time_in_six(others: int) -> None:
    random, replaced = np.random.default_rng(others), 0
    for number in range(300):
        truth, values = situation(random, 100, others)
        found = prefer("spearman", truth, values, Resampling(100, draws=200, seed=number), others)
        replaced += found.chosen != "candidate 0"
    assert replaced / 300 < 0.21


def test_a_clearly_better_candidate_is_preferred() -> None:
    random = np.random.default_rng(5)
    truth, values = situation(random, 300, 8, better=0.6)
    found = prefer("spearman", truth, values, Resampling(300, draws=300), 8)
    assert found.chosen == found.best == "candidate 8"
    scores = {name: METRICS["spearman"](truth, value) for name, value in values.items()}
    assert found.difference == pytest.approx(scores["candidate 8"] - scores["candidate 0"])
    assert found.needed == pytest.approx(found.standard_error * stats.norm.isf(stats.norm.sf(1) / 8))


def test_the_standard_error_is_that_of_a_difference_on_the_same_records() -> None:
    """Of the mean absolute error it has a closed form; two that err alike differ far less than either varies."""
    random = np.random.default_rng(6)
    truth = random.normal(size=(400, 1))
    shared = random.normal(size=(400, 1))
    values = {"default": truth + shared, "other": truth + 0.9 * shared + 0.1}
    found = prefer("mae", truth, values, Resampling(400, draws=4000), 1)
    each = np.abs(values["default"] - truth) - np.abs(values["other"] - truth)
    assert found.standard_error == pytest.approx(each.std(ddof=1) / 20, rel=0.05)
    assert found.difference == pytest.approx(each.mean())
    assert found.needed == pytest.approx(found.standard_error), "one other: one standard error"


def test_records_of_one_cluster_are_one_piece_of_evidence() -> None:
    random = np.random.default_rng(7)
    truth, values = situation(random, 20, 1, better=0.3)
    repeated = {name: np.repeat(value, 20, axis=0) for name, value in values.items()}
    groups = np.repeat(np.arange(20), 20)
    alone = prefer("mae", truth, values, Resampling(20, draws=2000), 1)
    grouped = prefer("mae", np.repeat(truth, 20, axis=0), repeated, Resampling(400, groups, 2000), 1)
    assert grouped.standard_error == pytest.approx(alone.standard_error, rel=1e-6)


def test_what_cannot_be_scored_is_never_preferred() -> None:
    random = np.random.default_rng(8)
    truth, values = situation(random, 50, 1)
    plan = Resampling(50, draws=100)
    constant = np.zeros_like(truth)
    assert prefer("spearman", truth, {"default": values["candidate 0"], "other": None}, plan, 1).best is None
    found = prefer("spearman", truth, {"default": values["candidate 0"], "other": constant}, plan, 1)
    assert (found.chosen, found.best) == ("default", None)
    found = prefer("spearman", truth, {"default": None, "other": values["candidate 0"]}, plan, 1)
    assert (found.chosen, found.difference) == ("other", None), (
        "where the default failed, what did not is taken"
    )
    assert prefer("spearman", truth, {"default": None, "other": None}, plan, 1).chosen == "default"
    few = prefer("spearman", truth, values, Resampling(50, np.repeat([0, 1], 25)), 1)
    assert few.chosen == "candidate 0"
    assert few.needed is None
