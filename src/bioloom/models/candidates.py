"""What a search may try: candidates declared beside each network, and the space that further ones are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Candidate:
    """A network with settings that are worth trying; the first candidate of a network is the network as it is.

    name:     short and the same for ever, such as "wide"; "default" for the first
    settings: of the network; others are as usual
    training: of the section [training] of a recipe, such as {"weight_decay": 0.1}
    rate:     times the learning rate that is usual for the network, the optimiser and the batch size
    why:      when it may be the better choice, in a phrase
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    rate: float = 1.0
    why: str = ""


DEFAULT = Candidate("default")
"""The network as it is, with what the recipe and the budget decide."""


@dataclass(frozen=True)
class Range:
    """Numbers from low to high.

    log:  drawn evenly on a logarithmic scale, so that 1 to 10 is as likely as 10 to 100
    step: whole numbers that far apart; 0 for any number
    """

    low: float
    high: float
    log: bool = False
    step: int = 0


@dataclass(frozen=True)
class Choice:
    """One of a few values: numbers, words, or lists of numbers."""

    values: tuple[Any, ...]


Space = Mapping[str, Range | Choice]
"""By name: "settings.width" for a setting of the network, "training.weight_decay" for one of the recipe, or "rate"."""
