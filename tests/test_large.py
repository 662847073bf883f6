"""Very many records: samples take the place of all, and say so; the numbers of single records stay what they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bioloom.data import large
from bioloom.modalities import combined, modalities
from bioloom.modalities.combined import combined_features, features_of
from bioloom.modalities.dna import plant_motif


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
    assert large.held_out(0.15, 10_000_000) * 10_000_000 == pytest.approx(50_000)
    assert large.held_out(0.001, 10_000_000) == 0.001


def test_a_sample_is_part_of_the_rows_in_order_and_follows_from_the_seed():
    rows = np.arange(5, 1000, 3)
    chosen = large.sample(rows, 50, 4)
    assert len(chosen) == 50
    assert (np.diff(chosen) > 0).all()
    assert np.isin(chosen, rows).all()
    np.testing.assert_array_equal(chosen, large.sample(rows, 50, 4))
    assert large.sample(rows, 5000, 4) is rows
