"""What networks for pictures share: a norm that also learns from a single record, and sizes that fit."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bioloom.errors import UserError
from bioloom.modalities import Shape

SMALL = 64
"""Pictures of so many pixels at most, along their shorter side, enter a network without being made smaller first."""


LOOKS_BACK = 100
"""Batches over which a norm averages what it saw: as many as the running average of the weights (training.average), so
that both belong together when predicting."""


class BatchNorm(nn.BatchNorm2d):
    """Bring each channel to mean 0 and variance 1 over the batch and all places, then scale and shift it.

    Predictions use the mean and variance of the last hundred batches, or of all at first. A batch with one number per
    channel (one record, one place) has no variance: there they are used in learning too.
    Source: Ioffe, Szegedy (2015) arXiv:1502.03167.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(records, channels, height, width) -> the same shape."""
        if not self.training or x.is_meta:  # only shapes are asked for
            return super().forward(x)
        if x.numel() == self.num_features:
            return functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        assert self.num_batches_tracked is not None  # only of norms that keep nothing
        self.momentum = max(1 / LOOKS_BACK, 1 / (int(self.num_batches_tracked) + 1))
        return super().forward(x)


def channels_last(x: Tensor) -> Tensor:
    """The same pictures with the channels of a pixel side by side in memory: a third faster on processors.

    `contiguous` would leave pictures of one channel as they are, because for them both orders are alike, and all that
    follows would then be computed in the slower order.
    """
    return x.to(memory_format=torch.channels_last)


def stem_for(shape: Shape, asked: str) -> str:
    """ "small" or "large": the first layers that suit a picture of this shape, unless they are asked for."""
    if asked != "auto":
        return asked
    return "small" if min(shape.sizes[1:]) <= SMALL else "large"


def refuse_below(least: int, shape: Shape, network: str) -> None:
    """UserError where the shorter side of a picture is below the least that a network can read."""
    _, height, width = shape.sizes
    if min(height, width) < least:
        raise UserError(
            f'Pictures of {height}x{width} pixels are too small for the network "{network}", which needs at least '
            f"{least}x{least} with these settings.",
            where="the size of the pictures, or [model.settings]",
            fix="--set model.network=resnet, which reads pictures of any size, or larger pictures",
        )


def fresh(convolution: nn.Conv2d) -> nn.Conv2d:
    """The same layer with new random weights that keep the size of signals through many layers with ReLU; biases 0.

    Source: He et al. (2015) Delving deep into rectifiers, arXiv:1502.01852.
    """
    nn.init.kaiming_normal_(convolution.weight, mode="fan_in", nonlinearity="relu")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution
