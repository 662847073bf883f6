"""Search among several likely beginnings of an answer at once.

At each step every beginning that is kept is continued by every token, and the likeliest continuations are kept; with as many
beams as there are answers this finds the likeliest answer of all. Source: Lowerre (1976) The Harpy speech recognition system.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self, TypeVar

import torch
from torch import Tensor

from bioloom.data.answers import END


class Kept(Protocol):
    """What a part of a network keeps of the tokens before, for several records."""

    def take(self, rows: Tensor) -> Self:
        """The same of chosen records."""


K = TypeVar("K", bound=Kept)

Step = Callable[[Tensor, list[K]], tuple[Tensor, list[K]]]
"""(tokens written last, what is kept) -> log-probabilities of the next token, (records, kinds), and what is kept then."""


def searched(step: Step[K], state: list[K], nothing: Tensor, sizes: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The likeliest answer that was found for each record, and the log-likelihood of each of its tokens.

    Answers are compared by the sum of their log-likelihoods, their end included; both are (records, longest), 0 behind the
    end.

    state:   what is kept before anything is written
    nothing: (records,) zeros, which stand before the first token
    sizes:   beams, and tokens of an answer at most
    """
    records, (beams, longest), device = len(nothing), sizes, nothing.device
    alike = torch.arange(records, device=device).repeat_interleave(beams)
    log_p, state = step(nothing[alike], [part.take(alike) for part in state])
    tokens = torch.zeros(records, beams, longest, dtype=torch.long, device=device)
    each = torch.zeros(records, beams, longest, device=device)
    over = torch.zeros(records, beams, dtype=torch.bool, device=device)
    total = torch.full((records, beams), -torch.inf, device=device)
    total[:, 0] = 0.0  # all beams begin alike, so only one counts
    for place in range(longest):
        log_p = log_p.reshape(records, beams, -1)
        stays = torch.full_like(log_p, -torch.inf)
        stays[..., 0] = 0.0  # an answer that is over is kept as it is
        log_p = torch.where(over[..., None], stays, log_p)
        total, chosen = (total[..., None] + log_p).flatten(1).topk(beams, dim=1)
        beam, token = chosen // log_p.shape[2], chosen % log_p.shape[2]
        gained = log_p.flatten(1).gather(1, chosen)
        tokens, each = (part.gather(1, beam[..., None].expand_as(part)) for part in (tokens, each))
        tokens[:, :, place], each[:, :, place] = token, gained
        over = over.gather(1, beam) | (token == END)
        if place + 1 == longest or bool(over.all()):
            break
        rows = (torch.arange(records, device=device)[:, None] * beams + beam).flatten()
        log_p, state = step(token.flatten(), [part.take(rows) for part in state])
    best, rows = total.argmax(dim=1), torch.arange(records, device=device)
    return tokens[rows, best], each[rows, best]
