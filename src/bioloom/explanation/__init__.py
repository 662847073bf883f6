"""Why: one file per family of explainers, all with one call and one result.

Explainers are in gradients/ (they follow slopes), propagation/ (they hand the answer back by rules), maps/ (CAM and its kin),
hiding/ (they hide parts) and letters/ (they change letters). They share the engine, rules/ and locality/; quality/ measures
what they say; overview and summary say it of many records together.

Attributions have the shape of the input as the network sees it, (records, *shape); for sequences that is
(records, letters, positions).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from bioloom.modalities import Kind
from bioloom.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.explanation.maps.references import Library
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


class ExplainerSettings(BaseModel):
    """Settings of a method, each with its description; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    settings:   the method's own; None: the usual ones
    memory:     what the network said of batches that it was asked about, for questions that differ only in what is asked
                of the answer; None where nothing is remembered
    kind:       of the explained input; None: what its shape says, by which a graph is taken for a sequence
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
    settings: ExplainerSettings | None = None
    kind: Kind | None = None
    memory: dict[bytes, Tensor] | None = None

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
    looks:   whether it looks at the maps of a layer, which a question may name
    compared: whether it is compared with others where none are named: one of each family is
    """

    name: ClassVar[str]
    title: ClassVar[str]
    accepts: ClassVar[frozenset[Kind]]
    needs_background: ClassVar[bool] = False
    backgrounds: ClassVar[Mapping[Kind, int]] = MappingProxyType({})
    refuses: ClassVar[bool] = False
    bends_only: ClassVar[bool] = False
    marks: ClassVar[bool] = False
    looks: ClassVar[bool] = False
    compared: ClassVar[bool] = False

    class Settings(ExplainerSettings):
        """No settings."""

    @classmethod
    def told(cls, question: Question) -> Any:
        """The method's own settings in this question; the usual ones where it holds none."""
        return question.settings if isinstance(question.settings, cls.Settings) else cls.Settings()

    @classmethod
    def compares(cls, settings: ExplainerSettings | None) -> bool:
        """Whether it compares with backgrounds, so that a question has to hold some, with these settings."""
        del settings
        return cls.needs_background

    @classmethod
    @abstractmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute one output to the parts of one input; memory stays bounded by working in chunks."""

    @classmethod
    def explain_each(cls, questions: Sequence[Question]) -> list[Explanation]:
        """Answer questions that differ only in what is asked of the answer, such as its classes.

        One after the other, but what was asked without gradients is remembered: methods that hide parts ask the network once
        for all.
        """
        if len(questions) == 1:
            return [cls.explain(questions[0])]
        memory: dict[bytes, Tensor] = {}
        return [
            cls.explain(replace(question, memory=memory, progress=_part(question, number, len(questions))))
            for number, question in enumerate(questions)
        ]


def _part(question: Question, number: int, of: int) -> Callable[[float], None]:
    """Tells the progress of one of several questions as that of all."""
    return lambda share: question.progress((number + share) / of)


FAMILIES = ("gradients", "propagation", "maps", "hiding", "letters")
"""Where explainers are; what is beside them needs libraries that no explainer does."""

explainers: Registry[type[Explainer]] = Registry(
    "explainer", "bioloom.explanation", "bioloom.explainers", FAMILIES
)
