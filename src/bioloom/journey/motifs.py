"""What is done with motif files: looked at, drawn, compared, grouped, and sought in two groups of sequences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bioloom.data.wording import counted
from bioloom.errors import UserError, did_you_mean
from bioloom.events import Listener
from bioloom.figures import style
from bioloom.figures.motifs import logos
from bioloom.files import write_text
from bioloom.journey.sites import Search, stretches_of
from bioloom.modalities.shuffles import shuffled_texts
from bioloom.motifs.compare import cluster, compare, merge
from bioloom.motifs.database import find_motifs
from bioloom.motifs.enrichment import enriched
from bioloom.motifs.formats import FORMATS, write_motifs
from bioloom.motifs.motif import Motif
from bioloom.motifs.scan import Wanted

DRAWN = 60
"""Motifs that one figure holds."""

SUFFIXES = {
    ".meme": "meme",
    ".jaspar": "jaspar",
    ".pfm": "jaspar",
    ".transfac": "transfac",
    ".homer": "homer",
    ".motif": "homer",
}


def overview(source: str) -> pd.DataFrame:
    """One row for each motif of a file: name, title, positions, sites, bits (information) and consensus."""
    rows = [
        (motif.name, motif.title, len(motif), motif.sites, float(motif.information().sum()), motif.consensus)
        for motif in find_motifs(source)
    ]
    return pd.DataFrame(rows, columns=["motif", "title", "positions", "sites", "bits", "consensus"])


def draw(source: str, out: Path, names: tuple[str, ...] = ()) -> int:
    """Draw the logos of motifs into one SVG, PNG or PDF; returns how many.

    names: only these, by name or title
    Raises UserError for a name that is not there, and for more motifs than one figure holds.
    """
    motifs = _named(find_motifs(source), names)
    if len(motifs) > DRAWN:
        raise UserError(
            f"{counted(len(motifs), 'motif')} do not fit in one figure.",
            fix=f"choose at most {DRAWN} with --name",
        )
    style.save(logos([(_heading(motif), motif.logo()) for motif in motifs]), out)
    return len(motifs)


def _heading(motif: Motif) -> str:
    return f"{motif.title} ({motif.name})" if motif.title and motif.title != motif.name else motif.name


def _named(motifs: list[Motif], names: tuple[str, ...]) -> list[Motif]:
    if not names:
        return motifs
    found = []
    for name in names:
        chosen = [motif for motif in motifs if name in (motif.name, motif.title)]
        if not chosen:
            known = [word for motif in motifs for word in (motif.name, motif.title) if word]
            raise UserError(f'There is no motif called "{name}".{did_you_mean(name, known)}', where="--name")
        found += chosen
    return found


def convert(source: str, out: Path, form: str = "") -> int:
    """Write motifs in another format; returns how many.

    form: of the file; by its ending if left out (.meme, .jaspar, .transfac, .homer)
    """
    form = form or SUFFIXES.get(out.suffix.lower(), "")
    if not form:
        raise UserError(
            "The format cannot be told from the name of the file.",
            where=str(out),
            fix=f"name it with --format: {', '.join(FORMATS)}",
        )
    motifs = find_motifs(source)
    write_text(out, write_motifs(motifs, form))
    return len(motifs)


def resemble(source: str, database: str, most: int, e_value: float) -> pd.DataFrame:
    """The motifs of a database that each motif resembles, the most alike first.

    most: rows for each motif; e_value: only with at most so many as alike by chance
    """
    table = compare(find_motifs(source), find_motifs(database))
    table = table[table["e_value"] <= e_value]
    return table.groupby("query", sort=False).head(most).reset_index(drop=True)


def group(source: str, out: Path, e_value: float) -> pd.DataFrame:
    """Join motifs of one kind, write one motif for each kind to a file, and tell which belong together."""
    motifs = find_motifs(source)
    labels = cluster(motifs, e_value)
    kinds = [
        [motif for motif, label in zip(motifs, labels, strict=True) if label == kind]
        for kind in np.unique(labels)
    ]
    merged = [merge(kind) for kind in kinds]
    form = SUFFIXES.get(out.suffix.lower(), "meme")
    write_text(out, write_motifs(merged, form))
    names = [merged[label].name for label in labels]
    return pd.DataFrame(
        {"motif": [m.name for m in motifs], "title": [m.title for m in motifs], "kind": names}
    )


@dataclass(frozen=True)
class Enrichment:
    """What is compared.

    motifs, source, column: as for scanning
    against: other sequences; the same ones shuffled (dinucleotides kept) if left out
    p_value: the highest probability by chance of a site
    seed:    of the shuffling
    """

    motifs: str
    source: str
    against: str = ""
    column: str = ""
    p_value: float = 1e-4
    seed: int = 0


def enrich(wanted: Enrichment, listener: Listener) -> pd.DataFrame:
    """How much more often sequences hold a site of each motif than others do; the most enriched first."""
    motifs = find_motifs(wanted.motifs)
    texts = _texts(wanted, wanted.source)
    if wanted.against:
        others = _texts(wanted, wanted.against)
        _tell_unlike(texts, others, listener)
    else:
        listener.message("compared with the same sequences shuffled, their neighbouring letters kept")
        others = shuffled_texts(texts, wanted.seed)
    listener.stage("enrich", f"Looking for {len(motifs):,} motifs")
    return enriched(motifs, texts, others, Wanted(wanted.p_value))


def _texts(wanted: Enrichment, source: str) -> list[str]:
    return [each.text.upper() for each in stretches_of(Search(wanted.motifs, source, column=wanted.column))()]


def _tell_unlike(texts: list[str], others: list[str], listener: Listener) -> None:
    """Other lengths or letters make motifs look enriched that are not."""

    def described(group: list[str]) -> tuple[float, float]:
        joined = "".join(group)
        letters = max(1, sum(joined.count(letter) for letter in "ACGTU"))
        return float(np.median([len(text) for text in group] or [0])), sum(map(joined.count, "GC")) / letters

    (length, gc), (other_length, other_gc) = described(texts), described(others)
    if abs(length - other_length) > 0.1 * max(length, other_length) or abs(gc - other_gc) > 0.05:
        listener.message(
            f"the two groups differ in length (median {length:.0f} and {other_length:.0f}) or G and C "
            f"({gc:.0%} and {other_gc:.0%}): some motifs look enriched for that alone"
        )
