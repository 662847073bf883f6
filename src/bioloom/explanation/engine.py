"""What explainers share: asking a network many times in small batches, and leaving it exactly as it was."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import torch

from bioloom.errors import UserError, out_of_memory
from bioloom.explanation import Scale
from bioloom.explanation.flat import flat
from bioloom.modalities import Signal
from bioloom.models import apply
from bioloom.models.places import trimmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from bioloom.explanation import Question, Target
    from bioloom.modalities import Batch
    from bioloom.models import Network

Part = TypeVar("Part")

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
            with flat(network):
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
    """The explained number, (variants,), for variants of the explained input.

    x:      (variants, *shape) of the explained input
    record: (variants,) integers, whose other inputs and masks go with each variant
    """
    batch = posed(question, x, record)
    return chosen(question, _said(question, batch), batch, record)


def _said(question: Question, batch: Batch) -> Tensor:
    """Raw outputs for a batch, from memory where the same was asked before.

    Remembered are answers without gradients and places, on a processor whose memory is at hand: to tell batches apart they
    are read once, which costs less than any network.
    """
    if question.memory is None or torch.is_grad_enabled() or batch[question.input].x.device.type != "cpu":
        return apply(question.network, batch)
    key = _digest(batch)
    if key not in question.memory:
        raw = apply(question.network, batch)
        if raw.dim() > 2:
            return raw
        question.memory[key] = raw
    return question.memory[key]


def _digest(batch: Batch) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for name, signal in batch.items():
        for part in (signal.x, signal.mask):
            if part is not None:
                digest.update(f"{name} {part.dtype} {tuple(part.shape)}".encode())
                digest.update(part.detach().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.digest()


def ask_each(questions: Sequence[Question], x: Tensor, record: Tensor) -> Tensor:
    """The same for several questions about one answer, (questions, variants); the network is asked once for all."""
    batch = posed(questions[0], x, record)
    raw = apply(questions[0].network, batch)
    return torch.stack([chosen(question, raw, batch, record) for question in questions])


def posed(question: Question, x: Tensor, record: Tensor) -> Batch:
    """The batch that a network is shown for variants of the explained input; see `ask`."""
    batch = {
        name: Signal(
            x if name == question.input else signal.x[record],
            None if signal.mask is None else signal.mask[record],
        )
        for name, signal in question.batch.items()
    }
    return trimmed(batch) if question.network.everywhere else batch


def chosen(question: Question, raw: Tensor, batch: Batch, record: Tensor) -> Tensor:
    """The explained number of each variant, (variants,), from what a network says of them.

    raw:   (variants, outputs) or (variants, outputs, *places)
    batch: what it was shown, as `posed` makes it
    """
    target = question.target
    values = _scaled(raw, target)
    value = _picked(values, target.output, record)
    if target.against is not None:
        value = value - _picked(values, target.against, record)
    return value if value.dim() == 1 else _of_places(value, batch[question.input].mask, question.place)


def predicted(question: Question) -> Tensor:
    """The number of the class that the network finds likeliest, (records,), for a `Target` of classes.

    Of answers at all places it is that of the place that is asked about, or of the mean over filled places.
    """
    x = question.batch[question.input].x
    record = torch.arange(len(x), device=x.device)

    def likeliest(part: slice) -> Tensor:
        batch = posed(question, x[part], record[part])
        raw = apply(question.network, batch)
        several = raw if raw.shape[1] > 1 else torch.cat([-raw, raw], dim=1)
        if several.dim() > 2:
            mask = batch[question.input].mask
            each = [_of_places(values, mask, question.place) for values in several.unbind(dim=1)]
            several = torch.stack(each, dim=1)
        return several.argmax(dim=1)

    with untouched(question.network, question.seed, x.device), torch.no_grad():
        return torch.cat(in_chunks(len(x), rows_per_chunk(x), likeliest))


def _scaled(raw: Tensor, target: Target) -> Tensor:
    """All outputs on the scale that is asked for, (variants, outputs or classes, ...)."""
    single = raw.shape[1] == 1
    values = raw
    if target.scale is Scale.PROBABILITY:
        values = raw.sigmoid() if single else raw.softmax(dim=1)
    elif target.scale is Scale.LOG_ODDS and not single:
        values = _log_odds(raw)
    if single and target.classes:
        other = 1 - values if target.scale is Scale.PROBABILITY else -values
        return torch.cat([other, values], dim=1)
    return values


def _log_odds(raw: Tensor) -> Tensor:
    """Log odds of each class against all others together: its logit less the log of the sum of the others' exponents."""
    own = torch.eye(raw.shape[1], dtype=torch.bool, device=raw.device)
    own = own.view(*own.shape, *[1] * (raw.dim() - 2))  # (class, others, ...)
    others = raw[:, None].masked_fill(own, -torch.inf).logsumexp(dim=2)
    return raw - others


def _picked(values: Tensor, output: int | Tensor, record: Tensor) -> Tensor:
    """One output for each variant, the same or that of its record, (variants, ...)."""
    if isinstance(output, int):
        return values[:, output]
    return values[torch.arange(len(values), device=values.device), output.to(values.device)[record]]


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

    def fill(part: slice) -> None:
        answers[part] = ask(question, *variants(part))

    with torch.no_grad():
        in_chunks(count, rows_per_chunk(x), fill)
    return answers


def slope(question: Question, x: Tensor, record: Tensor) -> Tensor:
    """Gradient of the explained number to the explained input, for variants as `ask` takes them; weights keep theirs.

    x: (variants, *shape), no part of a graph; zeros where the number does not depend on the input at all
    """
    with torch.enable_grad():
        x.requires_grad_(True)
        answer = ask(question, x, record).sum()
        if not answer.requires_grad:
            return torch.zeros_like(x)
        (gradient,) = torch.autograd.grad(answer, x, allow_unused=True)
    return torch.zeros_like(x) if gradient is None else gradient


def rows_per_chunk(x: Tensor) -> int:
    """How many records fit a chunk: 16 to 256 on a CPU, 16 times as many on an accelerator."""
    rows = max(1, _NUMBERS_PER_CHUNK // max(1, x[:1].numel()))
    rows = min(256, max(16, 1 << (rows.bit_length() - 1)))
    return rows if x.device.type == "cpu" else 16 * rows


def chunks(count: int, rows: int) -> Iterator[slice]:
    """Slices of at most `rows`, covering `count`."""
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


def in_chunks(count: int, rows: int, work: Callable[[slice], Part]) -> list[Part]:
    """What `work` makes of slices of at most `rows`, in order; where memory runs out, slices are halved from there on.

    work: changes nothing before it has all it needs, so that it can be called again for half of a slice
    Raises UserError where a single row does not fit.
    """
    made: list[Part] = []
    start = 0
    while start < count:
        part = slice(start, min(start + rows, count))
        if _fits(lambda part=part: made.append(work(part))):  # type: ignore[misc]
            start = part.stop
        else:
            rows = _halved(part.stop - part.start)
    return made


def _fits(work: Callable[[], None]) -> bool:
    """Do it, and say whether there was memory enough; all that it held is free again on return."""
    try:
        work()
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        return False
    return True


def _halved(rows: int) -> int:
    if rows == 1:
        raise UserError(
            "There is not enough memory to ask the model about a single record.",
            fix="explain on another device, or with a smaller network or shorter records",
        )
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return rows // 2


def spells_letters(x: Tensor) -> bool:
    """Whether each position of a sequence holds a letter, a mixture of letters, or nothing.

    x: (records, letters, positions); the letters of a position sum to one or to zero
    """
    if x.dim() != 3 or x.shape[1] < 2 or not x.numel():
        return False
    total = x.sum(dim=1)
    return bool((x >= 0).all() and torch.minimum(total.abs(), (total - 1).abs()).max() < 1e-3)


def between_letters(gradient: Tensor, x: Tensor) -> Tensor:
    """A gradient without the part that no exchange of letters can follow, where the input is made of letters.

    The letters of a position sum to one, so a gradient that is the same for all of them says nothing: their mean is
    subtracted. Source: Majdandzic, Rajesh & Koo 2023, Genome Biology 24:109.
    gradient: (variants, letters, positions); x: that of the records
    """
    return gradient - gradient.mean(dim=1, keepdim=True) if spells_letters(x) else gradient


def where_filled(value: Tensor, mask: Tensor | None) -> Tensor:
    """Numbers of an input with zeros outside the mask, (records, channels, positions)."""
    return value if mask is None else value * mask[:, None]


def on_letters(value: Tensor, x: Tensor) -> Tensor:
    """Put one number per position on the letter that stands there, (records, letters, positions).

    value: (records, positions)
    x:     (records, letters, positions); a mixture shares the number, a gap spreads it over all letters
    """
    total = x.sum(dim=1, keepdim=True)
    share = torch.where(total > 0, x / total.clamp(min=1e-12), 1 / x.shape[1])
    return share * value[:, None]
