"""Sequences inside longer ones, against Python's own search."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.data.similarity.contained import contained, shortest
from bioloom.data.similarity.letters import read_letters
from bioloom.data.similarity.near import clusters
from planted import DNA, ONE_STRAND, PROTEIN, RESIDUES, Alphabet, texts, turned, unrelated


def brute(sequences: np.ndarray, alphabet: Alphabet) -> set[tuple[int, int, bool]]:
    least = shortest(read_letters(sequences, alphabet))
    found = set()
    for i, short in enumerate(sequences):
        for j, long in enumerate(sequences):
            if least <= len(short) < len(long):
                if short in long:
                    found.add((i, j, False))
                elif alphabet.both_strands and turned(short) in long:
                    found.add((i, j, True))
    return found


@pytest.mark.parametrize(("alphabet", "letters"), [(DNA, "ACGT"), (ONE_STRAND, "ACGT"), (PROTEIN, RESIDUES)])
def test_what_is_contained_equals_brute_force(alphabet: Alphabet, letters: str) -> None:
    random = np.random.default_rng(0)
    whole = unrelated(random, 30, 120, letters)
    pieces = []
    for number in range(60):
        size = int(random.integers(6, 110))
        start = int(random.integers(0, 120 - size))
        piece = whole[number % 30][start : start + size]
        pieces.append(turned(piece) if letters == "ACGT" and number % 3 == 0 else piece)
    nested = [pieces[5][2:-2], whole[0] + whole[1], whole[2] * 3]
    sequences = texts(whole + pieces + nested + unrelated(random, 20, 50, letters))
    found = contained(sequences, alphabet)
    pairs = set(zip(found.left.tolist(), found.right.tolist(), found.reverse.tolist(), strict=True))
    assert pairs == brute(sequences, alphabet)
    assert len(pairs) > 40


def test_a_short_word_is_not_a_contained_copy() -> None:
    """A site of six letters stands in many sequences for a reason of its own."""
    random = np.random.default_rng(1)
    sites = [one[:6] for one in unrelated(random, 20, 100)]
    assert not len(contained(texts([*unrelated(random, 50, 100), *sites]), DNA))


def test_a_record_of_unknown_letters_lies_in_nothing() -> None:
    sequences = texts(["N" * 40, "ACGTTGCA" * 5 + "N" * 60])
    assert not len(contained(sequences, DNA))


def test_records_that_start_alike_cost_no_square_of_comparisons() -> None:
    """Amplicons share a primer: the first letters alone would pair all with all."""
    random = np.random.default_rng(2)
    primer = unrelated(random, 1, 20)[0]
    rest = unrelated(random, 3_000, 40)
    sequences = texts([primer + one[: 10 + number % 30] for number, one in enumerate(rest)])
    assert not len(contained(sequences, DNA))


def test_a_sequence_and_a_piece_of_it_are_one_family() -> None:
    random = np.random.default_rng(3)
    long, other = unrelated(random, 2, 400)
    assert clusters(texts([long, other, turned(long[100:125])]), DNA).tolist() == [0, 1, 0]
