"""What a map of attributions points at, and records of which only a share of the parts is kept.

The parts of a record are its columns, positions, nodes or pixels. What is not kept is taken from the backgrounds of the record:
letters are replaced by whole letters and never faded, so that the network only sees sequences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from bioloom.explanation import Scale
from bioloom.explanation.engine import ask_all, spells_letters, untouched
from bioloom.explanation.summary import at_observed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.explanation import Question

    Floats = NDArray[np.float64]

NEAR = 0.25
"""Records whose answer differs from that of their backgrounds by less than this share of the usual difference cannot tell
which parts make the difference."""


def by_part(attribution: NDArray[np.float32], x: NDArray[np.float32], letters: bool) -> Floats:
    """One number for each part: the sum over channels, or what is attributed to the letter that stands there.

    attribution, x: (records, *shape); returns (records, parts)
    """
    if attribution.ndim == 2:
        return np.asarray(attribution, dtype=np.float64)
    if letters:
        return np.asarray(at_observed(attribution, x), dtype=np.float64)
    return np.asarray(attribution.sum(axis=1, dtype=np.float64).reshape(len(attribution), -1))


def scaled(values: Floats, filled: NDArray[np.bool_]) -> Floats:
    """Each map stretched to 0 to 1 over the parts that are there; a map that is the same everywhere becomes 0."""
    low = np.where(filled, values, np.inf).min(axis=1, keepdims=True)
    high = np.where(filled, values, -np.inf).max(axis=1, keepdims=True)
    width = np.where(high > low, high - low, 1.0)
    return np.where(filled & (high > low), (values - low) / width, 0.0)


@dataclass(frozen=True)
class Ground:
    """What maps are judged on.

    question:   about the number whose evidence the maps show; its backgrounds stand for "nothing here"
    background: (records, backgrounds, *shape)
    """

    question: Question
    background: Tensor

    @cached_property
    def x(self) -> Tensor:
        """The records, (records, *shape)."""
        return self.question.batch[self.question.input].x

    @cached_property
    def letters(self) -> bool:
        """Whether the records are made of letters."""
        return spells_letters(self.x)

    @cached_property
    def filled(self) -> NDArray[np.bool_]:
        """Which parts are there, (records, parts)."""
        mask = self.question.batch[self.question.input].mask
        if mask is None:
            places = self.x.shape[1:] if self.x.dim() == 2 else self.x.shape[2:]
            return np.ones((len(self.x), int(np.prod(places))), dtype=bool)
        return mask.cpu().numpy().reshape(len(self.x), -1)

    @cached_property
    def probability(self) -> bool:
        """Whether the number is a probability, which has a zero of its own."""
        return self.question.target.scale is Scale.PROBABILITY

    @cached_property
    def whole(self) -> Floats:
        """The number of each record, (records,)."""
        return self._asked(len(self.x), lambda part: (self.x[part], self._records[part]))

    @cached_property
    def nothing(self) -> Floats:
        """The mean number of the backgrounds of each record, (records,)."""
        count = self.background.shape[1]

        def empty(part: slice) -> tuple[Tensor, Tensor]:
            index = torch.arange(part.start, part.stop, device=self.x.device)
            return self.background[index // count, index % count], index // count

        found = self._asked(len(self.x) * count, empty).reshape(len(self.x), count)
        return np.asarray(found.mean(axis=1))

    @cached_property
    def sign(self) -> Floats:
        """Which way a part speaks for the record's own answer, (records,): 1, or -1 where it is below the backgrounds'.

        The number of a class is its probability, for which parts speak by raising it.
        """
        ones = np.ones(len(self.x))
        return ones if self.probability else np.where(self.whole < self.nothing, -1.0, 1.0)

    @cached_property
    def judged(self) -> NDArray[np.bool_]:
        """Which records can tell, (records,): those that the network answers otherwise than their backgrounds."""
        apart = np.abs(self.whole - self.nothing)
        return np.asarray((apart > 0) & (apart >= NEAR * np.median(apart)))

    def share(self, answers: Floats) -> Floats:
        """Answers on a scale on which more is more evidence: a probability, or how far it is from the backgrounds (0)
        towards the record, 1 being as far as records are on average.

        answers: (..., records)
        """
        if self.probability:
            return answers
        usual = np.abs(self.whole - self.nothing)[self.judged]
        return self.sign * (answers - self.nothing) / (usual.mean() if usual.size else 1.0)

    @property
    def _records(self) -> Tensor:
        return torch.arange(len(self.x), device=self.x.device)

    def _asked(self, count: int, variants: Callable[[slice], tuple[Tensor, Tensor]]) -> Floats:
        question = self.question
        with untouched(question.network, question.seed, self.x.device):
            return np.asarray(ask_all(question, count, variants).double().cpu().numpy())

    def keeping(self, kept: NDArray[np.float64]) -> Floats:
        """The mean number, over backgrounds, of records of which parts are kept, (variants, records).

        kept: (variants, records, parts) from 0, taken from the background, to 1; with letters, the larger one is taken
        """
        variants, records, _ = kept.shape
        count = self.background.shape[1]
        weights = torch.from_numpy(np.ascontiguousarray(kept, dtype=np.float32)).to(self.x.device)

        def made(part: slice) -> tuple[Tensor, Tensor]:
            index = torch.arange(part.start, part.stop, device=self.x.device)
            which, record, of = index % count, index // count % records, index // (count * records)
            keep = self._spread(weights[of, record]).to(self.x.dtype)
            own, other = self.x[record], self.background[record, which]
            if self.letters:
                return torch.where(keep >= 0.5, own, other), record
            return torch.where(keep == 1, own, other + keep * (own - other)), record

        answers = self._asked(variants * records * count, made)
        return np.asarray(answers.reshape(variants, records, count).mean(axis=2))

    def _spread(self, keep: Tensor) -> Tensor:
        """Weights of parts, (variants, parts), over all channels."""
        if self.x.dim() == 2:
            return keep
        return keep.view(len(keep), 1, *self.x.shape[2:])
