"""The rules of layer-wise relevance propagation, carried as relevance per unit of activation.

What flows back to an activation a is m = R / a, so that the relevance of an input is x times what arrives there. In this
form the plain gradient of every sum (additions, means, pools, concatenations, masks) is already the proportional rule,
the plain gradient of a maximum is "winner takes all", and a chain of plain gradients is LRP-0. Only layers with weights,
bends and products need rules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from bioloom.explanation.rules.base import Bend, Kept, Layer, Norm, Pair, Remembering, applied
from bioloom.explanation.rules.kinds import GATES, HOMOGENEOUS


@dataclass
class Reached:
    """A layer that relevance has reached.

    x, z:  its input and output
    flow:  relevance per unit of z
    first: whether no other layer lies between it and the explained input
    last:  whether no other layer lies between it and the explained number
    """

    layer: Layer
    x: Tensor
    z: Tensor
    flow: Tensor
    first: bool
    last: bool

    @property
    def relevance(self) -> Tensor:
        """What has arrived at each output."""
        return self.z * self.flow


LayerRule = Callable[[Reached], Tensor]
"""What flows back to the input of a layer, per unit of it."""


class Relevance(Remembering):
    """Layers by a rule of choice; everything else so that relevance is neither made nor lost where that is possible.

    Bends (ReLU, GELU, tanh): relevance passes. Products: what comes from a sigmoid, a softmax or one over a norm is a
    weight, held fixed, and the signal takes all (Arras et al. 2017, arXiv:1706.07206; Ali et al. 2022, arXiv:2202.07304);
    of other products each side takes half. Batch norms behind a layer are drawn into it, as the literature does; others
    are linear with a bias. Biases and constants keep their share of relevance.
    """

    def __init__(self, rule: LayerRule) -> None:
        super().__init__()
        self.rule = rule
        self._gates: MutableMapping[Tensor, bool] = WeakIdKeyDictionary()
        self._made: MutableMapping[Tensor, tuple[Layer | None, Tensor]] = WeakIdKeyDictionary()

    def moved(self, given: Sequence[Tensor], result: object) -> None:
        """What is made of gates alone is a gate."""
        if given and all(each in self._gates for each in given):
            for each in tree_leaves(result):
                if isinstance(each, Tensor):
                    self._mark(each)

    def bent(self, name: str, bend: Bend, x: Tensor) -> Tensor:
        """Relevance passes: f(x) / x."""
        if name in HOMOGENEOUS:
            return bend(x)
        y: Tensor = applied(_Pass, x, self.keep(x), bend)
        return self._mark(y) if name in GATES else y

    def product(self, name: str, call: Pair, a: Tensor, b: Tensor) -> Tensor:
        """The signal takes all; of two signals, or two gates, each half."""
        of_gates = (a in self._gates, b in self._gates)
        if of_gates == (True, False):
            return call(a.detach(), b)
        if of_gates == (False, True):
            return call(a, b.detach())
        y: Tensor = applied(_Half, call(a, b))
        return self._mark(y) if all(of_gates) else y

    def layer(self, layer: Layer, x: Tensor, plain: Callable[[], Tensor]) -> Tensor:
        """The rule that was chosen for such a layer."""
        y: Tensor = applied(_Weighted, x, self.keep(x), _Task(layer, self.rule), plain)
        self._made[y] = (layer, x)
        return y

    def norm(self, norm: Norm, x: Tensor) -> Tensor:
        """Drawn into the layer before it where there is one, else `loose`."""
        layer, before = self._made.get(x, (None, x))
        if layer is None or layer.folds is None or (not layer.convolution and x.dim() != 2):
            return self.loose(norm, x)
        shape = [1] * layer.weight.dim()
        shape[layer.folds] = -1
        form = [-1, *[1] * (x.dim() - 2)]
        shift = norm.shift.view(form)
        bias = shift if layer.bias is None else shift + layer.bias * norm.scale.view(form)
        drawn = replace(layer, weight=layer.weight * norm.scale.view(shape), bias=bias)
        return self.layer(drawn, before, lambda: x.detach() * norm.scale + norm.shift)

    def loose(self, norm: Norm, x: Tensor) -> Tensor:
        """A norm behind no layer: linear, with a bias."""
        return x * norm.scale + norm.shift

    def softmax(self, x: Tensor, dim: int) -> Tensor:
        """Weights."""
        y: Tensor = applied(_Pass, x, self.keep(x), lambda t: functional.softmax(t, dim))
        return self._mark(y)

    def logsumexp(self, x: Tensor, dim: int) -> Tensor:
        """A number that all logits share says nothing of any."""
        return torch.logsumexp(x.detach(), dim, keepdim=True)

    def ready(self, answer: Tensor) -> None:
        """Find out which layers are the first and the last."""
        _mark_ends(answer)

    def _mark(self, gate: Tensor) -> Tensor:
        self._gates[gate] = True
        return gate


class _Pass(torch.autograd.Function):
    """f(x); backwards the same relevance, per unit of x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kept: Kept, bend: Bend) -> Tensor:
        y = bend(x)
        kept.append(y.detach())
        ctx.kept = kept
        return y

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None, None]:
        x, y = ctx.kept
        return flow * over(y, x), None, None


class _Half(torch.autograd.Function):
    """The same; backwards half."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        del ctx
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> Tensor:
        del ctx
        return flow / 2


@dataclass(eq=False)
class _Task:
    """A layer, its rule, and whether it turned out to be a first or a last one."""

    layer: Layer
    rule: LayerRule
    first: bool = False
    last: bool = False


class _Weighted(torch.autograd.Function):
    """A layer; backwards what its rule says."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kept: Kept, task: _Task, plain: Callable[[], Tensor]) -> Tensor:
        del x  # which `plain` knows
        z = plain()
        kept.append(z.detach())
        ctx.kept, ctx.task = kept, task
        return z

    @staticmethod
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, None, None, None]:
        (x, z), task = ctx.kept, ctx.task
        return task.rule(Reached(task.layer, x, z, flow, task.first, task.last)), None, None, None


def _mark_ends(answer: Tensor) -> None:
    """Mark the layers that are reached from the answer through no other layer, and those below which there is none."""
    order = _from_the_input(answer.grad_fn)
    layered: dict[Any, bool] = {}
    for node in order:
        below = any(layered[each] or _is_layer(each) for each in _before(node))
        layered[node] = below
        if _is_layer(node):
            node.task.first = not below
    seen = set[Any]()
    stack: list[Any] = [answer.grad_fn]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if _is_layer(node):
            node.task.last = True
        else:
            stack.extend(_before(node))


def _from_the_input(root: Any) -> list[Any]:
    """All nodes of the graph behind an answer, each after those it is computed from."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack = [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((each, False) for each in _before(node))
    return order


def _before(node: Any) -> list[Any]:
    return [each for each, _ in node.next_functions if each is not None]


def _is_layer(node: Any) -> bool:
    return isinstance(getattr(node, "task", None), _Task)


def over(above: Tensor, below: Tensor) -> Tensor:
    """A quotient that is 0 where the lower side is."""
    nothing = below == 0
    return torch.where(nothing, 0.0, above / torch.where(nothing, 1.0, below))
