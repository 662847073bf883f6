"""Expected gradients: the slope at random points between random backgrounds and the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from bioloom.explanation.gradients.saliency import SLOPED

if TYPE_CHECKING:
    from torch import Tensor

SAMPLES = 200
"""Random points of each record."""


@explainers.register
class ExpectedGradients(Explainer):
    """Expected gradients with its defaults; see `expected_gradients`."""

    name = "expected_gradients"
    title = "Expected gradients (slopes at random points on the way from backgrounds)"
    accepts = SLOPED
    needs_background = True

    class Settings(ExplainerSettings):
        """How many points are looked at."""

        samples: int | None = Field(
            default=None, ge=1, description=f"random points of each record; empty: {SAMPLES}"
        )

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to the parts of an input; see `expected_gradients`."""
        return expected_gradients(question, samples=cls.told(question).samples)


def expected_gradients(question: Question, *, samples: int | None = None) -> Explanation:
    """Average slope times difference over random backgrounds and random points between them and the record.

    value = mean over samples of (x - b) * df/dx at b + t (x - b), b a background, t uniform from 0 to 1: for each
    background one from each of equally wide parts (which scatters less than free draws, without bias). In the limit the values
    add up to f(x) - mean f(b), as those of Integrated Gradients with the same backgrounds; with finitely many samples
    they do so about, and the settings say how nearly.

    Cost: 200 gradients for each record, or one for each background where these are more: its use is many backgrounds.
    With few of them Integrated Gradients is exact and as fast. Not where points half way between records mean nothing.
    Source: Erion et al. 2021, Nature Machine Intelligence 3:620 (arXiv:1906.10670); "GradientSHAP" of Lundberg's package.

    Raises UserError where the question holds no background.
    """
    samples = samples or round(SAMPLES * question.effort)
    x, background = backgrounds_of(question, "The method of expected gradients")
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):
        total = _mean(question, x, background, samples)
        expected, _ = difference_to(question, x, background)
    gap = (total.flatten(1).sum(dim=1) - expected).abs()
    value = on_letters(total.sum(dim=1), x) if spells_letters(x) else total
    question.progress(1.0)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=ExpectedGradients.name,
        input=question.input,
        reference=f"{background.shape[1]} backgrounds of each record",
        settings={"samples": samples, "median_gap": float(gap.median()), "largest_gap": float(gap.max())},
    )


def _mean(question: Question, x: Tensor, background: Tensor, samples: int) -> Tensor:
    """Slope times difference on average, (records, *shape); the same draws for each record."""
    generator = torch.Generator().manual_seed(question.seed)
    of_each = max(1, samples // background.shape[1])
    drawn = torch.rand(background.shape[1], of_each, generator=generator)
    time = ((torch.arange(of_each) + drawn) / of_each).flatten().to(x)  # one in each part of the way
    per_record = len(time)
    total, ones = torch.zeros_like(x), (1,) * (x.dim() - 1)
    count = len(x) * per_record

    def add(part: slice) -> None:
        point = torch.arange(part.start, part.stop, device=x.device)
        row, sample = point // per_record, point % per_record
        start = background[row, sample // of_each]
        way = x[row] - start
        found = slope(question, start + time[sample].view(-1, *ones) * way, row)
        total.index_add_(0, row, found * way / per_record)
        question.progress(part.stop / count)

    in_chunks(count, rows_per_chunk(x), add)
    return total
