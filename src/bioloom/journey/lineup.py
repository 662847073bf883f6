"""Who takes part in a search, and how far it goes: by budget, by what the recipe names, and by how many records there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from bioloom.data.split import Split
from bioloom.journey.attempts import Ground
from bioloom.journey.contenders import (
    Contender,
    declared,
    multiplications,
    space_left,
    tried_networks,
    weight,
)
from bioloom.journey.learnable import Learnable
from bioloom.journey.prepare import Prepared
from bioloom.journey.shelf import Shelf
from bioloom.journey.unlabelled import has_target, labelled
from bioloom.models import networks
from bioloom.models.candidates import Space
from bioloom.recipe import Recipe
from bioloom.tasks import TASKS
from bioloom.training.halving import affordable

SPENT = 0.5
"""What the declared candidates may cost together: so many trainings of the default."""

THOROUGH = 24
"""Candidates at the budget thorough."""

TRIALS_EACH = 6
"""So many trials of a search that was asked for may cost as much as one training of the default."""

FEWEST_VALIDATION = 20
"""Fewer validation records cannot tell candidates apart."""


@dataclass(frozen=True)
class Scope:
    """How far a search goes.

    trials: candidates in all; None: those that are declared, or as many as there is time for
    spend:  trainings of the default that it may cost
    time:   seconds; 0: no limit
    off:    why there is none, in words; empty where there is one
    """

    trials: int | None = None
    spend: float = SPENT
    time: float = 0.0
    off: str = ""

    @property
    def draws(self) -> bool:
        """Whether candidates are drawn besides those that are declared."""
        return self.trials is not None or self.time > 0


def scope(recipe: Recipe) -> Scope:
    """How far the recipe lets a search go."""
    asked, budget = recipe.search, recipe.budget
    if asked.trials == 0:
        earlier = (
            f"an earlier search took {asked.taken}; it had seen the records of every fold, so the scores of a "
            "cross-validation are now a little too good"
        )
        return Scope(off=earlier if asked.taken else "it was switched off")
    if asked.time:
        return Scope(asked.trials, time=asked.time)
    trials = THOROUGH if asked.trials is None and budget == "thorough" else asked.trials
    if trials is not None:
        return Scope(trials, spend=max(SPENT, trials / TRIALS_EACH))
    if budget == "fast":
        return Scope(off="the budget is fast")
    if recipe.model.network != "auto":
        return Scope(off="the network was named")
    return Scope()


@dataclass(frozen=True)
class Lineup:
    """Who takes part in a search.

    contenders: declared candidates, the default first
    spaces:     what further ones are drawn from, by network; empty: there are no further ones
    unfit:      names of declared candidates that cannot be built for these inputs, and why
    off:        why nothing is searched, in words; empty where something is
    """

    contenders: tuple[Contender, ...]
    scope: Scope
    spaces: Mapping[str, Space] = field(default_factory=dict)
    unfit: Mapping[str, str] = field(default_factory=dict)
    off: str = ""

    @property
    def default(self) -> Contender:
        """The one to beat."""
        return self.contenders[0]

    def weights(self, contenders: Sequence[Contender]) -> list[float]:
        """What a training of each costs, that of the default being 1."""
        return [weight(each, self.default) for each in contenders]


NOT_RESTORED = "what restores a record best need not describe it best, and there are no labels"


def line_up(prepared: Prepared, split: Split, learnable: Learnable) -> Lineup:
    """Which candidates a search would try on these records, or why there is none."""
    told, validation = scope(prepared.recipe), len(split.index("validation"))
    if told.off or prepared.start is not None:
        return Lineup((), told, off=told.off or "it begins with the network of another run")
    if not labelled(prepared.recipe):
        restores = TASKS[prepared.recipe.data.task].restores
        nothing = "nothing is searched for " + (
            "where answers are written" if has_target(prepared.recipe) else "without labels"
        )
        return Lineup((), told, off=NOT_RESTORED if restores else nothing)
    if validation < FEWEST_VALIDATION:
        return Lineup((), told, off=f"{validation} validation records cannot tell candidates apart")
    ground = Ground(prepared, split, learnable, Shelf(None))
    found, unfit = _buildable(ground)
    spaces = _spaces(prepared) if told.draws else {}
    fewer = found[: _limit(ground, found, told)]
    if len(fewer) > 1 or (fewer and spaces):
        return Lineup(tuple(fewer), told, spaces, unfit)
    reason = (
        "nothing was left open"
        if len(found) < 2
        else "there are too few records for a comparison that is worth its time"
    )
    return Lineup((), told, spaces, unfit, reason)


def _limit(ground: Ground, found: Sequence[Contender], told: Scope) -> int:
    """How many of the declared candidates are tried."""
    if told.time:
        return len(found)
    if told.trials is not None:
        return told.trials
    plan = ground.whole.plan
    steps = plan.epochs * ceil(len(ground.whole.train) / (plan.batch_size * plan.accumulate))
    return affordable([weight(each, found[0]) for each in found], told.spend, steps) if found else 0


def _buildable(ground: Ground) -> tuple[list[Contender], dict[str, str]]:
    """The declared candidates with their size; and the names of those that do not fit these inputs, with the reason."""
    found: list[Contender] = []
    unfit: dict[str, str] = {}
    for each in declared(ground.prepared):
        size = multiplications(each, ground.prepared, ground.whole.shapes, ground.whole.outputs)
        if isinstance(size, str):
            unfit[each.name] = size
        else:
            found.append(replace(each, multiplications=size))
    return found, unfit


def _spaces(prepared: Prepared) -> dict[str, Space]:
    """What may be drawn, by network, where anything may."""
    spaces = {name: space_left(prepared.recipe, networks[name]) for name in tried_networks(prepared)}
    return {name: space for name, space in spaces.items() if space}
