"""Labelled biological data in; a trained, honestly evaluated, explained deep-learning model out.

    import bioloom
    run = bioloom.train("lac_promoter", target="expression")
    print(run.verdict)

Nothing heavy is loaded before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bioloom.errors import UserError

if TYPE_CHECKING:
    from bioloom.api import check, embed, explain, load, predict, train
    from bioloom.recipe import Recipe
    from bioloom.run import Run

__version__ = "0.1.0"

__all__ = [
    "Recipe",
    "Run",
    "UserError",
    "__version__",
    "check",
    "embed",
    "explain",
    "load",
    "predict",
    "train",
]

_PLACES = {
    "check": "bioloom.api",
    "embed": "bioloom.api",
    "explain": "bioloom.api",
    "load": "bioloom.api",
    "predict": "bioloom.api",
    "train": "bioloom.api",
    "Recipe": "bioloom.recipe",
    "Run": "bioloom.run",
}


def __getattr__(name: str) -> Any:
    """Load a public name where it is first used (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module 'bioloom' has no attribute {name!r}")
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
