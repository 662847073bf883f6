"""Layers of sequences that run as those of images of height 1 with channels last: the same numbers, sooner.

On processors the two-dimensional kernels are the better tuned ones, and with channels last neighbouring numbers in
memory belong together in the arithmetic; both layers keep that order for the next one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Conv1d(nn.Conv1d):
    """A convolution along sequences; parameters and results are those of torch's layer of that name."""

    def forward(self, x: Tensor) -> Tensor:
        """(records, channels, positions) -> (records, filters, positions)."""
        # (records, channels, 1, positions)
        flat = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        padding = self.padding if isinstance(self.padding, str) else (0, *self.padding)
        weight, stride, dilation = self.weight.unsqueeze(2), (1, *self.stride), (1, *self.dilation)
        return functional.conv2d(flat, weight, self.bias, stride, padding, dilation, self.groups).squeeze(2)


class MaxPool1d(nn.Module):
    """The largest of so many neighbouring positions; those that are left over at the end are dropped."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(records, channels, positions) -> (records, channels, positions // size)."""
        return functional.max_pool2d(x.unsqueeze(2), (1, self.size)).squeeze(2)
