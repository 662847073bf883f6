"""How well answers are written, such as a protein for a gene or a caption for a picture.

Truths and values are (records, 3 + longest): nats per token, the share of tokens right, how many, and then the numbers of
the tokens (see `bioloom.data.answers`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.data.answers import SAID, lengths_of
from bioloom.metrics.likelihood import over_tokens
from bioloom.metrics.metric import LOGIT, MEAN, Estimate, Floats, Metric, Pairs, always, ratio

NO_GUESS = always(float("nan"))
"""What guessing gives follows from the answers themselves; the model `commonest_answer` says it."""

Counted = Callable[[NDArray[Any], NDArray[Any]], tuple[Floats, Floats]]
"""(written, true) numbers of tokens -> hits and what they are counted among, (records,) each."""


def _share(counted: Counted) -> Callable[[Pairs], Estimate]:
    """Hits of all records among what could be hit in all of them."""

    def prepare(pairs: Pairs) -> Estimate:
        hits, among = counted(
            *(np.nan_to_num(each)[:, SAID:].astype(np.int64) for each in (pairs.value, pairs.truth))
        )
        known = np.isfinite(pairs.truth[:, 0])
        return lambda weights: ratio((hits * known) @ weights, (among * known) @ weights)

    return prepare


def in_place(written: NDArray[Any], true: NDArray[Any]) -> tuple[Floats, Floats]:
    """Tokens that stand where they should, among those of the longer of the two answers; ends do not count."""
    places = np.arange(true.shape[1])
    lengths = lengths_of(written), lengths_of(true)
    both = places < np.minimum(*lengths)[:, None]
    return ((written == true) & both).sum(axis=1).astype(float), np.maximum(*lengths).astype(float)


def whole(written: NDArray[Any], true: NDArray[Any]) -> tuple[Floats, Floats]:
    """Whether the whole answer is right."""
    hits, longer = in_place(written, true)
    return (hits == longer).astype(float), np.ones(len(hits))


def alike(written: NDArray[Any], true: NDArray[Any]) -> tuple[Floats, Floats]:
    """Tokens of the longer answer less the changes that lead from one to the other, among those tokens.

    The fewest insertions, deletions and exchanges: Levenshtein (1966) Soviet Physics Doklady 10:707, computed column by
    column for all records at once; two columns are held.
    """
    first, second = lengths_of(written), lengths_of(true)
    longest = int(second.max(initial=0))
    # (tokens of the truth, records)
    before = np.tile(np.arange(longest + 1, dtype=np.int32)[:, None], len(true))
    changes = np.take_along_axis(before, second[None], axis=0)[0]
    for i in range(1, int(first.max(initial=0)) + 1):
        now = np.full_like(before, i)
        for j in range(1, longest + 1):
            exchanged = before[j - 1] + (written[:, i - 1] != true[:, j - 1])
            now[j] = np.minimum(np.minimum(before[j], now[j - 1]) + 1, exchanged)
        changes = np.where(first == i, np.take_along_axis(now, second[None], axis=0)[0], changes)
        before = now
    longer = np.maximum(first, second).astype(float)
    return longer - changes, longer


def _no_probability(pairs: Pairs) -> str | None:
    value = np.asarray(pairs.value)[np.isfinite(pairs.truth[:, 0])]
    if not np.isfinite(value[:, 0]).all():
        return "it names an answer and no probabilities"
    return None if value[:, 2].sum() else "no answer holds a token"


def _empty(pairs: Pairs) -> str | None:
    known = np.isfinite(pairs.truth[:, 0])
    value, truth = np.asarray(pairs.value)[known], np.asarray(pairs.truth)[known]
    if not np.isfinite(value[:, SAID:]).all():
        return "some predictions are not finite numbers"
    either = np.maximum(lengths_of(value[:, SAID:]), lengths_of(truth[:, SAID:]))
    return None if either.sum() else "no answer holds a token"


def _nothing(pairs: Pairs) -> str | None:
    reason = _empty(pairs)
    known = np.isfinite(pairs.truth[:, 0])
    return None if reason == "no answer holds a token" and known.any() else reason


ANSWERS = (
    Metric(
        name="tokens_right",
        title="share of tokens right",
        plain="The share of letters, or words, that stand where they should in what was written; a missing and a surplus one "
        "counts as wrong, and so does all that a missing one shifts; 1 is all of them.",
        prepare=_share(in_place),
        reason=_empty,
        scale=LOGIT,
        chance=NO_GUESS,
    ),
    Metric(
        name="exact_match",
        title="share of answers that are right as a whole",
        plain="How often the whole answer, from its first letter or word to its end, is just the true one.",
        prepare=_share(whole),
        reason=_nothing,
        scale=LOGIT,
        chance=NO_GUESS,
    ),
    Metric(
        name="edit_similarity",
        title="likeness of answers",
        plain="The share of an answer that needs no change: 1 less the fewest insertions, deletions and exchanges that lead "
        "from what was written to the truth, among the letters or words of the longer one.",
        prepare=_share(alike),
        reason=_empty,
        scale=LOGIT,
        chance=NO_GUESS,
    ),
    Metric(
        name="answer_nats",
        title="nats per token of the true answer",
        plain="How surprised the model is by each next letter or word of the true answer, knowing those before it: minus the "
        "natural logarithm of the probability that it gave to it; 0 is no surprise at all.",
        prepare=over_tokens(0),
        reason=_no_probability,
        scale=MEAN,
        chance=NO_GUESS,
        best=0.0,
        range=(0.0, np.inf),
        higher_is_better=False,
    ),
)
