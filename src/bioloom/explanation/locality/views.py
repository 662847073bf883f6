"""Other views of values that differ from their record in a window, and several of them side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from bioloom.explanation.locality.local import Local, Places, completed

aten = torch.ops.aten


def together(locals_: Sequence[Local]) -> tuple[Tensor, int, list[Tensor]] | None:
    """Windows of several locals over the same places: start, width and each one's numbers; None where they do not fit."""
    first = locals_[0]
    for other in locals_[1:]:
        same_owner = other.owner is first.owner or torch.equal(other.owner, first.owner)
        if (other.axis, other.length, other.flat) != (first.axis, first.length, first.flat) or not same_owner:
            return None
        if other.base.dim() != first.base.dim() or (first.flat and other.base.shape != first.base.shape):
            return None
    moving = [each for each in locals_ if each.width]
    if not moving:
        return first.start, 0, [each.window for each in locals_]
    start, width = moving[0].start, moving[0].width
    for other in moving[1:]:
        if other.start is not start or other.width != width:
            end = torch.maximum(start + width, other.start + other.width)
            start = torch.minimum(start, other.start)
            width = int((end - start).max())
            start = start.clamp(max=first.length - width)
    return (
        start,
        width,
        [each.window if _is(each, start, width) else each.seen(start, width) for each in locals_],
    )


def _is(local: Local, start: Tensor, width: int) -> bool:
    return local.width == width and (local.start is start or torch.equal(local.start, start))


def _both(func: Any, local: Local, args: Sequence[Any], kwargs: Mapping[str, Any], axis: int) -> Local:
    """Do the same to the base and to the windows."""
    rest = args[1:]
    found = local.with_(func(local.base, *rest, **kwargs), func(local.window, *rest, **kwargs), axis)
    local.views(found)
    return found


def _view(_func: Any, args: Sequence[Any], _kwargs: Mapping[str, Any]) -> Any:
    """Axes read as one, or as several; that of positions stays by itself, or all are read as one."""
    local, size = args[0], list(args[1])
    variants, total = len(local.owner), prod(local.shape[1:])
    if -1 in size:
        size[size.index(-1)] = variants * total // -prod(size)
    if tuple(size) == tuple(local.shape):
        found = local.with_(local.base, local.window)
        local.views(found)
        return found
    if size[0] != variants:
        return NotImplemented
    if len(size) == 2 and local.base.dim() > 2:
        found = Local(local.base, local.window, local.start, local.places, flat=True)
        local.views(found)
        return found
    before, after = prod(local.base.shape[1 : local.axis]), prod(local.base.shape[local.axis + 1 :])
    for axis in range(1, len(size)):
        apart = (prod(size[1:axis]), size[axis], prod(size[axis + 1 :]))
        if apart == (before, local.length, after):
            base = local.base.reshape(len(local.base), *size[1:])
            window = local.window.reshape(variants, *size[1:axis], local.width, *size[axis + 1 :])
            places = Places(local.owner, axis, local.places.work)
            found = Local(base, window, local.start, places)
            local.views(found)
            return found
    return NotImplemented


def _permute(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    local = args[0]
    order = [each % local.dim() for each in args[1]]
    if local.flat or order[0] != 0:
        return NotImplemented
    return _both(func, local, args, kwargs, order.index(local.axis))


def _transpose(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    local = args[0]
    one, other = (each % local.dim() for each in args[1:3])
    if local.flat or 0 in (one, other):
        return NotImplemented
    axis = {one: other, other: one}.get(local.axis, local.axis)
    return _both(func, local, args, kwargs, axis)


def _unsqueeze(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    local = args[0]
    dim = args[1] % (local.dim() + 1)
    if local.flat or dim == 0:
        return NotImplemented
    return _both(func, local, args, kwargs, local.axis + (dim <= local.axis))


def _squeeze(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    local = args[0]
    if local.flat or len(args) < 2:
        return NotImplemented
    given = [args[1]] if isinstance(args[1], int) else list(args[1])
    dims = [each % local.dim() for each in given]
    if 0 in dims or local.axis in dims:
        return NotImplemented
    gone = sum(local.base.shape[each] == 1 and each < local.axis for each in dims)
    return _both(func, local, args, kwargs, local.axis - gone)


def _select(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    local, dim, index = args[0], args[1] % args[0].dim(), args[2]
    if local.flat or dim == 0:
        return NotImplemented
    if dim == local.axis:
        at = torch.full_like(local.start, index % local.length)
        return local.seen(at, 1).select(dim, 0)
    return _both(func, local, args, kwargs, local.axis - (dim < local.axis))


def _slice(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    local, dim, begin, end, step = completed(args, 0, None, None, 1)
    dim %= local.dim()
    if local.flat or dim == 0:
        return NotImplemented
    if dim != local.axis:
        return _both(func, local, args, kwargs, local.axis)
    first, last, _ = slice(begin, end).indices(local.length)
    if step != 1 or last <= first:
        return NotImplemented
    width = min(local.width, last - first)
    start = (local.start - first).clamp(0, last - first - width)
    found = local.moved(func(local.base, *args[1:]), local.seen(start + first, width), start)
    local.views(found)
    return found


def _split(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    local = args[0]
    dim = (args[2] if len(args) > 2 else kwargs.get("dim", 0)) % local.dim()
    if local.flat or dim in (0, local.axis):
        return NotImplemented
    bases, windows = func(local.base, *args[1:], **kwargs), func(local.window, *args[1:], **kwargs)
    found = [local.with_(base, window) for base, window in zip(bases, windows, strict=True)]
    local.views(*found)
    return found


def _expand(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    local, size = args[0], list(args[1])
    if local.flat or len(size) != local.dim() or size[0] not in (-1, len(local.owner)):
        return NotImplemented
    if size[local.axis] not in (-1, local.length):
        return NotImplemented
    size[0] = size[local.axis] = -1
    return _both(func, local, (local, size), kwargs, local.axis)


def _flip(func: Any, args: Sequence[Any], _kwargs: Mapping[str, Any]) -> Any:
    local = args[0]
    dims = [each % local.dim() for each in args[1]]
    if local.flat or 0 in dims:
        return NotImplemented
    start = local.length - local.start - local.width if local.axis in dims else local.start
    return local.moved(func(local.base, dims), func(local.window, dims), start)


def _pad(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Something constant around each record."""
    local, pads = args[0], list(args[1])
    around = [(0, 0)] * (local.dim() - len(pads) // 2)
    around += [(pads[number], pads[number + 1]) for number in range(len(pads) - 2, -1, -2)]
    left, right = around[local.axis]
    if local.flat or any(around[0]) or min(left, right) < 0:
        return NotImplemented
    inside = [0 if len(around) - 1 - number // 2 == local.axis else each for number, each in enumerate(pads)]
    value = args[2] if len(args) > 2 else kwargs.get("value", 0)
    return local.moved(func(local.base, pads, value), func(local.window, inside, value), local.start + left)


def _cat(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    parts = list(args[0])
    if not all(isinstance(each, Local) and not each.flat for each in parts):
        return NotImplemented
    dim = (args[1] if len(args) > 1 else kwargs.get("dim", 0)) % parts[0].dim()
    if dim == 0:
        return one_after_another(parts)
    aligned = together(parts)
    if aligned is None or dim == parts[0].axis:
        return NotImplemented
    start, _, windows = aligned
    return parts[0].moved(func([each.base for each in parts], dim), func(windows, dim), start)


def _repeat(_func: Any, args: Sequence[Any], _kwargs: Mapping[str, Any]) -> Any:
    local, times = args[0], list(args[1])
    if local.flat or len(times) != local.dim() or any(each != 1 for each in times[1:]):
        return NotImplemented
    return one_after_another([local] * times[0])


def one_after_another(parts: Sequence[Local]) -> Any:
    """The variants of several locals as one; NotImplemented where they differ in more than their records."""
    first = parts[0]
    if any((each.axis, each.base.shape[1:]) != (first.axis, first.base.shape[1:]) for each in parts):
        return NotImplemented
    width = max(each.width for each in parts)
    starts = [each.start.clamp(max=each.length - width) for each in parts]
    windows = [
        each.window if _is(each, start, width) else each.seen(start, width)
        for each, start in zip(parts, starts, strict=True)
    ]
    offsets = [sum(len(each.base) for each in parts[:number]) for number in range(len(parts))]
    owner = torch.cat([each.owner + offset for each, offset in zip(parts, offsets, strict=True)])
    base = torch.cat([each.base for each in parts])
    return Local(base, torch.cat(windows), torch.cat(starts), Places(owner, first.axis, first.places.work))


RULES = {
    aten.view: _view,
    aten._unsafe_view: _view,
    aten.reshape: _view,
    aten.permute: _permute,
    aten.transpose: _transpose,
    aten.unsqueeze: _unsqueeze,
    aten.squeeze: _squeeze,
    aten.select: _select,
    aten.slice: _slice,
    aten.split: _split,
    aten.split_with_sizes: _split,
    aten.expand: _expand,
    aten.flip: _flip,
    aten.constant_pad_nd: _pad,
    aten.cat: _cat,
    aten.repeat: _repeat,
}
"""By operation of torch's own set."""
