"""Slopes at many records that differ a little: their mean (SmoothGrad) and how far they scatter (VarGrad)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.engine import (
    between_letters,
    chunks,
    in_chunks,
    rows_per_chunk,
    slope,
    spells_letters,
    untouched,
    where_filled,
)
from bioloom.explanation.gradients.saliency import SLOPED

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Noise:
    """How records are changed.

    samples: changed copies of each record
    spread:  standard deviation of Gaussian noise, as a share of the range of the record's numbers
    rate:    share of the letters that are replaced by another one, where the input is made of letters
    """

    samples: int = 50
    spread: float = 0.15
    rate: float = 0.05


class NoiseSettings(ExplainerSettings):
    """How records are changed."""

    samples: int | None = Field(
        default=None, ge=2, description=f"changed copies of each record; empty: {Noise.samples}"
    )
    spread: float = Field(
        default=Noise.spread, gt=0, description="standard deviation of the noise, as a share of the range"
    )
    rate: float = Field(default=Noise.rate, gt=0, le=1, description="share of the letters that are replaced")

    def noise(self, question: Question) -> Noise:
        """What they come to for a question."""
        samples = self.samples or max(2, round(Noise.samples * question.effort))
        return Noise(samples, self.spread, self.rate)


class OfNoise(Explainer):
    """What SmoothGrad and VarGrad share: slopes at changed copies of a record. effect: what a value tells."""

    accepts = SLOPED
    effect: ClassVar[str]

    class Settings(NoiseSettings):
        """How records are changed."""

    @classmethod
    @abstractmethod
    def moment(cls, mean: Tensor, variance: Tensor) -> Tensor:
        """Which of the two is the answer, (records, *shape) each."""

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Follow the slope at slightly changed records."""
        noise = cls.told(question).noise(question)
        value = cls.moment(*_moments(question, noise))
        x, mask = question.batch[question.input]
        letters = spells_letters(x)
        how = {"rate": noise.rate} if letters else {"spread": noise.spread}
        question.progress(1.0)
        return Explanation(
            attribution=where_filled(value, mask).float().cpu().numpy(),
            method=cls.name,
            input=question.input,
            reference=f"{noise.samples} copies of the record "
            + (f"with {noise.rate:.0%} of the letters replaced" if letters else "with noise"),
            settings={"samples": noise.samples, **how, "between_letters": letters},
            effect=cls.effect,
        )


@explainers.register
class SmoothGrad(OfNoise):
    """The mean slope of the output over copies of a record with noise, which is calmer than that at the record itself.

    value = mean over 50 samples of df/dx at x + e, e ~ N(0, s^2), s = 15 % of the range of the record's numbers. Letters
    do not take Gaussian noise, which leads to inputs that are no sequences: 5 % of them are replaced by others, and the
    mean slope over the letters of a position is subtracted. The sign is kept.

    Cost: 50 gradients for each record. Not where the slope itself misleads (see `saliency`): it is smoothed, not cured.
    Source: Smilkov et al. 2017, arXiv:1706.03825; changes of letters in place of noise are ours.
    """

    name = "smoothgrad"
    title = "SmoothGrad (mean slope over slightly changed records)"
    effect = "Mean slope of {}"

    @classmethod
    def moment(cls, mean: Tensor, variance: Tensor) -> Tensor:
        """The mean."""
        return mean


@explainers.register
class VarGrad(OfNoise):
    """How much the slope of the output varies over copies of a record with noise: large where parts act together.

    value = variance (divisor samples - 1) over the samples of `smoothgrad`, without a sign. It is 0 wherever the model
    is linear, whatever the slope there is: not for saying what matters in an additive model.

    Cost: 50 gradients for each record.
    Source: Adebayo et al. 2018, arXiv:1810.03307.
    """

    name = "vargrad"
    title = "VarGrad (how much the slope depends on the rest of the record)"
    bends_only = True
    effect = "Variance of the slope of {}"

    @classmethod
    def moment(cls, mean: Tensor, variance: Tensor) -> Tensor:
        """The variance."""
        return variance


def _moments(question: Question, noise: Noise) -> tuple[Tensor, Tensor]:
    """Mean and variance of the slope over changed copies, (records, *shape) each, by running moments (Welford 1962)."""
    x = question.batch[question.input].x.detach().clone()
    letters = spells_letters(x)
    generator = torch.Generator().manual_seed(question.seed)
    mean, squares = torch.zeros_like(x), torch.zeros_like(x)
    number = 0
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):
        for block in chunks(noise.samples, max(1, rows_per_chunk(x) // max(1, len(x)))):
            copies = [
                (_replaced if letters else _blurred)(x, noise, generator) for _ in range(noise.samples)[block]
            ]
            for found in _slopes(question, torch.stack(copies)):
                number += 1
                change = between_letters(found, x) - mean
                mean += change / number
                squares += change * (between_letters(found, x) - mean)
            question.progress(number / noise.samples)
    return mean, squares / max(1, noise.samples - 1)


def _slopes(question: Question, copies: Tensor) -> Tensor:
    """The slope at each of some copies of all records, (copies, records, *shape), as they come."""
    flat, records = copies.flatten(0, 1), torch.arange(copies.shape[1], device=copies.device)
    owner = records.repeat(len(copies))

    def at(part: slice) -> Tensor:
        return slope(question, flat[part].clone(), owner[part])

    return torch.cat(in_chunks(len(flat), rows_per_chunk(flat), at)).view_as(copies)


def _blurred(x: Tensor, noise: Noise, generator: torch.Generator) -> Tensor:
    """Records with Gaussian noise, the same draws for each of them, so that none depends on its company."""
    flat = x.flatten(1)
    extent = flat.amax(dim=1) - flat.amin(dim=1)
    drawn = torch.randn(x.shape[1:], generator=generator).to(x)
    return x + drawn * (noise.spread * extent).view(-1, *[1] * (x.dim() - 1))


def _replaced(x: Tensor, noise: Noise, generator: torch.Generator) -> Tensor:
    """Sequences with some letters replaced by others, at the same positions in each of them."""
    letters, positions = x.shape[1:]
    here = (torch.rand(positions, generator=generator) < noise.rate).to(x.device)
    further = torch.randint(1, letters, (positions,), generator=generator).to(x.device)
    other = (x.argmax(dim=1) + further) % letters  # never the letter that stands there
    new = torch.nn.functional.one_hot(other, letters).transpose(1, 2).to(x.dtype)
    there = x.sum(dim=1, keepdim=True) > 0  # empty positions stay empty
    return torch.where(here & there, new, x)
