"""Whether probabilities, predicted numbers and prediction intervals can be taken at their word."""

from __future__ import annotations

import numpy as np

from bioloom.evaluation.checks import Answer, Severity, check
from bioloom.evaluation.conformal import Coverage, Share
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.percent import percent
from bioloom.evaluation.reliability import Line

CHANCE = 0.05
"""A perfect model shows a larger calibration error than the one found with less than this probability."""

FAR_OFF = 0.05
"""Calibration error, less what scatter adds, from which a probability misleads whoever acts on it."""

FACE_VALUE = (2 / 3, 3 / 2)
"""Slopes of measured on predicted values between which a difference is at least of the right size."""

SHORT = 0.05
"""How far intervals may fall short of their promise before it is a warning."""


@check(
    "calibration.probabilities",
    question="Do stated probabilities come true as often as they say?",
    fix="rank records by the prediction, but do not act on the probability itself; more validation records make the "
    "correction of probabilities better (--set split.validation=0.25)",
)
def probabilities(facts: Facts) -> Answer | None:
    """Who acts on 90 % needs it to be right nine times in ten."""
    found = facts.evidence.calibration
    stated = None if found is None else found.reliability
    if stated is None or stated.few or not np.isfinite(stated.p):
        return None
    compared = (
        f"probabilities are off by {percent(stated.error, 1)} on average, where a perfect model would be by "
        f"{percent(stated.expected[1], 1)}"
    )
    if stated.p > CHANCE:
        return Answer("ok", f"No sign that they do not: {compared}.")
    severity: Severity = "warning" if stated.debiased >= FAR_OFF else "note"
    return Answer(severity, f"Not quite: {compared}{stated.direction}.")


@check(
    "calibration.numbers",
    question="Are predicted differences as large as measured ones?",
    fix="order records by the prediction, but read its size with the slope in mind: differences that are too large come "
    "from overfitting, differences that are too small from a training that stopped early",
)
def numbers(facts: Facts) -> Answer | None:
    """A model can rank well and still say twice what is measured."""
    found = facts.evidence.calibration
    lines = () if found is None else found.spreads
    drawn = [(each.text, each.line) for each in lines if each.line is not None]
    if not drawn:
        return None
    text, line = max(drawn, key=lambda entry: _off(entry[1]))
    value, low, high = line.slope
    if low <= 1 <= high:
        return Answer("ok", text)
    return Answer("note" if FACE_VALUE[0] <= value <= FACE_VALUE[1] else "warning", text)


def _off(line: Line) -> tuple[bool, float]:
    """How far a slope is from 1, those first whose interval excludes it."""
    value, low, high = line.slope
    return not low <= 1 <= high, abs(float(np.log(value))) if value > 0 else np.inf


@check(
    "calibration.intervals",
    question="Do prediction intervals hold the truth as often as promised?",
    fix="where they hold it too rarely, test records are of another kind than the validation records: widen the intervals "
    "(--set evaluation.confidence=0.95), and take validation records that are like those you will predict",
)
def intervals(facts: Facts) -> Answer | None:
    """The promise holds for records like the validation records; the test shows whether it does."""
    found = facts.evidence.uncertainty
    if found is None or not np.isfinite([*found.conformal.half, *found.size]).all():
        return None  # an interval without ends always holds the truth
    known = [
        (name, share)
        for name, share in zip(found.names, found.shares, strict=True)
        if share.interval.low is not None and share.interval.high is not None
    ]
    if not known:
        return None
    level = found.conformal.level
    name, worst = max(known, key=lambda entry: _broken(entry[1], level))
    text = _told(found, name, worst)
    if _ends(worst)[1] < level:
        return Answer("warning" if worst.value < level - SHORT else "note", f"Too rarely: {text}.")
    if _ends(worst)[0] > level and not found.conformal.classes:  # a set of one class cannot be smaller
        return Answer("note", f"More often: {text}, so they are wider than they need be.", TOO_WIDE)
    return Answer("ok", f"Yes: {text}.")


TOO_WIDE = "read them as cautious; with more validation records they come closer to the promise"


def _ends(share: Share) -> tuple[float, float]:
    low, high = share.interval.low, share.interval.high
    assert low is not None
    assert high is not None
    return low, high


def _broken(share: Share, level: float) -> tuple[bool, bool, float]:
    """Order of targets: those whose intervals hold too little for sure, then too much, then by how little."""
    low, high = _ends(share)
    return high < level, low > level, level - share.value


def _told(found: Coverage, name: str, share: Share) -> str:
    low, high = _ends(share)
    sets, named = bool(found.conformal.classes), len(found.names) > 1 and name
    what = "the network's sets of classes" if sets else "the network's intervals"
    among = (f" for records of {name}" if sets else f" of {name}") if named else ""
    return (
        f"{what}{among} promise {percent(found.conformal.level)} and hold {percent(share.value, 1)} "
        f"({percent(low, 1)} to {percent(high, 1)}) of {share.n:,} test records"
    )
