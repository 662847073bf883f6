"""Pairs of a drug and a protein: splits that hold out drugs, proteins, or both."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
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


# ---- what is joined from other files ---------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    drugs = [f"C{'C' * n}C(=O)NC{n + 1}=CC=CC=C{n + 1}" for n in range(6)]
    random = np.random.default_rng(0)
    chains = ["".join(random.choice(list("ACDEFGHIKLMNPQRSTVWY"), 40)) for _ in range(5)]
    pd.DataFrame({"drug": list("abcdef"), "smiles": drugs}).to_csv(tmp_path / "drugs.csv", index=False)
    proteins = pd.DataFrame(
        {"protein": list("vwxyz"), "chain": chains, "tail": [each[::-1] for each in chains]}
    )
    proteins.to_csv(tmp_path / "proteins.csv", index=False)
    both = [(drug, protein) for drug in "abcdef" for protein in "vwxyz"]
    pairs = pd.DataFrame(both, columns=["drug", "protein"])
    pairs = pairs.assign(dose=np.arange(30.0), affinity=random.normal(size=30))
    pairs.to_csv(tmp_path / "pairs.csv", index=False)
    return tmp_path


def found(
    files: Path, *join: str, inputs: str | tuple[str, ...] = (), target: str = "affinity"
) -> dict[str, str]:
    """Of each input its columns, as `bioloom check` tells them."""
    words = [f"{files}/{word}" for word in join]
    recipe = tomllib.loads(
        bioloom.check(files / "pairs.csv", target, inputs=inputs, join=words, quiet=True).recipe
    )
    return {name: " ".join(each["columns"]) for name, each in recipe["data"]["inputs"].items()}


def test_each_joined_file_is_an_input_called_after_it(files: Path) -> None:
    assert found(files, "drugs.csv=drug") == {"drugs": "drugs:smiles"}


def test_a_file_with_two_sequences_gives_two_inputs(files: Path) -> None:
    told = found(files, "drugs.csv=drug", "proteins.csv=protein")
    chains = {f"proteins:{name}": f"proteins:{name}" for name in ("chain", "tail")}
    assert told == {"drugs": "drugs:smiles", **chains}


def test_named_inputs_stand_beside_joined_ones_and_may_choose_among_their_columns(files: Path) -> None:
    told = found(files, "drugs.csv=drug", "proteins.csv=protein", inputs=("dose", "proteins:tail"))
    assert told == {"table": "dose", "proteins:tail": "proteins:tail", "drugs": "drugs:smiles"}


def test_what_is_predicted_may_stand_in_a_joined_file(files: Path) -> None:
    pd.DataFrame({"protein": list("vwxyz"), "mass": [3.0, 1, 4, 1, 5]}).to_csv(
        files / "mass.csv", index=False
    )
    told = found(files, "mass.csv=protein", "drugs.csv=drug", target="mass:mass")
    assert told == {"drugs": "drugs:smiles"}


def test_check_says_from_which_file_an_input_is(files: Path) -> None:
    told = bioloom.check(files / "pairs.csv", "affinity", join=f"{files}/drugs.csv=drug", quiet=True)
    assert told.facts["input drugs"] == f"molecule: from {files}/drugs.csv, by drug"
