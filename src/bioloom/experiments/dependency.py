"""Whose effect depends on whom: pairs of positions are changed together and one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError
from bioloom.experiments.effects import Answer, put

MOST = 200
"""Positions of a map; all pairs of 200 take 180,000 answers."""

AT_ONCE = 4096
"""Sequences that are answered together."""


def dependency(
    answer: Answer, sequence: str, start: int = 0, end: int | None = None, *, letters: str = "ACGT"
) -> NDArray[np.float64]:
    """How much the effect of one position depends on another, (positions, positions), symmetric, 0 on the diagonal.

    For each pair the largest |f(both) - f(one) - f(other) + f(neither)| over all nine double substitutions: 0 where
    the effects add up. Cost: 9 answers for each pair and 3 for each position.
    letters: the four of the alphabet
    Raises UserError for more positions than a map holds.
    """
    end = len(sequence) if end is None else end
    if not 0 <= start < end <= len(sequence) or end - start > MOST:
        raise UserError(
            f"A map of {end - start} positions cannot be made of {len(sequence)} letters.",
            fix=f"choose at most {MOST} positions inside of the sequence, with a start below the end",
        )
    width = end - start
    others = [[new for new in letters if new != sequence[place].upper()][:3] for place in range(start, end)]
    none = float(answer([sequence])[0])
    singles = answer([put(sequence, new, start + place) for place in range(width) for new in others[place]])
    one = singles.reshape(width, 3)
    found = np.zeros((width, width))
    pairs = [(first, second) for first in range(width) for second in range(first + 1, width)]
    per_round = max(1, AT_ONCE // 9)
    for begin in range(0, len(pairs), per_round):
        some = pairs[begin : begin + per_round]
        texts = [
            put(put(sequence, a, start + first), b, start + second)
            for first, second in some
            for a in others[first]
            for b in others[second]
        ]
        both = answer(texts).reshape(len(some), 3, 3)
        for (first, second), answers in zip(some, both, strict=True):
            rest = answers - one[first][:, None] - one[second][None, :] + none
            found[first, second] = found[second, first] = np.abs(rest).max()
    return found
