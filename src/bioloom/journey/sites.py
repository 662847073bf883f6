"""Where motifs stand in a file of sequences, as a table that is made part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bioloom.data.wording import listed
from bioloom.errors import UserError
from bioloom.events import Listener
from bioloom.files import write_parts
from bioloom.modalities import modalities
from bioloom.motifs import hits, stretches
from bioloom.motifs.background import ORDERS, Background, from_frequencies, from_sequences, uniform
from bioloom.motifs.database import find_motifs
from bioloom.motifs.hits import Tally, joined
from bioloom.motifs.motif import Motif
from bioloom.motifs.scan import Scanner, Wanted, scanner
from bioloom.motifs.stretches import Stretch

LOPSIDED = 0.1
"""How far the share of G and C may be from one half before a uniform background misleads."""

SEEN = 4 << 20
"""Letters from which a background is learned; more would not change it."""


@dataclass(frozen=True)
class Search:
    """What to look for, and where.

    motifs:     a motif file, or the name of a database such as jaspar:vertebrates
    source:     FASTA, FASTQ, a table of any format, or the name of a data set that comes with bioloom
    regions:    a BED file; `source` is then the genome
    column:     of a table; the surest column of DNA if left out
    p_value:    the highest probability by chance of a site
    forward_only: leave the reverse complement out
    background: "uniform", "sequences" for the letters of the source, or four frequencies such as 0.3,0.2,0.2,0.3
    order:      letters before a letter that count in a background learned from sequences, 0 to 2
    """

    motifs: str
    source: str
    regions: Path | None = None
    column: str = ""
    p_value: float = 1e-4
    forward_only: bool = False
    background: str = "uniform"
    order: int = 0


def look_for(wanted: Search, listener: Listener) -> Iterator[pd.DataFrame]:
    """Sites of motifs, part by part in the order of the sequences; at least one part, which may be empty.

    A file that does not fit in memory is read twice: q-values need the number of sites in all of it.
    """
    motifs = find_motifs(wanted.motifs)
    again = stretches_of(wanted)
    background = _background(wanted, again, listener)
    made = scanner(motifs, Wanted(wanted.p_value, not wanted.forward_only, background))
    _tell_hopeless(made, listener)
    tally = Tally(made)
    listener.stage("scan", f"Looking for {len(motifs):,} motifs")
    groups = stretches.in_groups(again())
    first = next(groups, [])
    found = joined(made.scan(each.text for each in first))
    tally.add(found, first)
    several = False
    for group in groups:
        several = True
        listener.message(f"looking at {group[0].name}")
        tally.add(joined(made.scan(each.text for each in group)), group)
    _refuse_nothing(tally, wanted)
    if not several:
        yield from (hits.table(part, first, tally) for part in hits.in_slices(found))
        return
    for group in stretches.in_groups(again()):
        listener.message(f"writing the sites in {group[0].name}")
        again_found = joined(made.scan(each.text for each in group))
        yield from (hits.table(part, group, tally) for part in hits.in_slices(again_found))


def write_sites(wanted: Search, form: str, out: Path | None, listener: Listener) -> Iterator[str]:
    """Sites as the text of a file, part by part: "tsv", "bed" or "gff".

    out: write them to this file, whole or not at all, and give nothing back
    """
    texts = (
        hits.write(part, form, first=number == 0) for number, part in enumerate(look_for(wanted, listener))
    )
    if out is None:
        yield from texts
        return
    write_parts(out, (text.encode() for text in texts))


def stretches_of(wanted: Search) -> Any:
    """A function that gives the stretches from the start, each time it is called."""
    if wanted.regions is not None:
        return partial(stretches.from_regions, wanted.regions, stretches.as_path(wanted.source))
    path = stretches.as_path(wanted.source)
    if stretches.is_sequences(path):
        return partial(stretches.from_fasta, path)
    table = stretches.read_table(wanted.source)
    return partial(stretches.from_table, table, wanted.column or _dna_column(table.frame, table.source))


def _dna_column(frame: pd.DataFrame, source: str) -> str:
    """The column that is most surely DNA or RNA."""
    kinds = [modalities[name] for name in ("dna", "rna")]
    sure = {str(name): max(kind.detect(frame[name]) for kind in kinds) for name in frame.columns}
    best = max(sure, key=lambda name: sure[name])
    if sure[best] <= 0:
        raise UserError(
            "There is no column of DNA in this table.",
            where=source,
            fix=f"name it with --column; the columns are: {listed(list(sure))}",
        )
    return best


def _background(wanted: Search, again: Any, listener: Listener) -> Background:
    """What sites are compared with; says where a uniform background does not suit the sequences."""
    if wanted.order not in ORDERS:
        raise UserError(f"A background of order {wanted.order} is not known.", fix="choose 0, 1 or 2")
    named = wanted.background
    if named not in ("uniform", "sequences"):
        return from_frequencies(_frequencies(named))
    seen = from_sequences(_some(again()), wanted.order, not wanted.forward_only)
    if named == "sequences":
        return seen
    if wanted.order:
        raise UserError(
            "A uniform background has no order.", where="--order", fix="learn it with --background sequences"
        )
    _, c, g, _ = seen.letters
    if abs(c + g - 0.5) > LOPSIDED:
        listener.message(
            f"{c + g:.0%} of the letters are G or C: p-values against equal letters mislead; "
            "--background sequences compares with the letters of this file"
        )
    return uniform()


def _some(found: Iterator[Stretch]) -> Iterator[str]:
    held = 0
    for each in found:
        yield each.text[: SEEN - held]
        held += len(each.text)
        if held >= SEEN:
            return


def _frequencies(text: str) -> tuple[float, float, float, float]:
    try:
        numbers = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        raise UserError(
            f'"{text}" is no background.',
            where="--background",
            fix="write uniform, sequences, or four frequencies of A, C, G and T such as 0.3,0.2,0.2,0.3",
        )
    a, c, g, t = numbers
    return a, c, g, t


def _tell_hopeless(made: Scanner, listener: Listener) -> None:
    """Motifs whose best site is not improbable enough can have none."""
    hopeless: list[Motif] = [
        motif
        for motif, weights, each in zip(made.motifs, made.weights, made.distributions, strict=True)
        if each.threshold(made.wanted.p_value) > int(weights.max(axis=0).sum())
    ]
    if hopeless:
        names = listed([motif.name for motif in hopeless])
        listener.message(
            f"even the best site of {names} is not as improbable as p = {made.wanted.p_value:g}: too short or too vague"
        )


def _refuse_nothing(tally: Tally, wanted: Search) -> None:
    """UserError where there was no window to look at."""
    counts = np.array([tally.windows(number) for number in range(len(tally.scanner.motifs))])
    if not counts.any():
        raise UserError(
            "There is no stretch of DNA as long as a motif.",
            where=wanted.source,
            fix="check that the sequences are DNA, and that they are the right column",
        )
