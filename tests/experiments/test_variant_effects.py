"""Effects of variants on answers that are known, with an interval over networks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from bioloom.experiments.variants import Changed, all_substitutions, effects_of, framed


def networks(sequences):
    """Three networks that count G, with unlike slopes."""
    counts = np.array([text.count("G") for text in sequences], dtype=np.float64)
    return np.array([1.0, 1.2, 0.8])[:, None] * counts


def test_effects_are_differences_with_the_interval_of_students_t():
    found = effects_of(networks, [Changed(("AAA",), ("AGG",)), Changed(("GGG",), ("GGG",))])
    assert found.effect.tolist() == pytest.approx([2.0, 0.0])
    interval = ttest_1samp([2.0, 2.4, 1.6], 0).confidence_interval(0.95)
    assert (found.low[0], found.high[0]) == pytest.approx((interval.low, interval.high))
    assert (found.before[0], found.after[0]) == (0.0, 2.0)
    single = effects_of(lambda texts: networks(texts)[:1], [Changed(("AAA",), ("AGG",))])
    assert np.isnan(single.low[0])
    assert len(effects_of(networks, []).effect) == 0


def test_answers_are_averaged_over_frames_and_each_sequence_is_asked_once(monkeypatch):
    asked = []

    def answer(sequences):
        asked.extend(sequences)
        return networks(sequences)

    monkeypatch.setattr("bioloom.experiments.variants.AT_ONCE", 2)
    found = effects_of(answer, [Changed(("AAA", "GAA"), ("AGA", "GAA")), Changed(("AAA",), ("AGA",))])
    assert found.effect.tolist() == pytest.approx([0.5, 1.0])
    assert len(asked) == len(set(asked)) == 3


@pytest.mark.parametrize(("before", "after"), [("A", "G"), ("ACG", "T"), ("A", "TTTT")])
def test_windows_hold_the_variant_in_the_middle_and_have_one_length(before, after):
    left, right = "cgcgcgcgcg" * 2, "ttatatatat" * 2
    made = framed((left, right), before, after, 11, (0, -2, 2))
    assert {len(text) for text in (*made.before, *made.after)} == {11}
    whole = left + before + right
    for one, two in zip(made.before, made.after, strict=True):
        assert one in whole
        assert two in left + after + right
    assert made.before[0].index(before) == (11 - len(before)) // 2
    assert made.before[1].index(before) == (11 - len(before)) // 2 + 2


def test_every_substitution_is_made_once():
    found = all_substitutions("AC", "ACGT")
    assert len(found) == 6
    assert (0, "G", "GC") in found
    assert all(text != "AC" for _, _, text in found)
