"""The rules of DeepLIFT: how much an operation's output differs from a reference's, over how much its input does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from bioloom.errors import UserError
from bioloom.explanation.rules.base import Bend, Pair, Pool, Rules, applied

if TYPE_CHECKING:
    from collections.abc import Iterator

NEAR = 1e-7
"""Where inputs differ by less, the slope stands for the quotient of differences."""

Entry = tuple[str, tuple[Tensor, ...]]


class Rescale(Rules):
    """Multipliers of DeepLIFT's rescale rule, with exact rules for products, pools and softmax.

    Used twice: first while the network reads the records, which is written down (`recording`), then once for each
    reference, read in the same order. What flows back from a reference are the multipliers between it and the record:
    they are the same in both directions, so a record is read once for all its references.

    Numbers bent one by one: (f(x) - f(r)) / (x - r), or the slope where these are closer than `NEAR`.
    Products: Delta(ab) = Delta a * mean b + mean a * Delta b, which is exact.
    Largest numbers: with c = max(y, y_r), the place of the record's largest gets c - y_r, that of the reference's y - c,
    each over the difference at that place; neither quotient exceeds 1, so ties need no threshold.
    Softmax: exp(z - c) times one over its sum, by the rules above, with one c for both, in float64.
    """

    def __init__(self) -> None:
        self.recording = True
        self._tape: list[Entry] = []
        self._next: Iterator[Entry] = iter(())

    def rewind(self) -> None:
        """Read what was written down from its beginning, for another reference."""
        self.recording = False
        self._next = iter(self._tape)

    def bent(self, name: str, bend: Bend, x: Tensor) -> Tensor:
        """Quotients of differences."""
        if self.recording:
            y = bend(x)
            self._write(name, x, y)
            return y
        other, bent = self._read(name, x)
        found: Tensor = applied(_Quotient, x, (other, bent), bend, name)
        return found

    def product(self, name: str, call: Pair, a: Tensor, b: Tensor) -> Tensor:
        """Each side times the mean of the other."""
        if self.recording:
            self._write(name, a, b)
            return call(a, b)
        other_a, other_b = self._read(name, a)
        found: Tensor = applied(_Midpoint, a, b, (other_a, other_b), call)
        return found

    def largest(self, name: str, pool: Pool, x: Tensor, axes: int) -> tuple[Tensor, Tensor]:
        """Differences go to the places where either largest number stands."""
        if self.recording:
            y, where = pool(x)
            self._write(name, x, y, where)
            return y, where
        other, largest, there = self._read(name, x)
        found: tuple[Tensor, Tensor] = applied(_Largest, x, (other, largest, there), pool, axes)
        return found

    def softmax(self, x: Tensor, dim: int) -> Tensor:
        """Exponents over their sum, with one shift for both."""
        if self.recording:
            self._write("softmax", x)
            return functional.softmax(x, dim)
        (other,) = self._read("softmax", x)
        found: Tensor = applied(_Softmax, x, other, dim)
        return found

    def logsumexp(self, x: Tensor, dim: int) -> Tensor:
        """The logarithm of a sum of exponents, with one shift for both."""
        if self.recording:
            self._write("logsumexp", x)
            return torch.logsumexp(x, dim, keepdim=True)
        (other,) = self._read("logsumexp", x)
        found: Tensor = applied(_LogSum, x, other, dim)
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

    def changes(self, tensor: Tensor) -> None:
        """Keep a copy of what was written down and is about to be overwritten."""
        if not self.recording:
            return
        place = tensor.untyped_storage().data_ptr()
        for number, (name, tensors) in enumerate(self._tape):
            if any(each.untyped_storage().data_ptr() == place for each in tensors):
                self._tape[number] = (name, tuple(each.clone() for each in tensors))

    def _write(self, name: str, *tensors: Tensor) -> None:
        self._tape.append((name, tuple(each.detach() for each in tensors)))

    def _read(self, name: str, x: Tensor | None = None) -> tuple[Tensor, ...]:
        told, tensors = next(self._next, ("", ()))
        if told != name or (x is not None and tensors[0].shape != x.shape):
            raise UserError(
                "The network takes another way for the reference than for the record, so that their steps cannot be "
                f'compared: "{name}" instead of "{told or "the end"}".',
                fix="use a method that only asks the network: mutagenesis or occlusion",
            )
        return tensors


def _same(one: Tensor, two: Tensor) -> bool:
    if one.shape != two.shape:
        return False
    return one.data_ptr() == two.data_ptr() or bool(torch.equal(one, two))


class _Quotient(torch.autograd.Function):
    """f(r); backwards (f(x) - f(r)) / (x - r)."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, written: tuple[Tensor, Tensor], bend: Bend, name: str) -> Tensor:
        f_r = bend(r)
        ctx.save_for_backward(r, f_r, *written)
        ctx.bend, ctx.name = bend, name
        return f_r

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None, None, None]:
        r, f_r, x, f_x = ctx.saved_tensors
        apart = x - r
        near = apart.abs() < NEAR
        quotient = (f_x - f_r) / torch.where(near, 1.0, apart)
        if ctx.name == "relu":
            return flow * torch.where(near, (r > 0).to(r.dtype), quotient), None, None, None
        if bool(near.any()):
            quotient[near] = _slope(ctx.bend, (x[near] + r[near]) / 2)
        return flow * quotient, None, None, None


def _slope(bend: Bend, at: Tensor) -> Tensor:
    with torch.enable_grad():
        at = at.detach().requires_grad_()
        (slope,) = torch.autograd.grad(bend(at).sum(), at)
    return slope


class _Midpoint(torch.autograd.Function):
    """call(a, b); backwards each side gets what it would with the mean of the other side."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, written: tuple[Tensor, Tensor], call: Pair) -> Tensor:
        ctx.save_for_backward(a, b, *written)
        ctx.call = call
        return call(a, b)

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, Tensor, None, None]:
        a, b, other_a, other_b = ctx.saved_tensors
        to_a = transposed(lambda t: ctx.call(t, (b + other_b) / 2), a, flow)
        to_b = transposed(lambda t: ctx.call((a + other_a) / 2, t), b, flow)
        return to_a, to_b, None, None


def transposed(linear: Bend, x: Tensor, flow: Tensor) -> Tensor:
    """What flows back through something linear to an input like x."""
    with torch.enable_grad():
        at = x.detach().requires_grad_()
        (back,) = torch.autograd.grad(linear(at), at, flow)
    return back


class _Largest(torch.autograd.Function):
    """The largest numbers of the reference and their places; backwards see `Rescale`."""

    @staticmethod
    def forward(
        ctx: Any, r: Tensor, written: tuple[Tensor, Tensor, Tensor], pool: Pool, axes: int
    ) -> tuple[Tensor, Tensor]:
        y_r, there = pool(r)
        ctx.save_for_backward(r, y_r, there, *written)
        ctx.axes = axes
        ctx.mark_non_differentiable(there)
        return y_r, there

    @staticmethod
    def backward(ctx: Any, flow: Tensor, _: Tensor) -> tuple[Tensor, None, None, None]:
        r, y_r, at_r, x, y, at_x = (each.flatten(-ctx.axes) for each in ctx.saved_tensors)
        flow, apart = flow.flatten(-ctx.axes), x - r
        common = torch.maximum(y, y_r)
        back = torch.zeros_like(r)
        for where, share in ((at_x, common - y_r), (at_r, y - common)):
            over = apart.gather(-1, where)
            back.scatter_add_(
                -1, where, flow * torch.where(over == 0, 0.0, share / torch.where(over == 0, 1.0, over))
            )
        return back.view(ctx.saved_tensors[0].shape), None, None, None


def _exponents(r: Tensor, x: Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """exp(r - c), exp(x - c) and the quotient of their differences, float64, and c."""
    r, x = r.double(), x.double()
    c = torch.maximum(r, x).amax(dim, keepdim=True)
    c = torch.where(c.isfinite(), c, 0.0)
    e_r, e_x, apart = (r - c).exp(), (x - c).exp(), x - r
    near = ~(apart.abs() >= NEAR)  # also where both are minus infinity
    quotient = torch.where(near, (e_r + e_x) / 2, (e_x - e_r) / torch.where(near, 1.0, apart))
    return e_r, e_x, quotient, c


class _Softmax(torch.autograd.Function):
    """softmax(r); backwards the product of exponents and one over their sum."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, x: Tensor, dim: int) -> Tensor:
        ctx.save_for_backward(r, x)
        ctx.dim = dim
        return functional.softmax(r, dim)

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None, None]:
        (r, x), dim = ctx.saved_tensors, ctx.dim
        e_r, e_x, quotient, _ = _exponents(r, x, dim)
        sum_r, sum_x = e_r.sum(dim, keepdim=True), e_x.sum(dim, keepdim=True)
        wide = flow.double()
        of_sum = (wide * (e_r + e_x) / 2).sum(dim, keepdim=True) / (sum_r * sum_x)
        back = quotient * (wide * (1 / sum_r + 1 / sum_x) / 2 - of_sum)
        return back.to(r.dtype), None, None


class _LogSum(torch.autograd.Function):
    """log sum exp(r); backwards the quotients of the logarithm and of the exponents."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, x: Tensor, dim: int) -> Tensor:
        ctx.save_for_backward(r, x)
        ctx.dim = dim
        return torch.logsumexp(r, dim, keepdim=True)

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None, None]:
        (r, x), dim = ctx.saved_tensors, ctx.dim
        e_r, e_x, quotient, _ = _exponents(r, x, dim)
        sum_r, sum_x = e_r.sum(dim, keepdim=True), e_x.sum(dim, keepdim=True)
        apart = sum_x - sum_r
        near = apart.abs() < NEAR * sum_r
        log = torch.where(
            near, 2 / (sum_r + sum_x), (sum_x.log() - sum_r.log()) / torch.where(near, 1.0, apart)
        )
        return (flow.double() * log * quotient).to(r.dtype), None, None
