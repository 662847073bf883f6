"""What discovery says: motifs, none of enough stretches, or nothing above chance, each with what it means."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bioloom.inquiry.discovered import words
from bioloom.motifs.discover import FEWEST, Found
from bioloom.motifs.motif import Motif
from bioloom.motifs.seqlets import Seqlets


def stretches(*rates: float) -> Seqlets:
    """One stretch for each false-discovery rate, the strongest first."""
    count = len(rates)
    return Seqlets(np.arange(count), np.zeros(count, np.int64), 5, np.linspace(2, 1, count), np.array(rates))


def test_motifs_are_counted():
    motif = Found(Motif("one", np.ones((4, 5)), sites=12.0), np.zeros((4, 5)), 1.0, pd.DataFrame())
    assert words([motif], stretches(*[0.1] * 12), fdr=0.2) == "1 motif of 12 stretches that matter"


def test_stretches_without_a_group_say_how_many_are_alike_at_least():
    told = words([], stretches(0.01, 0.1, 0.9), fdr=0.2)
    assert told.startswith(f"of 2 stretches that matter, fewer than {FEWEST} are alike")
    assert "--records" in told


@pytest.mark.parametrize("rates", [(0.4, 0.4, 0.9), (1.0, 1.0)])
def test_no_stretch_above_chance_says_how_near_it_was(rates):
    told = words([], stretches(*rates), fdr=0.2)
    assert told.startswith("no stretch matters more than letters in random order: ")
    assert ("of the 2 stretches that matter most, chance gives 40%, and 20% are allowed (--fdr)" in told) == (
        rates[0] < 1
    )
    assert "no motifs" in told


def test_nothing_to_look_at_is_an_answer_too():
    assert "no stretch matters more" in words([], stretches(), fdr=0.2)
