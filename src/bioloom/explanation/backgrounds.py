"""What methods that compare with "nothing here" share: the backgrounds themselves, and what the model says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bioloom.errors import UserError
from bioloom.explanation.engine import ask_all

if TYPE_CHECKING:
    from torch import Tensor

    from bioloom.explanation import Question


def backgrounds_of(question: Question, method: str) -> tuple[Tensor, Tensor]:
    """The explained input, (records, *shape), and its backgrounds, (records, count, *shape).

    Both may be given gradients, and the backgrounds are those of the record outside its mask.
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
    return x, background


def difference_to(question: Question, x: Tensor, background: Tensor) -> tuple[Tensor, Tensor]:
    """f(x) - mean f(background), and how large these outputs are, both (records,)."""
    count = background.shape[1]
    records = torch.arange(len(x), device=x.device)
    owner = records.repeat_interleave(count)
    at_x = ask_all(question, len(x), lambda part: (x[part], records[part]))
    flat = background.flatten(0, 1)
    at_background = ask_all(question, len(flat), lambda part: (flat[part], owner[part])).view(-1, count)
    return at_x - at_background.mean(dim=1), at_x.abs() + at_background.abs().mean(dim=1)
