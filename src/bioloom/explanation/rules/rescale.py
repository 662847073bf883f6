"""The rules of DeepLIFT: how much an operation's output differs from a reference's, over how much its input does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from bioloom.errors import UserError
from bioloom.explanation.rules.base import Bend, Kept, Pair, Pool, Remembering, applied

if TYPE_CHECKING:
    from collections.abc import Iterator

NEAR = 1e-7
"""Where inputs differ by less, the slope stands for the quotient of differences."""

TINY = 1e-30
"""A difference that is none: in place of 0, so that nothing is divided by that."""

LEAST = 1e-150
"""No sum of exponents is taken to be less: logits of record and reference may differ by 345."""


class Rescale(Remembering):
    """Multipliers of DeepLIFT's rescale rule, with exact rules for products, pools and softmax.

    Used twice: first while the network reads the records, which is written down (`recording`), then for their references,
    read in the same order: one for each record, or several for each, the first ones of all records first. What flows back
    from a reference are the multipliers between it and the record: they are the same in both directions, so a record is
    read once for all its references.

    Numbers bent one by one: (f(x) - f(r)) / (x - r), or the slope where these are closer than `NEAR`.
    Products: Delta(ab) = Delta a * mean b + mean a * Delta b, which is exact.
    Largest numbers: with c = max(y, y_r), the place of the record's largest gets c - y_r, that of the reference's y - c (one
    of which is 0), over the difference at that place; the quotient never exceeds 1, so near ties need no threshold. Where
    one place holds the same largest number in both, the slope stands for it.
    Softmax: exp(z - c) times one over its sum, by the rules above, with one c for both, in float64.
    """

    def __init__(self) -> None:
        super().__init__()
        self.recording = True
        self._tape: list[tuple[str, Kept]] = []
        self._next: Iterator[tuple[str, Kept]] = iter(())

    @property
    def widest(self) -> int:
        """Numbers of the largest tensor that was written down; 0 of a network of linear layers."""
        return max((each.numel() for kept in self._kept for each in kept), default=0)

    def rewind(self) -> None:
        """Read what was written down from its beginning, for another reference."""
        self.recording = False
        self._next = iter(self._tape)
        self._kept = [kept for _, kept in self._tape]

    def bent(self, name: str, bend: Bend, x: Tensor) -> Tensor:
        """Quotients of differences."""
        if self.recording:
            y = bend(x)
            self._write(name, x, y)
            return y
        before, f_before = self._read(name, x)
        found: Tensor = applied(_Quotient, x, (before, f_before), bend, name)
        return found

    def product(self, name: str, call: Pair, a: Tensor, b: Tensor) -> Tensor:
        """Each side times the mean of the other."""
        if self.recording:
            self._write(name, a, b)
            return call(a, b)
        found: Tensor = applied(_Midpoint, a, b, self._compared(name, a, b), call)
        return found

    def largest(self, name: str, pool: Pool, x: Tensor, axes: int) -> tuple[Tensor, Tensor]:
        """Differences go to the places where either largest number stands."""
        if self.recording:
            y, where = pool(x)
            self._write(name, x, y, where)
            return y, where
        found: tuple[Tensor, Tensor] = applied(_Largest, x, self._compared(name, x), pool, axes)
        return found

    def softmax(self, x: Tensor, dim: int) -> Tensor:
        """Exponents over their sum, with one shift for both."""
        if self.recording:
            self._write("softmax", x)
            return functional.softmax(x, dim)
        found: Tensor = applied(_Softmax, x, self._compared("softmax", x), dim)
        return found

    def logsumexp(self, x: Tensor, dim: int) -> Tensor:
        """The logarithm of a sum of exponents, with one shift for both."""
        if self.recording:
            self._write("logsumexp", x)
            return torch.logsumexp(x, dim, keepdim=True)
        found: Tensor = applied(_LogSum, x, self._compared("logsumexp", x), dim)
        return found

    def differing(self, name: str, numbers: Sequence[Tensor]) -> Sequence[Tensor]:
        """Masks, indices and factors that are not those that the record met."""
        if not numbers:
            return ()
        if self.recording:
            self._write(f"{name} of fixed numbers", *numbers)
            return ()
        before = self._read(f"{name} of fixed numbers")
        return [now for then, now in zip(before, numbers, strict=True) if not _same(then, now)]

    def _write(self, name: str, *tensors: Tensor) -> None:
        self._tape.append((name, self.keep(*tensors)))

    def _compared(self, name: str, *tensors: Tensor) -> Kept:
        """What an operation met when the record was read, and after it what it meets now."""
        return self.keep(*self._read(name, tensors[0]), *tensors)

    def _read(self, name: str, x: Tensor | None = None) -> Kept:
        told, tensors = next(self._next, ("", []))
        if told != name or (x is not None and _axis(tensors[0], x) is None):
            raise UserError(
                "The network takes another way for the reference than for the record, so that their steps cannot be "
                f'compared: "{name}" instead of "{told or "the end"}".',
                fix="use a method that only asks the network: mutagenesis or occlusion",
            )
        return tensors


def _axis(record: Tensor, reference: Tensor) -> int | None:
    """Along which axis references of each record follow each other, 0 where there is one for each; None where the forms of
    the two do not fit."""
    if record.shape == reference.shape:
        return 0
    if record.dim() != reference.dim():
        return None
    apart = [axis for axis in range(record.dim()) if record.shape[axis] != reference.shape[axis]]
    fits = (
        len(apart) == 1 and record.shape[apart[0]] and not reference.shape[apart[0]] % record.shape[apart[0]]
    )
    return apart[0] if fits else None


def _beside(record: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers of records and of their references in forms that fit, with an axis for the references of a record; nothing is
    copied. `_as` undoes that."""
    axis = _axis(record, reference)
    if axis is None or record.shape == reference.shape:
        return record, reference
    return record.unsqueeze(axis), torch.unflatten(reference, axis, (-1, record.shape[axis]))


def _shifted(dim: int, record: Tensor, reference: Tensor) -> int:
    """Where an axis of references is in the forms of `_beside`."""
    axis = _axis(record, reference)
    dim %= reference.dim()
    return dim + 1 if axis is not None and record.shape != reference.shape and dim > axis else dim


def _as(result: Tensor, reference: Tensor) -> Tensor:
    """A result of `_beside` in the form that references have."""
    return result.reshape(reference.shape)


def _same(one: Tensor, two: Tensor) -> bool:
    if _axis(one, two) is None:
        return False
    if one.shape == two.shape:
        return one.data_ptr() == two.data_ptr() or bool(torch.equal(one, two))
    return bool(torch.eq(*_beside(one, two)).all())


class _Quotient(torch.autograd.Function):
    """f(r); backwards (f(x) - f(r)) / (x - r), worked out while r is at hand."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, before: tuple[Tensor, Tensor], bend: Bend, name: str) -> Tensor:
        y = bend(r)
        ctx.quotient = _of_relu(before[0], r) if name == "relu" else _quotient(before, r.detach(), y, bend)
        return y

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None, None, None]:
        return ctx.quotient.mul_(flow), None, None, None


def _of_relu(x: Tensor, r: Tensor) -> Tensor:
    """The quotient of a rectifier in as few passes over memory as it takes: max(x, r) / |x - r|, not below 0 or above 1.

    Where both are above 0 the fraction is at least 1, where both are below it is not above 0; between it is the quotient.
    """
    x, other = _beside(x, r)
    apart = torch.sub(x, other).abs_().clamp_min_(TINY)
    return _as(torch.maximum(x, other).div_(apart).clamp_(0, 1), r)


def _quotient(before: tuple[Tensor, Tensor], r: Tensor, f_r: Tensor, bend: Bend) -> Tensor:
    x, other = _beside(before[0], r)
    f_x, f_other = _beside(before[1], f_r.detach())
    apart = x - other
    quotient = (f_x - f_other).div_(apart)  # without meaning where they are near
    near = ~(apart.abs_() >= NEAR)  # also where both are infinite
    if bool(near.any()):
        middle = ((x + other) / 2)[near]
        quotient[near] = _slope(bend, middle)
    return _as(quotient, r)


def _slope(bend: Bend, at: Tensor) -> Tensor:
    with torch.enable_grad():
        at = at.detach().requires_grad_()
        (slope,) = torch.autograd.grad(bend(at).sum(), at)
    return slope


class _Midpoint(torch.autograd.Function):
    """call(a, b); backwards each side gets what it would with the mean of the other side."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, kept: Kept, call: Pair) -> Tensor:
        ctx.kept, ctx.call = kept, call
        return call(a, b)

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, Tensor, None, None]:
        other_a, other_b, a, b = ctx.kept
        mean_a, mean_b = _mean(other_a, a), _mean(other_b, b)
        to_a = transposed(lambda t: ctx.call(t, mean_b), a, flow)
        to_b = transposed(lambda t: ctx.call(mean_a, t), b, flow)
        return to_a, to_b, None, None


def _mean(record: Tensor, reference: Tensor) -> Tensor:
    one, other = _beside(record, reference)
    return _as((one + other) / 2, reference)


def transposed(linear: Bend, x: Tensor, flow: Tensor) -> Tensor:
    """What flows back through something linear to an input like x."""
    with torch.enable_grad():
        at = x.detach().requires_grad_()
        # a sum: see `bioloom.explanation.rules.flow`
        (back,) = torch.autograd.grad((linear(at) * flow).sum(), at)
    return back


class _Largest(torch.autograd.Function):
    """The largest numbers of the reference and their places; backwards see `Rescale`."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, kept: Kept, pool: Pool, axes: int) -> tuple[Tensor, Tensor]:
        y, where = pool(r)
        kept.extend((y.detach(), where))
        ctx.kept, ctx.axes = kept, axes
        ctx.mark_non_differentiable(where)
        return y, where

    @staticmethod
    def backward(ctx: Any, flow: Tensor, _: Tensor) -> tuple[Tensor, None, None, None]:
        of_x, of_y, of_place, r, y_r, at_r = (each.flatten(-ctx.axes) for each in ctx.kept)
        back_to = torch.zeros_like(r)
        (x, r), (y, y_r), (at_x, at_r) = _beside(of_x, r), _beside(of_y, y_r), _beside(of_place, at_r)
        where = torch.where(y > y_r, at_x, at_r)  # the other of the two places gets 0
        over = x.expand_as(r).gather(-1, where).sub_(r.gather(-1, where))
        quotient = torch.where(over == 0, (at_x == at_r).to(r.dtype), (y - y_r).div_(over))
        shares = _as(quotient, flow.flatten(-ctx.axes)).mul_(flow.flatten(-ctx.axes))
        back_to.scatter_add_(-1, _as(where, shares), shares)
        return back_to.view(ctx.kept[3].shape), None, None, None


def _exponents(x: Tensor, r: Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """exp(r - c), exp(x - c) and the quotient of their differences, float64, one c for both; dim: of `_beside`."""
    x, r = (each.double() for each in _beside(x, r))
    c = torch.maximum(r, x).amax(dim, keepdim=True)
    c = torch.where(c.isfinite(), c, 0.0)
    e_r, e_x, apart = (r - c).exp(), (x - c).exp(), x - r
    near = ~(apart.abs() >= NEAR)  # also where both are minus infinity
    quotient = torch.where(near, (e_r + e_x) / 2, (e_x - e_r) / torch.where(near, 1.0, apart))
    return e_r, e_x, quotient


class _Softmax(torch.autograd.Function):
    """softmax(r); backwards the product of exponents and one over their sum."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, kept: Kept, dim: int) -> Tensor:
        ctx.kept, ctx.dim = kept, _shifted(dim, kept[0], r)
        return functional.softmax(r, dim)

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None, None]:
        (x, r), dim = ctx.kept, ctx.dim
        e_r, e_x, quotient = _exponents(x, r, dim)
        sum_r, sum_x = (each.sum(dim, keepdim=True).clamp(min=LEAST) for each in (e_r, e_x))
        wide = _beside(x, flow)[1].double()
        of_sum = (wide * (e_r + e_x) / 2).sum(dim, keepdim=True) / (sum_r * sum_x)
        back = quotient * (wide * (1 / sum_r + 1 / sum_x) / 2 - of_sum)
        return _as(back, r).to(r.dtype), None, None


class _LogSum(torch.autograd.Function):
    """log sum exp(r); backwards the quotients of the logarithm and of the exponents."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, kept: Kept, dim: int) -> Tensor:
        ctx.kept, ctx.dim = kept, _shifted(dim, kept[0], r)
        return torch.logsumexp(r, dim, keepdim=True)

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None, None]:
        (x, r), dim = ctx.kept, ctx.dim
        e_r, e_x, quotient = _exponents(x, r, dim)
        sum_r, sum_x = (each.sum(dim, keepdim=True).clamp(min=LEAST) for each in (e_r, e_x))
        apart = sum_x - sum_r
        near = apart.abs() < NEAR * sum_r
        log = torch.where(
            near, 2 / (sum_r + sum_x), (sum_x.log() - sum_r.log()) / torch.where(near, 1.0, apart)
        )
        wide = _as(flow.double(), log)
        return _as(wide * log * quotient, r).to(r.dtype), None, None
