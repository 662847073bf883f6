"""Short words that tell oligos apart, also after errors of synthesis and sequencing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from bioloom.data.similarity.copies import reverse_complement
from bioloom.design.rules import pattern
from bioloom.errors import UserError

TRIES = 400
"""Words drawn for each barcode that is wanted, before it counts as impossible."""


def edit_distance(one: str, other: str, most: int) -> int:
    """Insertions, deletions and replacements from one word to another (Levenshtein 1966); at most `most` + 1 is told."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def barcodes(
    count: int,
    length: int,
    apart: int,
    *,
    avoid: Sequence[str] = (),
    gc: tuple[float, float] = (0.4, 0.6),
    seed: int = 0,
) -> list[str]:
    """Words of DNA that are at least `apart` edits from each other and from each other's reverse complements.

    Two errors are recognised with apart = 3, and one can be corrected. No word has three equal letters in a row, holds
    one of `avoid` (on either strand), or could pair with itself: six letters that are the reverse complement of six
    others in it.
    Raises UserError where so many words were not found.
    """
    random = np.random.default_rng(seed)
    found: list[str] = []
    near: dict[str, list[str]] = {}  # by what is left of a word without some letters
    for _ in range(TRIES * count):
        if len(found) == count:
            return found
        word = "".join(random.choice(list("ACGT"), length))
        if _plain(word, avoid, gc) and _far(word, near, apart):
            found.append(word)
            for rest in _shortened(word, apart - 1):
                near.setdefault(rest, []).append(word)
    if len(found) == count:
        return found
    raise UserError(
        f"Only {len(found)} barcodes of {length} letters were found that are {apart} edits apart; {count} are needed.",
        fix="choose longer barcodes, or fewer edits between them",
    )


def _plain(word: str, avoid: Sequence[str], gc: tuple[float, float]) -> bool:
    share = (word.count("G") + word.count("C")) / len(word)
    if not gc[0] <= share <= gc[1] or re.search(r"(.)\1\1", word):
        return False
    other = reverse_complement(word)
    if any(pattern(each).search(word) or pattern(each).search(other) for each in avoid):
        return False
    return not any(word[start : start + 6] in other for start in range(len(word) - 5))


def _far(word: str, near: Mapping[str, Sequence[str]], apart: int) -> bool:
    """Whether a word and its reverse complement are so many edits from all others.

    Two words that are d edits apart are the same without at most d letters of each (symmetric deletion), so that only few
    have to be compared.
    """
    return not any(
        edit_distance(strand, each, apart - 1) < apart
        for strand in (word, reverse_complement(word))
        for rest in _shortened(strand, apart - 1)
        for each in near.get(rest, ())
    )


def _shortened(word: str, letters: int) -> set[str]:
    """A word without up to so many of its letters."""
    found, last = {word}, {word}
    for _ in range(letters):
        last = {each[:place] + each[place + 1 :] for each in last for place in range(len(each))}
        found |= last
    return found
