"""What a model is asked to explain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bioloom.explanation import ExplainerSettings, Target


@dataclass(frozen=True)
class Asked:
    """What is to be explained, and how.

    method:     the explainer's name
    input:      the name of the explained input
    output:     which raw output (target, or class), or a `Target` that says more
    place:      which position, where the model answers at every one; None for the mean over all
    layer:      whose maps are looked at, by methods that look at maps; empty: the last maps
    references: how many backgrounds, for methods that compare with "nothing here"; None: as many as suit the method
    settings:   the method's own; None: the usual ones
    """

    method: str
    input: str
    output: int | Target = 0
    references: int | None = None
    seed: int = 0
    device: str = "cpu"
    progress: Callable[[float], None] = lambda _: None
    place: int | None = None
    layer: str = ""
    settings: ExplainerSettings | None = None
