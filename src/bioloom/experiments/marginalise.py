"""What a motif does by itself: put into sequences that mean nothing, and the change of the answer averaged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bioloom.experiments.effects import COLUMNS, Answer, effect, middle, put, refuse_short
from bioloom.motifs.motif import Motif


def marginalise(
    answer: Answer,
    sequences: Sequence[str],
    motifs: Sequence[Motif | str],
    start: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The effect of each motif, put into every sequence; the largest first.

    motifs: words, of which every sequence gets the same letters; or motifs, of which each sequence gets a site drawn
            from the probabilities, which is global importance analysis (Koo 2021, doi:10.1371/journal.pcbi.1008925)
    start:  0-based position; the middle if left out
    Columns: motif, effect, low, high, sequences. Cost: one answer for each sequence and motif.
    Raises UserError for a motif that does not fit.
    """
    random = np.random.default_rng(seed)
    before = answer(sequences)
    rows = []
    for motif in motifs:
        width = len(motif)
        refuse_short(sequences, (start or 0) + width, f"The motif {name_of(motif)}")
        words = sites(motif, len(sequences), random)
        places = [middle(text, width) if start is None else start for text in sequences]
        changed = [put(text, word, place) for text, word, place in zip(sequences, words, places, strict=True)]
        rows.append((name_of(motif), *effect(answer(changed) - before).row()))
    table = pd.DataFrame(rows, columns=["motif", *COLUMNS])
    return table.sort_values("effect", key=abs, ascending=False, kind="stable", ignore_index=True)


def name_of(motif: Motif | str) -> str:
    """How a table calls a motif."""
    return motif if isinstance(motif, str) else motif.name


def sites(motif: Motif | str, count: int, random: np.random.Generator) -> list[str]:
    """The word itself some times, or sites drawn from a motif's probabilities."""
    if isinstance(motif, str):
        return [motif] * count
    chances = motif.probabilities(pseudocount=0.0)
    drawn = np.stack([random.choice(4, size=count, p=column) for column in chances.T], axis=1)
    return ["".join("ACGT"[letter] for letter in row) for row in drawn]
