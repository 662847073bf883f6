"""Why: one file per family of explainers, all with one call and one result.

Attributions have the shape of the input as the network sees it, (records, *shape); for sequences that is
(records, letters, positions).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bioloom.modalities import Kind
from bioloom.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.modalities import Batch
    from bioloom.models import Network


@dataclass(frozen=True)
class Question:
    """What is to be explained.

    network:    in evaluation mode; left exactly as it was found
    batch:      the records on the device, one signal per input
    input:      the name of the input that is explained; the others stay as they are
    output:     which raw output (standardised target, or logit), an integer for all records
    background: "nothing here" inputs, (records, count, *shape), where the method needs them
    seed:       of everything random
    progress:   called with the share done, 0 to 1
    place:      which position is asked about, where the network answers at every one; None for the mean over all that
                are filled
    """

    network: Network
    batch: Batch
    input: str
    output: int
    background: Tensor | None = None
    seed: int = 0
    progress: Callable[[float], None] = field(default=lambda _: None)
    place: int | None = None


@dataclass(frozen=True)
class Explanation:
    """Attributions of some records for one input.

    attribution: (records, *shape) float32, in units of the raw output
    method:      the explainer's name
    input:       the name of the explained input
    reference:   what the attribution compares with, in words
    delta:       (records,) completeness: sum of attributions minus f(x) - f(reference); None where the method
                 promises no completeness
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


class Explainer(ABC):
    """One way of explaining. Register the class; it is used without being built with anything."""

    name: ClassVar[str]
    title: ClassVar[str]
    accepts: ClassVar[frozenset[Kind]]
    needs_background: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute one output to the parts of one input; memory stays bounded by working in chunks."""


explainers: Registry[type[Explainer]] = Registry("explainer", "bioloom.explanation", "bioloom.explainers")
