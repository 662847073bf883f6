"""From aligned binding sites to a position weight matrix, and its score along a sequence.

Matrices are (letters, positions), letters in the order A, C, G, T.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError

LETTERS = "ACGT"


def one_hot(sequence: str) -> NDArray[np.float64]:
    """A sequence as a matrix of zeros and ones, (4, positions): A is 1, 0, 0, 0 and T is 0, 0, 0, 1.

    Raises UserError for letters other than A, C, G and T, in either case.
    """
    text = sequence.upper()
    unknown = sorted(set(text) - set(LETTERS))
    if unknown:
        position = text.index(unknown[0]) + 1
        raise UserError(
            f'"{unknown[0]}" is no letter of DNA.',
            where=f"position {position} of {sequence[:20]!r}",
            fix="a matrix is made from sites spelled with A, C, G and T",
        )
    found: NDArray[np.bool_] = np.array(list(LETTERS))[:, None] == np.array(list(text))
    return found.astype(np.float64)


def frequency_matrix(sites: Sequence[str]) -> NDArray[np.float64]:
    """Position frequency matrix: how often each letter stands at each position of aligned sites, (4, positions).

    Raises UserError where there is no site, or the sites differ in length.
    """
    if not sites:
        raise UserError("There are no sites to count.", fix="give at least one site")
    odd = next((site for site in sites if len(site) != len(sites[0])), None)
    if odd is not None:
        raise UserError(
            f"The sites differ in length: {len(sites[0])} and {len(odd)}.",
            where=odd[:40],
            fix="align the sites first",
        )
    return np.asarray(np.sum([one_hot(site) for site in sites], axis=0))


def weight_matrix(frequencies: NDArray[np.float64], pseudocount: float = 0.5) -> NDArray[np.float64]:
    """Position weight matrix: the probability of each letter at each position, (4, positions).

    pseudocount: added to every count, so that a letter that was never seen is unlikely, not impossible
    """
    counts = np.asarray(frequencies, dtype=np.float64) + pseudocount
    return np.asarray(counts / counts.sum(axis=0))


def log_scores(sequence: str, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The natural logarithm of the probability of each window of a sequence under a matrix, (windows,).

    Windows start at 0, 1, ...; a sequence shorter than the matrix has none.
    """
    width = weights.shape[1]
    x = one_hot(sequence)
    with np.errstate(divide="ignore"):  # a letter that is impossible scores minus infinity
        logs = np.log(weights)
    scores = np.zeros(max(0, x.shape[1] - width + 1))
    letters = x.argmax(axis=0)
    # position by position, so that the sum is the one done by hand to the last digit
    for offset in range(width):
        scores += logs[letters[offset : offset + len(scores)], offset]
    return scores


def information_content(frequencies: NDArray[np.floating], count: float | None = None) -> NDArray[np.float64]:
    """Letter heights of an information logo in bits, (letters, positions).

    Height = frequency x (log2 letters + sum of p log2 p - e), with e = (letters - 1) / (2 ln 2 count), the
    small-sample correction, where the number of aligned sequences is given; never below zero.
    Schneider & Stephens 1990, Nucleic Acids Research 18:6097. A position without any letter has height 0.
    """
    counts = np.asarray(frequencies, dtype=np.float64)
    total = counts.sum(axis=0, keepdims=True)
    p = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    entropy = -np.sum(p * np.log2(p, out=np.zeros_like(p), where=p > 0), axis=0)
    correction = (len(p) - 1) / (2 * np.log(2) * count) if count else 0.0
    return np.asarray(p * np.clip(np.log2(len(p)) - entropy - correction, 0.0, None))
