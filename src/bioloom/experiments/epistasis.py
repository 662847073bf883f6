"""Do two motifs do more together than each alone?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bioloom.experiments.effects import COLUMNS, Answer, effect, middle, put, refuse_short
from bioloom.experiments.space import pair


def epistasis(
    answer: Answer, sequences: Sequence[str], first: str, second: str, spacing: int = 10
) -> pd.DataFrame:
    """The effect of two motifs alone and together, and what remains: together - first - second.

    Each alone stands where it stands in the pair. Columns: what (first, second, both, epistasis), effect, low, high,
    sequences. The interval of epistasis is that of the difference within each sequence. 0 means that the effects add
    up in the model's own unit; in another unit (such as its logarithm) they may not.
    Raises UserError where the pair does not fit.
    """
    width = len(first) + spacing + len(second)
    refuse_short(sequences, width, "The pair")
    starts = [middle(text, width) for text in sequences]
    before = answer(sequences)
    alone = answer([put(text, first, start) for text, start in zip(sequences, starts, strict=True)]) - before
    gap = len(first) + spacing
    other = (
        answer([put(text, second, start + gap) for text, start in zip(sequences, starts, strict=True)])
        - before
    )
    both = answer([pair(text, (first, second), spacing) for text in sequences]) - before
    found = {"first": alone, "second": other, "both": both, "epistasis": both - alone - other}
    return pd.DataFrame(
        [(name, *effect(changes).row()) for name, changes in found.items()], columns=["what", *COLUMNS]
    )
