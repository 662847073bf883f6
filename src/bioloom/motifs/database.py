"""Motifs by the name of their file or of a database that was installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bioloom.errors import UserError, did_you_mean
from bioloom.motifs.formats import read_motifs
from bioloom.motifs.motif import Motif
from bioloom.motifs.pwm import LETTERS

JASPAR = "jaspar"
_GROUPS = ("vertebrates", "plants", "insects", "nematodes", "fungi", "urochordates")


def find_motifs(source: str) -> list[Motif]:
    """The motifs of a file, or of JASPAR: "jaspar", "jaspar:vertebrates", "jaspar:MA0139.1".

    JASPAR comes with the extra `motifs` and is read from this machine. CC BY 4.0, Rauluseviciute (2024)
    doi:10.1093/nar/gkad1059.
    Raises UserError for a file or motif that is not there.
    """
    name, _, chosen = source.partition(":")
    if name.lower() == JASPAR and not Path(source).exists():
        return _jaspar(chosen)
    path = Path(source).expanduser()
    if not path.exists():
        raise UserError(
            "There is no such motif file.",
            where=source,
            fix="give a motif file, or jaspar:vertebrates for a database",
        )
    return read_motifs(path)


def _jaspar(chosen: str) -> list[Motif]:
    try:
        from pyjaspar import jaspardb
    except ImportError:
        raise UserError(
            "JASPAR is not installed.",
            where="jaspar",
            fix='pip install "bioloom[motifs]", or give a motif file',
        ) from None
    database = jaspardb()
    if chosen.upper().startswith("MA"):
        one = database.fetch_motif_by_id(chosen.upper())
        found = [] if one is None else [one]
    elif chosen and chosen.lower() not in _GROUPS:
        found = database.fetch_motifs_by_name(chosen)
    else:
        group = [chosen.lower()] if chosen else None
        found = database.fetch_motifs(collection="CORE", tax_group=group)
    if not found:
        raise UserError(
            f'JASPAR has no motif or group "{chosen}".{did_you_mean(chosen, _GROUPS)}',
            fix=f"give an id such as MA0139.1, the name of a protein, or a group: {', '.join(_GROUPS)}",
        )
    return [_converted(each) for each in found]


def _converted(found: object) -> Motif:
    counts = np.array([found.counts[letter] for letter in LETTERS], dtype=np.float64)  # type: ignore[attr-defined]
    return Motif(
        str(found.matrix_id),  # type: ignore[attr-defined]
        counts,
        str(found.name),  # type: ignore[attr-defined]
        float(counts.sum(axis=0).max()),
    )
