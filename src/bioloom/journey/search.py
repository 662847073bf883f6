"""Which network and settings suit these records? Candidates are tried on validation records, before any test.

fast tries none; normal compares the declared candidates by successive halving, for less than one training more;
thorough, a number of trials, or a time also draws candidates from the space of each network. The default is only
replaced by a candidate that is better by more than luck explains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

import numpy as np

from bioloom.evaluation.preference import Preference, prefer
from bioloom.events import Listener, Within
from bioloom.journey.attempts import Ground, Outcome
from bioloom.journey.contenders import Contender, multiplications, recipe_of, without_named
from bioloom.journey.lineup import Lineup
from bioloom.journey.prepare import Prepared
from bioloom.journey.rivals import Rivals
from bioloom.journey.trainee import Trainee
from bioloom.metrics import METRICS
from bioloom.metrics.metric import Metric
from bioloom.models import check_settings, networks
from bioloom.recipe import TRIALS_AT_MOST, SearchRecipe
from bioloom.training.halving import FEWEST_STEPS, Portion, portion_of, rounds, shares, survivors
from bioloom.training.proposals import Scored, propose

BATCH = 4
"""Candidates are drawn so many at once, however many processors there are, so that the numbers are the same."""

OF_TIME = 0.5
"""Share of a given time that is spent on trying candidates; the rest is for training and judging."""

FIRST_SHARE = 1 / 12
"""Share of a training that each candidate gets in the first round, where the time decides how many there are."""

STEEPER = 3.0
"""How much longer at least the trainings of the next round are where candidates are drawn."""


@dataclass(frozen=True)
class Searched:
    """What a search found.

    prepared: with the recipe that won
    again:    with the recipe for a search that is as long, as the folds of a cross-validation do it
    told:     as in result.json
    seconds:  of each candidate; apart from `told`, because they differ from run to run
    """

    prepared: Prepared
    again: Prepared
    told: Mapping[str, Any]
    seconds: Mapping[str, float] = field(default_factory=dict)

    def result(self, trainee: Trainee, rivals: Rivals, folds: Sequence[str | None]) -> dict[str, Any]:
        """As in result.json, with what the whole training and the simple models reach on the same records.

        folds: which candidate each fold of a cross-validation took
        """
        if not self.told["candidates"]:
            return dict(self.told)
        metric, rows = METRICS[trainee.job.task.primary], trainee.job.validation
        truth = trainee.learnable.truth[rows]
        simple = {role: metric(truth, rival.values[rows]) for role, rival in rivals.by_role.items()}
        counted = Counter(name for name in folds if name is not None)
        return {
            **self.told,
            "trained": _number(metric(truth, trainee.values[rows])),
            "simple": {role: _number(score) for role, score in simple.items()},
            "folds": dict(counted.most_common()),
        }


@dataclass(frozen=True)
class _Round:
    """One round: its number from 0, and how much of a training each candidate gets."""

    number: int
    portion: Portion


@dataclass
class _Story:
    """What has happened so far: all contenders in the order in which they came, and their outcomes, round by round."""

    contenders: dict[str, Contender]
    outcomes: dict[str, list[Outcome]]

    def add(self, contender: Contender, outcome: Outcome) -> None:
        self.contenders[contender.name] = contender
        self.outcomes.setdefault(contender.name, []).append(outcome)

    @property
    def seconds(self) -> dict[str, float]:
        return {name: sum(each.seconds for each in outcomes) for name, outcomes in self.outcomes.items()}


def not_searched(prepared: Prepared, lineup: Lineup) -> Searched:
    """Nothing is tried, and that is said."""
    return Searched(
        prepared,
        prepared,
        {"text": f"No other network or settings were tried: {lineup.off}.", "candidates": []},
    )


def search(ground: Ground, lineup: Lineup, listener: Listener, contests: int = 1) -> Searched:
    """Try candidates on validation records, and fill the recipe in with the one that is taken.

    contests: how many searches share a given time: with folds, each has its own
    """
    if lineup.off:
        return not_searched(ground.prepared, lineup)
    story = _Story({}, {})
    share = _first_round(ground, lineup, story, Within(listener, 0.0, 0.6), contests)
    last = _later_rounds(ground, lineup, story, share, Within(listener, 0.6, 1.0))
    values = {name: story.outcomes[name][-1].value for name in last}
    tried = len(story.contenders) - 1
    preference = prefer(ground.metric, ground.truth, values, ground.resampling, tried)
    return _found(ground, lineup, story, preference)


# ---- rounds ------------------------------------------------------------------------------------------------


def _first_round(ground: Ground, lineup: Lineup, story: _Story, listener: Listener, contests: int) -> float:
    """Try the declared candidates, then drawn ones, each with the same share of a training, which is given back."""
    share = _first_share(ground, lineup)
    portion = _portion(ground, share)
    waiting, wanted = (
        list(lineup.contenders),
        lineup.scope.trials or (TRIALS_AT_MOST if lineup.spaces else None),
    )
    while True:
        size = BATCH if lineup.scope.draws else len(waiting)
        if wanted is not None:
            size = min(size, wanted - len(story.contenders))
        batch = waiting[:size] if waiting else _drawn(ground, lineup, story, size)
        waiting = waiting[size:]
        if not batch or not _in_time(ground, lineup, story, len(batch), contests):
            return share
        first = len(story.contenders)
        done = first / (wanted or max(len(lineup.contenders), first + size))
        _try_all(ground, story, batch, _Round(0, portion), Within(listener, done, 1.0))
        if not waiting and not lineup.spaces:
            return share


def _first_share(ground: Ground, lineup: Lineup) -> float:
    """The share of a training that each candidate gets at first, and that is enough to tell anything."""
    weights, scope = lineup.weights(lineup.contenders), lineup.scope
    enough = min(1.0, FEWEST_STEPS / _steps(ground))
    if scope.time:
        return max(enough, FIRST_SHARE)
    count = scope.trials if scope.trials and lineup.spaces else len(weights)
    cost = count * sum(weights) / len(weights)
    usual = min(1.0, scope.spend * shares(len(rounds(count))) / cost)
    return max(enough, usual) if scope.draws else usual


def _later_rounds(
    ground: Ground, lineup: Lineup, story: _Story, share: float, listener: Listener
) -> list[str]:
    """Go on with the better ones, with more training each; the names of those that came to the end."""
    names, counts = list(story.contenders), rounds(len(story.contenders))
    spent = share * sum(lineup.weights(list(story.contenders.values())))
    for number, count in enumerate(counts[1:], start=1):
        scores = [METRICS[ground.metric].gain(story.outcomes[name][-1].score, 0.0) for name in names]
        kept = [names[place] for place in survivors(scores, count)]
        if len(kept) < 2:
            return kept
        contenders = [story.contenders[name] for name in kept]
        cost = sum(lineup.weights(contenders))
        left = max(0.0, lineup.scope.spend - spent) * shares(len(counts) - number)
        steeper = STEEPER * share if lineup.scope.draws else share
        longer = min(1.0, steeper if lineup.scope.time else max(steeper, left / cost))
        names = kept
        if _portion(ground, longer) == _portion(ground, share):
            continue
        share, spent = longer, spent + longer * cost
        _try_all(ground, story, contenders, _Round(number, _portion(ground, share)), listener)
    return names


def _try_all(
    ground: Ground, story: _Story, batch: Sequence[Contender], part: _Round, listener: Listener
) -> None:
    """Train contenders with a portion."""
    places = {name: place for place, name in enumerate(story.contenders)}
    new = len(places)
    named = {
        f"round {part.number} candidate {places.get(each.name, new + place)}": each
        for place, each in enumerate(batch)
    }
    for name, outcome in ground.run(named, part.portion, listener):
        story.add(named[name], outcome)


def _drawn(ground: Ground, lineup: Lineup, story: _Story, count: int) -> list[Contender]:
    """So many new candidates, drawn from what those of the first round scored."""
    if not lineup.spaces or count < 1:
        return []
    metric, recipe = METRICS[ground.metric], ground.prepared.recipe
    scored = [
        Scored(
            each.network,
            each.candidate,
            _usual(ground, each),
            metric.gain(story.outcomes[name][0].score, 0.0),
        )
        for name, each in story.contenders.items()
    ]
    seed = (recipe.seed * 10_007 + len(scored)) % 2**31
    drawn: list[Contender] = []
    for network, candidate in propose(lineup.spaces, scored, count, seed):
        contender = Contender(network, without_named(recipe, candidate))
        size = multiplications(contender, ground.prepared, ground.whole.shapes, ground.whole.outputs)
        if isinstance(size, float):  # what cannot be built for these inputs is not tried
            name = f"drawn {len(scored) + len(drawn) + 1}"
            contender = replace(contender, candidate=replace(contender.candidate, name=name))
            drawn.append(replace(contender, multiplications=size))
    return drawn


def _usual(ground: Ground, contender: Contender) -> dict[str, Any]:
    """What is taken where a candidate changes nothing, by the names of a space."""
    job, recipe = ground.whole, ground.prepared.recipe
    settings = check_settings(networks[contender.network], recipe_of(recipe, contender).model.settings)
    usual = {f"settings.{name}": value for name, value in settings.model_dump().items()}
    training = {
        f"training.{name}": getattr(job.plan, name, None) for name in type(recipe.training).model_fields
    }
    return usual | training


# ---- budget ------------------------------------------------------------------------------------------------


def _steps(ground: Ground) -> int:
    """Steps of the optimiser in a whole training."""
    plan = ground.whole.plan
    return max(1, plan.epochs * ceil(len(ground.whole.train) / (plan.batch_size * plan.accumulate)))


def _portion(ground: Ground, share: float) -> Portion:
    return portion_of(share, len(ground.whole.train), ground.whole.plan.epochs)


def _in_time(ground: Ground, lineup: Lineup, story: _Story, more: int, contests: int) -> bool:
    """Whether so many candidates more can be tried; asked of stored seconds, so that a resumed run says the same."""
    if not lineup.scope.time or not story.contenders:
        return True
    spent = sum(story.seconds.values())
    after = spent + more * spent / len(story.contenders)
    after *= _whole_search(rounds(len(story.contenders) + more), _first_share(ground, lineup))
    return after <= OF_TIME * lineup.scope.time / contests * ground.side_by_side


def _whole_search(counts: Sequence[int], share: float) -> float:
    """How much longer all rounds take than the first."""
    spent = [counts[0] * share]
    for count in counts[1:]:
        longer = min(1.0, STEEPER * share)
        spent.append(count * longer if longer > share else 0.0)
        share = longer
    return sum(spent) / spent[0]


# ---- what was found ----------------------------------------------------------------------------------------


def _found(ground: Ground, lineup: Lineup, story: _Story, preference: Preference) -> Searched:
    """The recipe of the candidate that is taken, and the history as in result.json."""
    prepared, chosen = ground.prepared, story.contenders[preference.chosen]
    done = SearchRecipe(trials=0, taken=f"{chosen.name} among {len(story.contenders)} candidates")
    taken = replace(prepared, recipe=prepared.recipe.model_copy(update={"search": done}))
    text = _sentence(ground, preference, len(story.contenders))
    if chosen is not lineup.default:
        recipe = recipe_of(taken.recipe, chosen)
        if chosen.candidate.rate != 1:
            rate = ground.job(chosen).plan.learning_rate
            recipe = recipe.model_copy(
                update={"training": recipe.training.model_copy(update={"learning_rate": rate})}
            )
        reason = f"taken by the search among {len(story.contenders)} candidates, on validation records"
        taken = replace(taken, recipe=recipe, reasons={**prepared.reasons, "network": reason})
    trials = SearchRecipe(trials=len(story.contenders)) if lineup.scope.time else prepared.recipe.search
    again = replace(prepared, recipe=prepared.recipe.model_copy(update={"search": trials}))
    told = {
        "text": text,
        "metric": ground.metric,
        **preference.to_json(),
        "default": lineup.default.name,
        "records": len(ground.truth),
        "candidates": [_candidate(story, name, preference) for name in story.contenders],
        "unfit": dict(lineup.unfit),
    }
    return Searched(taken, again, told, {name: round(spent, 2) for name, spent in story.seconds.items()})


def _candidate(story: _Story, name: str, preference: Preference) -> dict[str, Any]:
    """One candidate as in result.json."""
    contender, outcomes = story.contenders[name], story.outcomes[name]
    last = outcomes[-1]
    return {
        "name": name,
        "network": contender.network,
        "changes": contender.changes(),
        "why": contender.candidate.why,
        "chosen": name == preference.chosen,
        "rounds": [
            {"records": each.portion.records, "epochs": each.portion.epochs, "score": _number(each.score)}
            for each in outcomes
        ],
        "validation_loss": [_number(float(loss)) for _, loss in last.losses],
        "failed": last.failed,
    }


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _sentence(ground: Ground, preference: Preference, tried: int) -> str:
    """What was decided, and why."""
    began = f"{tried} candidates were compared on {len(ground.truth):,} validation records"
    if preference.best is None:
        return f"{began}; none of the others could be scored, so the default was trained."
    if preference.difference is None:
        return f"{began}; the default could not be scored, so {preference.best} was trained."
    return f"{began}: {_decision(METRICS[ground.metric], preference, preference.difference)}."


def _decision(metric: Metric, preference: Preference, difference: float) -> str:
    if difference <= 0:
        return "none was better than the default, which was trained"
    ahead = f"{preference.best} was better than the default by {metric.text(difference)} ({metric.title})"
    if preference.needed is None:
        return f"{ahead}, but they are too few to tell that from luck, so the default was trained"
    luck = metric.text(preference.needed)
    if preference.chosen == preference.best:
        return f"{ahead}, more than the {luck} that luck might explain, and was trained"
    return f"{ahead}, which luck might explain (up to {luck}), so the default was trained"
