"""Straight ways from backgrounds to records, and the slope of the answer at points on them, for all methods that go there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch

from bioloom.explanation.engine import in_chunks, rows_per_chunk, slope
from bioloom.explanation.gradients.first_layers import FirstLayers, NotStraightError, first_layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from bioloom.explanation import Question

Part = TypeVar("Part")

WORTH = 4
"""Points of a way from which on the first layers are worked out once for all of them: two ends and one way back cost as much."""

ALIKE = 1e-3
"""How far, as a share of the largest number, the two ways of working slopes out may differ on a sample."""


@dataclass(frozen=True)
class Ways:
    """Ways, each with points that are looked at on it.

    record:  (ways,) integers
    start:   (ways, *shape), where each begins; it ends at its record
    times:   (ways, points) from 0 at the start to 1 at the record
    weights: (ways, points)
    """

    record: Tensor
    start: Tensor
    times: Tensor
    weights: Tensor

    def part(self, which: slice | list[int]) -> Ways:
        """Some of them."""
        return Ways(self.record[which], self.start[which], self.times[which], self.weights[which])

    def at(self, points: slice) -> Ways:
        """Some points of each."""
        return Ways(self.record, self.start, self.times[:, points], self.weights[:, points])


def added_up(question: Question, ways: Ways, told: Callable[[float], None]) -> Tensor:
    """The weighted sum of slopes on each way, times the way, (ways, *shape).

    A sum over points of weight * (x - b) * df/dx at b + t (x - b). To be called within `untouched`.
    told: called with the share done
    """
    x = question.batch[question.input].x.detach().clone()
    count, points = ways.times.shape
    if not count:
        return torch.zeros_like(ways.start)
    layers = _first_layers(question, x, ways)

    def of(part: slice) -> Tensor:
        found = _one_way_or_the_other(question, x, ways.part(part), layers)
        told(part.stop / count)
        return found

    return torch.cat(in_chunks(count, max(1, rows_per_chunk(x) // points), of))


def _first_layers(question: Question, x: Tensor, ways: Ways) -> FirstLayers | None:
    """The first layers where working them out once saves something, and gives the same on a sample."""
    if ways.times.shape[1] < WORTH:
        return None
    layers = first_layers(question, x[:1])
    if layers is None:
        return None
    middle = ways.times.shape[1] // 2
    sample = ways.part(sorted({0, len(ways.record) - 1})).at(slice(middle, middle + 1))
    plain, led = _each_point(question, x, sample), _one_way_or_the_other(question, x, sample, layers)
    return layers if bool((plain - led).abs().amax() <= ALIKE * plain.abs().amax()) else None


def _one_way_or_the_other(question: Question, x: Tensor, ways: Ways, layers: FirstLayers | None) -> Tensor:
    if layers is not None:
        try:
            return _behind(x, ways, layers)
        except NotStraightError:
            pass  # these records reach the layers in another form than the sample did
    return _each_point(question, x, ways)


def _each_point(question: Question, x: Tensor, ways: Ways) -> Tensor:
    """Each point is asked about by itself."""
    way = x[ways.record] - ways.start
    ones = [1] * (x.dim() - 1)

    def slopes(few: Ways) -> Tensor:
        count, points = few.times.shape
        there = few.start[:, None] + few.times.view(count, points, *ones) * way[:, None]
        found = slope(question, there.flatten(0, 1), few.record.repeat_interleave(points))
        return (found.view_as(there) * few.weights.view(count, points, *ones)).sum(dim=1)

    return torch.stack(_over_points(ways, rows_per_chunk(x), slopes)).sum(dim=0) * way


def _behind(x: Tensor, ways: Ways, layers: FirstLayers) -> Tensor:
    """Both ends are asked about up to the first layers, and each point behind them."""
    way = x[ways.record] - ways.start
    leaf = ways.start.detach().clone().requires_grad_()
    starts, ends = layers.ends(leaf, ways.record), layers.ends(x[ways.record], ways.record)
    both = list(zip(starts, ends, strict=True))

    def slopes(few: Ways) -> list[Tensor]:
        return layers.slopes(both, few.record, few.times, few.weights)

    found = _over_points(ways, rows_per_chunk(x), slopes)
    flows = [torch.stack(each).sum(dim=0) for each in zip(*found, strict=True)]
    with torch.enable_grad():  # a sum: see `bioloom.explanation.rules.flow`
        flowed = [(each.said * flow).sum() for each, flow in zip(starts, flows, strict=True)]
        (back,) = torch.autograd.grad(torch.stack(flowed).sum(), leaf)
    return back * way


def _over_points(ways: Ways, rows: int, slopes: Callable[[Ways], Part]) -> list[Part]:
    """What is found for some points of all ways at a time, as many as suit the device, evenly divided."""
    count, points = ways.times.shape
    times = -(-points // max(1, rows // count))
    return in_chunks(points, -(-points // times), lambda part: slopes(ways.at(part)))
