"""Successive halving spends what it may and no more, and never gives up the default."""

from __future__ import annotations

import math

import pytest

from bioloom.training.halving import (
    FEWEST_EPOCHS,
    FEWEST_STEPS,
    FINALISTS,
    affordable,
    portion_of,
    rounds,
    shares,
    survivors,
)


def test_each_round_keeps_a_third_until_three_are_left() -> None:
    assert rounds(9) == (9, 3)
    assert rounds(24) == (24, 8, 3)
    assert rounds(30) == (30, 10, 3)
    assert [rounds(few) for few in (1, 2, 3, 4)] == [(1,), (2,), (3,), (4,)], (
        "few are compared once, at length"
    )
    for many in range(5, 200):
        assert rounds(many)[0] == many
        assert rounds(many)[-1] == FINALISTS
        assert all(later < earlier for earlier, later in zip(rounds(many), rounds(many)[1:], strict=False))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_rounds_spend_all_there_is_and_the_last_twice_as_much(count: int) -> None:
    left, spent = 1.0, []
    for number in range(count):
        spent.append(left * shares(count - number))
        left -= spent[-1]
    assert left == pytest.approx(0.0)
    assert spent[:-1] == pytest.approx([spent[0]] * (count - 1))
    if count > 1:
        assert spent[-1] == pytest.approx(2 * spent[0])


def test_a_portion_has_fewer_epochs_first_and_then_fewer_records() -> None:
    assert (portion_of(1.0, 1000, 60).records, portion_of(1.0, 1000, 60).epochs) == (1000, 60)
    half = portion_of(0.5, 1000, 60)
    assert (half.records, half.epochs) == (1000, 30)
    little = portion_of(0.02, 1000, 60)
    assert (little.records, little.epochs) == (300, FEWEST_EPOCHS)
    brief = portion_of(0.1, 100_000, 2)
    assert (brief.records, brief.epochs) == (10_000, 2)
    for share in (0.001, 0.01, 0.07, 0.3, 0.9):
        part = portion_of(share, 4321, 37)
        assert part.records * part.epochs == pytest.approx(share * 4321 * 37, rel=0.15)


def test_so_many_are_tried_as_learn_for_enough_steps() -> None:
    assert affordable([1.0] * 9, 0.5, steps=10**6) == 9
    steps = 4000
    count = affordable([1.0] * 9, 0.5, steps)
    share = 0.5 * shares(len(rounds(count))) / count
    assert 1 < count < 9
    assert share * steps >= FEWEST_STEPS
    assert affordable([1.0, 50.0], 0.5, steps) == 1, "one that would cost far more is left out"
    assert affordable([1.0] * 9, 0.5, steps=50) == 1
    assert affordable([], 0.5, steps) == 0


def test_the_default_always_goes_on_and_failed_ones_never_do() -> None:
    assert survivors([0.1, 0.9, 0.5, 0.8], 3) == (0, 1, 3)
    assert survivors([math.nan, 0.9, math.nan, 0.8], 3) == (0, 1, 3)
    assert survivors([0.9, math.nan, math.nan], 2) == (0,)
    assert survivors([0.5, 0.7, 0.7, 0.7], 3) == (0, 1, 2), "of equal ones the first"
