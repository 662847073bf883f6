"""Guided Backprop and the deconvolution network: slopes of which only the parts that speak for the answer flow back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from bioloom.explanation import Explainer, Explanation, Question, explainers
from bioloom.explanation.engine import (
    between_letters,
    in_chunks,
    rows_per_chunk,
    spells_letters,
    untouched,
    where_filled,
)
from bioloom.explanation.gradients.saliency import SLOPED
from bioloom.explanation.rules import Rules, flows
from bioloom.explanation.rules.base import applied
from bioloom.explanation.rules.kinds import RECTIFIERS

if TYPE_CHECKING:
    from torch import Tensor

    from bioloom.explanation.rules.base import Bend

WARNING = (
    "This map shows what is striking in the record more than what the model learned: it changes little when the weights "
    "of the model are drawn anew. Do not conclude anything from it alone."
)
"""Adebayo et al. 2018, NeurIPS, arXiv:1810.03292."""


@explainers.register
class GuidedBackprop(Explainer):
    """The slope of the output, of which at each rectifier only positive parts flow back.

    Backwards through a ReLU: R_in = 1[z > 0] * 1[R_out > 0] * R_out; through other rectifiers (leaky, ELU, GELU, SiLU,
    softplus) their slope takes the place of 1[z > 0]. A network without rectifiers gets its plain slope. Of letters the
    mean over those of a position is subtracted.

    Warning: it partly restores the input and hardly depends on what the upper layers learned, so that it fails
    randomisation tests (Adebayo et al. 2018, arXiv:1810.03292); the result says so too. Cost: one evaluation and its
    gradient. Not for saying why a model decided as it did; it is here to be compared with.
    Source: Springenberg et al. 2015, arXiv:1412.6806.
    """

    name = "guided_backprop"
    title = "Guided Backprop (slopes that speak for the prediction; fails sanity checks)"
    accepts = SLOPED
    refuses = True
    compared = True

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Follow the positive slopes of an output; see `guided_backprop`."""
        return guided_backprop(question)


@explainers.register
class Deconvnet(Explainer):
    """What flows back through the layers if each rectifier lets pass what is positive on the way back.

    Backwards through a ReLU: R_in = 1[R_out > 0] * R_out, whatever stood there on the way forward; max pools return to the
    places of their largest numbers. Otherwise, and in its warning, as `guided_backprop`.

    Cost: one evaluation and its gradient. Not for saying why a model decided as it did: it fails the same tests.
    Source: Zeiler & Fergus 2014, ECCV, arXiv:1311.2901.
    """

    name = "deconvnet"
    title = "Deconvolution network (what would excite the prediction; fails sanity checks)"
    accepts = SLOPED
    refuses = True

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Send an output back through the layers; see `deconvnet`."""
        return deconvnet(question)


def guided_backprop(question: Question) -> Explanation:
    """The slope of the output, of which at each rectifier only positive parts flow back.

    `GuidedBackprop` says how, at what cost, and by whom.
    """
    return _rectified(question, GuidedBackprop.name, deconvolved=False)


def deconvnet(question: Question) -> Explanation:
    """What flows back through the layers if each rectifier lets pass what is positive on the way back.

    `Deconvnet` says how, at what cost, and by whom.
    """
    return _rectified(question, Deconvnet.name, deconvolved=True)


def _rectified(question: Question, method: str, *, deconvolved: bool) -> Explanation:
    x, mask = question.batch[question.input]
    records = torch.arange(len(x), device=x.device)
    rules = Rectified(deconvolved=deconvolved)
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):

        def at(part: slice) -> Tensor:
            found, _ = flows(question, x[part], records[part], rules)
            question.progress(part.stop / len(x))
            return found

        slope = torch.cat(in_chunks(len(x), rows_per_chunk(x), at))
    value = where_filled(between_letters(slope, x), mask)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=method,
        input=question.input,
        reference="a record that differs very little",
        settings={
            "rectifiers": sorted(rules.met),
            "between_letters": spells_letters(x),
            "warning": WARNING,
        },
        effect="What would excite {}" if deconvolved else "Slope of {} that speaks for it",
    )


class Rectified(Rules):
    """Ordinary gradients, but for rectifiers. met: the rectifiers that were seen."""

    exact = False  # every operation has a gradient

    def __init__(self, *, deconvolved: bool) -> None:
        self.deconvolved, self.met = deconvolved, set[str]()

    def bent(self, name: str, bend: Bend, x: Tensor) -> Tensor:
        """Only what is positive flows back."""
        if name not in RECTIFIERS:
            return bend(x)
        self.met.add(name)
        if self.deconvolved:
            found: Tensor = applied(_Straight, x, bend)
            return found
        guided: Tensor = applied(_Positive, bend(x))
        return guided


class _Positive(torch.autograd.Function):
    """The same; backwards what is positive."""

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        del ctx
        return y.view_as(y)

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> Tensor:
        del ctx
        return flow.clamp(min=0)


class _Straight(torch.autograd.Function):
    """f(x); backwards what is positive, whatever x was."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bend: Bend) -> Tensor:
        del ctx
        return bend(x)

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None]:
        del ctx
        return flow.clamp(min=0), None
