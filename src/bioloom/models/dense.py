"""Dense layers that networks share."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class DropConnect(nn.Linear):
    """A dense layer of which each weight is silenced at random in each step of training, but not when predicting.

    Those that stay are divided by the share that stays, so that the whole layer, which predicts, gives the exact
    expectation of the thinned ones. Biases stay.
    Source: Wan et al. (2013) Regularization of neural networks using DropConnect, ICML; one draw for a batch.
    """

    def __init__(self, inputs: int, outputs: int, share: float) -> None:
        super().__init__(inputs, outputs)
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """(records, inputs) -> (records, outputs)."""
        return F.linear(x, F.dropout(self.weight, self.share, self.training), self.bias)


def dense(inputs: int, outputs: int, dropconnect: float) -> nn.Linear:
    """A dense layer with fresh random weights, of which this share is silenced in each step of training."""
    return DropConnect(inputs, outputs, dropconnect) if dropconnect else nn.Linear(inputs, outputs)
