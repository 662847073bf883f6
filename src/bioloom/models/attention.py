"""What networks that attend share: reading tokens or letters, rotary positions, and one block of attention.

Attention lets each position gather from all others, weighted by how well its query fits their keys:
softmax(Q K^T / sqrt(d)) V. Source: Vaswani et al. (2017) Attention is all you need, arXiv:1706.03762.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from bioloom.modalities import Kind, Shape


class Reading(nn.Module):
    """Each position as a vector: an embedding of the token, or a weighted sum of the letters that stand there.

    hidden: share of tokens that are taken away while learning (number 0 stands there instead), so that the network
            knows texts with gaps; Iyyer et al. (2015) ACL, doi:10.3115/v1/P15-1162
    """

    def __init__(self, shape: Shape, width: int, hidden: float = 0.0) -> None:
        super().__init__()
        self.hidden = hidden
        self.tokens = shape.kind is Kind.TOKENS
        self.embed: nn.Embedding | nn.Linear
        if self.tokens:
            self.embed = nn.Embedding(shape.tokens, width)
            nn.init.normal_(self.embed.weight, std=1 / math.sqrt(width))
        else:
            self.embed = nn.Linear(shape.sizes[0], width)

    def forward(self, x: Tensor) -> Tensor:
        """(records, positions) tokens or (records, channels, positions) -> (records, positions, width)."""
        if self.tokens and self.training and self.hidden:
            x = x.masked_fill(torch.rand_like(x) < self.hidden, 0.0)
        read: Tensor = self.embed(x.long() if self.tokens else x.transpose(1, 2))
        return read


def cut(x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """A batch without the positions at its end that no record fills, which would only cost time."""
    if mask is None:
        return x, None
    width = max(1, int(mask.sum(dim=1).max())) if len(mask) else 1
    return x[..., :width], mask[:, :width]


def angles(positions: int, width: int) -> Tensor:
    """The angle by which each pair of numbers is turned at each position, (positions, width // 2).

    Source: Su et al. (2021) RoFormer, arXiv:2104.09864.
    """
    speed = 10_000.0 ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
    return torch.arange(positions, dtype=torch.float32)[:, None] * speed


def turned(x: Tensor, by: Tensor) -> Tensor:
    """Queries or keys turned by the angles of their positions, so that their products depend on distances only.

    x:  (records, heads, positions, width)
    by: (positions, width // 2)
    """
    first, second = x.chunk(2, dim=-1)
    cos, sin = by.cos().to(x.dtype), by.sin().to(x.dtype)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class Stacked(Protocol):
    """Settings of blocks on top of each other: their width and number, heads in each, and the share that is silenced."""

    width: int
    blocks: int
    heads: int
    dropout: float


Past = tuple[Tensor, Tensor]
"""Keys and values of earlier positions, (records, heads, positions, width) each; the keys are turned already."""


class Attention(nn.Module):
    """Several heads of attention with rotary positions; `causal` ones see no later position."""

    def __init__(self, width: int, heads: int, *, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.ask = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, by: Tensor, seen: Tensor | None = None) -> Tensor:
        """(records, positions, width) -> the same.

        by:   (positions, width of a head // 2) angles
        seen: (records, 1, 1, positions) True where there is something to attend to; None: everywhere
        """
        queries, keys, values = self._asked(x, by)
        read = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=seen, is_causal=self.causal
        )
        return self._joined(read)

    def step(self, x: Tensor, by: Tensor, past: Past | None) -> tuple[Tensor, Past]:
        """The next positions alone, given keys and values of all before; and those with theirs added.

        With a past there must be one next position.
        """
        queries, keys, values = self._asked(x, by)
        if past is not None:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        causal = past is None and self.causal
        read = functional.scaled_dot_product_attention(queries, keys, values, is_causal=causal)
        return self._joined(read), (keys, values)

    def _asked(self, x: Tensor, by: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        queries, keys, values = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.ask(x).chunk(3, dim=2)
        )
        return turned(queries, by), turned(keys, by), values

    def _joined(self, read: Tensor) -> Tensor:
        out: Tensor = self.out(read.transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """Attention, then two dense layers at each position; each adds to what came in, after a normalisation.

    Normalising before each part keeps gradients even in deep stacks: Xiong et al. (2020) arXiv:2002.04745.
    """

    def __init__(self, width: int, heads: int, dropout: float, *, causal: bool = False) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads, causal=causal)
        self.then = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.GELU(approximate="tanh"),
            nn.Linear(4 * width, width),
            nn.Dropout(dropout),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, by: Tensor, seen: Tensor | None = None) -> Tensor:
        """(records, positions, width) -> the same."""
        x = x + self.dropout(self.attention(self.norm(x), by, seen))
        together: Tensor = x + self.then(x)
        return together

    def step(self, x: Tensor, by: Tensor, past: Past | None) -> tuple[Tensor, Past]:
        """The same for the next positions alone; see `Attention.step`."""
        read, past = self.attention.step(self.norm(x), by, past)
        x = x + read
        return x + self.then(x), past


def stacked(settings: Stacked, *, causal: bool = False) -> nn.ModuleList:
    """Blocks of attention on top of each other."""
    return nn.ModuleList(
        Block(settings.width, settings.heads, settings.dropout, causal=causal) for _ in range(settings.blocks)
    )
