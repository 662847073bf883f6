"""How well a language model expects what comes next. Tokens count alike; weights and draws are of whole records.

Values are (records, 3): -log p per token, the share of tokens that were the likeliest ones, and how many tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bioloom.metrics.metric import LOGIT, MEAN, Estimate, Floats, Metric, Pairs, always, ratio


def over_tokens(
    column: int, then: Callable[[Floats], Floats] = lambda mean: mean
) -> Callable[[Pairs], Estimate]:
    """The mean of a column over all tokens of all records, and what is made of it."""

    def prepare(pairs: Pairs) -> Estimate:
        value = np.asarray(pairs.value, dtype=np.float64)
        count = np.where(np.isfinite(pairs.truth[:, 0]), value[:, 2], 0.0)
        sums = np.where(count > 0, value[:, column] * count, 0.0)
        return lambda weights: then(ratio(sums @ weights, count @ weights))

    return prepare


def _nothing_judged(pairs: Pairs) -> str | None:
    value = np.asarray(pairs.value)[np.isfinite(pairs.truth[:, 0])]
    if not value[:, 2].sum():
        return "no record holds a token"
    return None if np.isfinite(value).all() else "some predictions are not finite numbers"


NO_GUESS = always(float("nan"))
"""What guessing gives follows from how frequent each token is, which a model of its own says: `token_shares`."""

NEXT = (
    Metric(
        name="nats",
        title="nats per token",
        plain="How surprised the model is by each next token, on average: minus the natural logarithm of the probability "
        "that it gave to the token that came; 0 is no surprise at all, and nats divided by 0.693 are bits.",
        prepare=over_tokens(0),
        reason=_nothing_judged,
        scale=MEAN,
        chance=NO_GUESS,
        best=0.0,
        range=(0.0, np.inf),
        higher_is_better=False,
    ),
    Metric(
        name="perplexity",
        title="perplexity",
        plain="Among how many equally likely tokens the model seems to choose at each position: e to the power of nats "
        "per token; 1 is certainty.",
        prepare=over_tokens(0, np.exp),
        reason=_nothing_judged,
        scale=MEAN,
        chance=NO_GUESS,
        best=1.0,
        range=(1.0, np.inf),
        higher_is_better=False,
    ),
    Metric(
        name="next_right",
        title="share of next tokens right",
        plain="How often the token that the model found likeliest was the one that came.",
        prepare=over_tokens(1),
        reason=_nothing_judged,
        scale=LOGIT,
        chance=NO_GUESS,
    ),
)

HIDDEN = (
    (
        "masked_nats",
        "nats per hidden token",
        "How surprised the model is by each token that was hidden from it, on average, knowing those on both sides: "
        "minus the natural logarithm of the probability that it gave to the token; 0 is no surprise at all, and nats "
        "divided by 0.693 are bits.",
    ),
    (
        "masked_perplexity",
        "perplexity of hidden tokens",
        "Among how many equally likely tokens the model seems to choose at each hidden position: e to the power of "
        "nats per token; 1 is certainty.",
    ),
    (
        "masked_right",
        "share of hidden tokens right",
        "How often the token that the model found likeliest was the one that had been hidden.",
    ),
)
"""The same of hidden tokens, in the order of those of next tokens: name, title, and what it says."""

LIKELIHOOD = (
    *NEXT,
    *(
        replace(each, name=name, title=title, plain=plain)
        for each, (name, title, plain) in zip(NEXT, HIDDEN, strict=True)
    ),
)
