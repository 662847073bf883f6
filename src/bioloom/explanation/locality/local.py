"""Values of many variants that differ from their record in one window only, so that only the window is worked out.

A substitution changes one position of a sequence, and what a convolution makes of it changes in a few positions. A `Local`
looks to a network like an ordinary tensor of all variants, and holds each record once and of each variant its window. How
operations treat it stands in `rules` beside this file; an operation without a rule gets the ordinary tensor, so
nothing is ever approximated. The idea: Nair, Shrikumar, Schreiber & Kundaje 2022, Bioinformatics 38:2397 (fastISM).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any
from weakref import ReferenceType, ref

import torch
from torch import Tensor


class UnfitError(Exception):
    """A network does what cannot be followed window by window, such as writing into a part of a tensor."""


@dataclass
class Work:
    """How much is worked out, in multiplications or their like, with windows and without; and what is worked out once."""

    windowed: float = 0.0
    naive: float = 0.0
    largest: float = 0.0  # numbers of one variant that are held at once, about
    # weights, and the same by position
    sorted: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def add(self, windowed: float, naive: float) -> None:
        """Count one operation."""
        self.windowed += windowed
        self.naive += naive

    def held(self, numbers: float) -> None:
        """Take note of the numbers of one variant."""
        self.largest = max(self.largest, numbers)


@dataclass(frozen=True)
class Places:
    """Where the windows of variants lie, and whose they are.

    owner: (variants,) which record of the base each variant is made from
    axis:  of positions, in a tensor of all variants
    """

    owner: Tensor
    axis: int
    work: Work = field(default_factory=Work)


@dataclass(frozen=True)
class Edge:
    """What stands around all positions: so many places before the first and behind the last, with `fill` in them."""

    before: int = 0
    behind: int = 0
    fill: float = 0.0


NOTHING_AROUND = Edge()


class Local(Tensor):
    """Variants of some records, (variants, *dims): those of the base, but for a window along one axis.

    base:   (records, *dims)
    window: (variants, *dims), with the width of the window in place of all positions; the width may be 0
    start:  (variants,) where windows start; they lie inside
    family: other views of the same numbers, and itself
    stale:  whether something was written into another view, so that this one must not be used any more
    flat:   whether all axes behind the first are read as one
    """

    base: Tensor
    window: Tensor
    start: Tensor
    places: Places
    flat: bool
    family: list[ReferenceType[Local]]
    stale: bool

    @staticmethod
    def __new__(
        cls, base: Tensor, window: Tensor, start: Tensor, places: Places, *, flat: bool = False
    ) -> Local:
        """Make the tensor that a network sees; it has a shape and a type, and no numbers of its own."""
        dims = (prod(base.shape[1:]),) if flat else tuple(base.shape[1:])
        found: Local = torch.Tensor._make_wrapper_subclass(
            cls, (len(places.owner), *dims), dtype=base.dtype, device=base.device
        )
        found.base, found.window, found.start, found.places = base, window, start, places
        found.flat, found.family, found.stale = flat, [ref(found)], False
        return found

    @property
    def axis(self) -> int:
        """Which axis positions are, where axes are not read as one."""
        return self.places.axis

    @property
    def length(self) -> int:
        """All positions."""
        return self.base.shape[self.axis]

    @property
    def width(self) -> int:
        """Positions of a window."""
        return self.window.shape[self.axis]

    @property
    def owner(self) -> Tensor:
        """Which record each variant is made from, (variants,)."""
        return self.places.owner

    def with_(self, base: Tensor, window: Tensor, axis: int | None = None) -> Local:
        """The same windows with other numbers."""
        places = self.places if axis is None else Places(self.owner, axis, self.places.work)
        return Local(base, window, self.start, places, flat=self.flat)

    def moved(self, base: Tensor, window: Tensor, start: Tensor) -> Local:
        """Other windows with other numbers."""
        return Local(base, window, start, self.places, flat=self.flat)

    def seen(self, start: Tensor, width: int, edge: Edge = NOTHING_AROUND) -> Tensor:
        """The numbers of other windows, (variants, *dims with `width` in place of positions).

        start: (variants,) counted from the first position; windows may reach into what stands around
        """
        found = taken((self.base, self.axis), self.owner, start, width, edge)
        self.places.work.held(found[:1].numel())
        if self.width:
            _lay_over(found, self, start)
        return found.movedim(1, self.axis)

    def views(self, *others: Local) -> None:
        """Take note that others show the same numbers."""
        for other in others:
            self.family.append(ref(other))
            other.family = self.family

    def written(self) -> None:
        """Take note that something was written into this view: what the others show is not true any more."""
        for other in (each() for each in self.family):
            if other is not None and other is not self:
                other.stale = True
        self.family = [ref(self)]

    def whole(self) -> Tensor:
        """All numbers of all variants, as an ordinary tensor."""
        start = torch.zeros_like(self.start)
        found = self.seen(start, self.length)
        self.places.work.add(found.numel(), 0)
        return found.reshape(self.shape) if self.flat else found

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Functions that are known by name; all others are taken apart by torch's dispatcher."""
        from bioloom.explanation.locality.functions import called

        with torch._C.DisableTorchFunctionSubclass():
            refuse_stale(args)
            found = called(func, args, kwargs or {})
            return func(*args, **(kwargs or {})) if found is NotImplemented else found

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Every other operation: by its rule, or with ordinary tensors."""
        from bioloom.explanation.locality.rules import treat

        return treat(func, args, kwargs or {})


def refuse_stale(args: Sequence[Any]) -> None:
    """Raise UnfitError where one of these shows numbers that were written over."""
    if any(isinstance(each, Local) and each.stale for each in args):
        raise UnfitError("a part of a tensor was written into")


def completed(args: Sequence[Any], *usual: Any) -> tuple[Any, ...]:
    """The arguments of an operation with the usual values of those that were left out."""
    missing = len(usual) - (len(args) - 1)
    return (*args, *usual[len(usual) - missing :]) if missing > 0 else tuple(args)


def taken(
    base: tuple[Tensor, int], owner: Tensor, start: Tensor, width: int, edge: Edge = NOTHING_AROUND
) -> Tensor:
    """Windows of some records with positions first, (variants, width, *other dims).

    base:  numbers of records, and their axis of positions
    start: (variants,) counted from the first position; windows may reach into what stands around
    """
    values, axis = base
    first = values.movedim(axis, 1)  # (records, positions, *rest)
    if edge.before or edge.behind:
        before = first.new_full((len(first), edge.before, *first.shape[2:]), edge.fill)
        after = first.new_full((len(first), edge.behind, *first.shape[2:]), edge.fill)
        first = torch.cat([before, first, after], dim=1)
    length, rest = first.shape[1], first.shape[2:]
    rows = first.reshape(len(first) * length, prod(rest))
    begin = owner * length + start + edge.before
    index = begin[:, None] + torch.arange(width, device=start.device)
    return rows.index_select(0, index.reshape(-1)).view(len(start), width, *rest)


def _lay_over(found: Tensor, local: Local, start: Tensor) -> None:
    """Write the windows of variants over what was taken from their records; found: (variants, width, *rest)."""
    width, own = found.shape[1], local.window.movedim(local.axis, 1)
    column = (local.start - start)[:, None] + torch.arange(own.shape[1], device=start.device)
    target = column + width * torch.arange(len(start), device=start.device)[:, None]
    rows, values = found.view(len(start) * width, -1), own.reshape(target.numel(), -1)
    inside = (column >= 0) & (column < width)
    if bool(inside.all()):
        rows.index_copy_(0, target.reshape(-1), values)
    else:
        kept = inside.reshape(-1)
        rows.index_copy_(0, target.reshape(-1)[kept], values[kept])
