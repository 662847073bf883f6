"""Are predicted numbers as far apart as measured ones? The line of measured on predicted values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.distributions import student_quantile
from bioloom.evaluation.intervals import LEVEL, rounded
from bioloom.evaluation.reliability import Line

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How a predicted number relates to the measured one: measured = intercept + slope x predicted.

    line:  intercept and slope with 95 % intervals; None where it cannot be drawn, with the reason in `few`
    ratio: spread of predictions over spread of measurements (1 would be as spread out as the truth)
    """

    name: str
    n: int
    line: Line | None
    ratio: float
    few: str = ""

    @property
    def text(self) -> str:
        """How predictions compare in size, in one sentence."""
        if self.line is None:
            return f"How predictions of {self.name} compare in size cannot be said, because {self.few}."
        value, low, high = self.line.slope
        ends = f"{value:.2f} ({low:.2f} to {high:.2f})"
        found = f"Where predictions of {self.name} differ by 1, measured values differ by {ends} on average"
        if low <= 0 and high >= 1:
            return f"{found}: too uncertain to tell whether their differences mean anything."
        if low <= 1 <= high:
            return f"{found}: their differences can be taken at face value."
        return f"{found}: predicted differences are too {'large' if value < 1 else 'small'}."

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        head: dict[str, Any] = {"name": self.name, "n": self.n, "text": self.text}
        if self.line is None:
            return head | {"undefined": self.few}
        return head | self.line.to_json() | {"spread_ratio": rounded(self.ratio)}


def spread(
    truth: NDArray[np.floating],
    value: NDArray[np.floating],
    name: str,
    codes: NDArray[np.int64] | None = None,
) -> Spread:
    """Regress measured on predicted values, (records,) each; unknown truths are NaN.

    codes: (records,) groups whose records resemble each other. Intervals are the jackknife's, by record or group, which
           does not ask for even scatter (MacKinnon, Nielsen and Webb 2023, doi:10.1016/j.jeconom.2022.04.001)
    """
    known = np.isfinite(truth)
    y, x = truth[known].astype(np.float64), value[known].astype(np.float64)
    units = np.unique(np.arange(len(y)) if codes is None else codes[known], return_inverse=True)[1]
    count = int(units.max(initial=-1)) + 1
    if count < 5 or x.std() <= 1e-9 * max(abs(float(x.mean())), 1e-30) or y.std() == 0:
        few = f"{count} independent records are too few" if count < 5 else "all predictions are the same"
        return Spread(name, len(y), None, float("nan"), few)
    moved = x - x.mean()  # sums of squares of large numbers would lose their digits
    terms = np.column_stack([np.ones_like(x), moved, y, moved**2, moved * y])
    by_unit = np.column_stack([np.bincount(units, term) for term in terms.T])
    total = terms.sum(axis=0)
    to_origin = np.array([[1.0, 0.0], [-x.mean(), 1.0]])  # level at the mean prediction -> intercept at 0
    left_out = _lines(total - by_unit) @ to_origin  # (units, 2)
    error = np.sqrt((count - 1) / count * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    found, half = (_lines(total[None]) @ to_origin)[0], student_quantile(0.5 + LEVEL / 2, count - 1) * error
    intercept, slope = (
        (float(value), float(value - reach), float(value + reach))
        for value, reach in zip(found, half, strict=True)
    )
    line = Line(intercept, slope)
    return Spread(name, len(y), line, float(x.std() / y.std()))


def _lines(sums: Floats) -> Floats:
    """Level and slope, (lines, 2), from the sums of 1, x, y, x squared and x times y, (lines, 5)."""
    n, x, y, square, product = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):  # a line without the only unit that differs
        slope = (product - x * y / n) / (square - x**2 / n)
        return np.column_stack([y / n - slope * x / n, slope])
