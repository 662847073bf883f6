"""Sites of motifs as a table, with q-values, and as the files that genome browsers and spreadsheets read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.similarity.copies import reverse_complements
from bioloom.errors import UserError, did_you_mean
from bioloom.motifs.scan import Hits, Scanner, windows
from bioloom.motifs.significance import STEPS_PER_BIT
from bioloom.motifs.stretches import Stretch

COLUMNS = ("motif", "title", "sequence", "start", "end", "strand", "score", "p_value", "q_value", "site")


ROWS = 500_000
"""Sites that are made into a table together."""


class Tally:
    """Sites counted by score, and windows looked at: all that q-values need, however many sites there are."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.widths = sorted({len(motif) for motif in scanner.motifs})
        self._windows = dict.fromkeys(self.widths, 0)
        self._scores: list[Counter[int]] = [Counter() for _ in scanner.motifs]

    def add(self, hits: Hits, stretches: Iterable[Stretch]) -> None:
        """Count more sites, and the sequences that they were found in."""
        for stretch in stretches:
            for width, looked_at in zip(self.widths, windows(stretch.text, *self.widths), strict=True):
                self._windows[width] += looked_at
        for number in np.unique(hits.motif).tolist():
            scores, count = np.unique(hits.steps[hits.motif == number], return_counts=True)
            self._scores[number].update(dict(zip(scores.tolist(), count.tolist(), strict=True)))

    def windows(self, number: int) -> int:
        """Windows looked at for a motif, both strands counted."""
        strands = 2 if self.scanner.wanted.both_strands else 1
        return strands * self._windows[len(self.scanner.motifs[number])]

    def q_values(self, number: int, steps: NDArray[np.int32]) -> NDArray[np.float64]:
        """The share of false sites to expect among those at least as good, for each score of a motif.

        Benjamini and Hochberg (1995) doi:10.1111/j.2517-6161.1995.tb02031.x, for each motif over all its windows.
        """
        counted = self._scores[number]
        scores = np.array(sorted(counted, reverse=True), dtype=np.int32)
        ranks = np.cumsum([counted[score] for score in scores.tolist()])
        expected = self.scanner.distributions[number].p_value(scores) * self.windows(number) / ranks
        q = np.minimum(np.minimum.accumulate(expected[::-1])[::-1], 1.0)
        return np.asarray(q[np.searchsorted(-scores, -steps)])


def joined(parts: Iterable[Hits]) -> Hits:
    """All sites in one, in the order given."""
    held = list(parts)
    if not held:
        empty = np.empty(0, dtype=np.int64)
        return Hits(empty, empty, empty.astype(np.int32), empty.astype(np.bool_), empty.astype(np.int32))
    return Hits(
        np.concatenate([each.sequence for each in held]),
        np.concatenate([each.start for each in held]),
        np.concatenate([each.motif for each in held]),
        np.concatenate([each.forward for each in held]),
        np.concatenate([each.steps for each in held]),
    )


def in_slices(hits: Hits, size: int = ROWS) -> Iterator[Hits]:
    """The same sites some at a time, at least one slice; a table of millions takes more memory than the sites."""
    for start in range(0, max(1, len(hits)), size):
        part = slice(start, start + size)
        yield Hits(
            hits.sequence[part], hits.start[part], hits.motif[part], hits.forward[part], hits.steps[part]
        )


def scan(scanner: Scanner, stretches: Sequence[Stretch]) -> pd.DataFrame:
    """Look for motifs in sequences held in memory; one row for each site, see `table`."""
    hits = joined(scanner.scan(each.text for each in stretches))
    tally = Tally(scanner)
    tally.add(hits, stretches)
    return table(hits, stretches, tally)


def table(hits: Hits, stretches: Sequence[Stretch], tally: Tally) -> pd.DataFrame:
    """One row for each site, in the order of the sequences.

    Columns: motif, title, sequence, start and end (0-based, half-open, on the forward strand), strand, score in
    bits, p_value, q_value, and site (the letters as the motif reads them).
    """
    scanner = tally.scanner
    widths = np.array([len(motif) for motif in scanner.motifs])
    p, q = np.empty(len(hits)), np.empty(len(hits))
    for number in np.unique(hits.motif).tolist():
        mine = hits.motif == number
        p[mine] = scanner.distributions[number].p_value(hits.steps[mine])
        q[mine] = tally.q_values(number, hits.steps[mine])
    offset = np.array([each.start for each in stretches], dtype=np.int64)
    ends = hits.start + widths[hits.motif]
    places = zip(hits.sequence.tolist(), hits.start.tolist(), ends.tolist(), strict=True)
    sites = np.array(
        [stretches[number].text[first:last].upper() for number, first, last in places], dtype=object
    )
    if not hits.forward.all():
        turned = np.flatnonzero(~hits.forward)
        sites[turned] = reverse_complements(sites[turned])
    names = np.array([each.name for each in stretches], dtype=object)
    return pd.DataFrame(
        {
            "motif": np.array([motif.name for motif in scanner.motifs], dtype=object)[hits.motif],
            "title": np.array([motif.title for motif in scanner.motifs], dtype=object)[hits.motif],
            "sequence": names[hits.sequence] if len(names) else np.empty(0, dtype=object),
            "start": hits.start + offset[hits.sequence] if len(offset) else hits.start,
            "end": ends + offset[hits.sequence] if len(offset) else ends,
            "strand": np.where(hits.forward, "+", "-").astype(object),
            "score": hits.steps / STEPS_PER_BIT,
            "p_value": p,
            "q_value": q,
            "site": sites,
        },
        columns=list(COLUMNS),
    )


# ---- as files -----------------------------------------------------------------------------------------------


def _tsv(found: pd.DataFrame, first: bool) -> str:
    shown = found.assign(
        score=found["score"].map("{:.3f}".format),
        p_value=found["p_value"].map("{:.3g}".format),
        q_value=found["q_value"].map("{:.3g}".format),
    )
    return str(shown.to_csv(sep="\t", index=False, header=first, lineterminator="\n"))


def _bed(found: pd.DataFrame, first: bool) -> str:  # noqa: ARG001 -- BED has no headings
    """BED with six columns; the score is 1000 times log10(p) / -10, at most 1000, as browsers want it."""
    shade = (
        np.minimum(1000, -100 * np.log10(np.maximum(found["p_value"].to_numpy(), 1e-300))).round().astype(int)
    )
    shown = found[["sequence", "start", "end", "motif"]].assign(score=shade, strand=found["strand"])
    return str(shown.to_csv(sep="\t", index=False, header=False, lineterminator="\n"))


def _gff(found: pd.DataFrame, first: bool) -> str:
    """GFF3; positions count from 1 and include the last."""
    lines = ["##gff-version 3"] if first else []
    row: Any
    for row in found.itertuples(index=False):
        told = [f"Name={_escaped(row.motif)}"]
        told += [f"Alias={_escaped(row.title)}"] if row.title else []
        told += [f"pvalue={row.p_value:.3g}", f"qvalue={row.q_value:.3g}", f"sequence={row.site}"]
        fields = (
            row.sequence, "bioloom", "TF_binding_site", row.start + 1, row.end, f"{row.score:.3f}", row.strand, ".",
            ";".join(told),
        )  # fmt: skip
        lines.append("\t".join(map(str, fields)))
    return "".join(f"{line}\n" for line in lines)


def _escaped(text: str) -> str:
    """Text in which no sign has a meaning of its own in GFF3."""
    return "".join(f"%{ord(sign):02X}" if sign in ";=&,%\t\n" else sign for sign in text)


_WRITERS = {"tsv": _tsv, "bed": _bed, "gff": _gff}


def write(found: pd.DataFrame, form: str, first: bool = True) -> str:
    """Sites as the text of a file: "tsv", "bed" or "gff"; without headings where it is not the first part.

    Raises UserError for another form.
    """
    if form not in _WRITERS:
        raise UserError(
            f'Sites cannot be written as "{form}".{did_you_mean(form, _WRITERS)}',
            fix=f"use one of: {', '.join(_WRITERS)}",
        )
    return _WRITERS[form](found, first)
