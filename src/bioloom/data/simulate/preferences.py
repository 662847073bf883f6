"""Pairs of DNA of which a simulated judge prefers one: he likes G and C, and TATAAT, and is not quite consistent."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.simulate import Made, Simulator, simulators

LETTERS = np.array(list("ACGT"))

FOLLOWS = np.array(
    [[0.40, 0.15, 0.20, 0.25], [0.30, 0.25, 0.15, 0.30], [0.30, 0.20, 0.20, 0.30], [0.20, 0.15, 0.25, 0.40]]
)
"""How often A, C, G, T (columns) follow each letter (rows): DNA that is rich in A and T."""

PROMPT, RESPONSE = 8, 16
"""Letters of a prompt and of a response."""

BOX = "TATAAT"


def liked(response: str) -> float:
    """How much the judge likes a response: 8 for each whole share of G and C, and 2 where TATAAT stands in it."""
    return 8 * sum(letter in "GC" for letter in response) / max(len(response), 1) + 2 * (BOX in response)


def chains(
    count: int, length: int, random: np.random.Generator, first: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Sequences in which each letter depends on the one before it, (count, length) numbers of letters.

    first: (count,) the letters they follow; at random without
    """
    state = random.integers(0, 4, count) if first is None else first
    columns = []
    for _ in range(length):
        below = FOLLOWS.cumsum(axis=1)[state]
        state = (random.random(count)[:, None] > below).sum(axis=1).clip(0, 3)
        columns.append(state)
    return np.stack(columns, axis=1)


def _words(numbers: NDArray[np.int64]) -> list[str]:
    return ["".join(row) for row in LETTERS[numbers]]


def _make(records: int, seed: int) -> Made:
    random = np.random.default_rng(seed)
    prompts = chains(records, PROMPT, random)
    one, other = (_words(chains(records, RESPONSE, random, prompts[:, -1])) for _ in range(2))
    apart = np.array([liked(a) - liked(b) for a, b in zip(one, other, strict=True)])
    first = random.random(records) < 1 / (1 + np.exp(-apart))
    pairs = [(a, b) if yes else (b, a) for a, b, yes in zip(one, other, first, strict=True)]
    frame = pd.DataFrame({"id": [f"pair{n + 1}" for n in range(records)], "prompt": _words(prompts)})
    frame["chosen"], frame["rejected"] = [chosen for chosen, _ in pairs], [rejected for _, rejected in pairs]
    unlabelled = pd.DataFrame({"sequence": _words(chains(2 * records, PROMPT + RESPONSE, random))})
    rule = {"gc": 8.0, "box": BOX, "for_box": 2.0, "odds": "e to the difference in liking (Bradley-Terry)"}
    return Made(frame, rule, {"sequences": unlabelled})


simulators.register(
    Simulator(
        name="preferences",
        title="pairs of continuations of DNA, of which a judge who likes G, C and TATAAT prefers one",
        target="chosen",
        task="language",
        make=_make,
        source="Bradley & Terry (1952) doi:10.2307/2334029",
    )
)
