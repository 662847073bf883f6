"""One call of a torch function, taken apart: which of its arguments lie on the path, and which are fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from bioloom.errors import UserError
from bioloom.explanation.rules.base import Pair
from bioloom.explanation.rules.kinds import KINDS

_OVERWRITE = frozenset(
    ("__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__", "__setitem__", "__idiv__")
)

_PLACES_AT = {"max_pool": 6, "adaptive_max_pool": 2}
"""Where `return_indices` stands among the arguments of functions that have it."""


@dataclass(frozen=True, eq=False)
class Given:
    """A call.

    name:      of the function; `T` and its like are functions too
    path:      tensors that depend on the explained input
    constants: all others
    """

    func: Callable[..., Any]
    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    path: tuple[Tensor, ...]
    constants: tuple[Tensor, ...]

    @classmethod
    def of(cls, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Given:
        """Take a call apart; an input given by name comes first."""
        name = getattr(func, "__name__", str(func))
        if name == "__get__":
            name = getattr(getattr(func, "__self__", None), "__name__", name)
        if name.removeprefix("special_") in KINDS:
            name = name.removeprefix("special_")
        if not args:
            for key in ("input", "self", "query", "tensors"):
                if key in kwargs and name not in (
                    "scaled_dot_product_attention",
                    "multi_head_attention_forward",
                ):
                    args, kwargs = (kwargs[key],), {k: each for k, each in kwargs.items() if k != key}
        tensors = [*_tensors(args), *_tensors(tuple(kwargs.values()))]
        path = tuple(each for each in tensors if each.requires_grad)
        return cls(func, name, args, kwargs, path, tuple(each for each in tensors if not each.requires_grad))

    def plain(self) -> Any:
        """What the call gives without any rule."""
        return self.func(*self.args, **self.kwargs)

    def with_others(self, others: Mapping[int, Tensor]) -> Given:
        """The same call with some tensors replaced, by their identity."""
        if not others:
            return self
        args, kwargs = tree_map(lambda each: others.get(id(each), each), (self.args, dict(self.kwargs)))
        return replace(self, args=args, kwargs=kwargs)

    def on_path(self, value: Any) -> bool:
        """Whether this argument depends on the explained input."""
        return isinstance(value, Tensor) and value.requires_grad

    @property
    def in_place(self) -> bool:
        """Whether the first argument is overwritten."""
        if not self.args:
            return False
        if self.name in _OVERWRITE:
            return True
        if self.name.endswith("_") and not self.name.endswith("__"):
            return self.name != "requires_grad_"
        return self.kwargs.get("inplace") is True or (
            len(self.args) > 1 and self.args[-1] is True and self._bends
        )

    @property
    def _bends(self) -> bool:
        """Whether a last argument that is true means "in place"."""
        return KINDS.get(self.name) == "bent" or "dropout" in self.name

    def written(self, result: Tensor) -> Tensor:
        """The result, written where the call writes it."""
        return self.args[0].copy_(result) if self.in_place else result

    def before(self, value: Any) -> Any:
        """An argument as it was before the call overwrites it."""
        return value.clone() if self.in_place and value is self.args[0] else value

    @property
    def two(self) -> tuple[Any, Any]:
        """The two sides of a product or quotient."""
        if len(self.args) > 1:
            return self.args[0], self.args[1]
        return self.args[0], self.kwargs.get("other")

    @property
    def places_at(self) -> int | None:
        """Where `return_indices` stands, or None where the function has no such argument."""
        if isinstance(self.func, type(torch.relu)) or self.name.endswith("_with_indices"):
            return None
        return _PLACES_AT["adaptive_max_pool" if self.name.startswith("adaptive") else "max_pool"]

    def flag(self, name: str, at: int | None) -> bool:
        """An argument that is true or false, given by name or at its place."""
        if name in self.kwargs:
            return bool(self.kwargs[name])
        return at is not None and len(self.args) > at and bool(self.args[at])

    def named(self, names: str) -> dict[str, Any]:
        """All arguments by name."""
        return {**dict(zip(names.split(), self.args, strict=False)), **self.kwargs}

    def pair(self) -> tuple[Pair, tuple[Any, ...]]:
        """A product as a function of its two sides, and these."""
        if self.name == "einsum":
            words, *operands = self.args
            operands = list(operands[0]) if operands and isinstance(operands[0], list | tuple) else operands
            return (lambda a, b: torch.einsum(words, a, b)), tuple(operands)
        a, b = self.args[0], self.args[1] if len(self.args) > 1 else next(iter(self.kwargs.values()))
        turned = self.name == "__rmatmul__"
        function = getattr(torch, self.name.strip("_").removeprefix("r"))
        return function, ((b, a) if turned else (a, b))

    def layer(self) -> tuple[Pair, Tensor, Tensor, Tensor | None]:
        """A layer without its bias as a function of input and weight; input, weight and bias."""
        values = self.named("input weight bias")
        func, others = self.func, self.args[3:]
        kwargs = {key: each for key, each in self.kwargs.items() if key not in ("input", "weight", "bias")}
        return (
            (lambda x, weight: func(x, weight, None, *others, **kwargs)),
            values["input"],
            values["weight"],
            values.get("bias"),
        )

    def axes(self) -> tuple[Tensor, tuple[int, ...] | None, bool]:
        """The input, the axes of a largest number or sum (None: all together), and whether they stay."""
        values = self.named("input dim keepdim")
        dim = values.get("dim", values.get("axis"))
        dims = None if dim is None or dim == () else (dim,) if isinstance(dim, int) else tuple(dim)
        return values["input"], dims, bool(values.get("keepdim", False))


def _tensors(values: tuple[Any, ...] | list[Any]) -> Iterator[Tensor]:
    for each in values:
        if isinstance(each, Tensor):
            yield each
        elif isinstance(each, tuple | list):
            yield from _tensors(each)


def refusal(name: str, why: str) -> UserError:
    """A refusal that names the operation."""
    return UserError(
        f'This method cannot explain the network: it uses the operation "{name}", and {why}.',
        fix="use a method that only asks the network or follows its slope: mutagenesis, occlusion, integrated_gradients",
    )
