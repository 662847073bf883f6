"""Records unlike the training records are flagged, with the right reason; others hardly ever are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bioloom.evaluation.domain import Domain
from bioloom.modalities import Features
from bioloom.modalities.dna import Dna

TRAIN, VALIDATION = np.arange(1500), np.arange(1500, 2000)


def sequences(n: int, gc: float, seed: int, length: int = 75) -> list[str]:
    random = np.random.default_rng(seed)
    shares = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    return ["".join(random.choice(list("ACGT"), length, p=shares)) for _ in range(n)]


def library(n: int, seed: int) -> list[str]:
    """Variants of one parent, with a tenth of the letters changed."""
    random = np.random.default_rng(seed)
    parent = np.random.default_rng(99).choice(list("ACGT"), 75)
    changed = np.where(random.random((n, 75)) < 0.1, random.choice(list("ACGT"), (n, 75)), parent)
    return ["".join(row) for row in changed]


def of_dna(learned: list[str]) -> tuple[Domain, Dna]:
    frame = pd.DataFrame({"sequence": learned})
    modality = Dna.fit(frame.iloc[:1500])
    return Domain.fit(modality.features(frame), TRAIN, VALIDATION, 0), modality


def judged(domain: Domain, modality: Dna, new: list[str]):
    return domain.judge(modality.features(pd.DataFrame({"sequence": new})).values)


@pytest.fixture(scope="module")
def unaligned() -> tuple[Domain, Dna]:
    random = np.random.default_rng(3)
    learned = [each[: random.integers(70, 76)] for each in sequences(2000, 0.45, 0)]
    return of_dna(learned)


@pytest.fixture(scope="module")
def one_parent() -> tuple[Domain, Dna]:
    return of_dna(library(2000, 0))


def table(n: int, seed: int) -> Features:
    values = np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)
    values[:, 3] = 7
    return Features(values, ("pH", "glucose", "time", "batch"), "columns")


def test_about_one_in_a_hundred_held_out_records_is_flagged(unaligned, one_parent) -> None:
    shares = []
    for seed in range(20):
        domain = Domain.fit(table(2000, seed), TRAIN, VALIDATION, seed)
        shares.append(domain.judge(table(2000, 100 + seed).values).flag.mean())
    assert np.mean(shares) == pytest.approx(0.01, abs=0.004)
    assert judged(*unaligned, [each[:73] for each in sequences(1000, 0.45, 8)]).flag.mean() < 0.03
    assert judged(*one_parent, library(1000, 8)).flag.mean() < 0.03


def test_the_p_value_is_a_share_of_held_out_records() -> None:
    answers = [
        Domain.fit(table(2000, seed), TRAIN, VALIDATION, seed).judge(table(500, 50 + seed).values).p
        for seed in range(10)
    ]
    for share in (0.05, 0.2, 0.5):
        assert (np.concatenate(answers) <= share).mean() == pytest.approx(share, abs=0.04)


def test_another_gc_content_is_flagged_by_name(unaligned) -> None:
    answer = judged(*unaligned, sequences(200, 0.85, 5, 73))
    assert answer.flag.mean() > 0.9
    named = [why.startswith("GC 0.") for why in answer.why[answer.flag]]
    assert np.mean(named) > 0.8
    assert "; training records have 0." in answer.why[answer.flag][0]


def test_another_length_is_flagged_by_name(unaligned) -> None:
    answer = judged(*unaligned, sequences(50, 0.45, 6, 300))
    assert answer.flag.all()
    assert all(why.startswith("length 300; training records have 70 to 75") for why in answer.why)


def test_random_sequences_are_unlike_the_variants_of_one_parent(one_parent) -> None:
    answer = judged(*one_parent, sequences(200, 0.5, 7))
    assert answer.flag.mean() > 0.95
    assert sum("unlike any training record (distance" in why for why in answer.why) > 100


def test_a_value_outside_the_range_of_its_column_is_named_in_the_users_units() -> None:
    domain = Domain.fit(table(2000, 0), TRAIN, VALIDATION, 0, {"pH": (7.0, 7.5)})
    new = table(3, 1).values
    new[1, 0], new[2, 3] = 30, 9
    answer = domain.judge(new)
    assert answer.flag.tolist() == [False, True, True]
    assert answer.why[1].startswith("pH 22; training records have 5.")
    assert answer.why[2] == "batch 9; training records have always 7"
    assert answer.why[0] == ""


def test_an_unusual_combination_of_usual_values_is_flagged_by_its_distance() -> None:
    values = np.repeat(np.random.default_rng(0).normal(size=(2000, 1)), 5, axis=1).astype(np.float32)
    values += np.random.default_rng(1).normal(0, 0.05, values.shape).astype(np.float32)
    domain = Domain.fit(Features(values, tuple("abcde"), ""), TRAIN, VALIDATION, 0)
    answer = domain.judge(np.array([[2, -2, 2, -2, 2]], dtype=np.float32))
    assert answer.flag.all()
    assert "unlike any training record" in answer.why[0]


@pytest.mark.parametrize("held_out", [0, 30])
def test_few_held_out_records_still_flag_what_is_clearly_outside(held_out: int) -> None:
    domain = Domain.fit(table(2000, 0), np.arange(200), np.arange(200, 200 + held_out), 0)
    new = table(300, 1).values
    assert domain.judge(new).flag.mean() < 0.05
    assert domain.judge(new + 20).flag.all()


def test_missing_values_are_neither_near_nor_far() -> None:
    features = table(2000, 0)
    features.values[::7, 1] = np.nan
    domain = Domain.fit(features, TRAIN, VALIDATION, 0)
    assert domain.judge(np.array([[0, np.nan, 0, 7]], dtype=np.float32)).flag.tolist() == [False]


def test_it_comes_back_from_its_state_and_is_small(one_parent) -> None:
    domain, modality = one_parent
    state = {key: np.array(value) for key, value in domain.state().items()}
    assert sum(value.nbytes for value in state.values()) < 1_000_000
    again = Domain.from_state(state)
    one, two = judged(domain, modality, library(20, 4)), judged(again, modality, library(20, 4))
    assert np.array_equal(one.p, two.p)
    assert again.names == domain.names
    assert judged(domain, modality, []).flag.shape == (0,)


def test_the_region_does_not_depend_on_how_many_features_are_worked_on_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features = table(600, 0)
    features.values[:40, 1] = np.nan
    train, held_out = np.arange(450), np.arange(450, 600)
    whole = Domain.fit(features, train, held_out, 0).state()
    monkeypatch.setattr("bioloom.evaluation.domain.BLOCK", 1)
    one_by_one = Domain.fit(features, train, held_out, 0).state()
    for name in ("mean", "scale", "varies", "low", "high"):
        assert one_by_one[name] == pytest.approx(whole[name], rel=1e-6)
