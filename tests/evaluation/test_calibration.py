"""Temperature and threshold, against closed forms and scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, softmax

from bioloom.evaluation.assessment import assess
from bioloom.evaluation.calibration import Calibration, Operating, Validation, precision_at
from bioloom.evaluation.resampling import Resampling
from bioloom.targets import Targets

TWO = Targets("binary", ("bound",), classes=("no", "yes"))


def binary(n: int, sharpened: float = 1.0, seed: int = 0, level: float = 0.0) -> Validation:
    """Logits that are too large by a factor; without it they are right."""
    random = np.random.default_rng(seed)
    raw = random.normal(level, 1.5, n)
    label = (random.random(n) < expit(raw)).astype(float)
    return Validation((raw * sharpened)[:, None], label, np.ones(n))


@pytest.mark.parametrize("sharpened", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_known_sharpening(sharpened: float) -> None:
    made = Calibration.fit(binary(20_000, sharpened))
    assert made.temperature == pytest.approx(sharpened, rel=0.05)
    assert made.after <= made.before


def test_of_several_classes_too() -> None:
    random = np.random.default_rng(1)
    raw = random.normal(size=(20_000, 4))
    label = np.array([random.choice(4, p=row) for row in softmax(raw, axis=1)]).astype(float)
    label[:10] = np.nan
    made = Calibration.fit(Validation(raw * 2, label, np.ones(len(raw))))
    assert made.temperature == pytest.approx(2, rel=0.05)
    assert made.records == 19_990
    assert made.apply(raw * made.temperature) == pytest.approx(softmax(raw, axis=1), abs=1e-6)


def test_the_log_loss_is_least_at_the_temperature_and_records_count_by_weight() -> None:
    given = binary(500, 2.0)
    doubled = Validation(
        np.r_[given.raw, given.raw[:100]], np.r_[given.label, given.label[:100]], np.ones(600)
    )
    weighted = Validation(given.raw, given.label, np.r_[np.full(100, 2.0), np.ones(400)])
    made = Calibration.fit(weighted)
    assert made.temperature == pytest.approx(Calibration.fit(doubled).temperature, rel=1e-4)

    def loss(temperature: float) -> float:
        chance = expit(doubled.raw[:, 0] / temperature)
        return float(-np.log(np.where(doubled.label == 1, chance, 1 - chance)).mean())

    assert loss(made.temperature) == pytest.approx(made.after, rel=1e-6)
    assert loss(made.temperature) < min(loss(made.temperature * 1.2), loss(made.temperature / 1.2))


def test_a_few_records_told_apart_without_error_do_not_prove_certainty() -> None:
    label = np.repeat([0.0, 1.0], 18)
    raw = np.where(label == 1, 3.0, -3.0)[:, None]
    made = Calibration.fit(Validation(raw, label, np.ones(36)))
    assert made.apply(raw)[-1, 0] == pytest.approx(19 / 20, abs=1e-3)  # Platt's rule: (n + 1) / (n + 2)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (binary(10), "too few"),
        (Validation(np.zeros((50, 1)), np.zeros(50), np.ones(50)), "one class"),
        (Validation(np.zeros((0, 3)), np.zeros(0), np.ones(0)), "too few"),
    ],
)
def test_too_few_validation_records_change_nothing_and_say_so(given: Validation, says: str) -> None:
    made = Calibration.fit(given, Operating(cost=10))
    assert (made.temperature, made.threshold) == (1.0, 0.5)
    assert says in made.reason


@pytest.mark.parametrize("cost", [0.2, 1.0, 9.0])
def test_right_probabilities_are_called_where_bayes_rule_says(cost: float) -> None:
    made = Calibration.fit(binary(60_000), Operating(cost=cost))
    assert made.threshold == pytest.approx(1 / (1 + cost), abs=0.05)


def test_rare_positives_in_use_raise_the_threshold() -> None:
    rare = Calibration.fit(binary(60_000), Operating(prevalence=0.1))
    assert rare.threshold == pytest.approx(0.9, abs=0.05)  # odds 1 : 9 in use, 1 : 1 in the data
    assert Calibration.fit(binary(1000)).threshold == 0.5


def test_no_other_threshold_is_cheaper_on_the_validation_rows() -> None:
    given = binary(300)
    made = Calibration.fit(given, Operating(cost=3))
    chance = made.apply(given.raw)[:, 0]

    def cost(threshold: float) -> float:
        called = chance >= threshold
        return 3 * (~called & (given.label == 1)).sum() + (called & (given.label == 0)).sum()

    assert cost(made.threshold) == min(cost(each) for each in np.append(chance, 1.1))


def test_precision_in_use_follows_bayes_rule() -> None:
    assert precision_at(0.9, 0.9, 0.5) == pytest.approx(0.9)
    assert precision_at(0.9, 0.9, 0.01) == pytest.approx(0.0833, abs=1e-4)
    assert np.isnan(precision_at(0.0, 1.0, 0.1))


def test_it_comes_back_from_json() -> None:
    made = Calibration.fit(binary(100), Operating(cost=2))
    assert Calibration.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_a_block_of_the_result_says_what_calls_are_worth_in_use() -> None:
    given = binary(2000)
    operating = Operating(prevalence=0.02)
    made = Calibration.fit(given, operating)
    block = assess(given.label[:, None], made.apply(given.raw), TWO, Resampling(2000), (made, operating))
    content = json.loads(json.dumps(block.to_json(), allow_nan=False))
    assert content["operating"]["prevalence"] == 0.02
    assert 0.1 < content["precision_at_prevalence"] <= 1
    assert "of positive calls would be right" in content["text"]
    bare = assess(given.label[:, None], made.apply(given.raw), TWO, Resampling(2000))
    assert bare.to_json()["precision_at_prevalence"] is None
