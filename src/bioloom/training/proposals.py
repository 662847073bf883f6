"""Further candidates for a search, proposed from what the earlier ones scored.

The sampler is that of optuna (Akiba et al. 2019, doi:10.1145/3292500.3330701): a tree-structured Parzen estimator
(Bergstra et al. 2011), which draws settings that are more frequent among good candidates than among the others.
Each batch of proposals follows from the seed, the number of the batch and the scores so far and from nothing else,
so that a search that was stopped goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioloom.models.candidates import Candidate, Choice, Range, Space

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution

NETWORK = "network"


@dataclass(frozen=True)
class Scored:
    """A candidate of a network and its score, higher being better; NaN where its training failed.

    usual: what is taken where the candidate changes nothing, by the names of the space
    """

    network: str
    candidate: Candidate
    usual: Mapping[str, Any]
    score: float


Spaces = Mapping[str, Space]
"""What may be drawn, by network."""


def propose(spaces: Spaces, scored: Sequence[Scored], count: int, seed: int) -> list[tuple[str, Candidate]]:
    """So many new candidates, with the names of their networks.

    scored: all candidates so far, those included whose network or settings are in no space
    seed:   another one for each batch
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=len(spaces), constant_liar=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for each in scored:
        if each.network in spaces and each.score == each.score:  # not NaN
            study.add_trial(_told(spaces, each))
    return [_drawn(study.ask(), spaces) for _ in range(count)]


def _drawn(trial: Trial, spaces: Spaces) -> tuple[str, Candidate]:
    network = list(spaces)[trial.suggest_categorical(NETWORK, list(range(len(spaces))))]
    drawn = {key: _suggest(trial, f"{network} {key}", each) for key, each in spaces[network].items()}
    return network, Candidate(
        name="drawn",
        settings=_section(drawn, "settings."),
        training=_section(drawn, "training."),
        rate=float(drawn.get("rate", 1.0)),
        why="drawn from the space of the network",
    )


def _section(drawn: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in drawn.items() if key.startswith(prefix)}


def _suggest(trial: Trial, name: str, values: Range | Choice) -> Any:
    if isinstance(values, Choice):
        return values.values[trial.suggest_categorical(name, list(range(len(values.values))))]
    if values.step:
        low, high = int(values.low), int(values.high)
        if values.log:
            return trial.suggest_int(name, low, high, log=True)
        return trial.suggest_int(name, low, high, step=values.step)
    return _rounded(trial.suggest_float(name, values.low, values.high, log=values.log))


def _rounded(number: float) -> float:
    """Three digits: what a person could have written, and read."""
    return float(f"{number:.3g}")


def _told(spaces: Spaces, scored: Scored) -> Any:
    """A finished trial as the sampler wants it; settings outside the space are left out."""
    from optuna.distributions import CategoricalDistribution
    from optuna.trial import create_trial

    network = scored.network
    distributions: dict[str, BaseDistribution] = {NETWORK: CategoricalDistribution(list(range(len(spaces))))}
    told: dict[str, Any] = {NETWORK: list(spaces).index(network)}
    for key, values in spaces[network].items():
        value = _value(scored, key)
        if isinstance(values, Choice) and value in values.values:
            told[f"{network} {key}"] = values.values.index(value)
        elif isinstance(values, Range) and value is not None and values.low <= value <= values.high:
            told[f"{network} {key}"] = value
        if f"{network} {key}" in told:
            distributions[f"{network} {key}"] = _distribution(values)
    return create_trial(params=told, distributions=distributions, value=scored.score)


def _distribution(values: Range | Choice) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(values, Choice):
        return CategoricalDistribution(list(range(len(values.values))))
    if values.step:
        return IntDistribution(
            int(values.low), int(values.high), values.log, step=1 if values.log else values.step
        )
    return FloatDistribution(values.low, values.high, values.log)


def _value(scored: Scored, key: str) -> Any:
    """The value that a candidate has for a name of the space: its own, or the usual one."""
    section, _, name = key.rpartition(".")
    if key == "rate":
        return scored.candidate.rate
    own = scored.candidate.settings if section == "settings" else scored.candidate.training
    return own.get(name, scored.usual.get(key))
