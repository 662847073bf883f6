"""Relative attributing propagation: inputs are ranked by influence first, and hostile ones are pushed below zero."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from bioloom.explanation import Explainer, Explanation, Question, explainers
from bioloom.explanation.engine import where_filled
from bioloom.explanation.gradients.saliency import SLOPED
from bioloom.explanation.propagation.lrp import arrives, propagated
from bioloom.explanation.rules.relevance import over
from bioloom.explanation.rules.rescale import transposed

if TYPE_CHECKING:
    from torch import Tensor

    from bioloom.explanation.rules.relevance import Reached


@explainers.register
class RAP(Explainer):
    """Hand the output back by the size of influence, and shift each layer so that what has little of it falls below zero.

    Last layers: R_i = |a_i w_i| / sum |a w| * output. Other layers, for inputs a >= 0 and any incoming R_j, with
    Z+_j = sum a w+ and Z-_j = sum a |w-|: C_i = a_i [sum_j w+_ij R_j / Z+_j + sum_j |w-_ij| R_j / (Z+_j + Z-_j)], then
    R_i = C_i - (sum C - sum R) / (number of C that are not 0), for each record. Inputs of both signs are two such inputs,
    among which R_j is divided by the size of what they contribute. Convolutions of width 1: R_i = |a_i w_ij| / sum |a w|.
    Biases take nothing, so that the sum is kept from layer to layer; what happens between layers is as in
    `bioloom.explanation.rules.relevance`, where constants that are added to signals keep a share. `settings` says how much
    of the output arrives, in the median.

    Cost: one evaluation and about five gradients. Not for networks whose bends turn signs round, or which normalise
    between layers: zero then is not "off", and a shift of all inputs means little.
    Source: Nam et al. 2020, AAAI, arXiv:1904.00605; with one rule for signs in dense layers and convolutions, and
    without the doubling of relevance for inputs of both signs.
    """

    name = "rap"
    title = "Relative attributing propagation (share out the prediction by influence, for and against)"
    accepts = SLOPED
    refuses = True

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Share an output out by influence; see `rap`."""
        return rap(question)


def rap(question: Question) -> Explanation:
    """Hand the output back by the size of influence, and shift each layer so that what has little of it falls below zero.

    `RAP` says how, at what cost, and by whom.

    Raises UserError where the network uses an operation without a rule.
    """
    mask = question.batch[question.input].mask
    relevance, answer = propagated(question, relative)
    value = where_filled(relevance, mask)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=RAP.name,
        input=question.input,
        reference="zero in every layer",
        settings={"arrives": arrives(value, answer)},
        effect="Relevance for {}",
    )


def relative(reached: Reached) -> Tensor:
    """What flows back through a layer, per unit of its input."""
    x, weight, layer = reached.x, reached.layer.weight, reached.layer
    small = layer.convolution and weight[0, 0].numel() == 1
    if reached.last or small:
        share = over(reached.relevance, layer.call(x.abs(), weight.abs()))
        return x.sign() * transposed(lambda t: layer.call(t, weight.abs()), x, share)
    if not bool((x < 0).any()):
        return over(_shifted(reached, reached.relevance), x)
    parts = [
        replace(reached, x=x.clamp(min=0)),
        replace(reached, x=(-x).clamp(min=0), layer=replace(layer, weight=-weight)),
    ]
    sizes = [layer.call(part.x, weight.abs()) for part in parts]
    total = sizes[0] + sizes[1]
    relevance = [
        _shifted(part, reached.relevance * over(size, total)) for part, size in zip(parts, sizes, strict=True)
    ]
    return over(relevance[0] + relevance[1], x)


def _shifted(reached: Reached, arrived: Tensor) -> Tensor:
    """Relevance of inputs that are not negative, whose sum over each record is that of what arrived."""
    x, layer = reached.x, reached.layer
    positive, negative = layer.weight.clamp(min=0), (-layer.weight).clamp(min=0)
    for_it, against = layer.call(x, positive), layer.call(x, negative)

    def back(weight: Tensor, share: Tensor) -> Any:
        return transposed(lambda t: layer.call(t, weight), x, share)

    found = x * (back(positive, over(arrived, for_it)) + back(negative, over(arrived, for_it + against)))
    ones = (1,) * (x.dim() - 1)
    there = found != 0
    count = there.flatten(1).sum(dim=1).clamp(min=1).view(-1, *ones)
    surplus = found.flatten(1).sum(dim=1) - arrived.flatten(1).sum(dim=1)
    return torch.where(there, found - surplus.view(-1, *ones) / count, 0.0)
