"""Integrated Gradients: add up the slope of the model on the way from "nothing here" to the record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.backgrounds import backgrounds_of, difference_to
from bioloom.explanation.engine import (
    in_chunks,
    on_letters,
    rows_per_chunk,
    slope,
    spells_letters,
    untouched,
)
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class Steps:
    """How finely the way is cut: `first` steps, doubled until the sum is right or `most` are reached.

    tolerance: allowed gap, as a share of f(x) - f(background)
    """

    first: int = 32
    most: int = 512
    tolerance: float = 0.01


@explainers.register
class IntegratedGradients(Explainer):
    """Integrated Gradients with its defaults; see `integrated_gradients`."""

    name = "integrated_gradients"
    title = "Integrated Gradients (follow the slope from a background to the record)"
    accepts = frozenset({Kind.SEQUENCE, Kind.VECTOR, Kind.IMAGE, Kind.GRAPH})
    needs_background = True
    compared = True

    class Settings(ExplainerSettings):
        """How finely the way is cut."""

        steps: int = Field(default=Steps.first, ge=1, description="steps of the way at first")
        most_steps: int = Field(
            default=Steps.most, ge=1, description="they are doubled until the sum is right, up to so many"
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

    attribution = (x - b) * integral over t from 0 to 1 of df/dx at b + t (x - b), by Gauss-Legendre
    quadrature, averaged over the backgrounds b of a record. The attributions of a record add up to
    f(x) - mean f(b); `delta` tells how nearly. Steps double until that gap is at most 1 % of the difference.

    Letters: the numbers of a position are added up and put on the letter that stands there, which keeps the
    sum. (The correction of gradients for one-hot letters, subtracting the mean over letters, Majdandzic et
    al. 2023, Genome Biology 24:109, changes nothing then: x - b adds up to zero at each position.)
    Other inputs of the network stay as they are. Places outside the mask get 0.

    Cost: steps x backgrounds gradients per record. The way leads through inputs that no experiment ever
    saw, half one letter and half another; where that misleads, mutagenesis agrees with it poorly.
    Source: Sundararajan, Taly & Yan 2017, ICML, https://arxiv.org/abs/1703.01365.

    Raises UserError where the question holds no background.
    """
    steps = steps or Steps()
    x, background = backgrounds_of(question, "Integrated Gradients")
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):
        difference, scale = difference_to(question, x, background)
        total, used = _refined(question, background, difference, scale, steps)
    attribution = (on_letters(total.sum(dim=1), x) if spells_letters(x) else total).float().cpu().numpy()
    question.progress(1.0)
    return Explanation(
        attribution=attribution,
        method=IntegratedGradients.name,
        input=question.input,
        reference=f"{background.shape[1]} backgrounds of each record",
        delta=_gap(attribution, difference),
        settings={"steps": used.tolist(), "tolerance": steps.tolerance, "most_steps": steps.most},
    )


def _refined(
    question: Question, background: Tensor, difference: Tensor, scale: Tensor, steps: Steps
) -> tuple[Tensor, Tensor]:
    """Attributions, (records, *shape), and the steps each record needed, (records,)."""
    total = torch.zeros_like(background[:, 0])
    used = torch.zeros(len(total), dtype=torch.long)
    allowed = steps.tolerance * difference.abs() + 1e-5 * scale  # below that, rounding decides
    left, count, done = torch.arange(len(total), device=total.device), steps.first, 0.0
    while len(left):
        total[left] = _along_the_way(question, background, left, count, (done, (1 - done) / 2))
        used[left.cpu()] = count
        gap = (total[left].flatten(1).sum(dim=1) - difference[left]).abs()
        left, count, done = left[gap > allowed[left]], 2 * count, done + (1 - done) / 2
        if count > steps.most:
            break
    return total, used


def _along_the_way(
    question: Question, background: Tensor, records: Tensor, steps: int, share: tuple[float, float]
) -> Tensor:
    """Attributions of some records with this many steps, (records, *shape).

    share: where the progress stands, and how much of it this takes
    """
    x = question.batch[question.input].x.detach().clone()
    times, weights = (
        torch.as_tensor(numbers, dtype=x.dtype, device=x.device) for numbers in _quadrature(steps)
    )
    per_record = background.shape[1] * steps
    total = torch.zeros_like(x[records])
    ones = (1,) * (x.dim() - 1)
    count = len(records) * per_record

    def add(part: slice) -> None:
        point = torch.arange(part.start, part.stop, device=x.device)
        row, step = point // per_record, point % steps
        start = background[records[row], point % per_record // steps]
        way = x[records[row]] - start  # (points, *shape)
        slopes = slope(question, start + times[step].view(-1, *ones) * way, records[row])
        total.index_add_(0, row, slopes * way * (weights[step] / background.shape[1]).view(-1, *ones))
        question.progress(share[0] + share[1] * part.stop / count)

    in_chunks(count, rows_per_chunk(x), add)
    return total


@cache
def _quadrature(steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times between 0 and 1 and their weights, which sum to 1 (Gauss-Legendre)."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (nodes + 1) / 2, weights / 2


def _gap(attribution: NDArray[np.float32], difference: Tensor) -> NDArray[np.float32]:
    """Sum of the attributions minus what they should add up to, (records,)."""
    sums = attribution.reshape(len(attribution), -1).sum(axis=1, dtype=np.float64)
    return np.asarray(sums - difference.double().cpu().numpy(), dtype=np.float32)
