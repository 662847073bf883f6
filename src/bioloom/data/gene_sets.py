"""Gene sets from a local GMT file: a name, a description and the genes of a set in each line, between tabs.

The format of MSigDB and Enrichr, https://software.broadinstitute.org/cancer/software/gsea/wiki/index.php/Data_formats.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bioloom.errors import UserError

GeneSets = tuple[tuple[str, tuple[int, ...]], ...]
"""Names of sets, each with the numbers of its features among those of a model."""

FEWEST, MOST = 3, 500
"""Smaller sets say no more than their genes, larger ones nothing in particular; both are left out."""


def read_gene_sets(path: Path, features: Sequence[str]) -> GeneSets:
    """The sets of a GMT file that hold 3 to 500 of these features; names are compared without regard to case.

    Raises UserError where the file is missing or no GMT file, and where no set holds three of the features.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"The gene sets cannot be read: {error}.",
            where=str(path),
            fix="give the path of a GMT file on this machine",
        ) from None
    place = {_plain(name): number for number, name in enumerate(features)}
    found: dict[str, tuple[int, ...]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, *genes = line.rstrip("\r\n").split("\t")
        if len(genes) < 2:
            raise UserError(
                "This line is no gene set: a name, a description and genes, with tabs between them.",
                where=f"{path}, line {number}",
                fix="give a GMT file, such as those of MSigDB",
            )
        held = {place[_plain(gene)] for gene in genes[1:] if _plain(gene) in place}
        if FEWEST <= len(held) <= MOST:
            found[name] = tuple(sorted(held))
    if not found:
        raise UserError(
            f"None of the {len(lines)} sets holds {FEWEST} to {MOST} of the features of the data.",
            where=str(path),
            fix=f"give sets with the same kind of names as the data have, such as {', '.join(features[:3])}",
        )
    return tuple(found.items())


def _plain(gene: str) -> str:
    """A gene name in capitals, without the version of an Ensembl identifier."""
    name = gene.strip().upper()
    return name.split(".")[0] if name.startswith("ENS") else name
