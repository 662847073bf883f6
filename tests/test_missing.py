"""Words for missing cells, and the values that look like them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bioloom.data.reading.missing import with_missing


def blanked(cells: list[str]) -> tuple[list[str], tuple[str, ...]]:
    column = np.array(cells, dtype=object)
    done, notes = with_missing({"x": column})
    assert column.tolist() == cells, "the column given is not changed"
    return ["-" if isinstance(cell, float) else cell for cell in done["x"].tolist()], notes


@pytest.mark.parametrize(
    "word", ["", "NA", "NaN", "nan", "N/A", "n/a", "#N/A", "null", "NULL", "None", "none", "#DIV/0!"]
)
def test_words_among_numbers_are_missing(word: str) -> None:
    cells, notes = blanked(["1.5", word, "2"])
    assert cells == ["1.5", "-", "2"]
    assert bool(notes) == bool(word), "empty cells need no note"


@pytest.mark.parametrize("word", ["None", "none", "null", "NULL"])
def test_null_and_none_are_values_among_text(word: str) -> None:
    cells, notes = blanked(["wild", word, "wild"])
    assert cells == ["wild", word, "wild"]
    assert f'"{word}" is text in column "x" (1 cell)' in notes[0]


def test_a_column_of_nothing_but_null_is_text() -> None:
    assert blanked(["null", "null", ""])[0] == ["null", "null", "-"]


def test_na_among_dinucleotides_is_a_value() -> None:
    pairs = ["".join(pair) for pair in itertools.product("ACGN", repeat=2)]
    cells, notes = blanked(pairs)
    assert cells == pairs
    assert '"NA" is text' in notes[0]


def test_na_among_long_sequences_is_missing() -> None:
    rng = np.random.default_rng(0)
    long = ["".join(rng.choice(list("ACGT"), 30)) for _ in range(20)]
    cells, notes = blanked([*long, "NA"])
    assert cells[-1] == "-"
    assert '1 cell "NA" in column x' in notes[0]


@pytest.mark.parametrize("values", [["M", "F"], ["yes", "no"], ["A", "B", "C"]])
def test_na_among_few_classes_is_missing(values: list[str]) -> None:
    assert blanked([*values * 10, "NA"])[0][-1] == "-"


def test_notes_of_many_columns_stay_short() -> None:
    columns = {f"c{i}": np.array(["1", "NA"], dtype=object) for i in range(1000)}
    notes = with_missing(columns)[1]
    assert notes == ('read as missing: 1,000 cells "NA" in columns c0, c1, c2, c3, c4 and 995 more',)
