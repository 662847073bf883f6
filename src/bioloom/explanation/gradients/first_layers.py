"""The first layers of a network, worked out once for a whole way: they only add up, so on a straight way they go straight too.

At b + t (x - b) a dense layer or convolution says y_b + t (y_x - y_b), and what flows back through it is the same sum at every
point. So it is asked about both ends, not about each point, and the gradients behind it are added up before one of them flows
back to the input. That saves most where inputs are wide, such as tables of all genes, and convolutions of few channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from bioloom.explanation import Question
from bioloom.explanation.engine import ask
from bioloom.explanation.flat import channels_last
from bioloom.explanation.rules.base import applied
from bioloom.explanation.rules.given import Given
from bioloom.explanation.rules.kinds import KINDS

_FORM = frozenset(
    """
    shape size dim ndim dtype device layout numel stride is_cuda is_floating_point is_contiguous requires_grad __len__ __hash__
    """.split()  # noqa: SIM905 -- one a line are many lines
)
"""What is asked of a tensor that does not look at its numbers."""

_ADDING = frozenset(("moved", "linear", "scaled", "divided"))


class NotStraightError(Exception):
    """The network does something else with its input than adding it up first."""


class _EnoughError(Exception):
    """All first layers have been asked."""


@dataclass(frozen=True)
class Ends:
    """What a first layer says of some inputs, and what it was given of each.

    said: (copies x inputs, *shape), the copies (such as strands) one after the other
    seen: the shape of one input as it reached the layer
    """

    said: Tensor
    seen: torch.Size


@dataclass(frozen=True)
class FirstLayers:
    """The calls, counted from 0 in one evaluation, by which the explained input enters a network, and nothing else does."""

    question: Question
    calls: tuple[int, ...]

    def ends(self, x: Tensor, record: Tensor) -> list[Ends]:
        """What each of them says of some inputs, which `engine.ask` would take; nothing behind them is worked out."""
        found: list[Ends] = []

        def read(given: Given) -> Tensor:
            _, source, _, _ = given.layer()
            said: Tensor = given.plain()
            found.append(Ends(said, source.shape[1:]))
            if len(found) == len(self.calls):
                raise _EnoughError
            return said.detach().clone()  # what comes next may overwrite it

        try:
            with torch.enable_grad(), _Calls(self.calls, read):
                ask(self.question, x, record)
        except _EnoughError:
            pass
        return found

    def slopes(
        self, ways: list[tuple[Ends, Ends]], record: Tensor, times: Tensor, weights: Tensor
    ) -> list[Tensor]:
        """Weighted sums of slopes at each first layer over points of some ways, shaped as its ends.

        ways: both ends of each layer; record: (ways,); times, weights: (ways, points)
        """
        x = self.question.batch[self.question.input].x
        count, points = times.shape
        nothing = x.new_zeros(1).expand(count * points, *x.shape[1:])  # what enters here is not looked at
        token = x.new_zeros(()).requires_grad_()
        jobs = [_Job(times, weights, torch.zeros_like(start.said)) for start, _ in ways]
        waiting = iter(zip(ways, jobs, strict=True))

        def put(given: Given) -> Tensor:
            (start, end), job = next(waiting)
            _, source, _, _ = given.layer()
            copies = start.said.shape[0] // count
            if source.shape[1:] != start.seen or source.shape[0] != copies * count * points:
                raise NotStraightError
            said: Tensor = applied(_Between, token, start.said.detach(), end.said.detach(), job)
            return said

        records = record.repeat_interleave(points)
        with torch.enable_grad(), _Calls(self.calls, put):
            answer = ask(self.question, nothing, records)
        if answer.requires_grad:
            torch.autograd.grad(answer.sum(), token, allow_unused=True)
        return [job.slopes for job in jobs]


def first_layers(question: Question, x: Tensor) -> FirstLayers | None:
    """The first layers of a network; None where its input takes another way, or also another way.

    x: one of the inputs, (1, *shape). Every call is looked at: numbers may be moved, multiplied by constants and added to them
    until they enter a layer; anything else, also looking at a number, is not straight.
    """
    if question.network.everywhere:  # reads as far as the longest record of a batch
        return None
    finding, record = _Finding(), x.new_zeros(1, dtype=torch.long)
    leaf = x.detach().clone().requires_grad_()  # made here, because calls are counted inside
    try:
        with torch.enable_grad(), finding:
            answer = ask(question, leaf, record)
    except NotStraightError:
        return None
    if answer.requires_grad or not finding.calls:
        return None
    return FirstLayers(question, tuple(finding.calls))


class _Finding(TorchFunctionMode):
    """Follows the input until it enters layers, behind which it is not followed. calls: where these are."""

    def __init__(self) -> None:
        super().__init__()
        self.number, self.calls = 0, list[int]()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Compute one call."""
        given, number = Given.of(func, args, kwargs or {}), self.number
        self.number += 1
        result = given.plain()
        if not given.path or given.name in _FORM:
            return result
        if _enters(given):
            self.calls.append(number)
            return result.detach()
        if not _adds(given, result):
            raise NotStraightError
        return result


def _enters(given: Given) -> bool:
    """Whether it is a layer whose input, and nothing else, is on the path."""
    return KINDS.get(given.name) == "layer" and len(given.path) == 1 and given.layer()[1] is given.path[0]


def _adds(given: Given, result: Any) -> bool:
    """Whether numbers on the path are only moved, multiplied by constants and added up."""
    kind = KINDS.get(given.name)
    if kind not in _ADDING or given.in_place:
        return False
    if kind in ("scaled", "divided") and (
        len(given.path) > 1 or (kind == "divided" and not given.on_path(given.args[0]))
    ):
        return False
    results = result if isinstance(result, tuple | list) else [result]
    return all(isinstance(each, Tensor) and each.requires_grad for each in results)


class _Calls(TorchFunctionMode):
    """Lets some calls, counted from 0, be computed by another function."""

    def __init__(self, calls: tuple[int, ...], other: Callable[[Given], Tensor]) -> None:
        super().__init__()
        self.calls, self.other, self.number = frozenset(calls), other, 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Compute one call."""
        number = self.number
        self.number += 1
        if number not in self.calls:
            return func(*args, **(kwargs or {}))
        given = Given.of(func, args, kwargs or {})
        if KINDS.get(given.name) != "layer":
            raise NotStraightError
        return self.other(given)


@dataclass(frozen=True, eq=False)
class _Job:
    """Points of some ways, their weights, (ways, points) each, and where the weighted sum of slopes goes."""

    times: Tensor
    weights: Tensor
    slopes: Tensor = field(repr=False)


class _Between(torch.autograd.Function):
    """Points between two ends, (copies x ways x points, *shape); backwards their slopes are added up, and none flows on."""

    @staticmethod
    def forward(ctx: Any, token: Tensor, start: Tensor, end: Tensor, job: _Job) -> Tensor:
        del token  # only there so that something flows back here
        ctx.job, last = job, channels_last(start)
        count, points = job.times.shape
        one, other = (_ordered(each, last) for each in (start, end))
        shape = (len(start) * points, *one.shape[1:])
        strides = _placed(one.new_empty(shape, device="meta"), last).stride()
        said = torch.empty_strided(
            (shape[0], *start.shape[1:]), strides, dtype=start.dtype, device=start.device
        )  # a tensor of its own, because the next layer may overwrite it
        split = (-1, count, points)
        torch.lerp(
            torch.unflatten(one, 0, (-1, count, 1)),
            torch.unflatten(other, 0, (-1, count, 1)),
            job.times.view(1, count, points, *[1] * (one.dim() - 1)).to(start.dtype),
            out=torch.unflatten(_ordered(said, last), 0, split),
        )
        return said

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None, None, None]:
        job: _Job = ctx.job
        last = channels_last(job.slopes)
        each = _ordered(flow, last).reshape(-1, *job.times.shape, flow[0].numel())
        added = job.weights[None, :, None].to(flow.dtype) @ each  # (copies, ways, 1, numbers)
        slopes = _ordered(job.slopes, last)
        slopes.add_(added.view(slopes.shape))
        return flow.new_zeros(()), None, None, None


def _ordered(x: Tensor, last: bool) -> Tensor:
    """The axes as they lie in memory, with channels last or before places."""
    return x.movedim(1, -1) if last else x


def _placed(x: Tensor, last: bool) -> Tensor:
    """The inverse of `_ordered`."""
    return x.movedim(-1, 1) if last else x
