"""How often each word of k letters occurs in sequences, as shares."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

NUMBERS = 2**20
"""Letters counted at once, so that what is counted stays in the cache."""

COUNTS = 2**23
"""Counts of words held at once: 64 MB, however short the records are."""


def kmer_names(letters: str, k: int) -> tuple[str, ...]:
    """All words of k letters in the order of `kmer_shares`."""
    return tuple("kmer " + "".join(word) for word in product(letters, repeat=k))


def kmer_shares(tokens: NDArray[np.uint8], letters: int, k: int) -> NDArray[np.float32]:
    """The share of each word among the words of k plain letters in each record.

    tokens:  (records, positions); tokens from `letters` on (gaps, padding, mixtures) break words
    Returns (records, letters ** k); zeros where a record holds no word of k plain letters.
    """
    shares = np.zeros((len(tokens), letters**k), dtype=np.float32)
    step = max(1, min(NUMBERS // max(1, tokens.shape[1]), COUNTS // letters**k))
    for first in range(0, len(tokens), step):
        rows = slice(first, first + step)
        counts = _counts(tokens[rows], letters, k)
        shares[rows] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def kmer_counts(tokens: NDArray[np.uint8], letters: int, k: int) -> csr_array:
    """How often each word of k plain letters occurs in each record, (records, letters ** k), sparse.

    tokens: as for `kmer_shares`. Codes of words are sorted record by record, so that equal ones stand side by side: memory
    grows with the words that occur, and not with those that are possible.
    """
    from scipy.sparse import csr_array

    words = letters**k
    step = max(1, NUMBERS // max(1, tokens.shape[1]))
    parts = [_runs(np.sort(_codes(tokens[first : first + step], letters, k), axis=1), words)
             for first in range(0, len(tokens), step)] or [_runs(np.zeros((0, 0), dtype=np.uint32), words)]  # fmt: skip
    ends = np.cumsum(np.concatenate([[0], *(held for held, _, _ in parts)]), dtype=np.int64)
    which = np.concatenate([codes for _, codes, _ in parts]).astype(np.int32)
    counts = np.concatenate([times for _, _, times in parts])
    return csr_array((counts, which, ends), shape=(len(tokens), words))


def _codes(tokens: NDArray[np.uint8], letters: int, k: int) -> NDArray[np.unsignedinteger]:
    """The number of each word in base `letters`, (records, words); `letters ** k` where a letter is not plain."""
    windows = max(0, tokens.shape[1] - k + 1)
    kind = np.uint16 if letters**k < 2**16 else np.uint32
    codes = np.zeros((len(tokens), windows), dtype=kind)
    for offset in range(k):
        codes *= kind(letters)
        codes += tokens[:, offset : offset + windows]
    plain = tokens < letters
    if not plain.all():
        broken = np.zeros((len(tokens), windows), dtype=bool)
        for offset in range(k):
            broken |= ~plain[:, offset : offset + windows]
        codes[broken] = letters**k
    return codes


def _runs(
    codes: NDArray[np.unsignedinteger], words: int
) -> tuple[NDArray[np.int64], NDArray[np.unsignedinteger], NDArray[np.int32]]:
    """Of sorted codes, (records, words): different ones in each record, which, and how often each; broken ones left out."""
    first = np.ones(codes.shape, dtype=bool)
    np.not_equal(codes[:, 1:], codes[:, :-1], out=first[:, 1:])
    starts = np.flatnonzero(first)
    which = codes.ravel()[starts]
    times = np.diff(starts, append=codes.size).astype(np.int32)
    held = np.count_nonzero(first, axis=1)
    kept = which < words
    if not kept.all():
        # broken words are the largest code, so the last run of a record
        held = held - (codes[:, -1] >= words)
        which, times = which[kept], times[kept]
    return held, which, times


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
