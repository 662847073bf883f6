"""Advice that checks and verdict share, and that depends on the run: what would be wrong for some is not said there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bioloom.evaluation.curve import FLOOR_FROM
from bioloom.evaluation.facts import Facts
from bioloom.metrics import METRICS, Metric


def larger_test(facts: Facts) -> str:
    """How to test more records, as advice that begins in lower case."""
    what = facts.units.split()[-1] if facts.units else "records"  # "73 families" are enlarged by families
    if facts.folds > 1:
        return f"collect more {what}: every record is tested already"
    if facts.splitter.by_lot:
        return (
            f"give the test more {what} (--set split.test=0.3), test every record once (--set split.folds=5), "
            f"or collect more {what}"
        )
    if facts.splitter.in_folds:
        return f"test every record once (--set split.folds=5), or collect more {what}"
    return f"collect more {what} for the test"


def unlike_records(facts: Facts) -> str:
    """What to do where the nearest training record answers as well, as advice that begins in lower case."""
    if facts.splitter.unlike:
        return (
            "collect records of more families, or take the look-up: the test records are of families that the network "
            "did not learn from, and it may know no more of them than their nearest relative does"
        )
    if facts.splitter.one_parent:
        return (
            "collect more variants, and variants with several mutations: the nearest variant says as much about a new one as "
            "the network does"
        )
    return (
        "the test may be too like the training records: split by similarity (--split similarity) to see what is left "
        "on records unlike them"
    )


WORTH_ASKING = 0.01
"""Share of the way from guessing to perfect that twice the records must add to be worth the work of measuring them."""


@dataclass(frozen=True)
class Doubled:
    """What twice the training records would add to the network, with its 95 % interval; positive is better.

    outlook: "more" where they would help for sure and by enough to notice; "little" where they would not, or by less
             than anybody would notice; "open" where the curve cannot tell
    hopeful: whether the curve has too few sizes to know its floor
    """

    metric: Metric
    gain: float
    low: float
    high: float
    outlook: Literal["more", "little", "open"]
    hopeful: bool


def doubled(facts: Facts) -> Doubled | None:
    """Read the learning curve; None where it says nothing about twice the records."""
    curve = facts.evidence.curve
    told = None if curve is None else curve.doubling
    if curve is None or told is None or told.gain is None or told.low is None or told.high is None:
        return None
    metric = METRICS[curve.metric]
    least = WORTH_ASKING * abs(metric.gain(metric.best, metric.chance(facts.scored_truth.astype(np.float64))))
    sizes = len({point.n for point in curve.points if point.role == "model"})
    little = told.high < least or (told.low > 0 and told.gain < least)
    outlook: Literal["more", "little", "open"] = "little" if little else "more" if told.low > 0 else "open"
    return Doubled(metric, told.gain, told.low, told.high, outlook, sizes < FLOOR_FROM)
