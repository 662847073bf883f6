"""Whole chromosomes to one part: the usual split of genomic regions, as neighbours overlap and share domains."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.split import Split, SplitRequest, Splitter, Units, splitters
from bioloom.data.splitters.units import refuse_too_few, whole_units
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMES = ("chromosome", "chrom", "chr", "seqname")
"""Columns that are taken to name a chromosome, whatever their case."""

ENOUGH = 0.5
"""Ids name chromosomes when at least this share of them reads as a place, such as chr1:100-200."""

_PLACE = re.compile(r"(?:^|::|\s|\|)([\w.\-]+):[\d,]+(?:-|\.\.)[\d,]+")


def by_chromosome(request: SplitRequest) -> Split:
    """Whole chromosomes to one part, so that no test region overlaps or neighbours a training region.

    Copies on other chromosomes (paralogues, repeats) may still stand on both sides; the audit counts them.
    """
    return whole_units(chromosome_units(request), request, "chromosome")


def chromosome_units(request: SplitRequest) -> Units:
    """Chromosomes of a column, or as the ids name them; "chr1" and "1" are one."""
    names, source = _names(request)
    filled = pd.Series(names, dtype=object).dropna().map(_plain)
    codes, known = pd.factorize(filled.reindex(range(len(names))).replace("", None))
    codes = codes.astype(np.int64)
    without = codes < 0
    codes[without] = len(known)
    notes = (
        (f"{int(without.sum())} records without a chromosome were kept together",) if without.any() else ()
    )
    shown = f"{len(known)} chromosomes, {source}"
    units = Units(
        codes,
        "chromosome",
        f"Records of one chromosome stay together ({shown}); intervals take them for independent.",
        notes,
    )
    refuse_too_few(units, "chromosome", "use another way to split, such as --split similarity")
    return units


def _names(request: SplitRequest) -> tuple[NDArray[np.object_], str]:
    if request.chromosome is not None:
        return request.chromosome, "from a column"
    if request.ids is not None:
        found = [_PLACE.search(str(name)) for name in request.ids]
        if np.mean([match is not None for match in found]) >= ENOUGH:
            return np.array([match and match[1] for match in found], dtype=object), "read from the ids"
    raise UserError(
        "Nothing says on which chromosome a record lies.",
        where="--split chromosome",
        fix='name the column with --set data.chromosome="COLUMN", or use ids such as chr1:100-200(+); '
        f"a column called {', '.join(NAMES[:-1])} or {NAMES[-1]} is found by itself",
    )


def _plain(name: object) -> str:
    return re.sub(r"^chr(?=.)", "", str(name).strip(), flags=re.IGNORECASE)


splitters.register(
    Splitter(
        "chromosome",
        "whole chromosomes, of a column or read from ids",
        by_chromosome,
        chromosome_units,
        unit="chromosome",
        asked_for=True,
        places=True,
    )
)
