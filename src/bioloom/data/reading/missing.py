"""Which cells are missing: empty ones, and words that stand for "no value".

An empty cell is always missing. The words below are missing too, with two exceptions that keep real values:

* `None` and `null` are missing in a column of numbers only: "null" is an allele, "None" a treatment.
* `NA`, `NaN` and `nan` stay as text where they can be a value: the column holds letters only, more than ten
  different cells, and another one that is as short (dinucleotides, dipeptides, country codes).

Every word that was read as missing, and every one that was kept, is told in a note.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.columns import ENOUGH, as_numbers
from bioloom.data.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Column = NDArray[np.object_]

EVERYWHERE = frozenset(
    {"NA", "NaN", "nan", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaT"}
    | {"#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"}  # what Excel writes for a failed formula
)
"""Words that are missing in every column."""

AMONG_NUMBERS = frozenset({"None", "none", "null", "NULL"})
"""Words that are missing in a column of numbers only."""

_LETTERS = frozenset({"NA", "NaN", "nan"})


def with_missing(columns: Mapping[str, Column]) -> tuple[dict[str, Column], tuple[str, ...]]:
    """The same columns with NaN in the place of missing cells, and what to tell the user about it."""
    done = dict(columns)
    gone: Counter[str] = Counter()
    places: list[str] = []
    kept: list[str] = []
    for name, column in columns.items():
        marked = pd.Series(column, dtype=object).isin(["", *EVERYWHERE, *AMONG_NUMBERS]).to_numpy()
        if not marked.any():
            continue
        words = Counter(word for word in column[marked].tolist() if word)
        others = [cell for cell in column[~marked].tolist() if isinstance(cell, str)] if words else []
        missing = {word for word in words if _is_missing(word, others)}
        done[name] = _blanked(column, marked, missing)
        gone.update({word: words[word] for word in missing})
        places += [name] if missing else []
        kept += [
            f'"{word}" is text in column "{name}" ({counted(words[word], "cell")})'
            for word in words.keys() - missing
        ]
    notes = (
        [f"read as missing: {_counts(gone)} in column{'s' * (len(places) > 1)} {listed(places)}"]
        if gone
        else []
    )
    notes += [f"{note}; leave such cells empty if they are missing" for note in sorted(kept)[:5]]
    return done, tuple(notes)


def _is_missing(word: str, others: list[str]) -> bool:
    """Whether a word is missing beside the other filled cells of its column."""
    if word in AMONG_NUMBERS:
        cells = pd.Series(others, dtype=object)
        return bool(others) and bool(1.0 - as_numbers(cells)[1].mean() >= ENOUGH)
    return word not in _LETTERS or not _may_be_value(word, others)


def _may_be_value(word: str, others: list[str]) -> bool:
    different = set(others)
    letters = sum(cell.isalpha() for cell in others) >= ENOUGH * len(others)
    return letters and len(different) > 10 and min(map(len, different)) <= len(word)


def _blanked(column: Column, marked: NDArray[np.bool_], missing: set[str]) -> Column:
    places = np.flatnonzero(marked)
    blanked = column.copy()
    blanked[[place for place in places if not column[place] or column[place] in missing]] = np.nan
    return blanked


def _counts(gone: Counter[str]) -> str:
    return ", ".join(f'{counted(count, "cell")} "{word}"' for word, count in gone.most_common(4))
