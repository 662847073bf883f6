"""What explainers share: asking a network many times in small batches, and leaving it exactly as it was."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from bioloom.modalities import Signal
from bioloom.models import apply
from bioloom.models.places import trimmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from bioloom.explanation import Question
    from bioloom.models import Network

_NUMBERS_PER_CHUNK = 2**16
"""Numbers of input in one batch on a CPU: larger batches fall out of its cache and run slower."""


@contextmanager
def untouched(network: Network, seed: int, device: torch.device) -> Iterator[None]:
    """Evaluation mode, frozen weights, seeded random numbers; afterwards, or after an error, all is as before.

    Restored are the mode of each part, which weights want gradients, the maps that forward keeps in
    `features`, and the state of the random generators. Gradients of weights are never written.
    """
    modes = [(module, module.training) for module in network.modules()]
    kept = [
        (module, vars(module).get("features")) for module in network.modules() if "features" in vars(module)
    ]
    wanted = [(weight, weight.requires_grad) for weight in network.parameters()]
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.manual_seed(seed)
        try:
            network.eval().requires_grad_(False)
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            for weight, want in wanted:
                weight.requires_grad_(want)
            for module in network.modules():
                vars(module).pop("features", None)
            for module, maps in kept:
                vars(module)["features"] = maps


def ask(question: Question, x: Tensor, record: Tensor) -> Tensor:
    """The explained raw output, (variants,), for variants of the explained input.

    x:      (variants, *shape) of the explained input
    record: (variants,) integers, whose other inputs and masks go with each variant
    """
    batch = {
        name: Signal(
            x if name == question.input else signal.x[record],
            None if signal.mask is None else signal.mask[record],
        )
        for name, signal in question.batch.items()
    }
    if question.network.everywhere:
        batch = trimmed(batch)
    raw = apply(question.network, batch)[:, question.output]
    return raw if raw.dim() == 1 else _of_places(raw, batch[question.input].mask, question.place)


def _of_places(raw: Tensor, mask: Tensor | None, place: int | None) -> Tensor:
    """One number for each variant from answers at all places, (variants, *places): that of one place, or the mean over
    filled places."""
    if place is not None:
        return raw.flatten(1)[:, place]
    if mask is None:
        return raw.flatten(1).mean(dim=1)
    return (raw * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def ask_all(question: Question, count: int, variants: Callable[[slice], tuple[Tensor, Tensor]]) -> Tensor:
    """The explained output of many variants, (count,), made and asked a chunk at a time without gradients.

    variants: gives the variants of a slice and the record of each, as `ask` takes them
    """
    x = question.batch[question.input].x
    answers = x.new_empty(count)
    with torch.no_grad():
        for part in chunks(count, rows_per_chunk(x)):
            answers[part] = ask(question, *variants(part))
    return answers


def rows_per_chunk(x: Tensor) -> int:
    """How many records fit a chunk: 32 to 256 on a CPU, 16 times as many on an accelerator."""
    rows = max(1, _NUMBERS_PER_CHUNK // max(1, x[:1].numel()))
    rows = min(256, max(32, 1 << (rows.bit_length() - 1)))
    return rows if x.device.type == "cpu" else 16 * rows


def chunks(count: int, rows: int) -> Iterator[slice]:
    """Slices of at most `rows`, covering `count`."""
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


def spells_letters(x: Tensor) -> bool:
    """Whether each position of a sequence holds a letter, a mixture of letters, or nothing.

    x: (records, letters, positions); the letters of a position sum to one or to zero
    """
    if x.dim() != 3 or x.shape[1] < 2 or not x.numel():
        return False
    total = x.sum(dim=1)
    return bool((x >= 0).all() and torch.minimum(total.abs(), (total - 1).abs()).max() < 1e-3)


def on_letters(value: Tensor, x: Tensor) -> Tensor:
    """Put one number per position on the letter that stands there, (records, letters, positions).

    value: (records, positions)
    x:     (records, letters, positions); a mixture shares the number, a gap spreads it over all letters
    """
    total = x.sum(dim=1, keepdim=True)
    share = torch.where(total > 0, x / total.clamp(min=1e-12), 1 / x.shape[1])
    return share * value[:, None]
