"""What is known of the structure that a cell names: read once, and kept as long as there is room for it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.data.assets import assets_of
from bioloom.data.records import Problem
from bioloom.data.stores import from_text
from bioloom.errors import UserError
from bioloom.modalities import contacts as contacts_file
from bioloom.modalities import residues as residues_file
from bioloom.modalities.contacts import REACH, Contacts, contacts_of, exposure_of
from bioloom.modalities.kept import Kept
from bioloom.modalities.residues import Residues, UnreadableError, read_structure

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bioloom.data.assets import AssetArray
    from bioloom.modalities.kept import Arrays

ENDINGS = (".pdb", ".ent", ".cif", ".mmcif", ".pdb.gz", ".ent.gz", ".cif.gz", ".mmcif.gz")
"""File names that are taken for structures."""

STARTS = ("ATOM", "HETATM", "HEADER", "REMARK", "CRYST1", "MODEL", "TITLE")
"""First words of a PDB file."""

LOOKED_AT = 200
"""Cells that are looked at to tell what a column names."""

GZIP = b"\x1f\x8b"

LARGEST_FILE = 2**28
"""Bytes of an unpacked file at most: 256 MB."""


@dataclass(frozen=True)
class Survey:
    """A structure without its atoms, which few questions need and which take most of the memory.

    residues: without atoms; contacts: pairs within 8 Å
    exposure: (residues,) share of the surface that water reaches, 0 to 1, in the structure as a whole
    """

    residues: Residues
    contacts: Contacts
    exposure: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.residues)

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory, about."""
        return self.residues.nbytes + 12 * len(self.contacts) + self.exposure.nbytes

    @property
    def between(self) -> NDArray[np.bool_]:
        """Which contacts lie between the two partners, (pairs,); between chains where no partners are named."""
        of = self.residues.side if self.residues.partners else self.residues.chains
        return np.asarray(of[self.contacts.first] != of[self.contacts.second])

    @property
    def seen(self) -> NDArray[np.int64]:
        """The residues that networks see: of two partners those within 8 Å of the other one, else all."""
        if not self.residues.partners:
            return np.arange(len(self))
        pairs = self.contacts.keep(self.between)
        return np.unique(np.concatenate([pairs.first, pairs.second])).astype(np.int64)


KEPT = Kept(
    name="structures",
    sources=tuple(Path(each or "") for each in (contacts_file.__file__, residues_file.__file__, __file__)),
    libraries=("gemmi", "numpy", "scipy"),
)
"""Surveys of earlier commands."""


def survey(content: bytes, chains: str = "") -> Survey:
    """What is known of the structure in a file, read from the cache folder where that was found out before.

    Raises UnreadableError, with the reason.
    """
    return _from_arrays(KEPT.arrays(content, chains, lambda: _as_arrays(_worked_out(content, chains))))


def _as_arrays(found: Survey) -> Arrays:
    parts: dict[str, Residues | Contacts] = {"residues": found.residues, "contacts": found.contacts}
    arrays = {
        f"{part}.{each.name}": np.asarray(getattr(value, each.name))
        for part, value in parts.items()
        for each in fields(value)
    }
    return {
        **arrays,
        "residues.notes": np.array(found.residues.notes, dtype=np.str_),
        "exposure": found.exposure,
    }


def _from_arrays(arrays: Arrays) -> Survey:
    of: dict[str, dict[str, Any]] = {"residues": {}, "contacts": {}}
    for name, values in arrays.items():
        part, _, field = name.partition(".")
        if field:
            of[part][field] = values
    of["residues"]["notes"] = tuple(arrays["residues.notes"].tolist())
    return Survey(Residues(**of["residues"]), Contacts(**of["contacts"]), arrays["exposure"])


def _worked_out(content: bytes, chains: str) -> Survey:
    residues = read_structure(unpacked(content), chains)
    found = Survey(_bare(residues), contacts_of(residues), exposure_of(residues))
    if residues.partners and not found.between.any():
        raise UnreadableError(
            f"its two partners lie more than {REACH:g} Å apart everywhere",
            "name partners that touch, or leave the chains empty to read all as one structure",
        )
    return found


def _bare(residues: Residues) -> Residues:
    return replace(
        residues,
        atoms=residues.atoms[:0].copy(),
        owner=residues.owner[:0].copy(),
        radii=residues.radii[:0].copy(),
        elements=residues.elements[:0].copy(),
    )


def unpacked(content: bytes) -> bytes:
    """The bytes of a file, unpacked where it is packed with gzip."""
    if not content.startswith(GZIP):
        return content
    try:
        with gzip.open(_stream(content)) as stream:
            text = stream.read(LARGEST_FILE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError(
            f"it cannot be unpacked ({error})", "pack it anew, or give it unpacked"
        ) from None
    if len(text) > LARGEST_FILE:
        raise UnreadableError(
            "it is larger than 256 MB unpacked", "keep the chains that matter in a file of their own"
        )
    return text


def _stream(content: bytes) -> Any:
    import io

    return io.BytesIO(content)


# ---- the cells of a column ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cells:
    """The cells of an input: which file each record names, and which chains of it.

    files:  names of files; chains: (records,) text, "" for all chains
    """

    files: AssetArray
    chains: tuple[str, ...]

    @classmethod
    def of(cls, values: pd.DataFrame) -> Cells:
        """The first column names files; a second one, where there is one, chains."""
        names = tuple("" if not isinstance(cell, str) else cell.strip() for cell in _second(values))
        return cls(assets_of(values.iloc[:, 0]), names)

    def __len__(self) -> int:
        return len(self.chains)

    def content(self, row: int) -> bytes:
        """The bytes of a file. Raises UserError where it is not there, UnreadableError where it is no file."""
        content = self.files.content(row)
        if not isinstance(content, bytes):
            raise UnreadableError("it is an array and no file", "name a PDB or mmCIF file")
        return content

    def survey(self, row: int) -> Survey:
        """What is known of one structure. Raises UserError or UnreadableError; the latter is remembered too."""
        key = (f"survey {self.chains[row]}", str(self.files.names[row]))
        found = self.files.store.remember(key, lambda: self._surveyed(row), _size)
        if isinstance(found, UnreadableError):
            raise found
        return found

    def _surveyed(self, row: int) -> Survey | UnreadableError:
        try:
            return survey(self.content(row), self.chains[row])
        except UnreadableError as error:
            return error

    def usable(self) -> Iterator[Survey]:
        """What is known of every structure, one after the other. Raises UserError at the first that cannot be read."""
        for row in range(len(self)):
            try:
                yield self.survey(row)
            except UnreadableError as error:
                raise UserError(
                    f"The structure of record {row + 1} is of no use: {error.reason}.",
                    where=str(self.files.names[row])[:80],
                    fix=error.fix,
                ) from None

    def copies(self) -> list[str]:
        """A text for each record, equal for equal files and chains."""
        return [f"{self.files.sha256(row)} {self.chains[row]}" for row in range(len(self))]


def _second(values: pd.DataFrame) -> Sequence[object]:
    if values.shape[1] < 2:
        return [""] * len(values)
    found: Sequence[object] = values.iloc[:, 1].tolist()
    return found


def _size(found: Survey | UnreadableError) -> int:
    return found.nbytes if isinstance(found, Survey) else 200


def looks_like_structures(column: pd.Series[Any]) -> float:
    """How surely a column names structures, 0 to 1."""
    filled = [cell for cell in column.dropna().head(LOOKED_AT) if isinstance(cell, str)]
    if not filled or len(filled) < len(column.dropna().head(LOOKED_AT)):
        return 0.0
    share = sum(_looks_like_structure(cell) for cell in filled) / len(filled)
    return 0.98 if share >= 0.9 else 0.0


def _looks_like_structure(cell: str) -> bool:
    if not cell.startswith("data:"):
        return cell.strip().lower().endswith(ENDINGS)
    try:
        start = unpacked(as_bytes(cell))[:4000].decode("latin-1")
    except (UserError, UnreadableError):
        return False
    return start.startswith(STARTS) or "_atom_site." in start


def as_bytes(cell: str) -> bytes:
    """The bytes that a `data:` text holds."""
    content = from_text(cell)
    return content if isinstance(content, bytes) else b""


def problems(values: pd.DataFrame) -> list[Problem]:
    """Files that are missing or broken and chains that are not there (dropped), and what reading changed (notes)."""
    cells, column = Cells.of(values), str(values.columns[0])
    dropped: dict[tuple[str, str, str], list[int]] = {}
    noted: dict[str, list[int]] = {}
    for row in range(len(cells)):
        if not isinstance(cells.files.names[row], str):
            key = (
                "structure.missing",
                "no file of a structure is named",
                "name a file, or leave the record out",
            )
            dropped.setdefault(key, []).append(row)
            continue
        try:
            for note in cells.survey(row).residues.notes:
                noted.setdefault(note, []).append(row)
        except UnreadableError as error:
            key = ("structure.unreadable", f"the structure is of no use: {error.reason}", error.fix)
            dropped.setdefault(key, []).append(row)
        except UserError as error:
            key = ("structure.absent", _as_clause(error.what), error.fix or "put the file there")
            dropped.setdefault(key, []).append(row)
    found = [
        Problem(code, "drop", message, fix, column, np.array(rows, dtype=np.int64))
        for (code, message, fix), rows in dropped.items()
    ]
    notes = [
        Problem("structure.read", "note", note, "", column, np.array(rows, dtype=np.int64))
        for note, rows in noted.items()
    ]
    return found + notes


def _as_clause(sentence: str) -> str:
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")
