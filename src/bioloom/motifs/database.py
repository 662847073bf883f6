"""Motifs by the name of their file or of a database that was installed."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

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
    with warnings.catch_warnings():  # it warns where there is nothing; that becomes an error with a way out
        warnings.simplefilter("ignore")
        found = _fetched(jaspardb(), chosen)
    if not found:
        raise UserError(
            f'JASPAR has no motif or group "{chosen}".{did_you_mean(chosen, _GROUPS)}',
            fix=f"give an id such as MA0139.1, the name of a protein, or a group: {', '.join(_GROUPS)}",
        )
    return [_converted(each) for each in found]


def _fetched(database: Any, chosen: str) -> list[Any]:
    if re.fullmatch(r"MA\d{4}(\.\d+)?", chosen.upper()):
        one = database.fetch_motif_by_id(chosen.upper())
        return [] if one is None else [one]
    if chosen and chosen.lower() not in _GROUPS:
        return list(database.fetch_motifs_by_name(chosen) or ())
    return list(database.fetch_motifs(collection="CORE", tax_group=[chosen.lower()] if chosen else None))


def _converted(found: Any) -> Motif:
    counts = np.array([found.counts[letter] for letter in LETTERS], dtype=np.float64)
    return Motif(str(found.matrix_id), counts, str(found.name), float(counts.sum(axis=0).max()))
