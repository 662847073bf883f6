"""Prediction intervals and sets: the promised share of hits, by simulation."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import gamma

from bioloom.evaluation.conformal import Calibrating, Conformal, quantile
from bioloom.evaluation.resampling import Resampling


def number(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Truths and predictions of a model with skewed errors."""
    value = random.normal(size=(n, 1))
    return value + random.gamma(1.0, 2.0, (n, 1)), value


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("n", [19, 50, 400])
def test_the_quantile_is_the_exact_order_statistic(n: int, level: float) -> None:
    errors = np.random.default_rng(n).random(n)
    rank = int(np.ceil((n + 1) * level - 1e-9))
    assert quantile(errors, None, level) == np.sort(errors)[rank - 1]
    assert quantile(errors, np.arange(n), level) == np.sort(errors)[rank - 1]


def test_groups_of_equal_size_weigh_equally() -> None:
    errors, codes = np.arange(40.0), np.repeat(np.arange(20), 2)
    assert quantile(errors, codes, 0.9) == np.ceil(0.9 * 21 * 2) - 1  # weight 1 / (21 * 2) each
    assert quantile(np.r_[errors, np.nan], np.r_[codes, 99], 0.9) == quantile(errors, codes, 0.9)


@pytest.mark.parametrize("n", [30, 200])
def test_intervals_hold_the_truth_as_often_as_promised(n: int) -> None:
    random, hits = np.random.default_rng(1), []
    for _ in range(600):
        truth, value = number(n + 50, random)
        made = Conformal.fit(Calibrating(value[:n], truth[:n], ("a",)))
        low, high = made.interval(value[n:])
        hits.append(((truth[n:] >= low) & (truth[n:] <= high)).mean())
    assert np.mean(hits) == pytest.approx(0.9, abs=0.02)


def test_with_groups_the_promise_holds_for_records_of_a_new_group() -> None:
    random, by_group, by_record = np.random.default_rng(2), [], []
    for _ in range(800):
        size = random.integers(1, 30, 61)
        codes = np.repeat(np.arange(61), size)
        shift = random.normal(0, 3, 61)[codes] + random.normal(0, 1, len(codes))
        truth, value = shift[:, None], np.zeros((len(codes), 1))
        old, new = codes < 60, codes == 60
        for found, groups in ((by_group, codes[old]), (by_record, None)):
            made = Conformal.fit(Calibrating(value[old], truth[old], ("a",), groups=groups))
            found.append((np.abs(truth[new]) <= made.half[0]).mean())
    assert np.mean(by_group) == pytest.approx(0.9, abs=0.02)
    assert np.mean(by_record) < np.mean(by_group)  # few groups: counting records promises too much


def test_sets_hold_the_true_class_as_often_as_promised() -> None:
    random, hits, sizes = np.random.default_rng(3), [], []
    for _ in range(300):
        raw = random.normal(0, 1.5, (300, 4))
        share = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
        # a model that is wrong
        truth = np.array([random.choice(4, p=row) for row in share[:, ::-1]])[:, None]
        made = Conformal.fit(Calibrating(share[:200], truth[:200].astype(float), tuple("abcd"), 4))
        held = made.sets(share[200:])
        hits.append(held[np.arange(100), truth[200:, 0]].mean())
        sizes.append(held.sum(axis=1).mean())
    assert np.mean(hits) == pytest.approx(0.9, abs=0.02)
    assert np.mean(sizes) > 3  # a wrong model needs large sets to keep its word


def test_a_set_of_two_classes_is_never_empty() -> None:
    value = np.linspace(0.01, 0.99, 99)[:, None]
    made = Conformal.fit(Calibrating(value, (value > 0.5).astype(float), ("a", "b"), 2))
    assert made.sets(value).any(axis=1).all()
    assert made.sets(value).shape == (99, 2)


@pytest.mark.parametrize(
    ("n", "level", "says"), [(18, 0.90, "needs 19"), (8, 0.80, "needs 19"), (3, 0.95, "too few")]
)
def test_too_few_records_promise_less_or_nothing_and_say_so(n: int, level: float, says: str) -> None:
    truth, value = number(n, np.random.default_rng(4))
    made = Conformal.fit(Calibrating(value, truth, ("a",)), 0.95)
    assert made.level == level
    assert says in made.reason
    assert np.isinf(made.half[0]) == (n == 3)
    text = made.coverage(truth, value, Resampling(n)).text
    assert "No promise" in text if n == 3 else "lower than asked for" in text


def test_no_calibration_record_promises_nothing() -> None:
    made = Conformal.fit(Calibrating(np.empty((0, 3)), np.empty((0, 1)), tuple("abc"), 3))
    assert made.sets(np.full((2, 3), 1 / 3)).all()
    assert "too few" in made.reason


def test_each_target_has_its_own_width_from_its_known_records() -> None:
    random = np.random.default_rng(5)
    value = np.zeros((200, 2))
    truth = random.normal(size=(200, 2)) * [1, 10]
    truth[:100, 1] = np.nan
    made = Conformal.fit(Calibrating(value, truth, ("a", "b")))
    assert made.half[0] == quantile(np.abs(truth[:, 0]), None, 0.9)
    assert made.half[1] == quantile(np.abs(truth[100:, 1]), None, 0.9)
    found = made.coverage(truth, value, Resampling(200)).to_json()
    assert [each["n"] for each in found["coverage"]] == [200, 100]


def test_coverage_is_counted_with_its_interval_by_record_and_by_group() -> None:
    truth, value = number(2000, np.random.default_rng(6))
    made = Conformal.fit(Calibrating(value[:1000], truth[:1000], ("a",)))
    alone = made.coverage(truth[1000:], value[1000:], Resampling(1000)).shares[0]
    assert alone.interval.method == "Wilson"
    assert alone.interval.low < alone.value < alone.interval.high
    grouped = made.coverage(truth[1000:], value[1000:], Resampling(1000, np.arange(1000) // 10)).shares[0]
    assert "100 groups" in grouped.interval.method
    assert grouped.value == alone.value


def test_it_comes_back_from_json() -> None:
    truth, value = number(5, np.random.default_rng(7))
    for n in (5, 2):
        made = Conformal.fit(Calibrating(value[:n], truth[:n], ("a",)))
        assert Conformal.from_json(json.loads(json.dumps(made.to_json()))) == made
    content = json.dumps(made.coverage(truth, value, Resampling(5)).to_json(), allow_nan=False)
    assert "No promise" in content


def test_one_group_has_no_interval_of_its_coverage_and_is_told_in_the_singular() -> None:
    truth, value = number(30, np.random.default_rng(4))
    codes = np.zeros(30, dtype=int)
    made = Conformal.fit(Calibrating(value, truth, ("a",), groups=codes), 0.9)
    assert made.reason.startswith("1 group of validation records is too few")
    found = replace(made, half=(1.0,)).coverage(truth, value, Resampling(30, codes))
    assert found.shares[0].interval.low is None


def test_a_fold_without_ends_is_told_in_words() -> None:
    truth, value = number(40, np.random.default_rng(4))
    made = Conformal.fit(Calibrating(value, truth, ("a",)), 0.9)
    inside, size = made.held(truth, value)
    size[:5] = np.inf
    text = made.counted(inside, size, Resampling(40)).text
    assert "some of them without ends" in text
    assert "inf" not in text


def test_a_rare_class_is_held_as_often_as_a_common_one() -> None:
    random, hits = np.random.default_rng(8), []
    for _ in range(200):
        truth = (random.random(600) < 0.1).astype(float)[:, None]
        value = expit(random.normal(3 * truth - 3.5, 1.0))
        made = Conformal.fit(Calibrating(value[:400], truth[:400], ("no", "yes"), 2), 0.9)
        found = made.coverage(truth[400:], value[400:], Resampling(200))
        assert found.names == ("", "no", "yes")
        hits.append([share.value for share in found.shares])
    every, common, rare = np.nanmean(hits, axis=0)
    assert rare == pytest.approx(0.91, abs=0.02)
    assert min(every, common) > 0.88  # more, because a set is never empty


def test_a_class_with_hardly_any_calibration_record_is_in_every_set() -> None:
    truth = (np.arange(200) % 40 == 0).astype(float)[:, None]
    value = np.full((200, 1), 0.05)
    made = Conformal.fit(Calibrating(value, truth, ("no", "yes"), 2), 0.9)
    assert made.level == 0.9
    assert made.sets(value).all()
    assert made.reason == "Too few validation records are of yes, so every set holds it"
    found = made.coverage(truth, value, Resampling(200))
    assert found.text.endswith("Too few validation records are of yes, so every set holds it.")
    assert found.shares[2].value == 1.0


def test_a_target_without_calibration_records_denies_the_promise_of_no_other() -> None:
    random = np.random.default_rng(9)
    value, truth = np.zeros((200, 3)), random.normal(size=(200, 3))
    truth[:100, 1] = np.nan
    made = Conformal.fit(Calibrating(value[:100], truth[:100], ("a", "b", "c")), 0.95)
    assert made.level == 0.95
    assert np.isfinite(made.half).tolist() == [True, False, True]
    assert made.half[0] == quantile(np.abs(truth[:100, 0]), None, 0.95)
    found = made.coverage(truth[100:], value[100:], Resampling(100))
    assert "No promise" not in found.text
    assert " of a (" in found.text
    assert " of b" not in found.text
    assert " of c (" in found.text
    assert found.text.endswith("Too few validation records have a known b, so its intervals have no ends.")
    json.dumps(found.to_json(), allow_nan=False)


def test_a_lower_promise_is_told_beside_a_target_without_one() -> None:
    truth, value = np.arange(24.0).reshape(12, 2), np.zeros((12, 2))
    truth[:, 1] = np.nan
    made = Conformal.fit(Calibrating(value, truth, ("a", "b")), 0.95)
    assert made.level == 0.9
    assert made.reason == (
        "The promise is lower than asked for: 12 validation records are too few for 95 %, which needs 19. "
        "Too few validation records have a known b, so its intervals have no ends"
    )


# ---- a model that says of each record how far off it may be ------------------------------------------------


def uneven(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Truths, predictions, the reach that a model says (half of the true one), and which records are noisy."""
    noisy = random.random(n) < 0.5
    deviation = np.where(noisy, 3.0, 0.3)[:, None]
    value = random.normal(size=(n, 1))
    return value + deviation * random.normal(size=(n, 1)), value, np.hstack([deviation, deviation]) / 2, noisy


@pytest.mark.parametrize("n", [29, 199])
def test_scaled_intervals_hold_as_often_as_promised_for_quiet_and_for_noisy_records(n: int) -> None:
    random, hits, by_noise, plain = np.random.default_rng(5), [], {True: [], False: []}, {True: [], False: []}
    for _ in range(500):
        truth, value, reach, noisy = uneven(n + 100, random)
        made = Conformal.fit(Calibrating(value[:n], truth[:n], ("a",), reach=reach[:n]))
        same = Conformal.fit(Calibrating(value[:n], truth[:n], ("a",)))
        inside, _ = made.held(truth[n:], value[n:], reach[n:])
        without, _ = same.held(truth[n:], value[n:])
        hits.append(inside.mean())
        for kind in (True, False):
            by_noise[kind].append(inside[noisy[n:] == kind].mean())
            plain[kind].append(without[noisy[n:] == kind].mean())
    assert np.mean(hits) == pytest.approx(0.9, abs=0.02)
    for kind in (True, False):
        assert np.mean(by_noise[kind]) == pytest.approx(0.9, abs=0.025)
    assert np.mean(plain[True]) < 0.86 < 0.99 < np.mean(plain[False]), (
        "one width for all fails the noisy ones"
    )


def test_conformalised_quantiles_hold_for_skewed_errors_and_are_narrower_than_one_width_for_all() -> None:
    """Gamma noise whose scale grows with the record; the quantiles that the model says are half as far as they should."""
    random, hits, widths, plain = np.random.default_rng(6), [], [], []
    low, high = gamma.ppf([0.05, 0.95], 1.5) - gamma.ppf(0.5, 1.5)
    for _ in range(400):
        scale = np.exp(random.normal(0, 1, (300, 1)))
        value = np.zeros((300, 1))
        truth = scale * (random.gamma(1.5, 1.0, (300, 1)) - gamma.ppf(0.5, 1.5))
        reach = np.hstack([-low * scale, high * scale]) / 2
        made = Conformal.fit(Calibrating(value[:200], truth[:200], ("a",), reach=reach[:200]))
        inside, width = made.held(truth[200:], value[200:], reach[200:])
        hits.append(inside.mean())
        widths.append(np.median(width))
        plain.append(2 * Conformal.fit(Calibrating(value[:200], truth[:200], ("a",))).half[0])
    assert made.half[0] == pytest.approx(2, rel=0.2), "the quantiles are stretched to where they belong"
    assert np.mean(hits) == pytest.approx(0.9, abs=0.02)
    assert np.mean(widths) < 0.6 * np.mean(plain)


def test_the_score_is_the_largest_stretch_of_both_sides() -> None:
    """Kivaranovic (2020): max((q_low - y) / (m - q_low), (y - q_high) / (q_high - m)) + 1, also for several targets."""
    random = np.random.default_rng(7)
    truth, value = random.normal(size=(40, 2)), random.normal(size=(40, 2))
    below, above = random.random((2, 40, 2)) + 0.1
    errors = Calibrating(value, truth, ("a", "b"), reach=np.hstack([below, above])).errors()
    expected = 1 + np.maximum((value - below - truth) / below, (truth - value - above) / above)
    np.testing.assert_allclose(errors, expected)


def test_a_reach_of_one_changes_nothing_and_is_kept_in_json() -> None:
    random = np.random.default_rng(8)
    truth, value = number(60, random)
    ones = np.ones((60, 2))
    made = Conformal.fit(Calibrating(value, truth, ("a",), reach=ones))
    plain = Conformal.fit(Calibrating(value, truth, ("a",)))
    assert made.half == plain.half
    assert (made.scaled, plain.scaled) == (True, False)
    np.testing.assert_array_equal(made.interval(value, ones), plain.interval(value))
    for each in (made, plain):
        assert Conformal.from_json(json.loads(json.dumps(each.to_json()))) == each
    assert "scaled" not in plain.to_json()


def test_scaled_intervals_without_a_promise_have_no_ends() -> None:
    truth, value = number(3, np.random.default_rng(9))
    made = Conformal.fit(Calibrating(value, truth, ("a",), reach=np.ones((3, 2))))
    assert np.isinf(made.interval(value, np.full((3, 2), 0.1))).all()
