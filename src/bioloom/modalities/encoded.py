"""Compact storage of records, and its expansion into batches on the device.

torch is imported on use, so that looking at data does not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.data.mapped import let_go
from bioloom.modalities import Encoded, Kind, Resident, Shape, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

LOOKED_AT = 2**18
"""Records looked at at once where all are gone through."""


@dataclass(frozen=True)
class TokenEncoded(Encoded):
    """Sequences, one byte per letter.

    tokens:   (records, positions) uint8, also mapped from a file; the channels' letters are 0, 1, ..., then zeros (gap, padding),
              then mixtures of letters
    lengths:  (records,) int32, filled positions from the left
    channels: (tokens, letters) float32, what each token is expanded to
    """

    tokens: NDArray[np.uint8]
    lengths: NDArray[np.int32]
    channels: NDArray[np.float32]

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        """(letters, positions)."""
        return Shape(Kind.SEQUENCE, (self.channels.shape[1], self.tokens.shape[1]))

    def __len__(self) -> int:
        return len(self.tokens)

    def take(self, index: NDArray[np.int64]) -> TokenEncoded:
        """The chosen records, in the order of the index."""
        return TokenEncoded(self.tokens[index], self.lengths[index], self.channels)

    def on(self, device: str) -> ResidentTokens:
        """The same records with their storage on a device (no copy on the CPU)."""
        full = bool((self.lengths == self.tokens.shape[1]).all())
        return ResidentTokens(
            tokens=_moved(self.tokens, device),
            lengths=None if full else _moved(self.lengths, device),
            channels=_moved(self.channels, device),
            mixed=self.mixed,
            source=self.tokens,
        )

    def told(self, index: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Tokens, lengths, and what tokens are expanded to: a sixteenth of the batch in bytes."""
        yield from (self.channels, self.lengths[index], self.tokens[index])
        let_go(self.tokens)

    @cached_property
    def mixed(self) -> bool:
        """Whether any token stands for several letters."""
        for first in range(0, len(self.tokens), LOOKED_AT):
            if self.tokens[first : first + LOOKED_AT].max() >= self.channels.shape[1] + 2:
                return True
            let_go(self.tokens)
        return False


@dataclass(frozen=True)
class ResidentTokens(Resident):
    """Tokens on a device; lengths are None where every record fills all positions.

    source: the tokens as they were given; of a mapped file the memory is given back after each batch
    """

    tokens: Tensor
    lengths: Tensor | None
    channels: Tensor
    mixed: bool
    source: NDArray[np.uint8]

    def batch(self, index: Tensor) -> Signal:
        """Expand the records at an integer index, (batch,), into one-hot letters (batch, letters, positions).

        Comparing with the numbers of the letters and writing float32 at once runs at the speed of memory;
        looking tokens up in a table is four to ten times slower, and is left to the few mixtures.
        """
        import torch

        tokens = self.tokens.index_select(0, index)  # (batch, positions)
        let_go(self.source)
        letters = self.channels.shape[1]
        x = self.channels.new_empty((len(tokens), letters, tokens.shape[1]))
        numbers = torch.arange(letters, dtype=tokens.dtype, device=tokens.device)
        torch.eq(tokens[:, None], numbers[:, None], out=x)
        if self.mixed:
            rows, places = torch.nonzero(tokens >= letters + 2, as_tuple=True)
            x[rows, :, places] = self.channels[tokens[rows, places].long()]
        if self.lengths is None:
            return Signal(x)
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        return Signal(x, positions < self.lengths.index_select(0, index)[:, None])


@dataclass(frozen=True)
class NumberedEncoded(Encoded):
    """Texts, two bytes per token.

    tokens:  (records, positions) int16 numbers of tokens, 0 where a position is empty
    lengths: (records,) int32, filled positions from the left
    kinds:   how many different tokens there are
    """

    tokens: NDArray[np.int16]
    lengths: NDArray[np.int32]
    kinds: int

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        """(positions,) of so many different tokens."""
        return Shape(Kind.TOKENS, (self.tokens.shape[1],), self.kinds)

    def __len__(self) -> int:
        return len(self.tokens)

    def take(self, index: NDArray[np.int64]) -> NumberedEncoded:
        """The chosen records, in the order of the index."""
        return NumberedEncoded(self.tokens[index], self.lengths[index], self.kinds)

    def on(self, device: str) -> ResidentNumbered:
        """The same records with their storage on a device (no copy on the CPU)."""
        full = bool((self.lengths == self.tokens.shape[1]).all())
        lengths = None if full else _moved(self.lengths, device)
        return ResidentNumbered(_moved(self.tokens, device), lengths)

    def told(self, index: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Tokens and lengths."""
        yield from (self.lengths[index], self.tokens[index])


@dataclass(frozen=True)
class ResidentNumbered(Resident):
    """Numbers of tokens on a device; lengths are None where every record fills all positions."""

    tokens: Tensor
    lengths: Tensor | None

    def batch(self, index: Tensor) -> Signal:
        """The tokens at an integer index, (batch, positions), as the float32 of all signals."""
        import torch

        x = self.tokens.index_select(0, index).float()
        if self.lengths is None:
            return Signal(x)
        positions = torch.arange(x.shape[1], device=x.device)
        return Signal(x, positions < self.lengths.index_select(0, index)[:, None])


@dataclass(frozen=True)
class ColumnEncoded(Encoded):
    """Rows of numbers, (records, features) float32."""

    values: NDArray[np.float32]

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        """(features,)."""
        return Shape(Kind.VECTOR, (self.values.shape[1],))

    def __len__(self) -> int:
        return len(self.values)

    def take(self, index: NDArray[np.int64]) -> ColumnEncoded:
        """The chosen records, in the order of the index."""
        return ColumnEncoded(self.values[index])

    def on(self, device: str) -> ResidentColumns:
        """The same records with their storage on a device (no copy on the CPU)."""
        return ResidentColumns(_moved(self.values, device))

    def told(self, index: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """The numbers."""
        yield self.values[index]


@dataclass(frozen=True)
class ResidentColumns(Resident):
    """Rows of numbers on a device."""

    values: Tensor

    def batch(self, index: Tensor) -> Signal:
        """The records at an integer index, (batch, features)."""
        return Signal(self.values.index_select(0, index))


def _moved(values: NDArray[Any], device: str) -> Tensor:
    import torch

    tensor = torch.from_numpy(np.require(values, requirements=["C", "W"]))
    return tensor if torch.device(device).type == "cpu" else tensor.to(device)
