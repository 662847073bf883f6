"""What filters look for, beside a search window by window."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.motifs.filters import filter_motifs


def letters_of(texts: list[str]) -> np.ndarray:
    return np.array([[[letter == each for each in text] for letter in "ACGT"] for text in texts], dtype=float)


def test_a_filter_is_the_words_that_it_answers_to_most() -> None:
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), 50)) for _ in range(60)]
    weights = rng.normal(size=(5, 4, 4)) + rng.normal(size=(5, 1, 4))  # what letters share must not matter
    found = filter_motifs(letters_of(texts), weights)
    assert sorted(found) == list(range(5))
    for number, each in found.items():
        centred = weights[number] - weights[number].mean(axis=0)
        scores = {
            (record, start): sum(centred["ACGT".index(text[start + i]), i] for i in range(4))
            for record, text in enumerate(texts)
            for start in range(47)
        }
        wanted = {place for place, score in scores.items() if score > 0.5 * max(scores.values())}
        assert set(zip(each.sites["record"], each.sites["start"], strict=True)) == wanted
        words = [texts[record][start : start + 4] for record, start in wanted]
        counts = np.array([[sum(word[i] == letter for word in words) for i in range(4)] for letter in "ACGT"])
        np.testing.assert_array_equal(each.motif.frequencies, counts)
        assert each.sites["score"].tolist() == pytest.approx([scores[place] for place in sorted(wanted)])


def test_windows_with_unknown_letters_are_no_sites_and_what_is_too_rare_is_no_motif() -> None:
    x = letters_of(["ACGTACGTAC"] * 30)
    x[:, :, 4] = 0.25
    weights = np.zeros((2, 4, 3))
    weights[0, 0, 0] = 1.0  # A, which stands at 0, 4 (unknown) and 8 (too near the end)
    found = filter_motifs(x, weights)
    assert list(found) == [0]
    assert set(found[0].sites["start"]) == {0}
    assert filter_motifs(x[:9], weights) == {}
    assert filter_motifs(x[:, :, :2], weights) == {}
