"""Convolutions along sequences, run as those of pictures of height 1 with channels last: the same numbers, sooner.

Networks of bioloom are written that way (`bioloom.models.flat`); this is for networks that are not, and for what flows back
through either: a gradient in another order than its tensor is read across memory by all that follows. After a mean over
places that made one ReLU as slow, backwards, as two convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Size = int | tuple[int, ...]


class FlatMode(TorchFunctionMode):
    """While it is active, `conv1d` of float32 on a processor runs as `conv2d`, and gradients of tensors with channels last
    have channels last too; all other calls are as ever."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Compute one call."""
        gains = func is torch.conv1d and _gains(args[0] if args else None)
        result = (_flat if gains else func)(*args, **(kwargs or {}))
        if type(result) is Tensor and result.requires_grad and channels_last(result):
            result.register_hook(_in_order)  # type: ignore[no-untyped-call]
        return result


def flat(network: nn.Module) -> AbstractContextManager[object]:
    """The mode, where a network has convolutions that gain from it."""
    there = any(isinstance(each, nn.Conv1d | nn.Conv2d) for each in network.modules())
    return FlatMode() if there else nullcontext()


def channels_last(x: Tensor) -> bool:
    """Whether the channels of each place lie together in memory, and places do not."""
    places = x.shape[2:].numel() if x.dim() > 2 else 0
    return places > 1 < x.shape[1] and x.movedim(1, -1).is_contiguous()


def _in_order(gradient: Tensor) -> Tensor:
    """The same numbers with channels last."""
    return gradient.movedim(1, -1).contiguous().movedim(-1, 1)


def _gains(x: Any) -> bool:
    """Whether it is a plain tensor; those that only hold windows (`bioloom.explanation.locality`) know what to do."""
    return type(x) is Tensor and x.dim() == 3 and x.device.type == "cpu" and x.dtype == torch.float32


def _flat(  # noqa: PLR0917 -- arguments and their order are those of torch
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """The arguments are those of torch's conv1d."""
    x = input.unsqueeze(2).contiguous(memory_format=torch.channels_last)  # (records, channels, 1, positions)
    around = padding if isinstance(padding, str) else (0, _one(padding))
    steps, gaps = (1, _one(stride)), (1, _one(dilation))
    return functional.conv2d(x, weight.unsqueeze(2), bias, steps, around, gaps, groups).squeeze(2)


def _one(size: Size) -> int:
    return size if isinstance(size, int) else size[0]
