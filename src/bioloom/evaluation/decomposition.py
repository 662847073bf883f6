"""What kind of error a model makes: the same mistake every time (bias), or another one each time (variance).

Several trainings, on other training records or with other seeds, predict the same test records. The mean loss is
split into bias and variance, and the parts add up to it exactly. Averaging models removes variance and no bias;
a richer model or better inputs remove bias.

Squared loss: mean (prediction - truth)^2 = (mean prediction - truth)^2 + variance of the predictions.
0-1 loss (Domingos 2000, "A unified bias-variance decomposition", AAAI, 564): the main prediction of a record is the
commonest class; bias is 1 where it is wrong; variance is the share of trainings that leave it. Leaving a right
main prediction costs, leaving a wrong one helps as often as it lands on the true class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.intervals import rounded

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decomposition:
    """Mean loss = noise + bias + net variance, exactly.

    bias:     squared bias, or share of records whose main prediction is wrong
    variance: mean variance, whatever it does to the loss
    unbiased, biased: what variance adds on records with a right main prediction, and takes off on those with a
              wrong one (0 for squared loss, where variance always costs)
    net:      unbiased - biased
    noise:    mean noise variance of the measurement, where it was given; else 0, and noise is within the bias
    """

    loss: float
    kind: str
    bias: float
    variance: float
    unbiased: float
    biased: float
    net: float
    noise: float
    trainings: int
    n: int
    text: str

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return {name: rounded(each) if isinstance(each, float) else each for name, each in vars(self).items()}


def decompose_squared(predictions: Floats, truth: Floats, noise: Floats | float = 0.0) -> Decomposition:
    """Split the mean squared error of several trainings.

    predictions: (trainings, records); truth: (records,), unknown ones NaN; noise: variance of the measurement, of
    all records or of each. Bias is what is left of (mean prediction - truth)^2 without the noise; it can fall below
    0 by chance, and stays so that the parts add up.
    """
    known = np.isfinite(truth)
    given, true = predictions[:, known].astype(np.float64), truth[known].astype(np.float64)
    _check(given)
    own_noise = float(np.broadcast_to(noise, truth.shape)[known].mean())
    main = given.mean(axis=0)
    variance = float(((given - main) ** 2).mean())
    bias = float(((main - true) ** 2).mean()) - own_noise
    loss = float(((given - true) ** 2).mean())
    text = _sentence("mean squared error", (bias, variance, own_noise), f"{loss:.3g}")
    return Decomposition(
        loss, "squared", bias, variance, variance, 0.0, variance, own_noise, len(given), len(true), text
    )


def decompose_zero_one(predictions: NDArray[Any], truth: Floats) -> Decomposition:
    """Split the share of wrong classes of several trainings.

    predictions: (trainings, records) class numbers; truth: (records,), unknown ones NaN. Of classes that are
    predicted equally often the first is the main one. Wrong labels count as bias.
    """
    known = np.isfinite(truth)
    given, true = np.asarray(predictions)[:, known].astype(np.int64), truth[known].astype(np.int64)
    _check(given)
    classes = np.arange(max(given.max(), true.max()) + 1)
    shares = np.stack([(given == k).mean(axis=0) for k in classes])  # (classes, records)
    main = shares.argmax(axis=0)
    leaves = 1 - shares[main, np.arange(len(true))]
    right = main == true
    unbiased = float(np.where(right, leaves, 0.0).mean())
    biased = float(np.where(right, 0.0, shares[true, np.arange(len(true))]).mean())
    loss, bias, net = float((given != true).mean()), float((~right).mean()), unbiased - biased
    text = _sentence("error rate", (bias, net, 0.0), f"{100 * loss:.1f} %")
    variance = float(leaves.mean())
    return Decomposition(loss, "0-1", bias, variance, unbiased, biased, net, 0.0, len(given), len(true), text)


def _check(given: NDArray[Any]) -> None:
    if given.shape[0] < 2 or given.shape[1] < 1:
        raise ValueError("it takes two trainings or more, and a record with a known truth")


def _sentence(what: str, parts: tuple[float, float, float], loss: str) -> str:
    bias, variance, noise = parts
    whole = bias + variance + noise
    if whole <= 0:
        return f"The {what} is 0: there is nothing to split."
    told = f"Of the {what} of {loss}, {100 * bias / whole:.0f} % is made the same way by every training (bias) and "
    told += f"{100 * variance / whole:.0f} % differs from training to training (variance)"
    if noise > 0:
        told += f"; {100 * noise / whole:.0f} % is noise of the measurement"
    most = max(bias, variance, noise)
    if most == variance:
        return f"{told}: averaging several trainings, or more data, would help most."
    if most == noise:
        return f"{told}: only better measurements would help much."
    return f"{told}: averaging trainings would not help much; a different model or better inputs might."
