"""Which motifs stand more often in some sequences than in others, with exact tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, fisher_exact, norm

from bioloom.errors import UserError
from bioloom.motifs.motif import Motif
from bioloom.motifs.scan import Scanner, Wanted, scanner

COLUMNS = (
    "motif", "title", "sequences", "with_site", "others", "others_with_site", "fold", "fold_low", "fold_high",
    "p_value", "q_value",
)  # fmt: skip


def enriched(
    motifs: Sequence[Motif], sequences: Sequence[str], others: Sequence[str], wanted: Wanted | None = None
) -> pd.DataFrame:
    """How many sequences hold a site of each motif, beside other sequences; the most enriched first.

    Columns: motif, title, sequences and others (how many are long enough), with_site and others_with_site, fold
    (ratio of the two shares) with its 95 % interval, p_value of Fisher's exact test (one-sided, for more) and q_value
    (Benjamini and Hochberg over the motifs).
    The other sequences should be as long and of the same letters: longer ones hold more sites by chance.
    Raises UserError where either side is empty.
    """
    if not len(sequences) or not len(others):
        raise UserError(
            "Enrichment compares two groups of sequences, and one is empty.",
            fix="give sequences on both sides",
        )
    made = scanner(motifs, wanted)
    first, second = _with_site(made, sequences), _with_site(made, others)
    totals = [_long_enough(made, each) for each in (sequences, others)]
    rows = [
        (motif.name, motif.title, *_compared(int(a), int(n), int(b), int(m)))
        for motif, a, n, b, m in zip(motifs, first, totals[0], second, totals[1], strict=True)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS[:-1]))
    table["q_value"] = false_discovery_control(table["p_value"].to_numpy())
    return table.sort_values(["p_value", "fold"], ascending=[True, False], kind="stable", ignore_index=True)


def _with_site(made: Scanner, sequences: Iterable[str]) -> NDArray[np.int64]:
    """How many sequences hold at least one site of each motif, (motifs,)."""
    counts = np.zeros(len(made.motifs), dtype=np.int64)
    last = np.full(len(made.motifs), -1, dtype=np.int64)  # a sequence may be cut between two blocks
    for hits in made.scan(sequences):
        pairs = np.unique(np.column_stack([hits.motif, hits.sequence]), axis=0)
        for motif, sequence in pairs.tolist():
            counts[motif] += sequence > last[motif]
            last[motif] = max(last[motif], sequence)
    return counts


def _long_enough(made: Scanner, sequences: Sequence[str]) -> NDArray[np.int64]:
    lengths = np.array([len(sequence) for sequence in sequences])
    return np.array([np.count_nonzero(lengths >= len(motif)) for motif in made.motifs], dtype=np.int64)


def _compared(a: int, n: int, b: int, m: int) -> tuple[int, int, int, int, float, float, float, float]:
    """The numbers of one motif: a of n sequences hold a site, and b of m others."""
    if not n or not m:
        return n, a, m, b, float("nan"), float("nan"), float("nan"), 1.0
    p = float(fisher_exact(np.array([[a, n - a], [b, m - b]]), alternative="greater").pvalue)
    # Half a sequence added on each side, so that none at all leaves a finite ratio (Walter 1975,
    # doi:10.1093/biomet/62.2.371); the interval of the logarithm of a ratio of shares is Katz's (1978).
    ratio = np.log((a + 0.5) / (n + 0.5)) - np.log((b + 0.5) / (m + 0.5))
    spread = np.sqrt(max(0.0, 1 / (a + 0.5) - 1 / (n + 0.5) + 1 / (b + 0.5) - 1 / (m + 0.5)))
    low, high = ratio + norm.ppf([0.025, 0.975]) * spread
    return n, a, m, b, float(np.exp(ratio)), float(np.exp(low)), float(np.exp(high)), p
