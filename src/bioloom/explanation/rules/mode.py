"""The mode that sees every torch call of a network, and lets the rules of a method compute those that they know."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from bioloom.errors import UserError
from bioloom.explanation.rules import composed, recurrent
from bioloom.explanation.rules.base import Layer, Norm, Rules, applied
from bioloom.explanation.rules.given import Given, refusal
from bioloom.explanation.rules.kinds import KINDS, POOLS, UNREAD

if TYPE_CHECKING:
    from torch import nn

TRANSPOSED = "conv_transpose"

UNLIKE = "what it is used with depends on the record, but not by a way that could be followed"


class RuleMode(TorchFunctionMode):
    """While it is active, calls that touch a tensor on the path go through the rules; all others are as ever.

    On the path is what depends on the explained input: tensors that want gradients, all weights being frozen. Source of
    the mechanism: `torch.overrides`, whose modes intercept the public interface of torch, below no module and above
    automatic differentiation.
    """

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self.rules = rules

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Compute one call; torch calls this with the mode itself set aside."""
        given = Given.of(func, args, kwargs or {})
        if not torch.is_grad_enabled() or not given.path:
            return given.plain()
        if not self.rules.exact and KINDS.get(given.name) == "composed":
            return given.plain()
        if given.in_place and isinstance(given.args[0], Tensor):
            self.rules.changes(given.args[0])
        kind = KINDS.get(given.name)
        return self._unknown(given) if kind is None else _HANDLERS[kind](self, given)

    def _unknown(self, given: Given) -> Any:
        """A call without a rule: fine where its result is off the path, else refused as soon as anything asks for it."""
        result = given.plain()
        if not self.rules.exact:
            return result
        if given.in_place and isinstance(result, Tensor) and result.requires_grad:
            raise refusal(given.name, "it overwrites its input, and there is no rule for it")
        return refused(result, given.name, "there is no rule for it")

    def linear(self, given: Given) -> Any:
        """Sums with fixed weights; a constant that is not the same for the reference is refused where it counts."""
        other = [] if given.name in UNREAD else self.rules.differing(given.name, given.constants)
        if given.in_place or not all(each.is_floating_point() for each in other):
            result = given.plain()
            return refused(result, given.name, UNLIKE) if other else self._noted(given, result)
        seen = {id(each): applied(_Refused, given.path[0], each, given.name, UNLIKE) for each in other}
        return self._noted(given, given.with_others(seen).plain())

    def _noted(self, given: Given, result: Any) -> Any:
        self.rules.moved(given.path, result)
        return result

    def scaled(self, given: Given) -> Any:
        """Products number by number: with a constant linear, else a product."""
        a, b = given.two
        if not (given.on_path(a) and given.on_path(b)):
            return self.linear(given)
        return given.written(self.rules.product(given.name, torch.mul, given.before(a), given.before(b)))

    def divided(self, given: Given) -> Any:
        """Quotients: a product with one over the lower side, where that lies on the path."""
        a, b = given.two
        if given.name in ("__rtruediv__", "__rdiv__"):
            a, b = b, a
        if not given.on_path(b):
            return self.linear(given)
        if given.kwargs.get("rounding_mode") is not None:
            return self._unknown(given)
        with self:
            return given.written(given.before(a) * given.before(b).reciprocal())

    def matrix(self, given: Given) -> Any:
        """Sums of products of two tensors."""
        call, operands = given.pair()
        if len(operands) != 2:
            return self._unknown(given)
        a, b = operands
        if given.on_path(a) and given.on_path(b):
            return self.rules.product(given.name, call, a, b)
        x, other = (a, b) if given.on_path(a) else (b, a)
        towards = call if x is a else (lambda one, two: call(two, one))
        return self.rules.layer(Layer(towards, other), x, lambda: call(a, b))

    def layer(self, given: Given) -> Any:
        """Dense layers and convolutions, whose weights may be made by the network itself."""
        call, x, weight, bias = given.layer()
        if not (given.on_path(weight) or given.on_path(bias)):
            axes = 0 if given.name == "linear" else x.dim() - 2
            shaped = None if bias is None else bias.view(-1, *[1] * axes)
            folds = None if given.name.startswith(TRANSPOSED) else 0
            built = Layer(call, weight, shaped, folds, given.name != "linear")
            return self.rules.layer(built, x, given.plain)
        both = given.on_path(weight) and given.on_path(x)
        y = self.rules.product(given.name, call, x, weight) if both else call(x, weight)
        with self:
            axes = 0 if given.name == "linear" else x.dim() - 2
            return y if bias is None else y + bias.view(-1, *[1] * axes)

    def bent(self, given: Given) -> Any:
        """Numbers bent one by one; what bends them must be fixed."""
        x, *others = given.args
        alone = len(given.path) == 1 and given.path[0] is x
        if not alone or any(each.numel() > 1 for each in given.constants):
            return self._unknown(given)
        if self.rules.differing(given.name, given.constants):
            return refused(given.plain(), given.name, UNLIKE)
        own = given.in_place
        source = x.clone() if own else x
        func, kwargs = given.func, given.kwargs
        bend = (
            (lambda t: func(t.clone(), *others, **kwargs)) if own else (lambda t: func(t, *others, **kwargs))
        )
        return given.written(self.rules.bent(given.name.strip("_"), bend, source))

    def pool(self, given: Given) -> Any:
        """The largest of each window."""
        axes = POOLS[given.name]
        wants_places = given.name.endswith("_with_indices") or given.flag("return_indices", given.places_at)
        wants_places = wants_places or (given.places_at is None and given.name.startswith("adaptive"))
        function = getattr(functional, given.name.removesuffix("_with_indices") + "_with_indices")
        others = given.args[1:] if given.places_at is None else given.args[1 : given.places_at]
        kwargs = {name: each for name, each in given.kwargs.items() if name != "return_indices"}
        found = self.rules.largest(
            given.name.removesuffix("_with_indices"),
            lambda t: function(t, *others, **kwargs),
            given.args[0],
            axes,
        )
        return found if wants_places else found[0]

    def largest(self, given: Given) -> Any:
        """The largest along some axes, or of two tensors."""
        if len(given.args) > 1 and isinstance(given.args[1], Tensor):
            with self:
                return composed.maximum(given.args[0], given.args[1])
        x, dims, keep = given.axes()
        if dims is None:
            return self._unknown(given)
        last = x.movedim(dims, tuple(range(-len(dims), 0))).flatten(-len(dims))
        found = self.rules.largest("max", lambda t: t.max(dim=-1, keepdim=True), last, 1)
        values, where = (each.squeeze(-1) for each in found)
        if keep:
            shape = [
                1 if axis in {dim % x.dim() for dim in dims} else size for axis, size in enumerate(x.shape)
            ]
            values, where = values.view(shape), where.view(shape)
        return values if given.name == "amax" else torch.return_types.max((values, where))

    def smallest(self, given: Given) -> Any:
        """The smallest is minus the largest of the negative."""
        name = given.name.replace("in", "ax")
        first, *rest = given.args
        others = [-each if isinstance(each, Tensor) else each for each in rest]
        with self:
            found = getattr(torch, name)(-first, *others, **given.kwargs)
            if isinstance(found, Tensor):
                return -found
            return torch.return_types.min((-found.values, found.indices))

    def soft_maximum(self, given: Given) -> Any:
        """log sum exp along one axis or several."""
        x, dims, keep = given.axes()
        if dims is None:
            return self._unknown(given)
        last = x.movedim(dims, tuple(range(-len(dims), 0))).flatten(-len(dims))
        found = self.rules.logsumexp(last, -1)
        if not keep:
            return found.squeeze(-1)
        return found.view([1 if i in {dim % x.dim() for dim in dims} else n for i, n in enumerate(x.shape)])

    def batch_norm(self, given: Given) -> Any:
        """A norm with fixed numbers; one that mixes the records of a batch is refused."""
        values = given.named("input running_mean running_var weight bias training momentum eps")
        x, mean, variance = values["input"], values.get("running_mean"), values.get("running_var")
        if mean is None or variance is None or values.get("training"):
            return self._unknown(given)
        scale = (variance + values.get("eps", 1e-5)).rsqrt()
        scale = scale if values.get("weight") is None else scale * values["weight"]
        shift = -mean * scale if values.get("bias") is None else values["bias"] - mean * scale
        shape = (1, -1, *[1] * (x.dim() - 2))
        return self.rules.norm(Norm(scale.view(shape), shift.view(shape)), x)

    def composed(self, given: Given) -> Any:
        """Fused operations, written out in single steps that this mode then sees."""
        if given.name in ("softmax", "log_softmax"):
            values = given.named("input dim _stacklevel dtype")
            x, dim = values["input"], values.get("dim", -1)
            if given.name == "softmax":
                return self.rules.softmax(x, dim)
            lowered = self.rules.logsumexp(x, dim)
            with self:
                return x - lowered
        parts = getattr(recurrent, given.name, None) or getattr(composed, given.name)
        if not _takes(parts, given):
            return self._unknown(given)
        with self:
            return parts(*given.args, **given.kwargs)


def _takes(parts: Callable[..., Any], given: Given) -> bool:
    """Whether an operation can be taken apart with these arguments, of which torch has forms that are rare."""
    try:
        inspect.signature(parts).bind(*given.args, **given.kwargs)
    except TypeError:
        return False
    return True


_HANDLERS: dict[str, Callable[[RuleMode, Given], Any]] = {
    "moved": RuleMode.linear,
    "linear": RuleMode.linear,
    "scaled": RuleMode.scaled,
    "divided": RuleMode.divided,
    "matrix": RuleMode.matrix,
    "layer": RuleMode.layer,
    "bent": RuleMode.bent,
    "pool": RuleMode.pool,
    "largest": RuleMode.largest,
    "smallest": RuleMode.smallest,
    "soft_maximum": RuleMode.soft_maximum,
    "batch_norm": RuleMode.batch_norm,
    "composed": RuleMode.composed,
}


class _Refused(torch.autograd.Function):
    """Passes on a result that depends on a tensor of the path; refuses as soon as anything flows back."""

    @staticmethod
    def forward(ctx: Any, path: Tensor, result: Tensor, name: str, why: str) -> Tensor:
        ctx.path, ctx.name, ctx.why = path.detach(), name, why
        return result.detach().clone()

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None, None, None]:
        if bool(flow.any()):
            raise refusal(ctx.name, ctx.why)
        return torch.zeros_like(ctx.path), None, None, None


def refused(result: Any, name: str, why: str) -> Any:
    """The result of a call without a rule, which refuses where the explained number depends on it."""

    def one(each: Any) -> Any:
        wants = isinstance(each, Tensor) and each.requires_grad
        return applied(_Refused, each, each, name, why) if wants else each

    return tree_map(one, result)


@contextmanager
def following(rules: Rules, network: nn.Module) -> Iterator[None]:
    """Let the rules compute what the network does; afterwards, or after an error, everything is as before.

    Fused paths of encoder layers are switched off meanwhile. Raises UserError for a network that was compiled, whose calls
    nobody sees.
    """
    if any(
        isinstance(each, torch.jit.ScriptModule) or hasattr(each, "_orig_mod") for each in network.modules()
    ):
        raise UserError(
            "This network was compiled, and what it computes cannot be seen from outside.",
            fix="explain the network that it was made from, or use a method that only asks: occlusion, mutagenesis",
        )
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with RuleMode(rules):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
