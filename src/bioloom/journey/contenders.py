"""Which candidates a search may try for these inputs, and the recipe that each of them stands for.

What the recipe names is not searched: a named network is taken as it is unless a search is asked for, and a named
setting is the same for all candidates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bioloom.errors import UserError
from bioloom.journey.learnable import choose_network
from bioloom.journey.prepare import Prepared
from bioloom.modalities import modalities
from bioloom.models import Network, Shapes, networks
from bioloom.models.candidates import Candidate, Space
from bioloom.models.layers import table_of
from bioloom.recipe import Recipe

OVERHEAD = 50_000
"""What a record costs in a training besides the multiplications of the network, in multiplications: about 10 us."""


@dataclass(frozen=True)
class Contender:
    """A candidate of a network.

    candidate:       without what the recipe names
    multiplications: of the network for one record
    """

    network: str
    candidate: Candidate
    multiplications: float = 1.0

    @property
    def name(self) -> str:
        """How it is called, such as "residual small"."""
        return self.network if self.candidate.name == "default" else f"{self.network} {self.candidate.name}"

    def changes(self) -> dict[str, Any]:
        """What differs from the network as it is, by the names of a recipe."""
        changed = {f"model.settings.{key}": value for key, value in self.candidate.settings.items()}
        changed |= {f"training.{key}": value for key, value in self.candidate.training.items()}
        return changed | ({} if self.candidate.rate == 1 else {"rate": self.candidate.rate})


def tried_networks(prepared: Prepared) -> tuple[str, ...]:
    """The networks that a search compares: the default for the inputs, then those that are tried beside it."""
    default, _ = choose_network(prepared)
    if prepared.recipe.model.network != "auto" or len(prepared.recipe.data.inputs) != 1:
        return (default,)
    (each,) = prepared.recipe.data.inputs.values()
    kind = modalities[each.modality].kind
    everywhere = networks[default].everywhere
    others = (
        name
        for name, network in networks.items()
        if network.everywhere == everywhere and kind in network.also_for | network.default_for
    )
    return (default, *(name for name in others if name != default))


def declared(prepared: Prepared) -> list[Contender]:
    """The declared candidates, the default first; then the first of each network, the second of each, and so on."""
    found: list[tuple[int, int, Contender]] = []
    for place, name in enumerate(tried_networks(prepared)):
        for number, candidate in enumerate(networks[name].candidates):
            found.append((number, place, Contender(name, without_named(prepared.recipe, candidate))))
    return list(_distinct(each for _, _, each in sorted(found, key=lambda one: one[:2])))


def without_named(recipe: Recipe, candidate: Candidate) -> Candidate:
    """The candidate without what the recipe names itself."""
    named = recipe.training.model_fields_set
    settings = {key: each for key, each in candidate.settings.items() if key not in recipe.model.settings}
    training = {key: each for key, each in candidate.training.items() if key not in named}
    rate = 1.0 if "learning_rate" in named else candidate.rate
    return replace(candidate, settings=settings, training=training, rate=rate)


def space_left(recipe: Recipe, network: type[Network]) -> Space:
    """The part of the space of a network that the recipe leaves open."""
    named = {f"settings.{key}" for key in recipe.model.settings}
    named |= {f"training.{key}" for key in recipe.training.model_fields_set}
    named |= {"rate"} if "training.learning_rate" in named else set()
    return {key: values for key, values in network.space.items() if key not in named}


def _distinct(contenders: Iterator[Contender]) -> Iterator[Contender]:
    """The first of those that are the same without what the recipe names."""
    seen: list[Any] = []
    for each in contenders:
        what = (each.network, each.changes())
        if what not in seen:
            seen.append(what)
            yield each


def recipe_of(recipe: Recipe, contender: Contender) -> Recipe:
    """The recipe with a contender's network and settings in the places that it leaves open; `rate` is not in it."""
    candidate = contender.candidate
    settings = {**candidate.settings, **recipe.model.settings}
    model = recipe.model.model_copy(update={"network": contender.network, "settings": settings})
    training = recipe.training.model_copy(update=dict(candidate.training))
    return recipe.model_copy(update={"model": model, "training": training})


def weight(contender: Contender, default: Contender) -> float:
    """What a training of a contender costs, that of the default being 1."""
    return (contender.multiplications + OVERHEAD) / (default.multiplications + OVERHEAD)


def multiplications(contender: Contender, prepared: Prepared, shapes: Shapes, outputs: int) -> float | str:
    """Multiplications of a contender's network for one record; or in words why it cannot be built for these inputs."""
    settings = recipe_of(prepared.recipe, contender).model.settings
    try:
        return float(max(1, table_of(contender.network, shapes, outputs, settings).multiplications))
    except UserError as error:
        return error.what
