"""How well one column predicts the target by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bioloom.evaluation.alone import predict_alone, strength
from bioloom.evaluation.checks.giveaways import GIVES_AWAY
from situations import classes, numbers


def test_a_copy_of_the_target_is_as_good_as_perfect() -> None:
    facts = numbers()
    assert strength(pd.Series(facts.truth[:, 0]), facts) > GIVES_AWAY


def test_a_curve_of_the_target_counts_even_where_it_turns_back() -> None:
    facts = numbers()
    centre = facts.truth[:, 0] - 10
    turned = pd.Series(np.where(centre > 0, centre, 100 + centre))
    assert strength(turned, facts) > GIVES_AWAY


def test_noise_and_words_that_never_repeat_say_nothing() -> None:
    facts = numbers()
    random = np.random.default_rng(1)
    assert abs(strength(pd.Series(random.random(len(facts.truth))), facts)) < 0.3
    unique = pd.Series([f"word {i}" for i in range(len(facts.truth))])
    assert np.isnan(strength(unique, facts))


@pytest.mark.parametrize("count", [2, 4])
def test_a_word_for_each_class_gives_the_class_away(count: int) -> None:
    facts = classes(count)
    words = pd.Series(facts.truth[:, 0]).map(lambda label: f"batch {int(label)}")
    assert strength(words, facts) == pytest.approx(1.0)


def test_missing_cells_are_a_bin_of_their_own() -> None:
    facts = classes(2)
    column = pd.Series(np.where(facts.truth[:, 0] == 1, np.nan, np.arange(len(facts.truth)) % 90))
    assert strength(column, facts) == pytest.approx(1.0)


def test_the_means_are_learned_outside_the_test() -> None:
    facts = numbers()
    words = pd.Series(np.where(facts.test, "test", "other"))
    value = predict_alone(words, facts)
    learned = facts.truth[~facts.test].mean()
    assert value[facts.test] == pytest.approx(learned, rel=1e-5)


def test_where_guessing_is_perfect_nothing_gives_the_target_away() -> None:
    facts = classes(4)
    only = replace(facts, truth=np.where(facts.test[:, None], 0, facts.truth).astype(np.float32))
    assert np.isnan(strength(pd.Series(only.truth[:, 0]), only))
