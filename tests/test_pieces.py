"""Byte-pair tokens, beside a brute-force form of the same rule."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from bioloom.modalities.pieces import _CUT, FEWEST, LONGEST, UNKNOWN, Pieces

TEXT = (
    "the cat sat on the mat and the other cat sat there. " * 12
    + "Then 12 cats, 12 mats;\n\n\tthe end -- nearly!\n" * 11
)


def brute_force(text: str, most: int) -> tuple[tuple[int, int], ...]:
    """Count all pairs anew before each join."""
    words, start = Counter(_CUT.findall(text)), Pieces.learn([text])
    spelt = {word: start.encode(word).tolist() for word in words}
    lengths, merges = [len(name) for name in start.names], []
    while len(merges) < most:
        counts: Counter[tuple[int, int]] = Counter()
        for word, times in words.items():
            for pair in zip(spelt[word], spelt[word][1:], strict=False):
                counts[pair] += times
        counts = Counter({
            (a, b): count
            for (a, b), count in counts.items()
            if count >= FEWEST and lengths[a] + lengths[b] <= LONGEST
        })  # fmt: skip
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        lengths.append(lengths[best[0]] + lengths[best[1]])
        for word, tokens in spelt.items():
            joined: list[int] = []
            for token in tokens:
                if joined and (joined[-1], token) == best:
                    joined[-1] = len(lengths) - 1
                else:
                    joined.append(token)
            spelt[word] = joined
    return tuple(merges)


@pytest.mark.parametrize("most", [5, 40, 200])
def test_pairs_are_joined_in_the_order_of_a_brute_force_count(most: int) -> None:
    assert Pieces.learn([TEXT], most).merges == brute_force(TEXT, most)


@pytest.mark.parametrize("most", [0, 30])
def test_joining_all_tokens_gives_the_text_back(most: int) -> None:
    pieces = Pieces.learn([TEXT], most)
    for text in (TEXT, "  the  cat\r\n", "", "tac"):
        known = "".join(
            letter if letter in pieces.characters else "\N{REPLACEMENT CHARACTER}" for letter in text
        )
        assert pieces.decode(pieces.encode(text)) == known


def test_frequent_words_become_one_token_with_the_space_before_them() -> None:
    pieces = Pieces.learn([TEXT], 200)
    assert " the" in pieces.names
    assert len(pieces.encode(TEXT)) < len(TEXT) / 2


def test_a_character_that_training_never_saw_is_unknown() -> None:
    assert Pieces.learn([TEXT], 30).encode("t\N{SNOWMAN}t").tolist().count(UNKNOWN) == 1


def test_the_most_frequent_character_comes_first() -> None:
    assert Pieces.learn(["abbccc"]).characters == ("c", "b", "a")


def test_tokens_survive_a_trip_through_json() -> None:
    pieces = Pieces.learn([TEXT], 40)
    again = Pieces.from_state(json.loads(json.dumps(pieces.state())))
    assert again == pieces
    np.testing.assert_array_equal(again.encode(TEXT), pieces.encode(TEXT))
