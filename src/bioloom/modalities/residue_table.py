"""What structures tell of each residue, as targets to be predicted from the sequence: exposure to water, and contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.errors import UserError
from bioloom.modalities.contacts import TOUCHING
from bioloom.modalities.residues import LETTERS, NUCLEOTIDE, UnreadableError
from bioloom.modalities.structure_features import FAR
from bioloom.modalities.survey import Cells, Survey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FEWEST = 8
"""Residues of a chain below which it is a ligand or a fragment, and left out."""


def residue_table(values: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One row for each protein chain, and why files were left out.

    values: a column that names files of structures, and, where there is one, a column of chains
    The columns are id, structure, sequence (X: a residue that is not among the twenty), and, as numbers with spaces between
    them, one for each residue: accessibility, the share of its surface that water reaches in the whole structure, 0 to 1
    (Shrake, Rupley 1973, doi:10.1016/0022-2836(73)90011-9; largest areas of Tien et al. 2013,
    doi:10.1371/journal.pone.0080635), and contacts, how many residues of other chains, or four places or more away along its
    own, have a heavy atom within 5.5 Å of one of its own.
    Raises UserError where no chain is left.
    """
    cells, left, rows = Cells.of(values), [], []
    for row in range(len(cells)):
        name = str(cells.files.names[row])
        try:
            rows += list(_of_chains(cells.survey(row), name))
        except UnreadableError as error:
            left.append(f"{name}: {error.reason}")
        except UserError as error:
            left.append(f"{name}: {error.what}")
    if not rows:
        raise UserError(
            "No chain of a protein could be read.",
            where="; ".join(left[:3]),
            fix="give PDB or mmCIF files of proteins",
        )
    return pd.DataFrame(rows), left


def _of_chains(survey: Survey, name: str) -> Iterator[dict[str, str]]:
    residues, touching = survey.residues, _touching(survey)
    for chain in residues.sequences:
        here = np.flatnonzero((residues.chains == chain) & (residues.letters < LETTERS.index(NUCLEOTIDE)))
        if len(here) < FEWEST:
            continue
        yield {
            "id": f"{name.partition('.')[0].rpartition('/')[2]}_{chain}",
            "structure": name,
            "sequence": "".join(LETTERS[letter] for letter in residues.letters[here]),
            "accessibility": " ".join(f"{share:.3f}" for share in survey.exposure[here]),
            "contacts": " ".join(map(str, touching[here].tolist())),
        }


def _touching(survey: Survey) -> NDArray[np.int64]:
    """Of each residue, how many others it touches that are no neighbours along the chain, (residues,)."""
    residues, pairs = survey.residues, survey.contacts
    apart = np.abs(residues.along[pairs.first] - residues.along[pairs.second])
    other = residues.chains[pairs.first] != residues.chains[pairs.second]
    told = pairs.keep((pairs.closest < TOUCHING) & (other | (apart >= FAR)))
    ends = np.concatenate([told.first, told.second])
    return np.bincount(ends, minlength=len(survey)).astype(np.int64)
