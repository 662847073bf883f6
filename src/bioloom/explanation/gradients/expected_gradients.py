"""Expected gradients: the slope at random points between random backgrounds and the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.backgrounds import answers, backgrounds_of, counted
from bioloom.explanation.engine import on_letters, spells_letters, untouched
from bioloom.explanation.gradients.saliency import SLOPED
from bioloom.explanation.gradients.ways import Ways, added_up

if TYPE_CHECKING:
    from torch import Tensor

SAMPLES = 200
"""Random points of each record."""


@explainers.register
class ExpectedGradients(Explainer):
    """Average slope times difference over random backgrounds and random points between them and the record.

    value = mean over samples of (x - b) * df/dx at b + t (x - b), b a background, t uniform from 0 to 1: for each
    background one from each of equally wide parts (which scatters less than free draws, without bias). In the limit the values
    add up to f(x) - mean f(b), as those of Integrated Gradients with the same backgrounds; with finitely many samples
    they do so about, and the settings say how nearly.

    Cost: 200 gradients for each record, or one for each background where these are more: its use is many backgrounds.
    With few of them Integrated Gradients is exact and as fast. Not where points half way between records mean nothing.
    Source: Erion et al. 2021, Nature Machine Intelligence 3:620 (arXiv:1906.10670); "GradientSHAP" of Lundberg's package.
    """

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

    `ExpectedGradients` says how, at what cost, and by whom.

    Raises UserError where the question holds no background.
    """
    samples = samples or round(SAMPLES * question.effort)
    x, background = backgrounds_of(question, "The method of expected gradients")
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):
        total = _mean(question, x, background, samples)
        expected = answers(question, x, background).difference
    gap = (total.flatten(1).sum(dim=1) - expected).abs()
    value = on_letters(total.sum(dim=1), x) if spells_letters(x) else total
    question.progress(1.0)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=ExpectedGradients.name,
        input=question.input,
        reference=counted(background),
        settings={"samples": samples, "median_gap": float(gap.median()), "largest_gap": float(gap.max())},
    )


def _mean(question: Question, x: Tensor, background: Tensor, samples: int) -> Tensor:
    """Slope times difference on average, (records, *shape); the same draws for each record."""
    generator = torch.Generator().manual_seed(question.seed)
    records, count = background.shape[:2]
    of_each = max(1, samples // count)
    drawn = torch.rand(count, of_each, generator=generator)
    times = (
        ((torch.arange(of_each) + drawn) / of_each).to(x).repeat(records, 1)
    )  # one in each part of the way
    record = torch.arange(records, device=x.device).repeat_interleave(count)
    ways = Ways(record, background.flatten(0, 1), times, torch.full_like(times, 1 / of_each))
    return added_up(question, ways, question.progress).view_as(background).mean(dim=1)
