"""What methods that compare with "nothing here" share: the backgrounds themselves, and what the model says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from bioloom.errors import UserError
from bioloom.explanation.engine import ask_all

if TYPE_CHECKING:
    from torch import Tensor

    from bioloom.explanation import Question


def backgrounds_of(question: Question, method: str) -> tuple[Tensor, Tensor]:
    """The explained input, (records, *shape), and its backgrounds, (records, count, *shape).

    Both may be given gradients, and the backgrounds are those of the record outside its mask. Where all are the same, such
    as one average record given several times, there is one.
    method: its name, for the message of the UserError where the question holds no background
    """
    x, mask = question.batch[question.input]
    if question.background is None:
        raise UserError(
            f"{method} compares with a background, and none was given.",
            where=f'input "{question.input}"',
            fix="give the question a background, such as shuffled sequences or the means of the columns",
        )
    with torch.inference_mode(False):
        x = x.detach().clone()  # outside inference mode, so that gradients can be taken
        background = question.background.to(x.dtype).clone()
        if mask is not None:
            background = torch.where(mask[:, None, None], background, x[:, None])
        if bool((background == background[:, :1]).all()):
            background = background[:, :1]
    return x, background


def counted(background: Tensor) -> str:
    """How many backgrounds there are of each record, in words."""
    several = "one background" if background.shape[1] == 1 else f"{background.shape[1]} backgrounds"
    return f"{several} of each record"


@dataclass(frozen=True)
class Answers:
    """The explained numbers of records, (records,), and of their backgrounds, (records, count)."""

    at_x: Tensor
    at_background: Tensor

    @property
    def difference(self) -> Tensor:
        """f(x) - mean f(background), (records,)."""
        return self.at_x - self.at_background.mean(dim=1)

    @property
    def size(self) -> Tensor:
        """How large the numbers are that are subtracted, (records,)."""
        return self.at_x.abs() + self.at_background.abs().mean(dim=1)


def answers(question: Question, x: Tensor, background: Tensor) -> Answers:
    """What the network says of records and of their backgrounds, as `backgrounds_of` gives them."""
    count = background.shape[1]
    records = torch.arange(len(x), device=x.device)
    owner = records.repeat_interleave(count)
    at_x = ask_all(question, len(x), lambda part: (x[part], records[part]))
    flat = background.flatten(0, 1)
    at_background = ask_all(question, len(flat), lambda part: (flat[part], owner[part]))
    return Answers(at_x, at_background.view(-1, count))
