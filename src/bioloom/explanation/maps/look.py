"""The maps of a network: catch them, put others in their place, and lay what they say over the input.

Maps are (records, maps, *places): what a layer finds at each place of a sequence, a picture or a volume. Nothing is
attached to a network after a call, and only the gradient of the answer with respect to maps is ever taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from bioloom.errors import UserError, did_you_mean
from bioloom.explanation import ExplainerSettings
from bioloom.explanation.engine import (
    chosen,
    in_chunks,
    on_letters,
    posed,
    rows_per_chunk,
    spells_letters,
    untouched,
    where_filled,
)
from bioloom.modalities import Signal
from bioloom.models.ensemble import members_of
from bioloom.models.strands import other_strand

if TYPE_CHECKING:
    from bioloom.explanation import Question
    from bioloom.models import Network


@dataclass(frozen=True)
class Look:
    """Which maps are looked at, and how what they say is told.

    layer:      the dotted name of a module, whose output (or the maps that it keeps) is looked at; empty: the last maps
    relu:       leave out what speaks against the output, as most papers do
    normalised: stretch the values of each record from 0 to 1; a record whose values are all the same gets zeros
    """

    layer: str = ""
    relu: bool = False
    normalised: bool = False


class LookSettings(ExplainerSettings):
    """How what maps say is told."""

    relu: bool = Field(default=False, description="leave out what speaks against the output")
    normalised: bool = Field(default=False, description="stretch the values of each record from 0 to 1")

    def look(self, question: Question) -> Look:
        """What they come to for a question, which may name a layer."""
        return Look(question.layer, self.relu, self.normalised)


class RectifiedLookSettings(LookSettings):
    """The same; as in the papers of these methods, what speaks against the output is left out."""

    relu: bool = Field(default=True, description="leave out what speaks against the output")


@dataclass
class Caught:
    """Maps of one evaluation; `put` takes their place where there is one, and `calls` counts how often they were made."""

    put: Tensor | None = None
    maps: Tensor | None = None
    calls: int = 0


@dataclass(frozen=True)
class Reading:
    """One network of a mean, reading one strand: each has maps of its own.

    question: with this network, and the batch as it reads it
    turned:   whether the explained input is read as reverse complement
    layer:    where its maps are; empty for those that the network itself keeps as `features`
    number:   which of the readings of a question it is
    """

    question: Question
    turned: bool = False
    layer: str = ""
    number: int = 0

    def see(self, x: Tensor, record: Tensor, put: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The explained number, (variants,), and the maps that it came from, of variants as `engine.ask` takes them.

        put: (variants, maps, *places) that take the place of the maps
        """
        network = self.question.network
        batch = posed(self.question, x, record)
        with catching(network, self.layer, Caught(put)) as caught:
            raw = network(batch) if network.several else network(*next(iter(batch.values())))
            maps, calls = caught.maps, caught.calls
        if maps is None:
            raise _no_maps(self.question.network.name)
        if calls > 1:
            raise UserError(
                f'The layer "{self.layer}" is used {calls} times in one evaluation, so it has several maps.',
                where="layer",
                fix="name another layer, or none for the last maps",
            )
        return chosen(self.question, raw, batch, record), maps

    def sloped(self, part: slice) -> Seen:
        """Maps of some records, and the gradient of the explained number with respect to them."""
        with torch.enable_grad():
            x = self.question.batch[self.question.input].x[part].detach().clone().requires_grad_()
            answer, maps = self.see(x, torch.arange(part.start, part.stop, device=x.device))
            if not answer.requires_grad or not maps.requires_grad:
                return Seen(maps.detach(), torch.zeros_like(maps), answer.detach())
            (gradient,) = torch.autograd.grad(answer.sum(), maps, allow_unused=True)
        gradient = torch.zeros_like(maps) if gradient is None else gradient
        return Seen(maps.detach(), gradient, answer.detach())


@dataclass(frozen=True)
class Seen:
    """Maps of some records, (records, maps, *places), their gradient, of the same shape, and the answers, (records,)."""

    maps: Tensor
    gradient: Tensor
    answer: Tensor

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes of places."""
        return tuple(range(2, self.maps.dim()))


# ---- which maps ------------------------------------------------------------------------------------------


def readings(question: Question, layer: str) -> list[Reading]:
    """Each network of a mean on each strand that it reads; UserError where one has no maps of places.

    To be called within `untouched`.
    """
    found: list[Reading] = []
    for member in members_of(question.network):
        batch = {name: _own(signal) for name, signal in question.batch.items()}
        one = replace(question, network=member, batch=batch)
        path = _where(one, layer)
        found.append(Reading(one, layer=path, number=len(found)))
        if member.strands:
            other = {
                name: other_strand(each) if name in member.strands else each for name, each in batch.items()
            }
            found.append(
                Reading(replace(one, batch=other), question.input in member.strands, path, len(found))
            )
    return found


def _own(signal: Signal) -> Signal:
    """A copy that may take part in gradients, also where it was made in inference mode."""
    return Signal(signal.x.detach().clone(), None if signal.mask is None else signal.mask.clone())


def _where(question: Question, layer: str) -> str:
    """The module that keeps maps of the explained input, or makes them; see `Look.layer`."""
    modules = dict(question.network.named_modules())
    if layer:
        if layer not in modules:
            raise UserError(
                f'The network has no layer "{layer}".{did_you_mean(layer, modules)}',
                where="layer",
                fix=f"use one of: {', '.join([name for name in modules if name][:30])}",
            )
        return layer
    x = question.batch[question.input].x[:1].clone().requires_grad_()
    made: list[tuple[str, Any]] = []
    hooks = [
        module.register_forward_hook(lambda _, __, out, name=name: made.append((name, out)))
        for name, module in modules.items()
    ]
    try:
        with torch.enable_grad():
            batch = posed(question, x, torch.zeros(1, dtype=torch.long, device=x.device))
            _ = (
                question.network(batch)
                if question.network.several
                else question.network(*batch[question.input])
            )
    finally:
        for hook in hooks:
            hook.remove()
    kept = [name for name, module in modules.items() if _are_maps(vars(module).get("features"), x)]
    outputs = [name for name, out in made if name and _are_maps(out, x)]
    if not kept and not outputs:
        raise _no_maps(question.network.name)
    return kept[0] if "" in kept else kept[-1] if kept else outputs[-1]


def _are_maps(value: object, x: Tensor) -> bool:
    """Whether this is two maps or more of places, made from the explained input."""
    return (
        isinstance(value, Tensor)
        and value.requires_grad
        and value.dim() == x.dim() > 2
        and value.shape[1] > 1
        and prod(value.shape[2:]) > 1
    )


class NoMapsError(UserError):
    """A network keeps no maps of places."""


def _no_maps(name: str) -> NoMapsError:
    return NoMapsError(
        f'The network "{name}" keeps no maps of places that this method could look at.',
        fix="use another method, such as occlusion or integrated_gradients, or a network of convolutions",
    )


@contextmanager
def catching(network: Network, layer: str, caught: Caught) -> Iterator[Caught]:
    """Catch the maps of one evaluation, and put others in their place; afterwards, or after an error, all is as before.

    What was caught has to be taken inside.
    """
    module = dict(network.named_modules())[layer]
    if "features" not in vars(module) and not isinstance(getattr(type(module), "features", None), property):
        hook = module.register_forward_hook(lambda _, __, out: _passed_on(out, caught))
        try:
            yield caught
        finally:
            hook.remove()
        return
    kind = type(module)
    shown = property(
        lambda _: caught.maps if caught.put is None else caught.put, lambda _, maps: _keep(maps, caught)
    )
    try:  # what forward keeps as `features` it reads from there again, so the attribute is the place to put others
        module.__class__ = type(kind.__name__, (kind,), {"features": shown})
        yield caught
    finally:
        module.__class__ = kind
        # Let go of the maps here: the class that holds them goes only when Python next looks for cycles.
        caught.maps, caught.put = None, None


def _keep(maps: Tensor, caught: Caught) -> None:
    caught.maps, caught.calls = maps, caught.calls + 1


def _passed_on(out: Any, caught: Caught) -> Any:
    """What a layer hands on: its maps, as a copy that later layers may write into, or those put in their place."""
    maps = out[0] if isinstance(out, tuple | list) else out
    if not isinstance(maps, Tensor) or maps.dim() < 3:
        raise UserError(
            "The output of this layer has no places.",
            where="layer",
            fix="name a layer of convolutions, or none for the last maps",
        )
    _keep(maps, caught)
    handed = maps.clone() if caught.put is None else caught.put
    return (handed, *out[1:]) if isinstance(out, tuple | list) else handed


# ---- laying maps over the input --------------------------------------------------------------------------


Weigh = Callable[[Reading, slice], Tensor]
"""What places say in one reading of some records, (records, *places)."""


def laid(question: Question, look: Look, weigh: Weigh, rows: int = 0) -> tuple[Tensor, dict[str, Any]]:
    """What places say, laid over the input that they stand for, (records, *shape), and the settings to tell.

    Between places it is interpolated linearly, and scaled so that the sum of a record stays about the same. Of several
    networks and strands the mean is taken. It lies on the letters that stand there, or evenly on all channels.

    rows: so many records are weighed at a time; 0: as many as suit the device
    """
    x, mask = question.batch[question.input]
    told: dict[str, Any] = {}
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):
        read = readings(question, look.layer)

        def over(part: slice) -> Tensor:
            made = []
            for reading in read:
                said = weigh(reading, part)
                told.update(layer=reading.layer or "the last maps", places=said[0].numel())
                made.append(_on_input(reading, part, said.relu() if look.relu else said, look))
            question.progress(part.stop / len(x))
            return torch.stack(made).mean(dim=0)

        value = torch.cat(in_chunks(len(x), rows or rows_per_chunk(x), over))
        value = where_filled(value, mask)
    question.progress(1.0)
    empty = int((value.flatten(1) == 0).all(dim=1).sum())
    return value, told | {"relu": look.relu, "normalised": look.normalised, "records_without_a_place": empty}


def _on_input(reading: Reading, part: slice, said: Tensor, look: Look) -> Tensor:
    """What places say on the parts of the input, (records, *shape), as the record is written."""
    x, mask = (
        None if each is None else each[part] for each in reading.question.batch[reading.question.input]
    )
    assert x is not None
    value = over_places(said, reading, part)
    value = value * (said[0].numel() / prod(value.shape[2:]))
    if look.normalised:
        value = stretched(value, mask)
    if reading.turned:
        value, x = other_strand(Signal(value, mask)).x, other_strand(Signal(x, mask)).x
    return on_letters(value[:, 0], x) if spells_letters(x) else value.expand_as(x) / x.shape[1]


def over_places(said: Tensor, reading: Reading, part: slice) -> Tensor:
    """Values of places at every position or pixel of the input, interpolated, (records, 1, *sizes).

    said: (records, *places); positions behind the end of all records, which some networks leave out, get 0
    """
    x, mask = (
        None if each is None else each[part] for each in reading.question.batch[reading.question.input]
    )
    assert x is not None
    places = [size for size in said.shape[1:] if size > 1] if said.dim() > x.dim() - 1 else said.shape[1:]
    value = said.reshape(len(said), 1, *places)
    if value.dim() != x.dim():
        raise UserError(
            f"The maps have places along {len(places)} axes, and the input along {x.dim() - 2}.",
            where="layer",
            fix="name another layer, or none for the last maps",
        )
    covered = list(x.shape[2:])
    if mask is not None and reading.question.network.everywhere:
        records = torch.arange(part.start, part.stop, device=x.device)
        covered = list(posed(reading.question, x, records)[reading.question.input].x.shape[2:])
    elif mask is not None and value.shape[2] == int(mask.sum(dim=1).max()):
        covered = [value.shape[2]]  # the network left out the positions that no record of the batch fills
    value = interpolated(value, covered)
    return F.pad(value, (0, x.shape[-1] - covered[-1])) if covered[-1] < x.shape[-1] else value


def interpolated(value: Tensor, size: Sequence[int]) -> Tensor:
    """Values of places linearly between their centres, (records, channels, *size)."""
    mode = ("linear", "bilinear", "trilinear")[len(size) - 1]
    return F.interpolate(value, size=tuple(size), mode=mode, align_corners=False)


def stretched(value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Values from 0 (the smallest) to 1 (the largest of a record and channel); zeros where they are all the same.

    value: (records, channels, *places); mask: (records, places), where there is something; elsewhere it gives 0
    """
    flat = value.flatten(2)
    there = torch.ones_like(flat, dtype=torch.bool) if mask is None else mask[:, None].expand_as(flat)
    low = flat.masked_fill(~there, torch.inf).amin(dim=2, keepdim=True)
    high = flat.masked_fill(~there, -torch.inf).amax(dim=2, keepdim=True)
    apart = high > low
    share = (flat - low) / torch.where(apart, high - low, 1.0)
    return torch.where(apart & there, share, 0.0).view_as(value)
