"""Named parts that find themselves: modalities, networks, baselines, explainers, checks, report sections.

A part registers itself with a decorator in the file where it lives. Built-in files are imported from the
package of the registry and the packages in it, other distributions are found through an entry point of the same group; both on
first use. Nobody keeps a second list.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, TypeVar

from bioloom.errors import UserError, did_you_mean


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """The word users type."""


Part = TypeVar("Part", bound=Named)


class Registry(Mapping[str, Part]):
    """The parts of one kind by name, in order of name.

    kind:    the word for one part in messages, such as "network"
    package: where the built-in parts live; each module of it, and of packages in it, is imported on first use
    group:   the entry-point group through which other distributions add parts
    folders: the packages in it that hold parts, where others in it are large and hold none; empty: all of it
    """

    def __init__(self, kind: str, package: str, group: str = "", folders: tuple[str, ...] = ()) -> None:
        self.kind, self.package, self.group, self.folders = kind, package, group, folders
        self._parts: dict[str, Part] = {}
        self._complete = False

    def register(self, part: Part) -> Part:
        """Add a part; used as a decorator on classes, or called on instances."""
        known = self._parts.get(part.name)
        if known is not None and known is not part:
            raise ValueError(f"two {self.kind} parts are called {part.name!r}")
        self._parts[part.name] = part
        return part

    def __getitem__(self, name: str) -> Part:
        self._load()
        try:
            return self._parts[name]
        except KeyError:
            known = ", ".join(self)
            raise UserError(
                f'There is no {self.kind} called "{name}".{did_you_mean(name, self._parts)}',
                fix=f"use one of: {known}",
            ) from None

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._parts))

    def __len__(self) -> int:
        self._load()
        return len(self._parts)

    def _load(self) -> None:
        if self._complete:
            return
        self._complete = True  # set first: a part may look into the registry while it is imported
        for name in [f"{self.package}.{folder}" for folder in self.folders] or [self.package]:
            package = importlib.import_module(name)
            for module in pkgutil.walk_packages(package.__path__, f"{name}."):
                importlib.import_module(module.name)
        if self.group:
            for entry in entry_points(group=self.group):
                self._add(entry)

    def _add(self, entry: EntryPoint) -> None:
        """Add the part of another distribution; one that is broken is named, not skipped in silence."""
        try:
            self.register(entry.load())
        except Exception as error:  # whatever a plugin does wrong, its user has to know which
            raise UserError(
                f'The {self.kind} "{entry.name}" of a plugin cannot be loaded: {error}.',
                where=f"{entry.value}, entry point of {self.group}",
                fix="update or uninstall that plugin",
            ) from error
