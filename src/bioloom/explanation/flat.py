"""Convolutions along sequences, run as those of pictures of height 1 with channels last: the same numbers, sooner.

Networks of bioloom are written that way (`bioloom.models.flat`); this is for networks that are not.
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
    """While it is active, `conv1d` of float32 on a processor runs as `conv2d`; all other calls are as ever."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Compute one call."""
        if func is torch.conv1d and _gains(args[0] if args else None):
            return _flat(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def flat(network: nn.Module) -> AbstractContextManager[object]:
    """The mode, where a network has convolutions that gain from it."""
    return FlatMode() if any(type(each) is nn.Conv1d for each in network.modules()) else nullcontext()


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
