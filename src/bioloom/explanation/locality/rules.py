"""How operations treat values that differ from their record in a window only: one rule for each kind of operation.

A rule returns NotImplemented where it does not hold; the operation then gets ordinary tensors of all variants. Rules of
other views are in `views` beside this file, those of convolutions and pools in `sliding`, those of sums over positions in
`sums`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from bioloom.explanation.locality import sliding, sums, views
from bioloom.explanation.locality.local import Local, UnfitError, refuse_stale, taken
from bioloom.explanation.locality.views import together

aten = torch.ops.aten

Rule = Callable[[Any, Sequence[Any], Mapping[str, Any]], Any]

_COST = 8
"""Multiplications that take as long as moving one number through memory, about."""


def treat(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Do one operation, by its rule where there is one, or with ordinary tensors."""
    name = func.overloadpacket.__name__
    refuse_stale(args[0] if args and isinstance(args[0], list | tuple) else args)
    if "out" in kwargs:
        raise UnfitError(f"{name} writes into a tensor")
    if name.endswith("_") and not name.startswith("__") and isinstance(args[0], Local):
        return _in_place(func, args, kwargs)
    rule = RULES.get(func.overloadpacket)
    found = NotImplemented if rule is None else rule(func, args, kwargs)
    if found is NotImplemented:
        return func(*tree_map(_ordinary, args), **tree_map(_ordinary, dict(kwargs)))
    return found


def _ordinary(value: Any) -> Any:
    return value.whole() if isinstance(value, Local) else value


def _in_place(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Local:
    """Do what an operation does in place; other views of the same numbers must not be used after it."""
    name, local = func.overloadpacket.__name__, args[0]
    made = getattr(aten, name[:-1], None)
    if made is None:
        raise UnfitError(f"{name} writes into a tensor")
    found = getattr(made, func._overloadname)(*args, **kwargs)
    if isinstance(found, Local):
        local.base, local.window, local.start = found.base, found.window, found.start
    elif local.flat:
        raise UnfitError(f"{name} writes into a tensor whose axes are read as one")
    else:
        local.window, local.start = found, torch.zeros_like(local.start)
    local.written()
    return local  # type: ignore[no-any-return]


# ---- each number by itself ------------------------------------------------------------------------------


def pointwise(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Each number of the result follows from the numbers at the same place."""
    locals_ = [each for each in args if isinstance(each, Local)]
    first = locals_[0]
    aligned = together(locals_)
    others = {number: _beside(first, each) for number, each in enumerate(args) if _is_plain(each)}
    if aligned is None or any(each is None for each in others.values()):
        return NotImplemented
    start, width, windows = aligned
    bases, seen = iter([each.base for each in locals_]), iter(windows)
    base_args: list[Any] = []
    window_args: list[Any] = []
    for number, each in enumerate(args):
        if isinstance(each, Local):
            base_args.append(next(bases))
            window_args.append(next(seen))
        elif number in others:
            base_args.append(others[number])
            window_args.append(_windowed(first, others[number], start, width))
        else:
            base_args.append(each)
            window_args.append(each)
    base, window = func(*base_args, **kwargs), func(*window_args, **kwargs)
    if base.dim() != first.base.dim() or base.shape[first.axis] != first.length:
        return NotImplemented
    found = first.moved(base, window, start)
    first.places.work.add(_COST * (window.numel() + base.numel()), _COST * len(start) * prod(base.shape[1:]))
    return found


def _is_plain(value: Any) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, Local) and value.dim() > 0


def _beside(local: Local, other: Tensor) -> Tensor | None:
    """An ordinary tensor as it stands beside the base of a local one; None where it differs between variants."""
    if local.flat:
        if other.numel() != prod(local.base.shape[1:]):
            return None
        other = other.reshape(1, *local.base.shape[1:])
    if other.dim() > local.base.dim():
        return None
    other = other.reshape(*[1] * (local.base.dim() - other.dim()), *other.shape)
    return other if other.shape[0] == 1 and other.shape[local.axis] in (1, local.length) else None


def _windowed(local: Local, other: Tensor | None, start: Tensor, width: int) -> Tensor:
    """What stands beside each window, of a tensor that is the same for all variants."""
    assert other is not None
    if other.shape[local.axis] == 1:
        return other
    alike = torch.zeros_like(start)
    return taken((other, local.axis), alike, start, width).movedim(1, local.axis)


# ---- each position by itself ----------------------------------------------------------------------------


def _norm(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Layer norm over axes other than that of positions."""
    local, normalised = args[0], args[1]
    if not isinstance(local, Local) or local.flat or local.axis >= local.base.dim() - len(normalised):
        return NotImplemented
    base, *rest = func(local.base, *args[1:], **kwargs)
    window = func(local.window, *args[1:], **kwargs)[0]
    local.places.work.add(2 * _COST * (window.numel() + base.numel()), 2 * _COST * prod(local.shape))
    return (local.with_(base, window), *rest)


def _batch_norm(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Batch norm of a trained network: each channel is shifted and stretched."""
    local = args[0]
    training = len(args) > 5 and args[5] is True
    if not isinstance(local, Local) or local.flat or local.axis < 2 or training:
        return NotImplemented
    base, *rest = func(local.base, *args[1:], **kwargs)
    window = func(local.window, *args[1:], **kwargs)[0]
    local.places.work.add(_COST * (window.numel() + base.numel()), _COST * prod(local.shape))
    return (local.with_(base, window), *rest)


def _softmax(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    local, dim = args[0], args[1] % args[0].dim()
    if local.flat or dim in (0, local.axis):
        return NotImplemented
    return local.with_(func(local.base, *args[1:], **kwargs), func(local.window, *args[1:], **kwargs))


POINTWISE = (
    *(
        "relu",
        "relu6",
        "gelu",
        "elu",
        "celu",
        "selu",
        "leaky_relu",
        "sigmoid",
        "tanh",
        "silu",
        "softplus",
        "mish",
    ),
    *(
        "hardtanh",
        "hardswish",
        "hardsigmoid",
        "threshold",
        "softshrink",
        "hardshrink",
        "erf",
        "sin",
        "cos",
        "sign",
    ),
    *(
        "exp",
        "expm1",
        "log",
        "log1p",
        "neg",
        "abs",
        "sqrt",
        "rsqrt",
        "square",
        "pow",
        "reciprocal",
        "round",
        "floor",
    ),
    *("clamp", "clamp_min", "clamp_max", "maximum", "minimum", "where", "masked_fill", "nan_to_num", "isnan"),
    *(
        "add",
        "sub",
        "rsub",
        "mul",
        "div",
        "addcmul",
        "lerp",
        "clone",
        "_to_copy",
        "detach",
        "alias",
        "lift_fresh",
    ),
    *("eq", "ne", "gt", "ge", "lt", "le", "logical_not", "logical_and", "logical_or"),
    *("bitwise_and", "bitwise_or", "bitwise_not"),
)
"""Operations on each number by itself, by torch's own names."""

RULES: dict[Any, Rule] = {
    **{getattr(aten, name): pointwise for name in POINTWISE if hasattr(aten, name)},
    aten.native_layer_norm: _norm,
    aten.native_batch_norm: _batch_norm,
    aten._native_batch_norm_legit_no_training: _batch_norm,
    aten.cudnn_batch_norm: _batch_norm,
    aten._softmax: _softmax,
    aten._log_softmax: _softmax,
    **views.RULES,
    **sliding.RULES,
    **sums.RULES,
}
"""By operation of torch's own set."""
