"""Places where the files of a table lie: its folder, wherever a program says, the arrays of an .npz or in memory."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.data.archives import ARCHIVES, Archive, open_archive
from bioloom.data.stores import Content, Store, as_name, bytes_of, from_text, leads_out
from bioloom.data.wording import listed, short
from bioloom.errors import UserError, did_you_mean

MOST_ARRAY = 2**33
"""An array of an .npz may be so large, unpacked: 8 GB."""


class Folder(Store):
    """Files below a folder, in archives beside them (`a.png` of `pictures.zip`, or `pictures.zip/a.png`), and entries of
    arrays beside them (`cells.npz#images#17`).

    root: names are relative to it; a name that leads out of it is refused
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.shown = f"{root.resolve().name}/"
        self._archives: tuple[Archive, ...] | None = None
        self._arrays: dict[str, Arrays] = {}
        self._closed: dict[str, str] = {}  # archives that cannot be opened, and why

    def read(self, name: str) -> Content:
        """The bytes of a file, of a member of an archive, or an entry of an array."""
        file, mark, entry = name.partition("#")
        if mark and file.lower().endswith(".npz"):
            return self._array(file).read(entry)
        path = self._inside(name)
        if path.is_file():
            return bytes_of(path)
        held = self._held(name)
        if not held:
            raise self._absent(name, path)
        if len(held) > 1:
            raise self._in_several(name, [archive.shown for archive, _ in held])
        archive, member = held[0]
        return archive.read(member)

    def holds(self, name: str) -> bool:
        """Whether there is a file, a member or an entry of that name."""
        file, mark, entry = name.partition("#")
        try:
            if mark and file.lower().endswith(".npz"):
                return self._array(file).holds(entry)
            return self._inside(name).is_file() or len(self._held(name)) == 1
        except UserError:
            return False

    def archives(self) -> tuple[Archive, ...]:
        """The archives in the folder itself."""
        if self._archives is None:
            found = sorted(path for path in self.root.iterdir() if path.name.lower().endswith(ARCHIVES))
            self._archives = tuple(open_archive(path) for path in found if path.is_file())
        return self._archives

    def _held(self, name: str) -> list[tuple[Archive, str]]:
        """The archives that hold a name, and what it is called there; of `train.zip/1.png` the one that is named."""
        first, _, rest = as_name(name, self.shown).partition("/")
        for archive in self.archives():
            if archive.shown == first and rest and self._is_in(archive, rest):
                return [(archive, rest)]
        return [(archive, name) for archive in self.archives() if self._is_in(archive, name)]

    def _is_in(self, archive: Archive, name: str) -> bool:
        """Whether an archive beside the files holds a name; one that cannot be opened is told where a file is missing."""
        if archive.shown in self._closed:
            return False
        try:
            return archive.holds(name)
        except UserError as error:
            self._closed[archive.shown] = error.what
            return False

    def _inside(self, name: str) -> Path:
        plain = as_name(name, self.shown)
        root = self.root.resolve()
        try:
            path = (root / plain).resolve()
        except (OSError, ValueError, RuntimeError):
            raise UserError(f'"{short(name)}" cannot be the name of a file.', where=self.shown) from None
        if not path.is_relative_to(root):  # a link that points elsewhere
            raise leads_out(name, self.shown)
        return path

    def _array(self, file: str) -> Arrays:
        if file not in self._arrays:
            self._arrays[file] = Arrays(self._inside(file))
        return self._arrays[file]

    def _in_several(self, name: str, archives: list[str]) -> UserError:
        way_out = f"{archives[-1]}/{name}"
        return UserError(
            f'"{short(name, 80)}" stands in {listed(archives[:-1])} and {archives[-1]}: name the archive too, as '
            f"{short(way_out, 80)}.",
            where=self.shown,
            fix="write the archive before the name in the cells of the table, or keep one of the archives there",
        )

    def _absent(self, name: str, path: Path) -> UserError:
        near = ""
        if path.parent.is_dir():
            near = did_you_mean(path.name, (each.name for each in path.parent.iterdir()))
        closed = "".join(
            f" {archive} could not be looked into: {why}" for archive, why in self._closed.items()
        )
        return UserError(
            f'There is no file "{short(name, 80)}" beside the table.{near}{closed}',
            where=self.shown,
            fix="write paths relative to the folder of the table, or put the files there",
        )


class Anywhere(Store):
    """Files that a program names in memory: relative to the current folder, or wherever; also `data:` texts."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = "the current folder"

    def read(self, name: str) -> Content:
        """The bytes of a file, or what a data text holds."""
        if name.startswith("data:"):
            return from_text(name)
        path = Path(name).expanduser()
        try:
            there = path.is_file()
        except (OSError, ValueError):
            there = False
        if not there:
            raise UserError(
                f'There is no file "{short(name, 80)}".', where=self.shown, fix="correct the path"
            )
        return bytes_of(path)

    def holds(self, name: str) -> bool:
        """Whether a file is there, or the text holds the content."""
        try:
            return name.startswith("data:") or Path(name).expanduser().is_file()
        except (OSError, ValueError):
            return False


class Unplaced(Store):
    """Cells of a column whose files no reader placed: each holds its content itself, as a `data:` text (RFC 2397), the
    form in which a stored model keeps its examples. No file of the machine is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = "the table"

    def read(self, name: str) -> Content:
        """What a data text holds."""
        if name.startswith("data:"):
            return from_text(name)
        raise UserError(
            f'It is not known where the file "{short(name, 80)}" lies.',
            where=self.shown,
            fix="name files relative to the folder of the table in most cells of the column",
        )

    def holds(self, name: str) -> bool:
        """Whether the text holds the content."""
        return name.startswith("data:")


class Arrays(Store):
    """Entries of the arrays of an .npz: `train_images#17` is the eighteenth of the array train_images."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.shown = path.name
        self._loaded: dict[str, NDArray[Any]] = {}
        self._listed: list[zipfile.ZipInfo] | None = None

    def names(self) -> list[str]:
        """The names of the arrays."""
        return [each.filename.removesuffix(".npy") for each in self._members()]

    def array(self, name: str) -> NDArray[Any]:
        """One of the arrays. Raises UserError for one that is not there, too large, or of Python objects."""
        if name not in self._loaded:
            size = {each.filename.removesuffix(".npy"): each.file_size for each in self._members()}
            if name not in size:
                raise UserError(
                    f'There is no array "{short(name)}".{did_you_mean(name, size)}',
                    where=self.shown,
                    fix=f"the arrays are: {', '.join(list(size)[:20])}",
                )
            if size[name] > MOST_ARRAY:
                raise UserError(
                    f'The array "{name}" is larger than {MOST_ARRAY >> 30} GB.',
                    where=self.shown,
                    fix="split it",
                )
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def read(self, name: str) -> NDArray[Any]:
        """An entry of an array."""
        array, _, number = name.rpartition("#")
        if not self.holds(name):
            raise UserError(
                f'There is no entry "{short(name)}".',
                where=self.shown,
                fix="name an array and a number from 0, such as images#0",
            )
        entry: NDArray[Any] = self.array(array)[int(number)]
        return entry

    def holds(self, name: str) -> bool:
        """Whether there is such an entry."""
        array, _, number = name.rpartition("#")
        if not (number.isascii() and number.isdigit()) or array not in self.names():
            return False
        found = self.array(array)
        return found.ndim > 0 and int(number) < len(found)

    def _members(self) -> list[zipfile.ZipInfo]:
        if self._listed is None:
            try:
                with zipfile.ZipFile(self.path) as archive:
                    self._listed = archive.infolist()
            except (zipfile.BadZipFile, OSError) as error:
                raise self._damaged(error) from None
        return self._listed

    def _load(self, name: str) -> NDArray[Any]:
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                return np.asarray(archive[name])
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> UserError:
        return UserError(
            f"The arrays cannot be read ({short(str(error), 100)}).",
            where=self.shown,
            fix="save them anew with numpy.savez; arrays of Python objects are never opened",
        )


class Held(Store):
    """Entries of arrays in memory: `x#17` is the eighteenth of the array x.

    arrays: by name
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__()
        self.arrays = arrays
        self.shown = "the arrays"

    def read(self, name: str) -> NDArray[Any]:
        """An entry of an array."""
        if not self.holds(name):
            raise UserError(f'There is no entry "{short(name)}".', where=self.shown)
        array, _, number = name.rpartition("#")
        entry: NDArray[Any] = self.arrays[array][int(number)]
        return entry

    def holds(self, name: str) -> bool:
        """Whether there is such an entry."""
        array, _, number = name.rpartition("#")
        plain = number.isascii() and number.isdigit()
        return plain and array in self.arrays and int(number) < len(self.arrays[array])
