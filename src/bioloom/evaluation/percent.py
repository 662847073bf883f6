"""Shares as people read them."""

from __future__ import annotations


def percent(share: float, places: int = 0) -> str:
    """A share as "87 %" or, with a place after the point, "87.3 %"."""
    return f"{100 * share:.{places}f} %"
