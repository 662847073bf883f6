"""A table of what structures tell of each residue, to be learned from the sequences alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioloom.data import readers
from bioloom.data.assets import AssetDtype
from bioloom.errors import UserError
from bioloom.files import write_text
from bioloom.modalities.residue_table import residue_table
from bioloom.modalities.survey import looks_like_structures

if TYPE_CHECKING:
    from bioloom.data.records import Table
    from bioloom.events import Listener


@dataclass(frozen=True)
class ResidueTable:
    """A table that was written: how many chains it holds, and why files are not in it."""

    chains: int
    left_out: tuple[str, ...]


def tell_residues(source: Any, out: Path, listener: Listener) -> ResidueTable:
    """Write the table of a folder of structures, or of the structures that a table names; see `residue_table`.

    source: as `bioloom train` takes it. Raises UserError where there is no structure.
    """
    listener.stage("read", "Reading")
    table = readers.read(source)
    columns = _columns(table)
    listener.stage("check", "Looking at every structure")
    found, left = residue_table(table.frame[columns])
    write_text(out, found.to_csv(index=False, lineterminator="\n"))
    return ResidueTable(len(found), tuple(left))


def _columns(table: Table) -> list[str]:
    """The column of structures, and that of the chains that are meant, where there is one."""
    names: list[str] = table.frame.columns.tolist()
    known = [name for name in names if isinstance(table.frame[name].dtype, AssetDtype)]
    sure = {name: looks_like_structures(table.frame.loc[:, name]) for name in known or names}
    surest = max(sure, key=lambda name: sure[name])
    if not sure[surest]:
        raise UserError(
            "There is no column of structures.",
            where=table.source,
            fix="give a folder of PDB or mmCIF files, or a table with a column that names them",
        )
    return [surest, *(name for name in ("chains", f"{surest}_chains") if name in names)][:2]
