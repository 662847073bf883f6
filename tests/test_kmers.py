"""Words of letters, counted: against scikit-learn and against counting by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from bioloom.modalities.kmers import NUMBERS, kmer_counts, kmer_shares

LETTERS = "ACGT"


@pytest.mark.parametrize("k", [1, 3, 6, 9])
def test_counts_are_those_of_scikit_learn(k: int) -> None:
    tokens = np.random.default_rng(k).integers(0, 4, (300, 60)).astype(np.uint8)
    texts = ["".join(LETTERS[letter] for letter in row) for row in tokens]
    words = ["".join(word) for word in product(LETTERS, repeat=k)]
    counter = CountVectorizer(analyzer="char", ngram_range=(k, k), lowercase=False, vocabulary=words)
    found, expected = kmer_counts(tokens, 4, k), counter.transform(texts)
    assert found.shape == expected.shape
    assert (found != expected).nnz == 0
    assert found.has_canonical_format


def test_words_with_gaps_or_mixtures_count_nothing() -> None:
    tokens = np.array([[0, 1, 4, 0, 1], [5, 5, 5, 5, 5], [2, 2, 2, 2, 2]], dtype=np.uint8)
    found = kmer_counts(tokens, 4, 2).toarray()
    assert found[0, 0 * 4 + 1] == 2
    assert found.sum(axis=1).tolist() == [2, 0, 4]
    assert found[2, 2 * 4 + 2] == 4


def test_counts_over_several_blocks_are_those_of_one_and_shares_follow_from_them() -> None:
    tokens = np.random.default_rng(0).integers(0, 5, (NUMBERS // 300 + 700, 300)).astype(np.uint8)
    found = kmer_counts(tokens, 4, 3)
    alone = kmer_counts(tokens[-5:], 4, 3)
    assert (found[[-5, -4, -3, -2, -1]].toarray() == alone.toarray()).all()
    dense = alone.toarray()
    np.testing.assert_allclose(
        kmer_shares(tokens[-5:], 4, 3), dense / dense.sum(axis=1, keepdims=True), rtol=1e-6
    )


def test_records_shorter_than_a_word_and_no_records_have_no_words() -> None:
    assert kmer_counts(np.zeros((3, 4), dtype=np.uint8), 4, 6).nnz == 0
    assert kmer_counts(np.zeros((3, 4), dtype=np.uint8), 4, 6).shape == (3, 4096)
    assert kmer_counts(np.zeros((0, 9), dtype=np.uint8), 4, 2).shape == (0, 16)
