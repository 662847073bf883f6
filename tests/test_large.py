"""Very many records: samples take the place of all, and say so; the numbers of single records stay what they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bioloom.data import large
from bioloom.data.similarity.copies import exact_groups, hashed_groups
from bioloom.data.simulate.motif import plant_motif
from bioloom.errors import UserError
from bioloom.modalities import combined, letters, modalities, sequence
from bioloom.modalities.combined import combined_features, features_of


def test_features_of_some_records_are_those_of_all_whatever_the_block(monkeypatch: pytest.MonkeyPatch):
    sequences, _ = plant_motif(30, 30, 0)
    inputs = {"sequence": pd.DataFrame({"sequence": sequences})}
    fitted = {"sequence": modalities["dna"].fit(inputs["sequence"])}
    every = combined_features(fitted, inputs)
    monkeypatch.setattr(combined, "BLOCK", 7)
    rows = np.array([3, 4, 10, 11, 12, 20, 33, 41, 50, 51, 59])
    some = features_of(fitted, inputs, rows)
    assert some.features.names == every.names
    np.testing.assert_array_equal(some.features.values, every.values[rows])
    np.testing.assert_array_equal(some.of(np.array([59, 10])), every.values[[59, 10]])


def test_the_shares_held_out_shrink_only_where_records_are_many():
    assert large.held_out(0.15, 200_000) == 0.15
    assert large.held_out(0.15, 10_000_000) * 10_000_000 == pytest.approx(25_000)
    assert large.held_out(0.001, 10_000_000) == 0.001


def test_a_sample_is_part_of_the_rows_in_order_and_follows_from_the_seed():
    rows = np.arange(5, 1000, 3)
    chosen = large.sample(rows, 50, 4)
    assert len(chosen) == 50
    assert (np.diff(chosen) > 0).all()
    assert np.isin(chosen, rows).all()
    np.testing.assert_array_equal(chosen, large.sample(rows, 50, 4))
    assert large.sample(rows, 5000, 4) is rows


def same_groups(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two labellings put the same records together."""
    pairs = len(set(zip(one.tolist(), other.tolist(), strict=True)))
    return pairs == len(set(one.tolist())) == len(set(other.tolist()))


@pytest.mark.parametrize("both_strands", [True, False])
def test_copies_by_hash_are_the_copies_letter_by_letter(both_strands: bool):
    random = np.random.default_rng(0)
    texts = np.array(["".join(random.choice(list("ACGTN"), 3)) for _ in range(400)], dtype=object)
    exact = exact_groups(texts, both_strands=both_strands)
    hashed = hashed_groups(iter([texts[:150], texts[150:]]), both_strands=both_strands)
    assert same_groups(exact, hashed)
    assert (hashed <= np.arange(400)).all()  # each label is the place of the first of its group


ODD = [
    "ACGTNACGTACG",
    "acgtacgtacgt",
    "ACGU",
    None,
    "AC GTACGTAAA",
    "ACGTXACGT",
    "",
    "ACG-TACGTRRY",
    "NNNNNNNA",
]


def problems_of(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    found = modalities["dna"].check(frame)
    return [(each.code, each.severity, each.message, each.fix, each.rows.tolist()) for each in found]


def test_a_column_read_part_by_part_is_checked_and_encoded_as_if_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
):
    cells = pd.DataFrame({"sequence": pd.Series(ODD * 5, dtype=object)})
    usable = pd.DataFrame({"sequence": pd.Series([ODD[0], ODD[1], ODD[2], ODD[4], ODD[7]] * 5, dtype=object)})
    aligned = pd.DataFrame({"sequence": [ODD[0], "AAGTNACGTACC", "ACGTNACGTACC"] * 4})

    def everything() -> tuple[object, ...]:
        kinds = [modalities["dna"].fit(frame) for frame in (usable, aligned)]
        encoded = kinds[0].encode(usable)
        return (
            problems_of(cells),
            [kind.state() for kind in kinds],
            encoded.tokens.tolist(),
            encoded.lengths.tolist(),
            [(each.code, each.rows.tolist()) for each in kinds[1].notes(usable)],
            modalities["dna"].properties(usable).tolist(),
        )

    at_once = everything()
    monkeypatch.setattr(letters, "CELLS", 4)
    monkeypatch.setattr(sequence, "CELLS", 4)
    assert everything() == at_once


def test_a_wrong_letter_in_a_later_part_is_told_by_its_number_in_the_column(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(letters, "CELLS", 4)
    column = pd.Series(["ACGT"] * 6 + ["ACXT"], name="sequence")
    with pytest.raises(UserError, match="Record 7 holds 'X' at position 3"):
        list(letters.token_parts(column, modalities["dna"].alphabet))
