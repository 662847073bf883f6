"""Language models that count: how often each token follows the few before it, smoothed after Kneser and Ney.

They need no gradients, and are what a network that writes has to beat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

ORDERS = (2, 3, 4, 5, 6, 7, 8)
"""Tokens that are looked at together at most, the last of them being predicted; validation records choose."""

DEFAULT = 4
"""The order where there is no validation record to choose by."""

PATIENCE = 2
"""Orders in a row that are worse than the best one before longer runs are not tried any more."""

ROWS_AT_ONCE = 4_096
"""Records that are judged at once."""

BEFORE = (0, -1, -2, -3, -4, -5, -6, -7)
"""Where the tokens of a run stand, the one that is predicted first, then its context from the nearest one on."""

AROUND = (0, -1, 1, -2, 2, -3, 3, -4)
"""The same where tokens on both sides are known."""


@dataclass(frozen=True)
class Order:
    """What was counted of all runs of so many tokens. Runs are numbers in the base of the tokens, sorted.

    runs:     (runs,) and counts (runs,): of the highest order how often each occurs, of lower ones behind how many
              different tokens
    contexts: (contexts,) runs without their last token; total (contexts,) the sum of their counts, kinds (contexts,) how
              many different tokens follow, likeliest (contexts,) the one that follows most often
    discount: what is taken off each count and given to the next lower order
    """

    runs: Numbers
    counts: Numbers
    contexts: Numbers
    total: Numbers
    kinds: Numbers
    likeliest: Numbers
    discount: float

    @classmethod
    def of(cls, runs: Numbers, base: int) -> Order:
        """Count runs, (occurrences,) numbers."""
        different, counts = np.unique(runs, return_counts=True)
        contexts, first = np.unique(different // base, return_index=True)
        best = np.lexsort((different, -counts, different // base))  # by context, the most frequent first
        once, twice = int((counts == 1).sum()), int((counts == 2).sum())
        return cls(
            different,
            counts.astype(np.int64),
            contexts,
            np.add.reduceat(counts, first).astype(np.int64),
            np.diff(np.append(first, len(different))).astype(np.int64),
            different[best][first] % base,
            once / (once + 2 * twice) if once and twice else 0.5,
        )


@simple_models.register
class KGram(SimpleModel):
    """How often each token follows those before it; a context that was seldom seen is backed by a shorter one.

    P(w | h) = max(c(hw) - D, 0) / c(h) + D N(h) / c(h) P(w | h without its first token), in which c counts runs (of lower
    orders: different tokens before them), N(h) counts the different tokens behind h, and D = n1 / (n1 + 2 n2) from
    the runs that occur once and twice; below single tokens all are alike. No run reaches over the start of a record.
    The order is the one with the highest likelihood on validation records.
    Sources: Kneser & Ney (1995) ICASSP, doi:10.1109/ICASSP.1995.479394; interpolated, Chen & Goodman (1999)
    Computer Speech & Language 13:359.
    """

    name = "kgram"
    title = "counts of short runs of tokens"
    orders: tuple[int, ...] = ORDERS
    stands: ClassVar[tuple[int, ...]] = BEFORE

    def __init__(self, orders: list[Order], base: int) -> None:
        self.levels, self.base = orders, base

    @classmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """Count runs of the training records; choose the order on the validation records."""
        tokens, other = data.features.astype(np.int64), data.validation_features.astype(np.int64)
        base = int(max(tokens.max(initial=0), other.max(initial=0))) + 2
        most = floor(63 / log(base, 2))
        best, best_loss, worse = None, np.inf, 0
        for order in [each for each in cls.orders if each <= most] if len(other) else [min(DEFAULT, most)]:
            model = cls(_counted(tokens, base, order, cls.stands), base)
            loss = _loss(model.predict(data.validation_features))
            if best is None or loss < best_loss:
                best, best_loss, worse = model, loss, 0
            elif (worse := worse + 1) == PATIENCE:
                break
        assert best is not None
        return best

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-likelihood per token, share of tokens that were the likeliest ones, and tokens, (records, 3).

        features: (records, positions) numbers of tokens, 0 where nothing stands
        The likeliest token is the one that most often followed the longest context that is known.
        """
        tokens = np.minimum(features.astype(np.int64), self.base - 1)
        parts = [
            self._judged(tokens[row : row + ROWS_AT_ONCE]) for row in range(0, len(tokens), ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 3), dtype=np.float32)

    def _judged(self, tokens: Numbers) -> NDArray[np.float32]:
        stands = tokens > 0
        probability = np.full(tokens.shape, 1.0 / max(self.base - 2, 1))
        likeliest = np.zeros_like(tokens)
        for number, level in enumerate(self.levels, start=1):
            probability, likeliest = self._with(level, number, tokens, (probability, likeliest))
        count = stands.sum(axis=1)
        sums = np.where(stands, np.log(probability), 0.0).sum(axis=1)
        right = ((likeliest == tokens) & stands).sum(axis=1)
        each = np.column_stack([-sums / np.maximum(count, 1), right / np.maximum(count, 1), count])
        return each.astype(np.float32)

    def _with(
        self, level: Order, number: int, tokens: Numbers, lower: tuple[Floats, Numbers]
    ) -> tuple[Floats, Numbers]:
        """Probabilities and likeliest tokens with those of a higher order, where its contexts are known."""
        runs, whole = _runs(tokens, self.base, self.stands[:number])
        count, _ = _found(level.runs, level.counts, runs)
        total, place = _found(level.contexts, level.total, runs // self.base)
        known = (total > 0) & whole
        kinds, divisor = level.kinds[place], np.maximum(total, 1)
        probability = (np.maximum(count - level.discount, 0) + level.discount * kinds * lower[0]) / divisor
        return np.where(known, probability, lower[0]), np.where(known, level.likeliest[place], lower[1])

    def describe(self) -> str:
        """The order, and how many runs were counted."""
        seen = len(self.levels[-1].runs)
        return f"runs of up to {len(self.levels)} tokens, {seen:,} different ones of the longest"

    def state(self) -> dict[str, NDArray[Any]]:
        """All counts."""
        arrays: dict[str, NDArray[Any]] = {"base": np.array([self.base])}
        for number, level in enumerate(self.levels, start=1):
            for name in FIELDS:
                arrays[f"{number} {name}"] = np.atleast_1d(np.asarray(getattr(level, name)))
        return arrays

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        orders: list[Order] = []
        while f"{len(orders) + 1} runs" in state:
            each = {name: state[f"{len(orders) + 1} {name}"] for name in FIELDS}
            discount = float(each.pop("discount")[0])
            orders.append(Order(**each, discount=discount))
        return cls(orders, int(state["base"][0]))


FIELDS = ("runs", "counts", "contexts", "total", "kinds", "likeliest", "discount")


@simple_models.register
class TokenShares(KGram):
    """Each token as likely as it is frequent, whatever stands before it."""

    name = "token_shares"
    title = "how frequent each token is"
    orders = (1,)


@simple_models.register
class KGramAround(KGram):
    """How often each token stands between those on both of its sides, smoothed in the same way.

    The context grows from the nearest neighbours outwards, the one before the token first; it is what a masked language
    model has to beat.
    """

    name = "kgram_around"
    title = "counts of tokens and their nearest neighbours"
    stands = AROUND


def _loss(judged: NDArray[np.float32]) -> float:
    return float((judged[:, 0] * judged[:, 2]).sum() / max(judged[:, 2].sum(), 1))


def _runs(tokens: Numbers, base: int, stands: tuple[int, ...]) -> tuple[Numbers, NDArray[np.bool_]]:
    """The run of tokens that stand so far from each position, and whether it lies within the record.

    The last digit of a run is the token at the position itself, and the first that of the farthest one.
    """
    runs, whole, positions = np.zeros_like(tokens), np.ones(tokens.shape, dtype=bool), tokens.shape[1]
    for offset in reversed(stands):
        there = np.zeros_like(tokens)
        back, on = max(-offset, 0), max(offset, 0)
        there[:, back : max(positions - on, 0)] = tokens[:, on : max(positions - back, 0)]
        runs, whole = runs * base + there, whole & (there > 0)
    return runs, whole


def _counted(tokens: Numbers, base: int, order: int, stands: tuple[int, ...] = BEFORE) -> list[Order]:
    """What is counted for each order from 1; below the highest, runs of the next higher one without their first token."""
    levels = []
    for number in range(1, order + 1):
        longer = min(number + 1, order)
        runs, whole = _runs(tokens, base, stands[:longer])
        seen = runs[whole]
        if longer > number:
            seen = np.unique(seen) % base**number
        if not len(seen):
            break
        levels.append(Order.of(seen, base))
    return levels


def _found(keys: Numbers, values: Numbers, asked: Numbers) -> tuple[Numbers, Numbers]:
    """The value of each key that is asked for, 0 where there is none; and its place."""
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[place] == asked, values[place], 0), place
