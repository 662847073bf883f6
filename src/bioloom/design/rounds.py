"""Rounds of design, measurement and learning on a known truth: what a strategy is worth before anything is ordered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bioloom.design.choose import disagreement, expected_improvement, unlike_each_other
from bioloom.design.goals import Goal, Objective
from bioloom.design.methods import METHODS, Changer, Effort
from bioloom.design.rules import Rules, checked
from bioloom.errors import UserError

Floats = NDArray[np.float64]

Measure = Callable[[Sequence[str], int], Floats]
"""(sequences, seed of the noise) -> what an experiment says, (sequences,)."""

Answers = Callable[[Sequence[str]], Floats]
"""What each network says of sequences, (networks, sequences)."""

Learn = Callable[[Sequence[str], Floats, int], Answers]
"""(measured sequences, measurements, seed) -> a model of them."""

LEAST = 0.05
"""Gain, in standard deviations of random sequences, below which another one is not told as so many times as much."""

STEP = 5
"""Letters by which a design may differ from the best sequence that was measured: models know little beyond."""

DRAWS = 100
"""Draws for each new sequence before it is said that there are none."""

LOOKED_AT = 20
"""Proposals that are looked at for each sequence that is measured."""


@dataclass(frozen=True)
class Lab:
    """What is tried.

    parent:  the sequence that everything begins with
    start:   its variants that are measured first, with up to `STEP` letters replaced
    batch:   sequences that each round measures; rounds: how many follow
    measure: the experiment
    truth:   the same without noise, for judging only
    learn:   how a model is made of measurements
    effort:  of each design
    """

    parent: str
    measure: Measure
    truth: Callable[[Sequence[str]], Floats]
    learn: Learn
    start: int = 96
    batch: int = 48
    rounds: int = 4
    effort: Effort = field(default_factory=lambda: Effort(steps=40, width=48))
    seed: int = 0


@dataclass(frozen=True)
class Course:
    """What a strategy reached.

    best:  the true value of the sequence that was measured highest, after the first library and after each round
    batch: the mean true value of what each round measured
    """

    strategy: str
    best: tuple[float, ...]
    batch: tuple[float, ...]
    sequence: str


def by_chance(lab: Lab, measured: dict[str, float], number: int) -> list[str]:
    """Further random variants of the parent: a larger library instead of rounds."""
    return _variants(lab, [lab.parent], measured, number)


def greedy(lab: Lab, measured: dict[str, float], number: int) -> list[str]:
    """Random variants of the best tenth so far, without a model: directed evolution."""
    ranked = sorted(measured, key=lambda text: -measured[text])
    return _variants(lab, ranked[: max(1, len(ranked) // 10)], measured, number, changes=2)


def designed(lab: Lab, measured: dict[str, float], number: int) -> list[str]:
    """A model of all measurements proposes; what is expected to improve most is taken, no two alike."""
    texts, values = list(measured), np.array(list(measured.values()))
    answers = lab.learn(texts, values, lab.seed + number)
    # the model sees through the noise of one measurement
    best = texts[int(answers(texts).mean(axis=0).argmax())]
    objective = Objective([Goal("value", lambda some: answers(some).mean(axis=0))])
    effort = Effort(lab.effort.steps, lab.effort.width, lab.effort.changes, lab.seed + number)
    METHODS["evolve"](checked(Rules(best, edits=STEP)), objective, effort)
    proposed = [text for text, _ in objective.best(LOOKED_AT * lab.batch) if text not in measured]
    each = answers(proposed)
    wish = expected_improvement(each.mean(axis=0), disagreement(each), float(answers([best]).mean()))
    chosen = [proposed[place] for place in unlike_each_other(proposed, wish, lab.batch, 2)]
    return chosen + _variants(lab, [best], {**measured, **dict.fromkeys(chosen, 0.0)}, number)[len(chosen) :]


STRATEGIES: dict[str, Callable[[Lab, dict[str, float], int], list[str]]] = {
    "random": by_chance,
    "greedy": greedy,
    "design": designed,
}
"""All strategies by name."""


def course(lab: Lab, strategy: str) -> Course:
    """Measure a first library, then round after round what a strategy chooses; all strategies begin with the same library."""
    begun = [lab.parent, *_variants(lab, [lab.parent], {lab.parent: 0.0}, 0, count=lab.start - 1)]
    measured = dict(zip(begun, lab.measure(begun, lab.seed).tolist(), strict=True))
    best, batches = [_best(lab, measured)], [float(lab.truth(begun).mean())]
    for number in range(1, lab.rounds + 1):
        chosen = STRATEGIES[strategy](lab, measured, number)
        measured |= dict(zip(chosen, lab.measure(chosen, lab.seed + number).tolist(), strict=True))
        best.append(_best(lab, measured))
        batches.append(float(lab.truth(chosen).mean()))
    return Course(strategy, tuple(best), tuple(batches), max(measured, key=lambda text: measured[text]))


def gain(one: Sequence[Course], other: Sequence[Course]) -> float:
    """How many times as much one strategy gained as another, over the best of the first library; means over runs.

    Infinite where the other one gained next to nothing.
    """
    first, second = (np.mean([each.best[-1] - each.best[0] for each in some]) for some in (one, other))
    return float(first / second) if second >= LEAST else float("inf")


def _best(lab: Lab, measured: dict[str, float]) -> float:
    """The true value of the sequence that looks best."""
    return float(lab.truth([max(measured, key=lambda text: measured[text])])[0])


def _variants(
    lab: Lab,
    parents: Sequence[str],
    known: dict[str, float],
    number: int,
    *,
    changes: int = STEP,
    count: int = 0,
) -> list[str]:
    """New random variants of some sequences. Raises UserError where there are not so many."""
    random, wanted = np.random.default_rng([lab.seed, number]), count or lab.batch
    changer = Changer(checked(Rules(lab.parent)), random)
    found: dict[str, None] = {}
    for _ in range(DRAWS * wanted):
        if len(found) == wanted:
            break
        new = changer.change(parents[int(random.integers(len(parents)))], changes)
        if new is not None and new not in known:
            found[new] = None
    if len(found) < wanted:
        raise UserError(
            f"There are no {wanted} new sequences of {len(lab.parent)} letters to be measured.",
            fix="take longer sequences, or measure fewer of them",
        )
    return list(found)
