"""A step of a network that looks at sequences ever wider: what it adds to what it was given."""

from __future__ import annotations

from torch import Tensor, nn


class ChannelNorm(nn.LayerNorm):
    """Normalise the channels of each position by themselves, so that no position leaks into another.

    Source: Ba, Kiros, Hinton (2016) arXiv:1607.06450.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(records, channels, 1, positions) -> the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """x + channel dropout(1x1 convolution(GELU(dilated convolution(norm(x)))))."""

    def __init__(self, width: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = ChannelNorm(width)
        self.look = nn.Conv2d(width, width, (1, kernel), padding="same", dilation=(1, dilation))
        self.activation = nn.GELU(approximate="tanh")
        self.mix = nn.Conv2d(width, width, 1)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor, filled: Tensor | None) -> Tensor:
        """(records, channels, 1, positions) -> the same shape; filled is 1 where there is something, else 0."""
        y = self.norm(x)
        if filled is not None:
            y = y * filled  # the bias of the norm must not enter from empty positions
        change: Tensor = self.dropout(self.mix(self.activation(self.look(y))))
        return x + change
