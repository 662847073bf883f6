"""What networks for pictures share: a norm that also learns from a single record, and sizes that fit."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class BatchNorm(nn.BatchNorm2d):
    """Bring each channel to mean 0 and variance 1 over the batch and all places, then scale and shift it.

    A batch with one number per channel (one record, one place) has no variance: there, as when predicting, the running
    mean and variance are used.
    Source: Ioffe, Szegedy (2015) arXiv:1502.03167.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(records, channels, height, width) -> the same shape."""
        if self.training and x.numel() == self.num_features:
            return functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(x)
