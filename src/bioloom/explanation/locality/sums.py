"""Sums over positions of values that differ from their record in a window: that of the record, and what the window changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bioloom.explanation.locality.local import Edge, Local, completed, taken

aten = torch.ops.aten


def _reduce(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Sums, means and extremes over some axes."""
    local, given, keep = completed(args[:3], [], False)
    keep = kwargs.get("keepdim", keep)
    dims = sorted(each % local.dim() for each in ([given] if isinstance(given, int) else given or []))
    if local.flat or not dims or dims[0] == 0 or kwargs.get("dtype") is not None:
        return NotImplemented
    if local.axis not in dims:
        axis = local.axis if keep else local.axis - sum(each < local.axis for each in dims)
        return local.with_(func(local.base, dims, keep), func(local.window, dims, keep), axis)
    if func.overloadpacket in (aten.amax, aten.amin):
        return _extreme(func, local, keep) if dims == [local.axis] else NotImplemented
    if func.overloadpacket not in (aten.sum, aten.mean):
        return NotImplemented
    total = local.base.sum(dims, keepdim=keep)[local.owner]
    if local.width:
        total = total + local.window.sum(dims, keepdim=keep) - _before(local).sum(dims, keepdim=keep)
    local.places.work.add(2 * local.window.numel() + local.base.numel(), prod(local.shape))
    return (
        total / prod(local.base.shape[each] for each in dims) if func.overloadpacket is aten.mean else total
    )


def _before(local: Local) -> Tensor:
    """What stood in the windows of the records, in the shape of the windows."""
    return taken((local.base, local.axis), local.owner, local.start, local.width).movedim(1, local.axis)


def _extreme(func: Any, local: Local, keep: bool) -> Any:
    """The largest or smallest of all positions: of the window, or of what lies before or behind it."""
    high = func.overloadpacket is aten.amax
    if not local.base.is_floating_point():
        return NotImplemented
    axis, fill = local.axis, float("-inf" if high else "inf")
    run = torch.cummax if high else torch.cummin
    before = run(local.base, axis).values
    behind = run(local.base.flip(axis), axis).values.flip(axis)
    left = taken((before, axis), local.owner, local.start - 1, 1, Edge(before=1, fill=fill)).movedim(1, axis)
    right = taken(
        (behind, axis), local.owner, local.start + local.width, 1, Edge(behind=1, fill=fill)
    ).movedim(1, axis)
    found = func(torch.cat([left, local.window, right], dim=axis), [axis], keep)
    local.places.work.add(2 * local.window.numel() + 4 * local.base.numel(), prod(local.shape))
    return found


# ---- dense layers ---------------------------------------------------------------------------------------


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """A dense layer at each position, or over all positions read as one row of numbers."""
    if not isinstance(x, Local) or isinstance(weight, Local) or isinstance(bias, Local):
        return NotImplemented
    if x.flat:
        return _over_all(x, weight, bias)
    if x.axis == x.base.dim() - 1:
        return NotImplemented
    found = x.with_(functional.linear(x.base, weight, bias), functional.linear(x.window, weight, bias))
    per_number = weight.shape[1]
    x.places.work.add(
        per_number * (found.window.numel() + found.base.numel()), per_number * prod(found.shape)
    )
    return found


def matmul(x: Any, other: Any) -> Any:
    """A product with a matrix, as a dense layer without bias."""
    if (
        isinstance(x, Local)
        and isinstance(other, Tensor)
        and not isinstance(other, Local)
        and other.dim() == 2
    ):
        return linear(x, other.t())
    return NotImplemented


def _over_all(x: Local, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A dense layer over everything: that of the record, and what the window changes, window by window.

    Variants whose windows start at the same place are multiplied by the same slice of weights.
    """
    outputs, (axis, width) = len(weight), (x.axis, x.width)
    found = functional.linear(x.base.flatten(1), weight, bias)[x.owner]
    if not width:
        return found
    change = (x.window - _before(x)).movedim(axis, 1).flatten(1)  # (variants, width x others)
    slices = _by_position(x, weight)
    order = torch.argsort(x.start, stable=True)
    starts, counts = torch.unique_consecutive(x.start[order], return_counts=True)
    first = 0
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        rows = order[first : first + count]
        found.index_add_(0, rows, change[rows] @ slices[start : start + width].flatten(0, 1))
        first += count
    x.places.work.add(
        outputs * (change.numel() + x.base.numel()) + 8 * weight.numel(), weight.numel() * len(x.owner)
    )
    return found


def _by_position(x: Local, weight: Tensor) -> Tensor:
    """Weights of a dense layer, (positions, others, outputs); those of a network are put in that order once."""
    kept = x.places.work.sorted
    if id(weight) in kept:
        return kept[id(weight)][1]
    spread = weight.reshape(len(weight), *x.base.shape[1:]).movedim(x.axis, 1).flatten(2)
    made = spread.permute(1, 2, 0).contiguous()
    if isinstance(weight, torch.nn.Parameter):
        kept[id(weight)] = (weight, made)  # with the weight itself, so that nothing else takes its identity
    return made


def _mm(_func: Any, args: Sequence[Any], _kwargs: Mapping[str, Any]) -> Any:
    x, weight = args
    return linear(x, weight.t()) if isinstance(x, Local) and not isinstance(weight, Local) else NotImplemented


def _addmm(_func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    bias, x, weight = args
    if kwargs or not isinstance(x, Local) or isinstance(weight, Local) or isinstance(bias, Local):
        return NotImplemented
    return linear(x, weight.t(), bias) if bias.dim() == 1 else NotImplemented


def _bmm(_func: Any, args: Sequence[Any], _kwargs: Mapping[str, Any]) -> Any:
    """Weighted sums over positions, with weights of each variant's own: (variants, m, positions) x (variants, positions, n)."""
    weight, local = args
    if isinstance(weight, Local) or not isinstance(local, Local) or local.flat or local.axis != 1:
        return NotImplemented
    found = weight.new_empty(len(weight), weight.shape[1], local.base.shape[2])
    for record in range(len(local.base)):
        rows = (local.owner == record).nonzero().squeeze(1)
        own = weight[rows].flatten(0, 1) @ local.base[record]
        found[rows] = own.view(len(rows), *found.shape[1:])
    if local.width:
        each = torch.arange(len(weight), device=weight.device)
        beside = taken((weight, 2), each, local.start, local.width)  # (variants, width, m)
        found = found + torch.bmm(beside.transpose(1, 2), local.window - _before(local))
    per_variant = prod(found.shape) * local.length
    local.places.work.add(per_variant, per_variant + 8 * prod(local.shape))
    return found


RULES = {
    aten.sum: _reduce,
    aten.mean: _reduce,
    aten.amax: _reduce,
    aten.amin: _reduce,
    aten.mm: _mm,
    aten.addmm: _addmm,
    aten.bmm: _bmm,
}
"""By operation of torch's own set."""
