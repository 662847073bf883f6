"""LIME: hide random segments of a record, and fit a straight line to what the model says near it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.engine import untouched
from bioloom.explanation.hiding.segments import (
    WINDOW_HELP,
    Segments,
    Ways,
    answers,
    backgrounds,
    hidden_at_all,
    segments_of,
    shared_out,
)
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from torch import Tensor

EVALUATIONS = 1000
PER_SEGMENT = 4
"""Evaluations of a record, all backgrounds together; more where there would be fewer variants than this for each segment."""

WIDTH = {"columns": 0.75, "places": 0.25}
"""Width of the kernel: of columns times the root of their number, and of everything else as a cosine distance."""

RIDGE = 1e-6

NO_FIT = 1e-12
"""Answers that vary by less than this, relative to their size, leave nothing to be fitted."""


@explainers.register
class Lime(Explainer):
    """Hide segments at random, weigh each variant by its likeness to the record, and fit a linear model to the answers.

    minimise over a, c: sum over variants of w(z) (f(z) - a - c.z)^2 + ridge |c|^2

    z is 1 for segments that stay, each with probability 1/2; f(z) is the mean of the output over the backgrounds from
    which the others are taken; w(z) = exp(-D^2 / width^2), where D is the cosine distance of z from 1 (width 0.25), for
    tables the Euclidean one (width 0.75 times the root of the number of columns): distances and widths of the authors'
    program, which takes the root of this kernel of their paper. The number of a segment, c, is shared evenly among its
    places.

    `fit` is the share of the weighted variance of the answers that the line predicts for variants it was not fitted to
    (leaving out one at a time, in closed form): 1 is a perfect line, 0 none. With a low fit the numbers mean little: the
    model is not a sum of effects of these segments. Where the answer never changes it is NaN.

    Cost: 1000 evaluations of a record. Do not use it where the fit is low, nor to read single letters:
    a segment is the smallest part it knows. It promises no completeness: see Kernel SHAP, which is LIME with other weights.
    Source: Ribeiro, Singh & Guestrin 2016, KDD, https://arxiv.org/abs/1602.04938.
    """

    name = "lime"
    title = "LIME (a straight line fitted to what hiding segments does)"
    accepts = frozenset(Kind)
    needs_background = True
    compared = True

    class Settings(ExplainerSettings):
        """What is hidden, how often, and how the line is fitted."""

        window: int | None = Field(default=None, ge=1, description=WINDOW_HELP)
        samples: int | None = Field(
            default=None, ge=2, description=f"variants of a record; empty: {EVALUATIONS} evaluations in all"
        )
        ridge: float = Field(default=RIDGE, gt=0, description="penalty of the fit")

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to segments; see `lime`."""
        told = cls.told(question)
        cut = segments_of(question, told.window)
        return lime(question, segments=cut, samples=told.samples, ridge=told.ridge)


def lime(
    question: Question, *, segments: Segments | None = None, samples: int | None = None, ridge: float = RIDGE
) -> Explanation:
    """Hide segments at random, weigh each variant by its likeness to the record, and fit a linear model to the answers.

    `Lime` says how, at what cost, and by whom.

    segments: what is hidden together; columns, tokens, windows, nodes or squares if left out
    samples:  variants of a record; 1000 divided by the number of backgrounds, or 4 for each segment, if that is more
    ridge:    penalty; small, so that coefficients are not shrunk (the authors' program uses 1, which shrinks them)
    """
    x = question.batch[question.input].x
    cut = segments or segments_of(question)
    nothing = backgrounds(question).shape[1]
    count = samples or max(round(question.effort * EVALUATIONS / nothing), PER_SEGMENT * cut.count)
    kept = _draw(question, cut, count)
    with untouched(question.network, question.seed, x.device):
        said = answers(question, cut, Ways(count, kept.__getitem__))
    fitted = fit(kept.double(), said, _weights(kept, columns=x.dim() == 2), ridge)
    value = torch.where(hidden_at_all(question, cut), fitted.coefficient, 0.0)
    question.progress(1.0)
    return Explanation(
        attribution=shared_out(question, cut, value).float().cpu().numpy(),
        method=Lime.name,
        input=question.input,
        reference=f"{cut.words} hidden at random, from {nothing} background{'s' * (nothing > 1)} of each record",
        settings={"segments": cut.words, "samples": count, "ridge": ridge},
        fit=fitted.left_out.float().cpu().numpy(),
    )


def _draw(question: Question, cut: Segments, count: int) -> Tensor:
    """Which segments stay in each variant, (variants, segments) bool; all do in the first."""
    generator = torch.Generator().manual_seed(question.seed)
    kept = torch.rand(count, cut.count, generator=generator) < 0.5
    kept[0] = True
    return kept.to(question.batch[question.input].x.device)


def _weights(kept: Tensor, *, columns: bool) -> Tensor:
    """How much each variant counts, (variants,) float64: 1 for the record itself, less the more is hidden."""
    share = kept.double().mean(dim=1)
    if columns:
        # both divided by the root of the number of columns
        distance, width = ((1 - share).sqrt(), WIDTH["columns"])
    else:
        # the cosine of z and 1 is the root of the share kept
        distance, width = (1 - share.sqrt(), WIDTH["places"])
    return torch.exp(-((distance / width) ** 2))


@dataclass(frozen=True)
class Fit:
    """Weighted ridge regressions on the same variants.

    coefficient: (records, segments)
    left_out:    (records,) weighted R2 of variants predicted by a line fitted to all others
    """

    coefficient: Tensor
    left_out: Tensor


def fit(z: Tensor, said: Tensor, weight: Tensor, ridge: float) -> Fit:
    """Regress answers on which segments stay, with a free intercept.

    z: (variants, segments), said: (records, variants), weight: (variants,); all float64
    """
    design = torch.cat([torch.ones_like(z[:, :1]), z], dim=1)
    penalty = torch.full((design.shape[1],), ridge, dtype=z.dtype, device=z.device)
    penalty[0] = 0
    weighted = design * weight[:, None]
    root = torch.linalg.cholesky(design.T @ weighted + torch.diag(penalty))
    solution = torch.cholesky_solve(weighted.T @ said.T, root).T  # (records, 1 + segments)
    leverage = (weighted * torch.cholesky_solve(design.T, root).T).sum(dim=1)
    missed = (said - solution @ design.T) / (1 - leverage).clamp(min=1e-9)
    mean = (said * weight).sum(dim=1, keepdim=True) / weight.sum()
    total = ((said - mean) ** 2 * weight).sum(dim=1)
    varies = total > NO_FIT * weight.sum() * (mean[:, 0] ** 2 + 1e-12)
    left_out = torch.where(varies, 1 - (missed**2 * weight).sum(dim=1) / total.clamp(min=1e-300), torch.nan)
    return Fit(solution[:, 1:], left_out)
