"""Integrated Gradients: add up the slope of the model on the way from "nothing here" to the record."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.backgrounds import Answers, answers, backgrounds_of, counted
from bioloom.explanation.engine import ask_all, on_letters, spells_letters, untouched
from bioloom.explanation.gradients.ways import Ways, added_up
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


_WORST = 4
"""Cut are pieces whose gap is at least this part of the largest of a record."""


@dataclass(frozen=True)
class Steps:
    """How finely the way is cut: `first` steps at first, and as many on each half of a piece that is not right, up to `most`
    on each way on average.

    tolerance: allowed gap of the sum, as a share of f(x) - f(background)
    """

    first: int = 32
    most: int = 1024
    tolerance: float = 0.01


@explainers.register
class IntegratedGradients(Explainer):
    """Divide f(x) - f(background) among the parts of the input by following the gradient in between.

    attribution = (x - b) * integral over t from 0 to 1 of df/dx at b + t (x - b), by Gauss-Legendre
    quadrature, averaged over the backgrounds b of a record. The attributions of a record add up to
    f(x) - mean f(b); `delta` tells how nearly. Until that gap is at most 1 % of the difference, those pieces of the way
    are cut in two whose own sum is furthest from the change of the answer on them: bends of a network are few and local.

    Letters: the numbers of a position are added up and put on the letter that stands there, which keeps the
    sum. (The correction of gradients for one-hot letters, subtracting the mean over letters, Majdandzic et
    al. 2023, Genome Biology 24:109, changes nothing then: x - b adds up to zero at each position.)
    Other inputs of the network stay as they are. Places outside the mask get 0.

    Cost: steps x backgrounds gradients per record. The way leads through inputs that no experiment ever
    saw, half one letter and half another; where that misleads, mutagenesis agrees with it poorly.
    Source: Sundararajan, Taly & Yan 2017, ICML, https://arxiv.org/abs/1703.01365.
    """

    name = "integrated_gradients"
    title = "Integrated Gradients (follow the slope from a background to the record)"
    accepts = frozenset({Kind.SEQUENCE, Kind.VECTOR, Kind.IMAGE, Kind.GRAPH})
    needs_background = True
    compared = True

    class Settings(ExplainerSettings):
        """How finely the way is cut."""

        steps: int = Field(default=Steps.first, ge=1, description="steps of the way at first")
        most_steps: int = Field(
            default=Steps.most,
            ge=1,
            description="pieces are cut in two until the sum is right, up to so many steps",
        )
        tolerance: float = Field(
            default=Steps.tolerance, gt=0, description="gap of the sum that is right enough, as a share of it"
        )

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to the parts of an input; see `integrated_gradients`."""
        told = cls.told(question)
        return integrated_gradients(question, steps=Steps(told.steps, told.most_steps, told.tolerance))


def integrated_gradients(question: Question, *, steps: Steps | None = None) -> Explanation:
    """Divide f(x) - f(background) among the parts of the input by following the gradient in between.

    `IntegratedGradients` says how, at what cost, and by whom.

    Raises UserError where the question holds no background.
    """
    steps = steps or Steps()
    x, background = backgrounds_of(question, "Integrated Gradients")
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):
        told = answers(question, x, background)
        total, used = _refined(question, background, told, steps)
    attribution = (on_letters(total.sum(dim=1), x) if spells_letters(x) else total).float().cpu().numpy()
    question.progress(1.0)
    return Explanation(
        attribution=attribution,
        method=IntegratedGradients.name,
        input=question.input,
        reference=counted(background),
        delta=_gap(attribution, told.difference),
        settings={"steps": used.tolist(), "tolerance": steps.tolerance, "most_steps": steps.most},
    )


@dataclass(frozen=True)
class _Pieces:
    """Parts of the ways from backgrounds to records, each with what was found on it.

    way:             (pieces,) numbers of ways
    low, high:       (pieces,) where on the way they begin and end, 0 to 1
    at_low, at_high: (pieces,) the answers there
    found:           (pieces, *shape) contributions
    """

    way: Tensor
    low: Tensor
    high: Tensor
    at_low: Tensor
    at_high: Tensor
    found: Tensor

    @property
    def gap(self) -> Tensor:
        """The sum of the contributions minus how much the answer changes, (pieces,)."""
        return self.found.flatten(1).sum(dim=1) - (self.at_high - self.at_low)

    def __getitem__(self, which: Tensor) -> _Pieces:
        return _Pieces(*(getattr(self, each.name)[which] for each in fields(self)))

    def and_(self, other: _Pieces) -> _Pieces:
        """These and others."""
        both = (torch.cat([getattr(self, each.name), getattr(other, each.name)]) for each in fields(self))
        return _Pieces(*both)


@dataclass(frozen=True)
class _Walk:
    """The ways of a question, one from each background: whose they are, (ways,), and where they begin, (ways, *shape)."""

    question: Question
    owner: Tensor
    start: Tensor
    steps: int

    def look(self, pieces: _Pieces, share: tuple[float, float]) -> _Pieces:
        """The same pieces, with what is found on them now; share: where the progress stands, and how much this takes."""
        nodes, weights = (torch.as_tensor(each).to(pieces.low) for each in _quadrature(self.steps))
        length = (pieces.high - pieces.low)[:, None]
        ways = Ways(
            self.owner[pieces.way],
            self.start[pieces.way],
            pieces.low[:, None] + nodes * length,
            weights * length,
        )
        found = added_up(self.question, ways, lambda done: self.question.progress(share[0] + share[1] * done))
        return replace(pieces, found=found)

    def halves(self, pieces: _Pieces) -> _Pieces:
        """Each piece cut in the middle, not looked at yet."""
        x = self.question.batch[self.question.input].x
        middle = (pieces.low + pieces.high) / 2

        def there(part: slice) -> tuple[Tensor, Tensor]:
            record, start = self.owner[pieces.way[part]], self.start[pieces.way[part]]
            times = middle[part].view(-1, *[1] * (x.dim() - 1))
            return start + times * (x[record] - start), record

        said = ask_all(self.question, len(middle), there)
        return replace(pieces, high=middle, at_high=said).and_(replace(pieces, low=middle, at_low=said))


def _to_be_cut(pieces: _Pieces, owner: Tensor, allowed: Tensor) -> Tensor:
    """Which pieces the gap of a record comes from, where it is larger than allowed, (pieces,).

    owner: (ways,) whose they are; allowed: (records,) for the sum over all ways of a record
    """
    of, gap = owner[pieces.way], pieces.gap
    off = torch.zeros_like(allowed).index_add_(0, of, gap).abs() > allowed
    worst = torch.zeros_like(allowed).scatter_reduce_(0, of, gap.abs(), "amax")
    return off[of] & (gap.abs() > 0) & (gap.abs() >= worst[of] / _WORST)


def _refined(question: Question, background: Tensor, told: Answers, steps: Steps) -> tuple[Tensor, Tensor]:
    """Attributions, (records, *shape), and the steps on the way from each background to a record on average, (records,).

    As long as the sum of a record is not right, those pieces of its ways are cut in two that its gap comes from.
    """
    records, count = background.shape[:2]
    start = background.flatten(0, 1)
    owner = torch.arange(records, device=background.device).repeat_interleave(count)
    walk, ways = _Walk(question, owner, start, steps.first), torch.arange(len(start), device=start.device)
    low, at_low = torch.zeros_like(told.at_x[owner]), told.at_background.flatten()
    whole = _Pieces(ways, low, low + 1, at_low, told.at_x[owner], found=start)
    pieces, done = walk.look(whole, (0.0, 0.5)), 0.5
    used = torch.full_like(told.at_x, steps.first)
    allowed = steps.tolerance * told.difference.abs() + 1e-5 * told.size  # below that, rounding decides
    while bool((cut := _to_be_cut(pieces, owner, allowed * count)).any()):
        more = owner[pieces.way[cut]].bincount(minlength=records) * (2 * steps.first / count)
        enough = used + more > steps.most
        cut &= ~enough[owner[pieces.way]]
        if not bool(cut.any()):
            break
        used = torch.where(enough, used, used + more)
        found = walk.look(walk.halves(pieces[cut]), (done, (1 - done) / 2))
        pieces, done = pieces[~cut].and_(found), done + (1 - done) / 2
    total = torch.zeros_like(background[:, 0])
    return total.index_add_(0, owner[pieces.way], pieces.found / count), used.round().long()


@cache
def _quadrature(steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times between 0 and 1 and their weights, which sum to 1 (Gauss-Legendre)."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (nodes + 1) / 2, weights / 2


def _gap(attribution: NDArray[np.float32], difference: Tensor) -> NDArray[np.float32]:
    """Sum of the attributions minus what they should add up to, (records,)."""
    sums = attribution.reshape(len(attribution), -1).sum(axis=1, dtype=np.float64)
    return np.asarray(sums - difference.double().cpu().numpy(), dtype=np.float32)
