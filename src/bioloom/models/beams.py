"""Search among several likely beginnings of an answer at once.

At each step every beginning that is kept is continued by every token, and the likeliest continuations are kept; with as many
beams as there are answers this finds the likeliest answer of all. Source: Lowerre (1976) The Harpy speech recognition system.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bioloom.data.answers import END

Says = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(memory, where something stands in it, tokens before) -> log-probabilities of the next token, (records, tokens, kinds)."""


def searched(says: Says, memory: Tensor, seen: Tensor, beams: int, longest: int) -> tuple[Tensor, Tensor]:
    """The likeliest answer that was found for each record, and the log-likelihood of each of its tokens.

    Answers are compared by the sum of their log-likelihoods, their end included; both are (records, longest), 0 behind the
    end.
    """
    records = len(memory)
    memory, seen = memory.repeat_interleave(beams, 0), seen.repeat_interleave(beams, 0)
    tokens = torch.zeros(records, beams, longest, dtype=torch.long, device=memory.device)
    each = torch.zeros(records, beams, longest, device=memory.device)
    over = torch.zeros(records, beams, dtype=torch.bool, device=memory.device)
    total = torch.full((records, beams), -torch.inf, device=memory.device)
    total[:, 0] = 0.0  # all beams begin alike, so only one counts
    for place in range(longest):
        before = torch.nn.functional.pad(tokens[:, :, :place], (1, 0)).flatten(0, 1)
        log_p = says(memory, seen, before)[:, -1].reshape(records, beams, -1)
        stays = torch.full_like(log_p, -torch.inf)
        stays[..., 0] = 0.0  # an answer that is over is kept as it is
        log_p = torch.where(over[..., None], stays, log_p)
        total, chosen = (total[..., None] + log_p).flatten(1).topk(beams, dim=1)
        beam, token = chosen // log_p.shape[2], chosen % log_p.shape[2]
        gained = log_p.flatten(1).gather(1, chosen)
        tokens, each = (part.gather(1, beam[..., None].expand_as(part)) for part in (tokens, each))
        tokens[:, :, place], each[:, :, place] = token, gained
        over = over.gather(1, beam) | (token == END)
        if bool(over.all()):
            break
    best = total.argmax(dim=1)
    rows = torch.arange(records, device=memory.device)
    return tokens[rows, best], each[rows, best]
