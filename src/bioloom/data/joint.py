"""Files of several places in one column, such as the pictures of two tables that are compared with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bioloom.data.stores import Content, Store
from bioloom.errors import UserError


class Joint(Store):
    """Files of several stores.

    places: name -> the store and the name that it has there
    """

    def __init__(self, places: Mapping[str, tuple[Store, str]]) -> None:
        super().__init__()
        self.places = dict(places)
        self.shown = ", ".join(sorted({store.shown for store, _ in self.places.values()}))

    def read(self, name: str) -> Content:
        """What a name stands for in its store. Raises UserError where there is nothing, too much, or it is damaged."""
        store, own = self._place(name)
        return store.read(own)

    def holds(self, name: str) -> bool:
        """Whether its store has something of that name."""
        if name not in self.places:
            return False
        store, own = self.places[name]
        return store.holds(own)

    def sha256(self, name: str) -> str:
        """A hash of the content, as its store knows it."""
        store, own = self._place(name)
        return store.sha256(own)

    def _place(self, name: str) -> tuple[Store, str]:
        if name not in self.places:
            raise UserError(f'There is no file "{name}".', where=self.shown)
        return self.places[name]


def joined(parts: Sequence[tuple[Store, NDArray[np.object_]]]) -> tuple[Joint, NDArray[np.object_]]:
    """One store for names of several, and the names in it: their own, with a number before those taken by another file.

    parts: stores, each with names (cells,), NaN where missing
    """
    places: dict[str, tuple[Store, str]] = {}
    names = [_named(places, store, cell) for store, cells in parts for cell in cells]
    found = np.empty(len(names), dtype=object)
    found[:] = names
    return Joint(places), found


def _named(places: dict[str, tuple[Store, str]], store: Store, cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    name, number = cell, 1
    while name in places and not (places[name][0] is store and places[name][1] == cell):
        number += 1
        name = f"{number}/{cell}"
    places[name] = (store, cell)
    return name
