"""Torch functions and methods, as networks call them, in terms of the operations that have rules.

What is not named here goes through torch's own dispatcher, which takes every function apart in the same way; that is as right,
and costs a second once, as torch then imports what it needs for subclasses of tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from bioloom.explanation.locality import sums
from bioloom.explanation.locality.local import Local
from bioloom.explanation.locality.rules import treat

aten = torch.ops.aten

Function = Callable[..., Any]


def called(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Do what a function or method does, where it is one of those named here; else NotImplemented."""
    function = FUNCTIONS.get(getattr(func, "__name__", ""))
    if function is None or kwargs.get("out") is not None:
        return NotImplemented
    try:
        return function(*args, **kwargs)
    except TypeError:  # called in a way that is not foreseen here
        return NotImplemented


def _plain(name: str) -> Function:
    """An operation on numbers by themselves, of tensors or of a tensor and a number, in either order."""
    operation = getattr(aten, name)

    def function(x: Any, other: Any) -> Any:
        if isinstance(x, Tensor):
            return treat(operation.Tensor if isinstance(other, Tensor) else operation.Scalar, (x, other), {})
        turned = {"add": aten.add, "mul": aten.mul, "sub": aten.rsub}.get(name)
        return NotImplemented if turned is None else treat(turned.Scalar, (other, x), {})

    return function


def _turned(name: str) -> Function:
    """The same with its sides exchanged, such as `__rsub__`."""
    function = _plain(name)
    return lambda x, other: function(other, x)


def _bend(name: str) -> Function:
    operation = getattr(aten, name).default

    def function(x: Tensor, inplace: bool = False) -> Any:
        return NotImplemented if inplace else treat(operation, (x,), {})

    return function


def _gelu(x: Tensor, approximate: str = "none") -> Any:
    return treat(aten.gelu.default, (x,), {"approximate": approximate})


def _dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    del p
    return NotImplemented if training or inplace else x


def _to(x: Tensor, dtype: Any) -> Any:
    if not isinstance(dtype, torch.dtype):
        return NotImplemented
    return x if x.dtype == dtype else treat(aten._to_copy.default, (x,), {"dtype": dtype})


def _contiguous(x: Tensor, memory_format: torch.memory_format = torch.contiguous_format) -> Any:
    return treat(aten.clone.default, (x,), {"memory_format": memory_format})


def _masked_fill(x: Tensor, mask: Tensor, value: Any) -> Any:
    form = aten.masked_fill.Tensor if isinstance(value, Tensor) else aten.masked_fill.Scalar
    return treat(form, (x, mask, value), {})


def _equals(x: Tensor, other: Any) -> Any:
    form = aten.eq.Tensor if isinstance(other, Tensor) else aten.eq.Scalar
    return treat(form, (x, other), {})


# ---- views ----------------------------------------------------------------------------------------------


def _numbers(given: Sequence[Any]) -> list[int]:
    """Whole numbers that were given one by one or as a list."""
    return list(given[0]) if len(given) == 1 and not isinstance(given[0], int) else list(given)


def _view(x: Tensor, *shape: Any) -> Any:
    return (
        NotImplemented
        if isinstance(shape[0], torch.dtype)
        else treat(aten.view.default, (x, _numbers(shape)), {})
    )


def _flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Any:
    if start_dim % x.dim() != 1 or end_dim % x.dim() != x.dim() - 1:
        return NotImplemented
    return treat(aten.view.default, (x, [x.shape[0], -1]), {}) if x.dim() > 2 else x


def _permute(x: Tensor, *dims: Any) -> Any:
    return treat(aten.permute.default, (x, _numbers(dims)), {})


def _transpose(x: Tensor, dim0: int, dim1: int) -> Any:
    return treat(aten.transpose.int, (x, dim0, dim1), {})


def _unsqueeze(x: Tensor, dim: int) -> Any:
    return treat(aten.unsqueeze.default, (x, dim), {})


def _squeeze(x: Tensor, dim: int) -> Any:
    return treat(aten.squeeze.dim, (x, dim), {})


def _cat(tensors: Sequence[Tensor], dim: int = 0) -> Any:
    return treat(aten.cat.default, (list(tensors), dim), {})


# ---- layers ---------------------------------------------------------------------------------------------


def _convolution(axes: int) -> Function:
    def function(  # noqa: PLR0917 - as torch has it
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        stride, dilation = _each(stride, axes), _each(dilation, axes)
        if padding == "valid":
            padding = 0
        if padding == "same":
            sides = [step * (size - 1) for step, size in zip(dilation, weight.shape[2:], strict=True)]
            padding = [side // 2 for side in sides]
            if any(side % 2 for side in sides):  # one more at the end
                around = [number for side in reversed(sides) for number in (0, side % 2)]
                x = treat(aten.constant_pad_nd.default, (x, around), {})
        rest = (stride, _each(padding, axes), dilation, False, [0] * axes, groups)
        return treat(aten.convolution.default, (x, weight, bias, *rest), {})

    return function


def _max_pool2d(  # noqa: PLR0917 - as torch has it
    x: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    if return_indices:
        return NotImplemented
    size = _each(kernel_size, 2)
    step = size if stride is None or stride == [] else _each(stride, 2)
    how = (size, step, _each(padding, 2), _each(dilation, 2), ceil_mode)
    return treat(aten.max_pool2d_with_indices.default, (x, *how), {})[0]


def _max_pool1d(  # noqa: PLR0917 - as torch has it
    x: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    (size,) = _each(kernel_size, 1)
    (step,) = [size] if stride is None or stride == [] else _each(stride, 1)
    flat = _max_pool2d(
        _unsqueeze(x, -2),
        [1, size],
        [1, step],
        [0, *_each(padding, 1)],
        [1, *_each(dilation, 1)],
        ceil_mode,
        return_indices,
    )
    return flat if flat is NotImplemented else flat.squeeze(-2)


def _batch_norm(  # noqa: PLR0917 - as torch has it
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    if training:
        return NotImplemented
    rest = (weight, bias, running_mean, running_var, training, momentum, eps)
    return treat(aten.native_batch_norm.default, (x, *rest), {})[0]


def _layer_norm(
    x: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    return treat(aten.native_layer_norm.default, (x, list(normalized_shape), weight, bias, eps), {})[0]


def _each(value: Any, axes: int) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * axes if len(values) == 1 else values


# ---- sums -----------------------------------------------------------------------------------------------


def _softmax(x: Tensor, dim: int, _stacklevel: int = 3, dtype: Any = None) -> Any:
    if dtype is not None:
        return NotImplemented
    return treat(aten._softmax.default, (x, dim, False), {})


def _over(form: Any) -> Function:
    def function(x: Tensor, dim: Any, keepdim: bool = False) -> Any:
        return treat(form, (x, _each(dim, 1), keepdim), {})

    return function


def _mean_of_all(x: Tensor, output_size: Any) -> Any:
    """Adaptive pooling to a single place."""
    if any(each != 1 for each in _each(output_size, 1)):
        return NotImplemented
    return treat(aten.mean.dim, (x, [-1], True), {})


def _bmm(x: Tensor, other: Tensor) -> Any:
    return treat(aten.bmm.default, (x, other), {})


def _matmul(x: Any, other: Any) -> Any:
    """A product with a matrix, or with as many as there are variants."""
    if (
        isinstance(x, Tensor)
        and isinstance(other, Local)
        and x.dim() == other.dim() == 3
        and len(x) == len(other)
    ):
        return _bmm(x, other)
    return sums.matmul(x, other)


FUNCTIONS: dict[str, Function] = {
    **{name: _bend(name) for name in ("relu", "sigmoid", "tanh", "silu", "exp", "neg", "abs")},
    **{name: _plain(name) for name in ("add", "mul", "sub", "div")},
    **{f"__{name}__": _plain(name) for name in ("add", "mul", "sub")},
    **{f"__r{name}__": _turned(name) for name in ("add", "mul", "sub")},
    "__truediv__": _plain("div"),
    "gelu": _gelu,
    "dropout": _dropout,
    "dropout2d": _dropout,
    "dropout1d": _dropout,
    "to": _to,
    "contiguous": _contiguous,
    "masked_fill": _masked_fill,
    "eq": _equals,
    "__eq__": _equals,
    "view": _view,
    "reshape": _view,
    "flatten": _flatten,
    "permute": _permute,
    "transpose": _transpose,
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "cat": _cat,
    "conv1d": _convolution(1),
    "conv2d": _convolution(2),
    "max_pool1d": _max_pool1d,
    "max_pool2d": _max_pool2d,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "linear": sums.linear,
    "matmul": _matmul,
    "__matmul__": _matmul,
    "bmm": _bmm,
    "softmax": _softmax,
    "sum": _over(aten.sum.dim_IntList),
    "mean": _over(aten.mean.dim),
    "amax": _over(aten.amax.default),
    "adaptive_avg_pool1d": _mean_of_all,
}
"""By the name of a function or method."""
