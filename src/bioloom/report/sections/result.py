"""The first screen: the verdict, the score beside its baselines, and the questions a reader asks first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from bioloom.metrics import METRICS
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.questions import Tone
from bioloom.report.summary import Block, block
from bioloom.report.templating import fill
from bioloom.report.words import capital

EDGE = 2.0
"""Percent of the width kept free at both ends, so that no dot is cut."""


@dataclass(frozen=True)
class Tick:
    """A number on the axis and where it stands, in percent of the width."""

    at: float
    text: str


@dataclass(frozen=True)
class Axis:
    """From which to which value the chart goes, and its round numbers."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        """Where a value stands, in percent of the width."""
        share = (value - self.low) / (self.high - self.low)
        return round(EDGE + (100 - 2 * EDGE) * min(1.0, max(0.0, share)), 2)

    def ticks(self) -> list[Tick]:
        """The round numbers."""
        count = round((self.high - self.low) / self.step)
        digits = max(0, -math.floor(math.log10(self.step)))
        values = [self.low + self.step * place for place in range(count + 1)]
        return [Tick(self.at(value), f"{value + 0.0:,.{digits}f}") for value in values]


def axis(shown: Block) -> Axis:
    """An axis that holds all scores, guessing, and the perfect score where there is one."""
    known = METRICS.get(shown.metric)
    values = [
        value for row in shown.compared for value in (row.value, row.low, row.high) if value is not None
    ]
    if shown.guessing is not None:
        values.append(shown.guessing)
    if known is not None and math.isfinite(known.best):
        values.append(known.best)
    low, high = min(values, default=0.0), max(values, default=1.0)
    step = _round_step((high - low) or abs(high) or 1.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Axis(first * step, max(last, first + 1) * step, step)


def _round_step(span: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that gives three to six ticks."""
    power: float = 10.0 ** math.floor(math.log10(span / 4))
    return next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= 6)


NOT_THE_NETWORK = ("simple_better", "simple_as_good", "neighbour_as_good")
NOT_TO_BE_USED = ("undefined", "too_few", "leaky_test", "no_signal")
"""Codes of verdicts that are no success; a code that is not known here reads by its findings."""


def tone(facts: Facts) -> Tone:
    """How the verdict reads: by its code and by the worst finding."""
    code = facts["verdict"]["code"]
    severities = {finding["severity"] for finding in facts.result.get("findings") or ()}
    if code in NOT_TO_BE_USED or "problem" in severities:
        return "bad"
    return "care" if code in NOT_THE_NETWORK or "warning" in severities else "good"


def render(facts: Facts) -> Markup:
    """The first screen."""
    shown = block(facts.result)
    scale = axis(shown)
    at: Callable[[float], float] = scale.at
    known = METRICS.get(shown.metric)
    values = {
        "block": shown,
        "tone": tone(facts),
        "at": at,
        "ticks": scale.ticks(),
        "guessing": None if shown.guessing is None else scale.at(shown.guessing),
        "plain": f"{capital(known.title)}: {known.plain}" if known else "",
    }
    return fill("result.html", values)


result = sections.register(Section("result", "result", 0, "The result", render))
