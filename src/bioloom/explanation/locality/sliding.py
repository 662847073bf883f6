"""Convolutions and pools of values that differ from their record in a window: the window grows by their reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from bioloom.explanation.locality.local import Edge, Local, completed

aten = torch.ops.aten


@dataclass(frozen=True)
class Slide:
    """How an operation slides along positions.

    reach:  positions from the first to the last that it looks at, less one: (size - 1) x dilation
    stride: positions from one place to the next
    before: places in front of the first position, with `fill` in them
    """

    reach: int
    stride: int
    before: int
    fill: float = 0.0


def slid(local: Local, base: Tensor, slide: Slide, work: Callable[[Tensor], Tensor]) -> Local:
    """The result of an operation that slides along positions, given that of the records.

    base: its result for the records; work: the operation without anything around, for stretches of positions
    An output j looks at inputs from j x stride - before to j x stride - before + reach.
    """
    places, axis = base.shape[local.axis], local.axis
    if not local.width:
        nothing = base.new_empty(len(local.owner), *base.shape[1:axis], 0, *base.shape[axis + 1 :])
        return local.moved(base, nothing, torch.zeros_like(local.start))
    width = min((local.width - 1 + slide.reach) // slide.stride + 1, places)
    first = local.start + slide.before - slide.reach
    start = torch.div(first + slide.stride - 1, slide.stride, rounding_mode="floor").clamp(0, places - width)
    beyond = (places - 1) * slide.stride - slide.before + slide.reach - (local.length - 1)
    seen = local.seen(
        start * slide.stride - slide.before,
        (width - 1) * slide.stride + slide.reach + 1,
        Edge(slide.before, max(0, beyond), slide.fill),
    )
    if seen.dim() == 4 and seen.shape[2] == 1:
        seen = seen.squeeze(2).unsqueeze(2)  # or torch does not recognise that channels are last, and copies
    return local.moved(base, work(seen), start)


def _convolution(_func: Any, args: Sequence[Any], _kwargs: Mapping[str, Any]) -> Any:
    local, weight, bias, stride, padding, dilation, transposed, _, groups = args
    if (
        not isinstance(local, Local)
        or local.flat
        or local.axis < 2
        or transposed
        or isinstance(weight, Local)
    ):
        return NotImplemented
    along = local.axis - 2
    stride, padding, dilation = (_each(value, local.dim() - 2) for value in (stride, padding, dilation))
    if stride[along] > (weight.shape[local.axis] - 1) * dilation[along] + 1:
        return NotImplemented  # positions between two places are not looked at
    slide = Slide((weight.shape[local.axis] - 1) * dilation[along], stride[along], padding[along])
    bare = [0 if number == along else each for number, each in enumerate(padding)]
    base = _convolve(local.base, weight, bias, (stride, padding, dilation), groups)
    found = slid(local, base, slide, lambda x: _convolve(x, weight, bias, (stride, bare, dilation), groups))
    each = weight.numel() // len(weight) + 8
    windowed = each * (found.window.numel() + base.numel())
    local.places.work.add(windowed, each * len(local.owner) * prod(base.shape[1:]))
    return found


def _convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, how: Sequence[list[int]], groups: int
) -> Tensor:
    """A convolution; one along sequences runs as one of pictures of height 1, which is the faster way."""
    stride, padding, dilation = how
    if x.dim() == 3:
        flat = [[1, *stride], [0, *padding], [1, *dilation]]
        return _convolve(x.unsqueeze(2), weight.unsqueeze(2), bias, flat, groups).squeeze(2)
    return aten.convolution(x, weight, bias, stride, padding, dilation, False, [0] * (x.dim() - 2), groups)  # type: ignore[no-any-return]


def _max_pool(func: Any, args: Sequence[Any], _kwargs: Mapping[str, Any]) -> Any:
    local, size, stride, padding, dilation, round_up = completed(args, None, [], 0, 1, False)
    if local.flat or local.axis < local.dim() - 2:
        return NotImplemented
    along = local.axis - (local.dim() - 2)
    size = _each(size, 2)
    stride, padding, dilation = _each(stride or size, 2), _each(padding, 2), _each(dilation, 2)
    slide = Slide((size[along] - 1) * dilation[along], stride[along], padding[along], float("-inf"))
    if slide.stride > slide.reach + 1:
        return NotImplemented
    bare = [0 if number == along else each for number, each in enumerate(padding)]
    base, index = func(local.base, size, stride, padding, dilation, round_up)
    found = slid(local, base, slide, lambda x: func(x, size, stride, bare, dilation, False)[0])
    if found.window.shape[1 : local.axis] != base.shape[1 : local.axis]:
        return NotImplemented
    local.places.work.add(
        8 * (found.window.numel() + base.numel()), 8 * len(local.owner) * prod(base.shape[1:])
    )
    return found, index  # where the largest stand is not asked for, and told of the records only


def _mean_pool(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    local, size, stride, padding, round_up = completed(args[:5], None, [], 0, False)
    if local.flat or local.axis < 2 or kwargs or len(args) > 6:
        return NotImplemented
    along, axes = local.axis - 2, local.dim() - 2
    size = _each(size, axes)
    stride, padding = _each(stride or size, axes), _each(padding, axes)
    if any(padding) or round_up or stride[along] > size[along]:
        return NotImplemented
    base = func(local.base, size, stride)
    slide = Slide(size[along] - 1, stride[along], 0)
    return slid(local, base, slide, lambda x: func(x, size, stride))


def _each(value: int | Sequence[int], axes: int) -> list[int]:
    """A number for each axis."""
    values = [value] if isinstance(value, int) else list(value)
    return values * axes if len(values) == 1 else values


RULES = {
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: _max_pool,
    aten.avg_pool2d: _mean_pool,
    aten.avg_pool1d: _mean_pool,
}
"""By operation of torch's own set."""
