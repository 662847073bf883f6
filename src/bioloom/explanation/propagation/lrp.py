"""Layer-wise relevance propagation: the answer is handed back through the layers, to each input its share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from pydantic import Field

from bioloom.errors import UserError, did_you_mean
from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.engine import in_chunks, rows_per_chunk, spells_letters, untouched, where_filled
from bioloom.explanation.gradients.saliency import SLOPED
from bioloom.explanation.rules import Relevance, flows, layer_rules
from bioloom.explanation.rules.layer_rules import alpha_beta, box, epsilon, flat, gamma, stand_in, z_plus

if TYPE_CHECKING:
    from torch import Tensor

    from bioloom.explanation.rules.relevance import LayerRule, Reached

DEFAULT = "epsilon_plus"
"""The composite that is used if none is named."""


@dataclass(frozen=True)
class Composite:
    """Which rule is for which layers.

    convolution, dense: for these layers; a product with weights counts as dense
    first: for the layer that sees the input, None: as for others
    """

    convolution: LayerRule
    dense: LayerRule
    first: LayerRule | None = None

    def __call__(self, reached: Reached) -> Tensor:
        """What flows back through a layer."""
        if reached.first and self.first is not None:
            return self.first(reached)
        return self.convolution(reached) if reached.layer.convolution else self.dense(reached)


@dataclass(frozen=True)
class Sizes:
    """Numbers that rules take: of the epsilon rule, and of the gamma rule."""

    epsilon: float = 1e-6
    gamma: float = 0.25


USUAL = Sizes()


def composites(
    low: float | None = None, high: float | None = None, sizes: Sizes = USUAL
) -> dict[str, Composite]:
    """Composites by name; those of several rules have the names that zennit gave them.

    low, high: bounds of the input, for the zB rule; None: those of each record
    """
    held, more = epsilon(sizes.epsilon), gamma(sizes.gamma)
    return {
        "zero": Composite(epsilon(0), epsilon(0)),
        "epsilon": Composite(held, held),
        "gamma": Composite(more, more),
        "z_plus": Composite(z_plus, z_plus),
        "alpha2_beta1": Composite(alpha_beta(2, 1), alpha_beta(2, 1)),
        "epsilon_plus": Composite(z_plus, held),
        "epsilon_plus_flat": Composite(z_plus, held, flat),
        "epsilon_alpha2_beta1": Composite(alpha_beta(2, 1), held),
        "epsilon_alpha2_beta1_flat": Composite(alpha_beta(2, 1), held, flat),
        "epsilon_gamma_box": Composite(more, held, box(low, high)),
        "z_plus_box": Composite(z_plus, z_plus, box(low, high)),
        "z_plus_w_square": Composite(z_plus, z_plus, layer_rules.w_square),
    }


@explainers.register
class LRP(Explainer):
    """Hand the output back from layer to layer; each input of a layer gets the share that it had in its outputs.

    For a layer z_j = sum_i a_i w_ij + b_j the rules say which share: LRP-0 and epsilon (a_i w_ij of z_j), gamma (positive
    weights count more), z+ (only positive parts), alpha-beta (positive and negative parts apart), zB (inputs between
    bounds), w^2 and flat (no matter what the input is); `composites` names the usual mixtures. The default takes z+ in
    convolutions and epsilon 1e-6 in dense layers. What happens between layers: `bioloom.explanation.rules.relevance`.
    It starts at the output that is asked about, which should be a logit rather than a probability.

    Where there are neither biases nor norms LRP-0 adds up to the output, and equals input times gradient for ReLU
    networks. Otherwise biases and constants keep a share: `settings` says how much of the output arrives, in the median.

    Cost: one evaluation and two to five gradients. Not for networks that add large numbers of opposite signs (deep
    residual networks with norms): shares of a small sum are then large and cancel. Attention and gates are held fixed, so
    that it never says why the network looked somewhere, only what it saw there.
    Sources: Bach et al. 2015, PLoS ONE 10:e0130140; Montavon et al. 2019, doi:10.1007/978-3-030-28954-6_10; mixtures,
    Kohlbrenner et al. 2020, IJCNN, arXiv:1910.09840.
    """

    name = "lrp"
    title = "Layer-wise relevance propagation (hand the prediction back, layer by layer)"
    accepts = SLOPED
    refuses = True
    compared = True

    class Settings(ExplainerSettings):
        """By which rules shares are worked out."""

        composite: str = Field(
            default=DEFAULT, description=f"which rules for which layers: {', '.join(composites())}"
        )
        epsilon: float = Field(default=USUAL.epsilon, ge=0, description="size of the epsilon rule")
        gamma: float = Field(
            default=USUAL.gamma, ge=0, description="how much more positive weights count by the gamma rule"
        )

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Hand an output back to the parts of an input; see `lrp`."""
        told = cls.told(question)
        return lrp(question, composite=told.composite, sizes=Sizes(told.epsilon, told.gamma))


def lrp(question: Question, *, composite: str | Composite = DEFAULT, sizes: Sizes = USUAL) -> Explanation:
    """Hand the output back from layer to layer; each input of a layer gets the share that it had in its outputs.

    `LRP` says how, at what cost, and by whom.

    Raises UserError where the composite is unknown, or the network uses an operation without a rule.
    """
    x, mask = question.batch[question.input]
    rule = chosen_composite(composite, x, sizes) if isinstance(composite, str) else composite
    relevance, answer = propagated(question, rule)
    value = where_filled(relevance, mask)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=LRP.name,
        input=question.input,
        reference="zero in every layer",
        settings={
            "composite": composite if isinstance(composite, str) else "own",
            "arrives": arrives(value, answer),
        },
        effect="Relevance for {}",
    )


def chosen_composite(name: str, x: Tensor, sizes: Sizes = USUAL) -> Composite:
    """A composite by name, with the bounds of letters where the input is made of these."""
    known = composites(0.0, 1.0, sizes) if spells_letters(x) else composites(sizes=sizes)
    if name not in known:
        raise UserError(
            f'There is no composite called "{name}".{did_you_mean(name, known)}',
            where="lrp.composite",
            fix=f"use one of: {', '.join(known)}",
        )
    return known[name]


def propagated(question: Question, rule: LayerRule) -> tuple[Tensor, Tensor]:
    """Relevance of each input, (records, *shape), and the explained numbers, (records,)."""
    x = question.batch[question.input].x
    records = torch.arange(len(x), device=x.device)
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):

        def at(part: slice) -> tuple[Tensor, Tensor]:
            flow, answer = flows(question, x[part], records[part], Relevance(rule))
            question.progress(part.stop / len(x))
            return of_input(rule, x[part]) * flow, answer

        parts = in_chunks(len(x), rows_per_chunk(x), at)
    return torch.cat([each for each, _ in parts]), torch.cat([each for _, each in parts])


def of_input(rule: LayerRule, x: Tensor) -> Tensor:
    """What relevance per unit of input is multiplied with: the input, and where its zeros may get some, their stand-in."""
    return stand_in(x) if isinstance(rule, Composite) and rule.first is not None else x


def arrives(value: Tensor, answer: Tensor) -> float | None:
    """The share of the output that arrives at the input, median over records; None where all outputs are 0."""
    there = answer != 0
    if not bool(there.any()):
        return None
    return float((value.flatten(1).sum(dim=1)[there] / answer[there]).median())
