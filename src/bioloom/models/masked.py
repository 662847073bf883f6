"""The encoder of the Transformer as a masked language model: what stands at hidden positions, given both sides."""

from __future__ import annotations

from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from bioloom.modalities import Kind, Shape
from bioloom.models import Shapes, networks
from bioloom.models.attention import cut
from bioloom.models.language import Judged, averaged, mean_of_filled, tokens_of
from bioloom.models.transformer import Transformer

HIDDEN = 0.15
"""Share of positions that are asked for while learning."""

NOTHING, OTHER = 0.8, 0.1
"""Of these, the share that is read as nothing, and the share that is read as any token; the rest is read as it is."""

APART = 7
"""When judging, each position is asked for once, together with each seventh one, 14 % of all; neighbours stay readable."""


@networks.register
class TransformerMasked(Transformer):
    """Learn what stands at hidden positions from all others, and so what records of a kind look like.

    While learning, 15 % of positions are asked for: 80 % of them are read as nothing, 10 % as a random token, 10 % as they
    are. Records are judged without chance: in seven readings each position is hidden once. The encoder is that of
    `transformer`, which begins with these weights where labels follow (`--from`, `--pretrain`).
    Positions x channels: 75x4 -> 75x64 -> 75x64 -> 75x4. 105,476 parameters for an input of 75x4 and 3 outputs (what is
    said of a record; see `bioloom.models.language`).
    Source: Devlin et al. (2019) BERT, arXiv:1810.04805, section 3.1.
    """

    name = "transformer_masked"
    title = "Transformer encoder that restores hidden tokens (masked language model)"
    only_for = "masked"
    with_labels = ("transformer", "transformer_everywhere")
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    batch_size = 32
    learning_rate = 2e-3

    def __init__(self, shape: Shape, n_outputs: int, settings: Transformer.Settings) -> None:
        alone = settings.model_copy(update={"hidden_tokens": 0.0})  # tokens are hidden here
        super().__init__(shape, n_outputs, alone)
        del self.score
        self.outputs, self.tokens = n_outputs, tokens_of(shape)
        self.letters = shape.kind is Kind.SEQUENCE
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(settings.width, self.tokens))

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Transformer.Settings) -> Self:
        """Make a network with fresh random weights; it has one logit for each token, whatever the outputs."""
        (shape,) = shapes.values()
        return cls(shape, n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, positions) tokens or (records, channels, positions) -> (records, 3): see `OUTPUTS` of language."""
        x, mask = cut(x, mask)
        stands, token = self._tokens(x, mask)
        if self.training:
            asked = stands & (torch.rand_like(token, dtype=torch.float32) < HIDDEN)
            judged = self.judged(self._encoded(self.disguised(x, asked), mask), token, asked)
        else:
            judged = self._all_judged(x, mask, stands, token)
        return averaged(judged)[:, : self.outputs]

    def _all_judged(self, x: Tensor, mask: Tensor | None, stands: Tensor, token: Tensor) -> Judged:
        """Each position judged while it is hidden, in seven readings side by side; an eighth, of all, describes a record."""
        turn = torch.arange(x.shape[-1], device=x.device) % APART
        asked = [stands & (turn == number) for number in range(APART)]
        readings = torch.cat([*(hidden_at(x, each) for each in asked), x])
        *hidden, whole = self._encoded(readings, None if mask is None else mask.repeat(APART + 1, 1)).chunk(
            APART + 1
        )
        self.code = mean_of_filled(whole.detach().float(), mask)
        found = [self.judged(read, token, each) for read, each in zip(hidden, asked, strict=True)]
        return Judged(*(torch.stack(each).sum(dim=0) for each in zip(*found, strict=True)))

    def judged(self, read: Tensor, token: Tensor, asked: Tensor) -> Judged:
        """What is said of the tokens that are asked for, from what each position has gathered, 0 at other positions."""
        log_p = self.head(read).float().log_softmax(dim=2)  # (records, positions, tokens)
        likelihood = log_p.gather(2, token[..., None]).squeeze(2)
        right = (log_p.argmax(dim=2) == token).to(likelihood.dtype)
        weight = asked.to(likelihood.dtype)
        return Judged(likelihood * weight, right * weight, weight)

    def disguised(self, x: Tensor, asked: Tensor) -> Tensor:
        """What is read while learning: nothing, any token, or what stands there, at the positions that are asked for."""
        chance = torch.rand_like(asked, dtype=torch.float32)
        other = asked & (chance >= NOTHING) & (chance < NOTHING + OTHER)
        least = 0 if self.letters else 1  # the number 0 is that of nothing
        drawn = torch.randint_like(asked, least, self.tokens, dtype=torch.int64)
        if self.letters:
            changed = nn.functional.one_hot(drawn, self.tokens).transpose(1, 2).to(x.dtype)
            x = torch.where(other[:, None], changed, x)
        else:
            x = torch.where(other, drawn.to(x.dtype), x)
        return hidden_at(x, asked & (chance < NOTHING))

    def _tokens(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Where a token stands, and which, (records, positions) each; mixtures of letters are none."""
        if self.letters:
            largest, token = x.max(dim=1)
            stands = largest > 0.999
        else:
            token = x.long()
            stands = token > 0
        return stands if mask is None else stands & mask, token


def hidden_at(x: Tensor, asked: Tensor) -> Tensor:
    """What is read where nothing is read at the positions that are asked for."""
    return x.masked_fill(asked if x.ndim == 2 else asked[:, None], 0.0)
