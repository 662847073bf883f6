"""Writing with a language model: one token after another, the likeliest each time or drawn at random.

Each token is read once: what is needed of earlier ones is kept by the network. Where a network has a longest text,
writing goes on from the last half of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bioloom.models.language import LanguageNetwork


@dataclass(frozen=True)
class Manner:
    """How the next token is chosen.

    temperature: logits are divided by it: below 1 surer, above 1 bolder
    top_k:       only so many of the likeliest tokens are drawn from; 0: all
    greedy:      always the likeliest one; nothing is drawn
    """

    temperature: float = 1.0
    top_k: int = 0
    greedy: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Written:
    """What was written.

    tokens:     (texts, length) numbers of tokens
    likelihood: (texts,) mean log-likelihood of each token, as the network had it before temperature and top-k
    """

    tokens: NDArray[np.int64]
    likelihood: NDArray[np.float64]


@dataclass(frozen=True)
class Page:
    """What is to be written.

    begin:  (tokens,) numbers of the tokens to begin with, none for an empty text; or (texts, tokens), one row for each
    length: tokens to write behind them
    texts:  how many, each drawn by itself
    never:  numbers of tokens that are not written
    """

    begin: NDArray[np.int64]
    length: int
    texts: int = 1
    never: tuple[int, ...] = ()


def write(network: LanguageNetwork, page: Page, manner: Manner) -> Written:
    """Go on from a beginning; the same seed writes the same."""
    network.eval()
    generator = torch.Generator().manual_seed(manner.seed)
    tokens = torch.from_numpy(page.begin).expand(page.texts, -1)
    likelihood = torch.zeros(page.texts, dtype=torch.float64)
    with torch.inference_mode():
        logits, state, read = _begun(network, tokens)
        for _ in range(page.length):
            log_p = _allowed(logits, page.never).log_softmax(dim=1)
            chosen = _chosen(log_p, manner, generator)
            likelihood += log_p.gather(1, chosen[:, None]).squeeze(1).double()
            tokens = torch.cat([tokens, chosen[:, None]], dim=1)
            if network.reach and read >= network.reach:
                logits, state, read = _begun(network, tokens[:, -(network.reach // 2) :])
                continue
            after, state = network.step(as_input(network, chosen[:, None]), state)
            logits, read = after[:, -1], read + 1
    return Written(tokens[:, page.begin.shape[-1] :].numpy(), (likelihood / max(page.length, 1)).numpy())


def _begun(network: LanguageNetwork, tokens: Tensor) -> tuple[Tensor, object, int]:
    """Logits behind a beginning, what is kept of it, and how many positions were read."""
    if network.reach:
        tokens = tokens[:, -(network.reach - 1) :] if network.reach > 1 else tokens[:, :0]
    x = functional.pad(as_input(network, tokens), (1, 0))  # nothing stands before the first token
    logits, state = network.step(x, network.start())
    return logits[:, -1], state, x.shape[-1]


def as_input(network: LanguageNetwork, tokens: Tensor) -> Tensor:
    """Tokens as the network reads them, (texts, positions) or (texts, letters, positions)."""
    if not network.letters:
        return tokens.float()
    return functional.one_hot(tokens, network.head.out_features).transpose(1, 2).float()


def _allowed(logits: Tensor, never: tuple[int, ...]) -> Tensor:
    """Logits with those of tokens that are not written at minus infinity."""
    logits = logits.float().clone()
    logits[:, list(never)] = -torch.inf
    return logits


def _chosen(log_p: Tensor, manner: Manner, generator: torch.Generator) -> Tensor:
    """The next token of each text, (texts,)."""
    if manner.greedy:
        return log_p.argmax(dim=1)
    scaled = log_p / manner.temperature
    if 0 < manner.top_k < scaled.shape[1]:
        least = scaled.topk(manner.top_k, dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    return torch.multinomial(scaled.softmax(dim=1), 1, generator=generator).squeeze(1)
