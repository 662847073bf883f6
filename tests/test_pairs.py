"""Pairs of a drug and a protein: splits that hold out drugs, proteins, or both."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bioloom.data.similarity.copies import linked_groups
from bioloom.errors import UserError
from bioloom.journey.division import divide
from bioloom.journey.prepare import Request, prepare

DRUGS = ["c1ccccc1O", "C1CCCCC1N", "c1ccncc1C", "c1ccc2ccccc2c1", "C1CCNCC1", "c1ccoc1C", "c1ccsc1", "C1CC1C(=O)O",
         "c1cc[nH]c1", "C1COCCN1", "c1cnccn1", "C1CCCC1"]  # fmt: skip
PROTEINS = [
    "".join(np.random.default_rng(seed).choice(list("ACDEFGHIKLMNPQRSTVWY"), 60)) for seed in range(12)
]


def pairs(blocks: int = 1) -> pd.DataFrame:
    """Every drug with every protein of its block."""
    rows = [
        (drug, protein)
        for one, drug in enumerate(DRUGS)
        for other, protein in enumerate(PROTEINS)
        if one % blocks == other % blocks
    ]
    frame = pd.DataFrame(rows, columns=["drug", "protein"])
    return frame.assign(affinity=np.random.default_rng(0).normal(size=len(frame)))


def parts(frame: pd.DataFrame, by: list[str]) -> pd.Series:
    settings = {"split.by": by, "split.folds": 1}
    prepared = prepare(Request(frame, target=("affinity",), settings=settings))
    assert {each.modality for each in prepared.recipe.data.inputs.values()} == {"molecule", "protein"}
    return pd.Series(divide(prepared).split.part)


@pytest.mark.parametrize("held_out", ["drug", "protein"])
def test_nothing_of_the_named_input_is_on_both_sides(held_out: str) -> None:
    frame = pairs()
    part = parts(frame, [held_out])
    assert (
        frame.groupby(held_out).apply(lambda rows: part[rows.index].nunique(), include_groups=False).max()
        == 1
    )
    other = "protein" if held_out == "drug" else "drug"
    assert set(frame[other][part == "test"]) <= set(frame[other][part == "train"])


def test_pairs_of_which_neither_was_seen() -> None:
    frame = pairs(blocks=6)
    part = parts(frame, ["drug", "protein"])
    for name in ("drug", "protein"):
        assert not set(frame[name][part == "test"]) & set(frame[name][part != "test"])


def test_an_input_that_does_not_exist_is_told() -> None:
    with pytest.raises(UserError, match='no input "drugs"'):
        parts(pairs(), ["drugs"])


def test_linked_groups_are_the_components_of_both_labellings() -> None:
    assert linked_groups(np.array([0, 0, 1, 2, 3]), np.array([5, 6, 6, 7, 8])).tolist() == [0, 0, 0, 1, 2]
