"""Guided Integrated Gradients: go from a background to the record by moving first what matters least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.backgrounds import answers, backgrounds_of, counted
from bioloom.explanation.engine import (
    in_chunks,
    on_letters,
    rows_per_chunk,
    slope,
    spells_letters,
    untouched,
)
from bioloom.explanation.gradients.saliency import SLOPED

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Way:
    """How the way is gone.

    steps:    gradients that are taken on it, one after the other
    fraction: share of the numbers that are not there yet that move at a time, those with the smallest slopes first
    apart:    how far a number may be from where it would be on the straight way, as a share of that; 0 is the straight
              way, 1 sets no bounds
    """

    steps: int = 200
    fraction: float = 0.25
    apart: float = 0.02


@explainers.register
class GuidedIntegratedGradients(Explainer):
    """Follow the gradient from a background to the record on a way that moves numbers with small slopes first.

    Step t of T ends where the distance left, |x - point| summed over the input, is 1 - t/T of that at the start. Numbers
    more than 2 % behind the straight way are brought up to there first; then, again and again, the quarter of those that
    may still move (to 2 % ahead) with the smallest |df/dx| does, until the distance is reached; the last quarter moves a
    part of its way. Each movement adds slope x movement. Of several backgrounds the mean is taken; the numbers of a
    position of letters are added up and put on the letter that stands there.

    The values add up to f(x) - mean f(background) only about, the nearer the more steps there are and the less freedom;
    the settings say how nearly.
    Cost: 200 gradients for each record and background, one after the other. Not for a quick look, and not where features
    that matter little one by one matter together: these move first.
    Source: Kapishnikov et al. 2021, CVPR, arXiv:2106.09788.
    """

    name = "guided_ig"
    title = "Guided Integrated Gradients (a way to the record that avoids steep places)"
    accepts = SLOPED
    needs_background = True

    class Settings(ExplainerSettings):
        """How the way is gone."""

        steps: int | None = Field(default=None, ge=1, description=f"gradients on the way; empty: {Way.steps}")
        fraction: float = Field(
            default=Way.fraction,
            gt=0,
            le=1,
            description="share of the numbers on the way that move at a time",
        )
        apart: float = Field(
            default=Way.apart, ge=0, le=1, description="how far from the straight way a number may be"
        )

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to the parts of an input; see `guided_ig`."""
        told = cls.told(question)
        return guided_ig(question, Way(told.steps or _steps(question), told.fraction, told.apart))


def guided_ig(question: Question, way: Way | None = None) -> Explanation:
    """Follow the gradient from a background to the record on a way that moves numbers with small slopes first.

    `GuidedIntegratedGradients` says how, at what cost, and by whom.

    Raises UserError where the question holds no background.
    """
    way = way or Way(steps=_steps(question))
    x, background = backgrounds_of(question, "Guided Integrated Gradients")
    count = background.shape[1]
    owner = torch.arange(len(x), device=x.device).repeat_interleave(count)
    start = background.flatten(0, 1)
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):

        def walked(part: slice) -> Tensor:
            said = (part.start / len(start), (part.stop - part.start) / len(start))
            return _walk(question, start[part], owner[part], (way, said))

        each = torch.cat(in_chunks(len(start), rows_per_chunk(x), walked))
        total = each.view_as(background).mean(dim=1)
        expected = answers(question, x, background).difference
    gap = (total.flatten(1).sum(dim=1) - expected).abs()
    value = on_letters(total.sum(dim=1), x) if spells_letters(x) else total
    question.progress(1.0)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=GuidedIntegratedGradients.name,
        input=question.input,
        reference=counted(background),
        settings={
            "steps": way.steps,
            "fraction": way.fraction,
            "apart": way.apart,
            "median_gap": float(gap.median()),
            "largest_gap": float(gap.max()),
        },
    )


def _steps(question: Question) -> int:
    return max(10, round(Way.steps * question.effort))


def _walk(question: Question, start: Tensor, owner: Tensor, how: tuple[Way, tuple[float, float]]) -> Tensor:
    """Slope times movement, added up from each start to its record, (starts, *shape).

    owner: (starts,) the record of each
    how:   the way, and where the progress stands at the start and how much of it this takes
    """
    way, (done, share) = how
    to = question.batch[question.input].x[owner].detach().flatten(1)
    begin = start.flatten(1)
    length = (to - begin).abs()  # what each number has to go
    gone = torch.where(length > 0, 0.0, 1.0).to(to)  # the share of it that is gone
    total = torch.zeros_like(to)
    for step in range(1, way.steps + 1):
        point = begin + gone * (to - begin)
        found = slope(question, point.view_as(start).clone(), owner).flatten(1)
        moved = _moved(gone, length, found.abs(), (step / way.steps, way))
        total += found * (moved - gone) * (to - begin)
        gone = moved
        question.progress(done + share * step / way.steps)
    return total.view_as(start)


def _moved(gone: Tensor, length: Tensor, steep: Tensor, at: tuple[float, Way]) -> Tensor:
    """The share of its way that each number is gone after a step, (starts, numbers).

    steep: size of the slope of each
    at:    the share of the way that is gone in all after this step, and how the way is gone
    """
    straight, way = at
    latest, earliest = max(straight - way.apart, 0.0), min(straight + way.apart, 1.0)
    gone = gone.clamp(min=latest)
    wanted = length.sum(dim=1) * (1 - straight)  # the distance that is to be left, (starts,)
    rounding = 1e-6 * length.sum(dim=1)
    for _ in range(steep.shape[1] + 1):  # each round brings at least one number to its bound, or is the last
        surplus = (length * (1 - gone)).sum(dim=1) - wanted
        free = (gone < earliest) & (surplus > rounding)[:, None]
        if not free.any():
            break
        chosen = free & ~(steep > _quantile(steep, free, way.fraction)[:, None])  # not a number moves as well
        within = torch.where(chosen, length * (earliest - gone), 0.0).sum(dim=1)
        factor = (surplus / within.clamp(min=1e-30)).clamp(0, 1)[:, None]
        target = torch.where(factor < 1, gone + factor * (earliest - gone), earliest)
        gone = torch.where(chosen, target, gone)
    return gone


def _quantile(steep: Tensor, free: Tensor, fraction: float) -> Tensor:
    """The size of slope up to which numbers move, so that this share of the free ones does, at least one; (starts,)."""
    ranked = torch.where(free, steep, torch.inf).sort(dim=1).values
    place = (fraction * (free.sum(dim=1) - 1).clamp(min=0)).long()
    return ranked.gather(1, place[:, None])[:, 0]
