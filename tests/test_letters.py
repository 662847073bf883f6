"""Cells of text as tokens: against doing the same letter by letter in plain Python."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioloom.errors import UserError
from bioloom.modalities.dna import ALPHABET, Dna
from bioloom.modalities.letters import Tokens, clean, crop_start, tokenise
from bioloom.modalities.sequence import _length

CELLS = st.lists(st.none() | st.text("ACGTUacgtuNnRr-. \t1é?\0α", max_size=8), min_size=1, max_size=12)
SPACE = set(" \t")


def plainly(cell: str) -> str:
    """What a clean cell is read as."""
    letters = "".join(letter for letter in cell if letter not in SPACE).upper()
    return letters.replace("U", "T").replace(".", "-")


def fate(cell: str | None) -> str:
    if cell is None:
        return "sequence.missing"
    if set(cell) & set("1é?\0α"):
        return "sequence.letters"
    return "sequence.empty" if not plainly(cell).strip("-") else ""


@given(CELLS, st.sampled_from(["object", "str"]))
@settings(max_examples=300, deadline=None)
def test_every_cell_is_dropped_or_read_as_letter_by_letter(cells, dtype):
    column = pd.Series(cells, name="sequence", dtype=dtype)
    reasons = {
        int(row): p.code for p in Dna.check(column.to_frame()) if p.severity == "drop" for row in p.rows
    }
    assert reasons == {row: fate(cell) for row, cell in enumerate(cells) if fate(cell)}
    good = column[[row not in reasons for row in range(len(cells))]]
    assert clean(good, ALPHABET).tolist() == [plainly(cell) for cell in good]


@given(st.lists(st.text("ACGT", min_size=1, max_size=12), min_size=1, max_size=12), st.integers(1, 12))
@settings(max_examples=200, deadline=None)
def test_rows_are_padded_and_cropped_as_one_by_one(cells, width):
    matrix = tokenise(pd.Series(cells), ALPHABET).matrix(width, ALPHABET.padding)
    for row, cell in zip(matrix, cells, strict=True):
        kept = cell[crop_start(len(cell), width) :][:width]
        assert "".join("ACGT-_"[token] for token in row) == kept.ljust(width, "_")


def test_a_wrong_character_is_found_in_the_right_row():
    with pytest.raises(UserError, match="Record 3 holds 'J' at position 2") as caught:
        tokenise(pd.Series(["ACGT", "A", "TJJ", "C"], name="promoter"), ALPHABET)
    assert 'column "promoter"' in str(caught.value)


def test_no_cell_is_no_token():
    tokens = tokenise(pd.Series([], dtype=object), ALPHABET)
    assert isinstance(tokens, Tokens)
    assert tokens.matrix(3, ALPHABET.padding).shape == (0, 3)


def test_a_few_very_long_records_do_not_make_all_others_long():
    usual = np.full(100_000, 150, dtype=np.int64)
    assert _length(usual) == 150
    assert _length(np.append(usual, 300)) == 300
    assert _length(np.append(usual, 90_000)) == 2**31 // 100_001
    assert _length(np.append(usual[:10], 200_000)) == 100_000
