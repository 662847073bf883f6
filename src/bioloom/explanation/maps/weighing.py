"""What explainers that weigh maps share: each says how places are weighed, and here that is laid over the input."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from bioloom.explanation import Explainer, Explanation, Question
from bioloom.explanation.maps.look import LookSettings, Reading, laid
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from torch import Tensor

MAPPED = frozenset({Kind.SEQUENCE, Kind.IMAGE})
"""Kinds of input with places along one axis or more."""

REFERENCE = "maps that are zero"

SPEAKS = "Evidence for {} (no unit)"


class WeighsMaps(Explainer):
    """An explainer that weighs the maps of a layer: subclass it, say what places say, and register it.

    in_units: whether values add up in units of the output, where none is left out
    at_once:  records that are weighed at a time; 0: as many as suit the device
    """

    accepts = MAPPED
    refuses = True
    looks = True
    in_units: ClassVar[bool] = True
    at_once: ClassVar[int] = 0

    class Settings(LookSettings):
        """How what maps say is told."""

    @classmethod
    @abstractmethod
    def says(cls, reading: Reading, part: slice, told: Any) -> Tensor:
        """What places say of some records, (records, *places); told: the method's settings."""

    @classmethod
    def against(cls, told: Any) -> str:
        """What is compared with, in words."""
        del told
        return REFERENCE

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to places."""
        told = cls.told(question)
        look = told.look(question)
        value, settings = laid(
            question, look, lambda reading, part: cls.says(reading, part, told), cls.at_once
        )
        return Explanation(
            attribution=value.float().cpu().numpy(),
            method=cls.name,
            input=question.input,
            reference=cls.against(told),
            settings=settings | told.model_dump(),
            effect=SPEAKS if look.relu or not cls.in_units else "Change of {}",
        )
