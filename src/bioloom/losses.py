"""How far raw outputs are from the truth, in numbers that training makes small.

Losses use tensor methods only, so that looking at data does not wait for torch. Raw outputs and truths are
(records, outputs); a mask is True where a target is known (None: all are); a loss is the weighted mean over known targets.
Where an answer is given everywhere, places follow as further axes, and each known place counts alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.heads import HEADS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


Loss = Callable[["Tensor", "Tensor", "Tensor | None", "Tensor | None"], "Tensor"]
"""(raw, standardised truth, mask, weight) -> weighted mean over known targets.

No mask says that all targets are known, no weight that all records count alike; that saves a small network a tenth
of its time.
"""


@dataclass(frozen=True)
class LossOptions:
    """What a recipe may change about a loss.

    loss:            of numbers: "auto" is that of the task, else "squared", "huber", or a name of `bioloom.heads.HEADS`
    label_smoothing: share of each label that is spread evenly over all classes
    focal:           exponent of focal loss; 0 is cross-entropy
    class_weights:   one per class; empty: all alike
    """

    loss: str = "auto"
    label_smoothing: float = 0.0
    focal: float = 0.0
    class_weights: tuple[float, ...] = ()


def _mean_where(values: Tensor, mask: Tensor | None, weight: Tensor | None) -> Tensor:
    """The weighted mean over known targets, values being (records, targets, *places)."""
    if weight is not None:
        weight = weight.reshape(-1, *[1] * (values.dim() - 1))
    weights = mask if weight is None else weight if mask is None else mask * weight
    if weights is None:
        return values.mean()
    weights = weights.expand_as(values)
    return (values * weights).sum() / weights.sum().clamp(min=1e-12)


def _known(truth: Tensor, mask: Tensor | None, instead: Tensor | float) -> Tensor:
    """The truth, and something harmless where it is unknown."""
    return truth if mask is None else truth.where(mask, instead)


def squared_error(raw: Tensor, truth: Tensor, mask: Tensor | None, weight: Tensor | None) -> Tensor:
    """Mean squared error over known targets."""
    return _mean_where((raw - _known(truth, mask, raw.detach())).square(), mask, weight)


def binary_cross_entropy(raw: Tensor, truth: Tensor, mask: Tensor | None, weight: Tensor | None) -> Tensor:
    """Cross-entropy of a logit, -[y log p + (1 - y) log(1 - p)], in a form that cannot overflow."""
    softplus = raw.logaddexp(raw.new_zeros(()))  # log(1 + exp(raw)) = -log(1 - p)
    return _mean_where(softplus - raw * _known(truth, mask, 0.0), mask, weight)


def cross_entropy(raw: Tensor, truth: Tensor, mask: Tensor | None, weight: Tensor | None) -> Tensor:
    """Cross-entropy of logits over classes, -log softmax(raw)[class]."""
    label = _known(truth, mask, 0.0).long()  # (records, 1, *places)
    return _mean_where(-raw.log_softmax(dim=1).gather(1, label), mask, weight)


HUBER = 1.0
"""Where the Huber loss turns from squares to a straight line, in standard deviations of the training target."""


def area_loss(raw: Tensor, truth: Tensor, mask: Tensor | None, weight: Tensor | None) -> Tensor:
    """Cross-entropy at each pixel plus 1 - Dice of the areas of each class in the batch.

    The second part counts areas rather than pixels, so that a small class is not lost beside a large background.
    Source: soft Dice, Milletari et al. (2016) arXiv:1606.04797; both together, Isensee et al. (2021)
    doi:10.1038/s41592-020-01008-z.
    """
    share = raw.log_softmax(dim=1).exp()  # (records, classes, *places)
    label = _known(truth, mask, 0.0).long()
    there = share.new_zeros(share.shape).scatter(1, label, 1.0)
    counted = share.new_ones(truth.shape) if mask is None else mask.to(share.dtype)
    if weight is not None:
        counted = counted * weight.reshape(-1, *[1] * (raw.dim() - 1))
    over = [0, *range(2, raw.dim())]
    both = (share * there * counted).sum(over)
    either = (share * counted).sum(over) + (there * counted).sum(over)
    dice = (2 * both + 1) / (either + 1)  # of each class; 1 where a class is neither there nor called
    return cross_entropy(raw, truth, mask, weight) + 1 - dice.mean()


def number_with(
    options: LossOptions, raw: Tensor, truth: Tensor, mask: Tensor | None, weight: Tensor | None
) -> Tensor:
    """The squared error; with "huber" one that grows only in proportion beyond one standard deviation; or that of a head.

    Half a square near 0, as in Huber (1964) doi:10.1214/aoms/1177703732; doubled to agree with the squared error.
    """
    if options.loss == "squared":
        return squared_error(raw, truth, mask, weight)
    if options.loss in HEADS:
        known = _known(truth, mask, raw[:, : truth.shape[1]].detach())
        return _mean_where(HEADS[options.loss].losses(raw, known), mask, weight)
    size = (raw - _known(truth, mask, raw.detach())).abs()
    near = size.clamp(max=HUBER)
    return _mean_where(near * (2 * size - near), mask, weight)


def binary_with(
    options: LossOptions, raw: Tensor, truth: Tensor, mask: Tensor | None, weight: Tensor | None
) -> Tensor:
    """Cross-entropy of a logit with label smoothing, focal loss and class weights."""
    either = raw[..., None] * raw.new_tensor([-1.0, 1.0])  # logits of the negative and of the positive class
    log_p = -(-either).logaddexp(raw.new_zeros(()))
    return _classes_with(options, log_p, truth, mask, weight)


def classes_with(
    options: LossOptions, raw: Tensor, truth: Tensor, mask: Tensor | None, weight: Tensor | None
) -> Tensor:
    """Cross-entropy of logits over classes with label smoothing, focal loss and class weights."""
    return _classes_with(options, raw.log_softmax(dim=1).movedim(1, -1)[:, None], truth, mask, weight)


def _classes_with(
    options: LossOptions, log_p: Tensor, truth: Tensor, mask: Tensor | None, weight: Tensor | None
) -> Tensor:
    """The sum over classes of share * (1 - p)^focal * -log p, each record by the weight of its class.

    log_p: (records, targets, *places, classes)
    Sources: label smoothing, Szegedy (2016) arXiv:1512.00567; focal loss, Lin (2017) arXiv:1708.02002.
    """
    label = _known(truth, mask, 0.0).long()  # (records, targets, *places)
    shares = log_p.new_zeros(log_p.shape).scatter(-1, label[..., None], 1 - options.label_smoothing)
    losses = -log_p * (shares + options.label_smoothing / log_p.shape[-1])
    if options.focal:  # clamped, because the slope of a small power is infinite at 0
        losses = losses * (-log_p.expm1()).clamp(min=1e-6) ** options.focal
    counted = mask
    if options.class_weights:
        of_class = log_p.new_tensor(options.class_weights)[label]
        counted = of_class if mask is None else mask * of_class
    return _mean_where(losses.sum(-1), counted, weight)


def balanced(truth: NDArray[np.float32], weight: NDArray[np.float32], classes: int) -> tuple[float, ...]:
    """Weights of classes that make all classes count alike: records / (classes * records of the class).

    truth: (records, 1, *places) class numbers, NaN where unknown; records count by their weight
    A class without records gets the weight 1.
    """
    known = np.isfinite(truth[:, 0])
    each = np.broadcast_to(weight.reshape(-1, *[1] * (known.ndim - 1)), known.shape)[known]
    held = np.bincount(truth[:, 0][known].astype(np.int64), weights=each, minlength=classes)
    even = held.sum() / max(1, np.count_nonzero(held))
    return tuple(np.divide(even, held, out=np.ones(classes), where=held > 0).tolist())
