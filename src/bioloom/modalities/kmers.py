"""How often each word of k letters occurs in sequences, as shares."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = 2**20
"""Letters counted at once, so that what is counted stays in the cache."""


def kmer_names(letters: str, k: int) -> tuple[str, ...]:
    """All words of k letters in the order of `kmer_shares`."""
    return tuple("kmer " + "".join(word) for word in product(letters, repeat=k))


def kmer_shares(tokens: NDArray[np.uint8], letters: int, k: int) -> NDArray[np.float32]:
    """The share of each word among the words of k plain letters in each record.

    tokens:  (records, positions); tokens from `letters` on (gaps, padding, mixtures) break words
    Returns (records, letters ** k); zeros where a record holds no word of k plain letters.
    """
    shares = np.zeros((len(tokens), letters**k), dtype=np.float32)
    step = max(1, NUMBERS // max(1, tokens.shape[1]))
    for first in range(0, len(tokens), step):
        rows = slice(first, first + step)
        counts = _counts(tokens[rows], letters, k)
        shares[rows] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _counts(tokens: NDArray[np.uint8], letters: int, k: int) -> NDArray[np.int64]:
    """(records, letters ** k) counts by a rolling code: the code of a word is its number in base `letters`."""
    words = letters**k
    windows = max(0, tokens.shape[1] - k + 1)
    codes = np.zeros((len(tokens), windows), dtype=np.int32)
    broken = np.zeros((len(tokens), windows), dtype=bool)
    for offset in range(k):
        letter = tokens[:, offset : offset + windows]
        codes = codes * letters + letter
        broken |= letter >= letters
    codes[broken] = words  # a column of its own, cut off below
    codes += np.arange(len(tokens), dtype=np.int32)[:, None] * (words + 1)
    counts = np.bincount(codes.ravel(), minlength=len(tokens) * (words + 1))
    return counts.reshape(len(tokens), words + 1)[:, :words]
