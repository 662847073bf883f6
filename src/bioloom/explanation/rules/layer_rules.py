"""Rules of layer-wise relevance propagation for one layer z_j = sum_i a_i w_ij + b_j.

Each takes a layer that relevance R_j has reached, and says what flows back per unit of a_i. Formulas are those of Montavon
et al. 2019, "Layer-wise relevance propagation: an overview", doi:10.1007/978-3-030-28954-6_10, table 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from bioloom.explanation.rules.relevance import LayerRule, Reached, over
from bioloom.explanation.rules.rescale import transposed

if TYPE_CHECKING:
    from torch import Tensor

TINY = 2.0**-40
"""Stands for an input of exactly 0 where a rule gives relevance to what is not there; a power of two, so that dividing by
it and multiplying with it again changes no digit."""


def epsilon(size: float) -> LayerRule:
    """R_i = sum_j a_i w_ij / (z_j + size * sign z_j) R_j; size 0 is LRP-0."""

    def rule(reached: Reached) -> Tensor:
        z = reached.z
        held = reached.flow if size == 0 else reached.flow * over(z, z + size * _sign(z))
        return _back(reached, reached.layer.weight, held)

    return rule


def gamma(size: float) -> LayerRule:
    """As LRP-0 with weights w + size * w+ where the output is positive, w + size * w- where it is not.

    Of negative inputs the signs are exchanged, so that what agrees with the output is favoured everywhere.
    """

    def rule(reached: Reached) -> Tensor:
        weight, bias = reached.layer.weight, reached.layer.bias
        up, down = weight + size * weight.clamp(min=0), weight + size * weight.clamp(max=0)
        bias = torch.zeros_like(reached.z[:1]) if bias is None else bias
        raised, lowered = reached.z > 0, reached.z <= 0
        more = _both(reached, up, down) + bias + size * bias.clamp(min=0)
        less = _both(reached, down, up) + bias + size * bias.clamp(max=0)
        share_up = over(reached.relevance * raised, more)
        share_down = over(reached.relevance * lowered, less)
        return _back_both(reached, (up, down), share_up) + _back_both(reached, (down, up), share_down)

    return rule


def alpha_beta(alpha: float, beta: float) -> LayerRule:
    """R_i = sum_j (alpha * share of the positive parts - beta * share of the negative parts) R_j, without the bias.

    alpha - beta = 1 keeps the sum; alpha 1, beta 0 is the z+ rule.
    """

    def rule(reached: Reached) -> Tensor:
        weight, arrived = reached.layer.weight, reached.relevance
        positive, negative = weight.clamp(min=0), weight.clamp(max=0)
        share = alpha * over(arrived, _both(reached, positive, negative))
        back = _back_both(reached, (positive, negative), share)
        if beta == 0:
            return back
        share = beta * over(arrived, _both(reached, negative, positive))
        return back - _back_both(reached, (negative, positive), share)

    return rule


def box(low: float | None, high: float | None) -> LayerRule:
    """zB, for inputs between two bounds: shares of a_i w_ij - low w+_ij - high w-_ij.

    Bounds of None: the smallest and the largest number of each record's input.
    """

    def rule(reached: Reached) -> Tensor:
        x, weight = reached.x, reached.layer.weight
        lows, highs = _bound(x, low, torch.amin), _bound(x, high, torch.amax)
        positive, negative = weight.clamp(min=0), weight.clamp(max=0)
        call = reached.layer.call
        total = call(x, weight) - call(lows, positive) - call(highs, negative)
        share = over(reached.relevance, total)
        found = x * _back(reached, weight, share)
        found = found - lows * _back(reached, positive, share) - highs * _back(reached, negative, share)
        return per_unit(found, x)

    return rule


def w_square(reached: Reached) -> Tensor:
    """R_i = sum_j w_ij^2 / sum_i w_ij^2 R_j, whatever the input."""
    return _whatever(reached, reached.layer.weight.square())


def flat(reached: Reached) -> Tensor:
    """R_i = sum_j 1 / (number of inputs) R_j, whatever input and weights."""
    return _whatever(reached, torch.ones_like(reached.layer.weight))


z_plus = alpha_beta(1.0, 0.0)


def per_unit(relevance: Tensor, x: Tensor) -> Tensor:
    """Relevance per unit of x, also where x is 0."""
    return relevance / stand_in(x)


def stand_in(x: Tensor) -> Tensor:
    """The input with `TINY` in place of 0."""
    return torch.where(x == 0, TINY, x)


def _whatever(reached: Reached, weight: Tensor) -> Tensor:
    share = over(reached.relevance, reached.layer.call(torch.ones_like(reached.x), weight))
    return per_unit(_back(reached, weight, share), reached.x)


def _back(reached: Reached, weight: Tensor, share: Tensor) -> Tensor:
    return transposed(lambda x: reached.layer.call(x, weight), reached.x, share)


def _both(reached: Reached, of_positive: Tensor, of_negative: Tensor) -> Tensor:
    """Outputs with one set of weights for positive inputs and another for negative ones."""
    x, call = reached.x, reached.layer.call
    total = call(x.clamp(min=0), of_positive)
    return total + call(x.clamp(max=0), of_negative) if bool((x < 0).any()) else total


def _back_both(reached: Reached, weights: tuple[Tensor, Tensor], share: Tensor) -> Tensor:
    """What flows back with one set of weights to positive inputs and with another to negative ones."""
    back = _back(reached, weights[0], share)
    if not bool((reached.x < 0).any()):
        return back
    return torch.where(reached.x < 0, _back(reached, weights[1], share), back)


def _sign(z: Tensor) -> Tensor:
    return torch.where(z < 0, -1.0, 1.0).to(z.dtype)


def _bound(x: Tensor, given: float | None, extreme: Callable[..., Tensor]) -> Tensor:
    """A bound of each record, shaped like its input."""
    if given is not None:
        return torch.full_like(x, given)
    return extreme(x, dim=tuple(range(1, x.dim())), keepdim=True).expand_as(x)
