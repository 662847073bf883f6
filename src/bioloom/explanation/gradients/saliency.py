"""The slope of the model at a record: saliency, and input times gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.engine import (
    between_letters,
    in_chunks,
    rows_per_chunk,
    slope,
    spells_letters,
    untouched,
    where_filled,
)
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from torch import Tensor

SLOPED = frozenset({Kind.SEQUENCE, Kind.VECTOR, Kind.IMAGE, Kind.GRAPH})
"""Kinds of input that have a slope: numbers, not names of tokens."""


@explainers.register
class Saliency(Explainer):
    """How steeply the output changes with each number of the input, at the record itself.

    value = |df/dx|, as in the paper. Of letters the sign is kept (`absolute` decides, if given) and the mean over the
    letters of a position subtracted: then it says, to first order, what putting each letter there would do, less the
    mean over letters, as mutagenesis does by asking.

    Cost: one evaluation and its gradient. Not for saying what made a prediction: a slope tells what a small change would
    do, is 0 where the model is saturated, and is noisy between records that look alike.
    Source: Simonyan, Vedaldi & Zisserman 2014, arXiv:1312.6034; letters, Majdandzic et al. 2023, Genome Biology 24:109.
    """

    name = "saliency"
    title = "Saliency (how steeply the prediction changes with each part)"
    accepts = SLOPED

    class Settings(ExplainerSettings):
        """Whether the sign is kept."""

        absolute: bool | None = Field(
            default=None, description="leave out the sign; empty: of letters it is kept, of numbers left out"
        )

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Measure the slope of an output at a record; see `saliency`."""
        return saliency(question, absolute=cls.told(question).absolute)


@explainers.register
class InputTimesGradient(Explainer):
    """Multiply each number of the input by how steeply the output changes with it.

    value = x * df/dx; of letters the mean slope over the letters of a position is subtracted first, so that the letter
    that stands there is compared with a random one. For a network of rectified linear units without biases the values
    add up to the output; otherwise nothing is promised.

    Cost: one evaluation and its gradient. Not where zero is no sensible "nothing here" (columns that are centred, pixels
    whose zero is the mean colour), and not where letters stand in for each other: x1 * x2 is counted twice.
    Source: Shrikumar, Greenside & Kundaje 2017, ICML, arXiv:1605.01713 (as the method to improve on).
    """

    name = "input_x_gradient"
    title = "Input times gradient (what is there, by how steeply it counts)"
    accepts = SLOPED
    compared = True

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to what is there; see `input_x_gradient`."""
        return input_x_gradient(question)


def saliency(question: Question, *, absolute: bool | None = None) -> Explanation:
    """How steeply the output changes with each number of the input, at the record itself.

    `Saliency` says how, at what cost, and by whom.
    """
    x, mask = question.batch[question.input]
    gradient = between_letters(slopes(question), x)
    absolute = not spells_letters(x) if absolute is None else absolute
    value = where_filled(gradient.abs() if absolute else gradient, mask)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=Saliency.name,
        input=question.input,
        reference="a record that differs very little",
        settings={"absolute": absolute, "between_letters": spells_letters(x)},
        effect="Size of the slope of {}" if absolute else "Slope of {}",
    )


def input_x_gradient(question: Question) -> Explanation:
    """Multiply each number of the input by how steeply the output changes with it.

    `InputTimesGradient` says how, at what cost, and by whom.
    """
    x, mask = question.batch[question.input]
    value = where_filled(between_letters(slopes(question), x) * x, mask)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=InputTimesGradient.name,
        input=question.input,
        reference="an average letter" if spells_letters(x) else "zeros",
        settings={"between_letters": spells_letters(x)},
    )


def slopes(question: Question) -> Tensor:
    """Gradient of the explained number at each record, (records, *shape)."""
    x = question.batch[question.input].x
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):
        records = torch.arange(len(x), device=x.device)

        def at(part: slice) -> Tensor:
            found = slope(question, x[part].detach().clone(), records[part])
            question.progress(part.stop / len(x))
            return found

        return torch.cat(in_chunks(len(x), rows_per_chunk(x), at))
