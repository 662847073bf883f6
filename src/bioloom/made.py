"""What tasks without labels ask: truths that are made from the input, and the loss of a language model.

An input is (records, *sizes) as networks see it, its mask (records, positions), or None where every position is filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.targets import Targets


def input_itself(x: NDArray[np.float32], mask: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """All numbers of an input side by side, (records, targets); those at empty positions are unknown."""
    if mask is not None:
        x = np.where(mask[:, None], x, np.float32(np.nan))  # (records, channels, positions)
    return x.reshape(len(x), -1)


def surprise(raw: Tensor, truth: Tensor, mask: Tensor | None, weight: Tensor | None) -> Tensor:
    """Mean of -log p over the tokens of a batch; raw: (records, 3) means of log p and of hits, and tokens, of each record."""
    del truth, mask  # a record is judged by itself
    count = raw[:, 2] if weight is None else raw[:, 2] * weight
    return -(raw[:, 0] * count).sum() / count.sum().clamp(min=1e-12)


def surprise_with(
    options: object, raw: Tensor, truth: Tensor, mask: Tensor | None, weight: Tensor | None
) -> Tensor:
    """The same; nothing about it can be changed."""
    del options
    return surprise(raw, truth, mask, weight)


def per_token(raw: NDArray[np.float32], _: Targets) -> NDArray[np.float32]:
    """Nats per token, the share of tokens that were the likeliest ones, and how many there are, (records, 3)."""
    return np.column_stack([-raw[:, 0], raw[:, 1:]]).astype(np.float32)


def tokens_themselves(x: NDArray[np.float32], mask: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """The number of the token at each position, (records, positions), 0 where none stands; letters count from 1."""
    if x.ndim == 3:
        x = np.where(x.max(axis=1) > 0.999, x.argmax(axis=1) + 1, 0).astype(np.float32)
    return x if mask is None else x * mask


def asked_of_all(x: NDArray[np.float32], mask: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """The best that could be said of each record, (records, 3): no surprise, all right, so many tokens."""
    count = (tokens_themselves(x, mask) > 0).sum(axis=1)
    return np.column_stack([np.zeros(len(x)), np.ones(len(x)), count]).astype(np.float32)
