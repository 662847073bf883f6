"""Contrastive relevance: what speaks for a class, less what speaks for its opposite."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, Target, explainers
from bioloom.explanation.engine import chosen, in_chunks, posed, rows_per_chunk, untouched, where_filled
from bioloom.explanation.gradients.saliency import SLOPED
from bioloom.explanation.propagation.lrp import Composite, chosen_composite, of_input
from bioloom.explanation.rules import Relevance, flows
from bioloom.explanation.rules.relevance import over
from bioloom.models import apply

if TYPE_CHECKING:
    from torch import Tensor

    from bioloom.explanation.rules.relevance import LayerRule, Reached

Dual = Literal["uniform", "logits", "negated"]


@explainers.register
class ContrastiveLRP(Explainer):
    """Relevance for an output less relevance for its dual, where that is positive.

    value = max(0, R - R_dual), both by the z+ rule in all layers (zB in the first one of pictures). R starts with the size
    |f_c| of the output c. The dual starts with: `uniform`, the same size spread over all other outputs, |f_c| / (K - 1)
    each; `logits`, the sizes of all other outputs; `negated`, the same output, the weights of the last layer negated.
    A network with one output has no others: its dual is always the negated one. With `normalize` both maps are brought
    to the sum |f_c| first, which makes maps of the z+ rule comparable. `rectify` False keeps negative numbers.

    Cost: two evaluations and about six gradients. Not for regression with several targets, which are no rivals of each
    other, and not for adding up: nothing is promised of the sum.
    Source: Gu, Yang & Tresp 2018, ACCV, arXiv:1812.02100.
    """

    name = "contrastive_lrp"
    title = "Contrastive LRP (what speaks for this answer and not for its opposite)"
    accepts = SLOPED
    refuses = True

    class Settings(ExplainerSettings):
        """What the relevance of an output is compared with."""

        dual: Dual = Field(
            default="uniform",
            description="its opposite: all other outputs to equal parts, or by their size, or the same with the last "
            "weights negated",
        )
        normalize: bool = Field(default=True, description="bring both maps to the same sum first")
        rectify: bool = Field(default=True, description="leave out what speaks for the opposite")

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute a class, and not its opposite, to the parts of an input; see `contrastive_lrp`."""
        told = cls.told(question)
        return contrastive_lrp(question, dual=told.dual, normalize=told.normalize, rectify=told.rectify)


def contrastive_lrp(
    question: Question, *, dual: Dual = "uniform", normalize: bool = True, rectify: bool = True
) -> Explanation:
    """Relevance for an output less relevance for its dual, where that is positive.

    `ContrastiveLRP` says how, at what cost, and by whom.

    Raises UserError where the network uses an operation without a rule.
    """
    x, mask = question.batch[question.input]
    records = torch.arange(len(x), device=x.device)
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):

        def at(part: slice) -> Tensor:
            found = _contrast(question, x[part], records[part], dual, normalize)
            question.progress(part.stop / len(x))
            return found

        value = torch.cat(in_chunks(len(x), rows_per_chunk(x), at))
    value = where_filled(value.clamp(min=0) if rectify else value, mask)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=ContrastiveLRP.name,
        input=question.input,
        reference={
            "uniform": "all other outputs, to equal parts",
            "logits": "all other outputs, by their size",
            "negated": "the opposite of the output",
        }[dual],
        settings={"dual": dual, "normalize": normalize, "rectify": rectify},
        effect="Relevance for {} and not for its opposite",
    )


def _contrast(question: Question, x: Tensor, record: Tensor, dual: Dual, normalize: bool) -> Tensor:
    """R - R_dual of some records."""
    plain = chosen_composite("z_plus_box" if x.dim() == 4 else "z_plus", x)
    own, scores = _sent(question, x, record, plain, "own")
    single = scores.shape[1] == 1
    turned = _Negated(plain)
    opposite, _ = _sent(question, x, record, turned if single or dual == "negated" else plain, dual)
    if single and question.target.classes:
        # of two classes told apart by one number the first is its negative
        first = _number(question.target, record, 2).eq(0).view(-1, *[1] * (x.dim() - 1))
        own, opposite = torch.where(first, opposite, own), torch.where(first, own, opposite)
    if not normalize:
        return own - opposite
    size = scores.gather(1, _number(question.target, record, scores.shape[1])[:, None])[:, 0].abs()
    return _of_sum(own, size) - _of_sum(opposite, size)


def _sent(
    question: Question, x: Tensor, record: Tensor, rule: LayerRule, start: str
) -> tuple[Tensor, Tensor]:
    """Relevance that starts at some outputs, and all outputs, (records, outputs)."""

    def begin(scores: Tensor) -> Tensor:
        number = _number(question.target, record, scores.shape[1])
        at_class = torch.nn.functional.one_hot(number, scores.shape[1]).to(scores.dtype)
        size = (scores * at_class).sum(dim=1, keepdim=True).abs()
        if start in ("own", "negated") or scores.shape[1] == 1:
            relevance = at_class * size
        elif start == "uniform":
            relevance = (1 - at_class) * size / (scores.shape[1] - 1)
        else:
            relevance = (1 - at_class) * scores.abs()
        return over(relevance, scores)

    flow, scores = flows(question, x, record, Relevance(rule), start=begin, told=_all_outputs)
    return of_input(rule.plain if isinstance(rule, _Negated) else rule, x) * flow, scores


def _all_outputs(question: Question, x: Tensor, record: Tensor) -> Tensor:
    """Every raw output, (variants, outputs); of answers at all places the one, or the mean, that is asked about."""
    batch = posed(question, x, record)
    raw = apply(question.network, batch)
    if raw.dim() == 2:
        return raw
    each = [chosen(replace(question, output=number), raw, batch, record) for number in range(raw.shape[1])]
    return torch.stack(each, dim=1)


def _number(target: Target, record: Tensor, outputs: int) -> Tensor:
    """Which output each record is asked about; of a single one always the first, whatever class it stands for."""
    output = target.output
    number = torch.full_like(record, output) if isinstance(output, int) else output.to(record.device)[record]
    return torch.zeros_like(number) if outputs == 1 else number


class _Negated:
    """A rule with the weights of the last layer negated."""

    def __init__(self, plain: Composite) -> None:
        self.plain = plain

    def __call__(self, reached: Reached) -> Tensor:
        if not reached.last:
            return self.plain(reached)
        layer = reached.layer
        return self.plain(replace(reached, layer=replace(layer, weight=-layer.weight)))


def _of_sum(value: Tensor, size: Tensor) -> Tensor:
    """The same map with this sum; zeros stay zeros."""
    total = value.flatten(1).sum(dim=1)
    scale = torch.where(total.abs() > 0, size / torch.where(total.abs() > 0, total, 1.0), 0.0)
    return value * scale.view(-1, *[1] * (value.dim() - 1))
