"""What is wanted of a sequence: numbers that models predict, raised, lowered or brought to a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError

Answer = Callable[[Sequence[str]], NDArray[np.float64]]
"""What a model says of sequences, (sequences,)."""

Slope = Callable[[Sequence[str], str], NDArray[np.float64]]
"""(sequences, letters) -> how what a model says changes with each letter at each position, (sequences, letters, positions)."""


@dataclass(frozen=True)
class Goal:
    """One thing that is wanted.

    name:   how tables call it
    answer: the model that says it
    aim:    "raise", "lower", or the value to come close to
    weight: how much it counts beside other goals
    scale:  what counts as one unit, such as the spread of the training target, so that goals in different units add up
    slope:  how the answer changes with each letter; None where the model has none
    """

    name: str
    answer: Answer
    aim: str | float = "raise"
    weight: float = 1.0
    scale: float = 1.0
    slope: Slope | None = None

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """How well values meet the goal, higher is better, in units of the scale."""
        if self.aim == "raise":
            return values / self.scale
        if self.aim == "lower":
            return -values / self.scale
        return -np.abs(values - float(self.aim)) / self.scale

    def climb(self, sequences: Sequence[str], letters: str) -> NDArray[np.float64]:
        """How the score changes with each letter at each position, (sequences, letters, positions).

        Raises UserError where the model has no slope.
        """
        if self.slope is None:
            raise UserError(
                "The method gradient follows the slope of a network, and this model has none.",
                where=self.name,
                fix="design by another method such as evolve",
            )
        rising = self.slope(sequences, letters) / self.scale
        if self.aim in ("raise", "lower"):
            return rising if self.aim == "raise" else -rising
        return np.asarray(-np.sign(self.answer(sequences) - float(self.aim))[:, None, None] * rising)


class Objective:
    """The weighted sum of goals; every sequence is asked about once."""

    def __init__(self, goals: Sequence[Goal]) -> None:
        if not goals:
            raise UserError("There is nothing to design for.", fix="name at least one goal")
        self.goals = tuple(goals)
        self.asked = 0
        self._known: dict[str, float] = {}

    def __call__(self, sequences: Sequence[str]) -> NDArray[np.float64]:
        """The score of each sequence, (sequences,), higher is better."""
        new = list(dict.fromkeys(text for text in sequences if text not in self._known))
        if new:
            scores = np.sum([goal.weight * goal.score(goal.answer(new)) for goal in self.goals], axis=0)
            self._known.update(zip(new, scores.tolist(), strict=True))
            self.asked += len(new)
        return np.array([self._known[text] for text in sequences])

    def slope(self, sequences: Sequence[str], letters: str) -> NDArray[np.float64]:
        """How the score changes with each letter at each position, (sequences, letters, positions)."""
        return np.asarray(
            np.sum([goal.weight * goal.climb(sequences, letters) for goal in self.goals], axis=0)
        )

    def values(self, sequences: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """What each goal's model says, by the name of the goal."""
        return {goal.name: goal.answer(sequences) for goal in self.goals}

    def best(self, count: int) -> list[tuple[str, float]]:
        """The best sequences that were asked about, with their scores."""
        return sorted(self._known.items(), key=lambda each: (-each[1], each[0]))[:count]


def aim_of(text: str) -> str | float:
    """An aim as it is written: raise, lower, or a number; UserError for anything else."""
    if text in ("raise", "lower"):
        return text
    try:
        return float(text)
    except ValueError:
        raise UserError(
            f'"{text}" is no aim.', fix="write raise, lower, or the value to come close to"
        ) from None


def weighted(text: str) -> tuple[str | float, float]:
    """An aim and how much it counts, as in "lower*0.5"; 1 where nothing is said. UserError for what is neither."""
    aim, star, weight = text.partition("*")
    if not star:
        return aim_of(text), 1.0
    try:
        number = float(weight)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise UserError(f'"{weight}" is no weight.', fix="write a number above 0, such as lower*0.5")
    return aim_of(aim), number
