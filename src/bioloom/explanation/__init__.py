"""Why: one file per family of explainers, all with one call and one result.

Attributions have the shape of the input as the network sees it, (records, *shape); for sequences that is
(records, letters, positions).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bioloom.modalities import Kind
from bioloom.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.explanation.references import Library
    from bioloom.modalities import Batch
    from bioloom.models import Network


class Scale(StrEnum):
    """On which scale an answer is explained."""

    RAW = "raw"  # the raw output: a standardised target, a logit
    PROBABILITY = "probability"  # sigmoid of a single output, softmax over several
    LOG_ODDS = "log_odds"  # log p / (1 - p); the logit itself where there is a single output


@dataclass(frozen=True, eq=False)
class Target:
    """Which number of an answer is explained; attributions are in its units.

    output:  which output, one integer for all records, or (records,) integers
    scale:   raw output, probability or log odds; the last two make sense where outputs are classes
    against: another output whose number, on the same scale, is subtracted: "why this and not that"; like `output`
    classes: whether a single output that tells two classes apart is read as two, so that 0 and 1 number the classes:
             logits -z and z, probabilities 1 - p and p
    """

    output: int | Tensor = 0
    scale: Scale = Scale.RAW
    against: int | Tensor | None = None
    classes: bool = False


@dataclass(frozen=True)
class Question:
    """What is to be explained.

    network:    in evaluation mode; left exactly as it was found
    batch:      the records on the device, one signal per input
    input:      the name of the input that is explained; the others stay as they are
    output:     what is explained of the answer: the number of a raw output (standardised target, or logit) for all records,
                or a `Target` that says more
    background: "nothing here" inputs, (records, count, *shape), where the method needs them
    seed:       of everything random
    progress:   called with the share done, 0 to 1
    place:      which position is asked about, where the network answers at every one; None for the mean over all that
                are filled
    effort:     samples, masks or iterations of methods that take any, relative to their usual number
    layer:      whose maps are looked at, as the dotted name of a module, by methods that look at maps; empty: the last maps
    library:    gives maps of training records of other classes, for methods that compare with them
    together:   columns of a vector that are hidden together, such as those of one category; others are hidden one by one
    """

    network: Network
    batch: Batch
    input: str
    output: int | Target
    background: Tensor | None = None
    seed: int = 0
    progress: Callable[[float], None] = field(default=lambda _: None)
    place: int | None = None
    effort: float = 1.0
    together: tuple[tuple[int, ...], ...] = ()
    library: Library | None = None
    layer: str = ""

    @property
    def target(self) -> Target:
        """What is explained of the answer, written out."""
        return self.output if isinstance(self.output, Target) else Target(self.output)


@dataclass(frozen=True)
class Explanation:
    """Attributions of some records for one input.

    attribution: (records, *shape) float32, in units of what was asked about (the raw output, if nothing else)
    method:      the explainer's name
    input:       the name of the explained input
    reference:   what the attribution compares with, in words
    delta:       (records,) completeness: sum of attributions minus f(x) - f(reference); None where the method
                 promises no completeness
    error:       (records, *shape) standard error of the attribution by chance of sampling; None where nothing is sampled
    fit:         (records,) R2 of the simple model that stands for the network near a record; None where there is none
    effect:      what a value tells of the explained number, whose name stands for {}
    settings:    what the method was told, for the record
    ids:         (records,) text
    """

    attribution: NDArray[np.float32]
    method: str
    input: str
    reference: str
    delta: NDArray[np.float32] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    error: NDArray[np.float32] | None = None
    fit: NDArray[np.float32] | None = None
    effect: str = "Change of {}"


class Explainer(ABC):
    """One way of explaining. Register the class; it is used without being built with anything.

    backgrounds: how many backgrounds it needs at least, for kinds of input where more of them tell more
    refuses: whether it may refuse a network that it cannot explain rightly, with a UserError that says why
    marks:   whether it marks regions that matter, so that parts without a contribution of their own may be in one
    """

    name: ClassVar[str]
    title: ClassVar[str]
    accepts: ClassVar[frozenset[Kind]]
    needs_background: ClassVar[bool] = False
    backgrounds: ClassVar[Mapping[Kind, int]] = MappingProxyType({})
    refuses: ClassVar[bool] = False
    bends_only: ClassVar[bool] = False
    marks: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute one output to the parts of one input; memory stays bounded by working in chunks."""

    @classmethod
    def explain_each(cls, questions: Sequence[Question]) -> list[Explanation]:
        """Answer questions that differ only in what is asked of the answer, such as its classes.

        Here one after the other; methods that only ask a network ask it once for all.
        """
        return [cls.explain(question) for question in questions]


explainers: Registry[type[Explainer]] = Registry("explainer", "bioloom.explanation", "bioloom.explainers")
