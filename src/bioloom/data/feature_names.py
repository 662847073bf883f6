"""Names of genes, transcripts, proteins, taxa, probes and peaks: how a profile is told from other columns of numbers.

Identifiers of databases are unmistakable. Gene symbols (TP53, Gapdh) and Latin names (Escherichia coli) look like other
words too, so they count only where there are many of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_IDENTIFIERS = re.compile(
    "|".join((
        r"ENS[A-Z]{0,4}[GTPE]\d{6,}(\.\d+)?(_PAR_Y)?",  # Ensembl
        r"[NX][MRP]_\d{6,}(\.\d+)?",  # RefSeq
        r"AT[1-5MC]G\d{5}(\.\d+)?|Y[A-P][LR]\d{3}[WC](-[A-Z])?|b\d{4}|WBGene\d{8}|FBgn\d{7}",  # model organisms
        r"([OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d([A-Z][A-Z0-9]{2}\d){1,2})(-\d+)?",  # UniProt
        r"(hsa|mmu|rno|dre|cel|dme)-(mi[rR]|let)-[\w*-]+",  # microRNA
        r"cg\d{6,8}|ch\.[\dXY]+\.\d+[RF]",  # CpG sites of methylation arrays
        r"\d+(_[asx])?_at|ILMN_\d+|A_\d\d_P\d+|TC\d{8,}\.hg\.1",  # probes of expression arrays
        r"(d|k|sk)__\w.*|[pcofgst]__\w*([;|].*)?|.*[;|] ?[pcofgst]__.*",  # lineages such as k__Bacteria|p__Firmicutes
        r"(z?otu|asv|sgb|msp|mgs|zotu|denovo)[ _.-]?\d+",  # amplicon and metagenomic species
        r"K\d{5}|C\d{5}|HMDB\d{5,7}|EC[ :_]?\d+(\.[\d-]+){2,3}|PF\d{5}|GO:\d{7}|COG\d{4}|IPR\d{6}",  # functions
        r"chr[\dXYM]{1,2}[:_.-]\d+[:_.-]\d+",  # peaks and bins of a genome
        r"(gene|transcript|taxon|species|genus|peptide|metabolite|peak|probe|mirna|orf|cpg)[ _.-]?\d+",
    )),
    re.IGNORECASE,
)  # fmt: skip
_SYMBOL = re.compile(
    r"[A-Z][A-Z0-9]{1,11}([.-][A-Z0-9]{1,6}){0,2}|C\d{1,2}orf\d+|[A-Z][a-z0-9]{1,10}\d[a-z0-9]{0,4}"
)
_LATIN = re.compile(r"\[?[A-Z][a-z]{3,}\]?[ _.](sp\.?|[a-z]{3,}\d*)([ _.]\S+)*")

MANY = 50
"""Names from which identifiers make a profile; symbols and Latin names have to be twice as many."""


def identifiers(names: Sequence[str]) -> NDArray[np.bool_]:
    """Which names are certainly those of molecules or taxa, (names,)."""
    return np.array([bool(_IDENTIFIERS.fullmatch(name.strip())) for name in names], dtype=bool)


def names_of_features(names: Sequence[str]) -> NDArray[np.bool_]:
    """Which names are those of molecules or taxa, (names,); symbols and Latin names only where there are many."""
    found = identifiers(names)
    for pattern in (_SYMBOL, _LATIN):
        like = np.array([bool(pattern.fullmatch(name.strip())) for name in names], dtype=bool)
        if (like & ~found).sum() >= 2 * MANY and _varied(names, like):
            found |= like
    return found


def _varied(names: Sequence[str], like: NDArray[np.bool_]) -> bool:
    """Whether the names differ by more than a number at their end, as columns V1, V2, ... or PC1, PC2, ... do not."""
    stems = {name.rstrip("0123456789") for name, chosen in zip(names, like, strict=True) if chosen}
    return len(stems) > 0.2 * int(like.sum())


def last_level(name: str) -> str:
    """Such as "s__Escherichia_coli" of a whole lineage."""
    return name.replace(";", "|").rsplit("|", 1)[-1].strip() or name
