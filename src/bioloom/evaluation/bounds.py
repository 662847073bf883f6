"""What a run promises about new records: the bound of its test, which is the one to act on.

The bound after testing asks only how many test records the finished model got wrong, whatever it is, and is narrow.
Beside it stands what training alone could have promised (see `learnability`), which says little or nothing.
Everything assumes records drawn independently from the same source as the future ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.distributions import beta_quantile
from bioloom.evaluation.intervals import rounded
from bioloom.evaluation.learnability import DELTA, vapnik_gap
from bioloom.evaluation.resampling import Resampling


def binomial_bound(errors: float, tested: float, delta: float = DELTA) -> float:
    """The largest true error with which so few test errors still happen in a share delta of tests.

    The inverted binomial tail (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404, one-sided; Langford 2005,
    JMLR 6:273). Through the beta distribution, so that effective numbers need not be whole.
    """
    return 1.0 if errors >= tested else float(beta_quantile(1 - delta, errors + 1, tested - errors))


def hoeffding_bound(errors: float, tested: float, delta: float = DELTA) -> float:
    """Test error + sqrt(ln(1 / delta) / (2 tested)); simpler than the binomial bound, never narrower."""
    return min(1.0, errors / tested + math.sqrt(math.log(1 / delta) / (2 * tested)))


def effective_size(wrong: NDArray[np.bool_], groups: NDArray[Any] | None) -> float:
    """How many independent records the test is worth, where records come in groups.

    Korn and Graubard 1998 (Survey Methodology 24:193): p (1 - p) / variance of p over groups. It lies between the
    number of groups and that of records; where every record, or none, is wrong it is the number of groups.
    """
    plan = Resampling(len(wrong), groups)
    share = float(wrong.mean()) if len(wrong) else 0.0
    if not plan.grouped:
        return float(len(wrong))
    if share in (0.0, 1.0) or plan.units < 2:
        return float(plan.units)
    totals = np.bincount(plan.codes, wrong - share, minlength=plan.units)
    variance = plan.units / (plan.units - 1) * float((totals**2).sum()) / len(wrong) ** 2
    worth = share * (1 - share) / variance if variance > 0 else float(len(wrong))
    return float(np.clip(worth, plan.units, len(wrong)))


@dataclass(frozen=True)
class ErrorBound:
    """What the test promises about new records of the same kind.

    error:  share of test records named wrongly; bound: the true error is at most this, with 95 % confidence
    effective: independent records that the test is worth; tested where records are not in groups
    """

    errors: int
    tested: int
    effective: float
    error: float
    bound: float
    hoeffding: float
    delta: float
    text: str

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return {name: rounded(each) if isinstance(each, float) else each for name, each in vars(self).items()}


def error_bound(
    errors: int, tested: int, effective: float | None = None, delta: float = DELTA
) -> ErrorBound | None:
    """The error on new records is at most so much: the bound to act on; None where nothing was tested.

    effective: see `effective_size`; None for independent records.
    """
    if tested < 1:
        return None
    share, worth = errors / tested, float(tested) if effective is None else effective
    bound = binomial_bound(share * worth, worth, delta)
    text = (
        f"With {100 * (1 - delta):.0f} % confidence the error on new records of this kind is at most {100 * bound:.1f} % "
        f"({errors:,} of {tested:,} test records were named wrongly, {100 * share:.1f} %)."
    )
    if worth < tested - 0.5:
        text += f" The test records come in groups and are worth about {worth:,.0f} independent ones."
    return ErrorBound(
        errors, tested, worth, share, bound, hoeffding_bound(share * worth, worth, delta), delta, text
    )


@dataclass(frozen=True)
class Family:
    """A family of models with its VC dimension, and what training alone promises about it.

    gap: how far the true error can lie above the training error; None where it is infinite
    """

    title: str
    dimension: float
    records: int
    gap: float | None

    @property
    def vacuous(self) -> bool:
        """Whether the promise is empty: an error is never above 1."""
        return self.gap is None or self.gap >= 1

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        numbers = {"dimension": rounded(self.dimension), "gap": rounded(self.gap), "vacuous": self.vacuous}
        return vars(self) | numbers


@dataclass(frozen=True)
class Bounds:
    """The test bound, beside what training alone could have promised."""

    test: ErrorBound
    families: tuple[Family, ...]

    @property
    def text(self) -> str:
        """The promise to act on."""
        return self.test.text

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        families = [family.to_json() for family in self.families]
        return {"test": self.test.to_json(), "families": families, "text": self.text}


def family(title: str, dimension: float, records: int) -> Family:
    """What so many training records promise about a family of models."""
    gap = vapnik_gap(dimension, records)
    return Family(title, dimension, records, gap if math.isfinite(gap) else None)
