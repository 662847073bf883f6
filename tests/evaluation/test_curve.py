"""Learning curves: a planted power law is recovered, the interval covers the gain, and odd points are not followed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import least_squares

from bioloom.evaluation.curve import Trained, fit_power_law, learning_curve

SIZES = np.array([250, 500, 1000, 2000, 4000])


def planted(sizes: NDArray[np.int64], a: float = 2.0, b: float = 0.4, c: float = 0.1) -> NDArray[np.float64]:
    return a * sizes.astype(float) ** -b + c


def points(errors: NDArray[np.float64], spread: float = 0.0, seed: int = 0, **known: float) -> list[Trained]:
    """R² at each size; records shift all sizes together (shared) and each by itself."""
    random = np.random.default_rng(seed)
    shared = random.normal(size=300)
    return [
        Trained(int(n), 1 - e, 1 - e - spread * (shared + random.normal(size=300)), known.get("seed_sd", 0.0))
        for n, e in zip(SIZES, errors, strict=False)
    ]


def test_a_planted_power_law_is_recovered() -> None:
    found = learning_curve("r2", points(planted(SIZES)))
    assert (found.a, found.b, found.c) == pytest.approx((2.0, 0.4, 0.1), rel=0.02)
    assert found.doubling.gain == pytest.approx(planted(SIZES)[-1] - planted(2 * SIZES)[-1], rel=0.01)
    assert found.text.startswith("Twice the data would add about 0.02")
    assert json.loads(json.dumps(found.to_json()))["points"][0]["n"] == 250


def test_the_fit_is_no_worse_than_that_of_a_general_solver() -> None:
    random = np.random.default_rng(1)
    x = SIZES / SIZES[-1]
    for _ in range(20):
        errors = planted(SIZES, b=random.uniform(0.1, 1.0)) + random.normal(0, 0.01, 5)
        a, b, c = (part[0] for part in fit_power_law(x, errors[:, None], np.ones(5), floor=True))
        other = least_squares(lambda p, e=errors: p[0] * x ** -p[1] + p[2] - e, [0.1, 0.5, 0.05],
                              bounds=([0, 0.01, 0], [np.inf, 2, np.inf]))  # fmt: skip
        assert np.sum((a * x**-b + c - errors) ** 2) <= 2 * other.cost * 1.01 + 1e-9


def test_three_sizes_have_no_floor_and_two_no_curve() -> None:
    found = learning_curve("r2", points(planted(SIZES[:3], c=0.0)))
    assert found.c == 0
    assert found.b == pytest.approx(0.4, rel=0.01)
    assert "hopeful side" in found.text
    two = learning_curve("r2", points(planted(SIZES[:2])))
    assert two.doubling.gain is None
    assert "cannot be said" in two.text


def test_an_error_is_taken_off() -> None:
    rising = [Trained(int(n), e, np.full(50, e)) for n, e in zip(SIZES, planted(SIZES), strict=True)]
    found = learning_curve("rmse", rising)
    assert found.doubling.gain == pytest.approx(planted(SIZES)[-1] - planted(2 * SIZES)[-1], rel=0.01)
    assert "off the RMSE" in found.text


def test_points_that_rise_and_fall_are_not_followed() -> None:
    errors = np.array([0.5, 0.3, 0.4, 0.25, 0.2])
    assert "falls somewhere" in learning_curve("r2", points(errors, 0.01)).unsupported
    assert learning_curve("r2", points(errors, 0.2)).unsupported is None  # it may be chance
    assert "no better" in learning_curve("r2", points(errors[::-1], 0.01)).unsupported
    assert learning_curve("r2", points(errors, 0.01)).ahead == ()


def test_the_simple_model_is_shown_and_does_not_move_the_curve() -> None:
    own = points(planted(SIZES))
    simple = [Trained(int(n), 0.5, np.empty(0), role="simple") for n in SIZES]
    both = learning_curve("r2", [*own, *simple])
    assert both.doubling == learning_curve("r2", own).doubling
    assert {point.role for point in both.points} == {"model", "simple"}


@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_the_interval_holds_the_gain_of_twice_the_data(floor: float) -> None:
    """Scores stray with the records (joined over sizes) and the seed; draws know the first, seed_sd the second."""
    true = planted(SIZES, c=floor)[-1] - planted(2 * SIZES, c=floor)[-1]
    held = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        stray = 0.006 * random.normal() + 0.004 * random.normal(size=5) + 0.006 * random.normal(size=5)
        joined, own = 0.006 * random.normal(size=200), 0.004 * random.normal(size=(5, 200))
        scores = 1 - planted(SIZES, c=floor) + stray
        trained = [
            Trained(int(n), score, score + joined + part, 0.006)
            for n, score, part in zip(SIZES, scores, own, strict=True)
        ]
        found = learning_curve("r2", trained, seed).doubling
        held += found.low is not None and found.low <= true <= found.high
    assert held >= 135  # 142.5 expected


def test_draws_that_do_not_differ_weigh_all_sizes_alike() -> None:
    """As where every record is predicted without error, at every size or at all but the smallest."""
    perfect = learning_curve("r2", points(np.zeros(4)))
    assert perfect.doubling.gain is None
    almost = learning_curve("r2", points(np.array([0.5, 0.0, 0.0, 0.0, 0.0])))
    assert np.isfinite([almost.a, almost.b, almost.c]).all()
    assert almost.doubling.gain == pytest.approx(0, abs=0.05)
