"""The reference page on modalities says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from bioloom.modalities import modalities
from bioloom.modalities.letters import clean
from bioloom.modalities.sequence import SequenceModality

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "modalities.md").read_text(encoding="utf-8")
SEQUENCES = {name: each for name, each in modalities.items() if issubclass(each, SequenceModality)}


def rows(first_column: str) -> list[list[str]]:
    """The cells of the table with this heading in its first column."""
    lines = PAGE.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {first_column} |"))
    body = lines[start + 2 :]
    end = next((n for n, line in enumerate(body) if not line.startswith("|")), len(body))
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in body[:end]]


CHARACTERS = rows("modality | cell")


@pytest.mark.parametrize("row", CHARACTERS, ids=lambda row: f"{row[0]} {row[1]}")
def test_each_character_is_treated_as_the_page_says(row):
    name, cell, read_as, code, _ = row
    column = pd.Series([None if cell == "(empty)" else cell], name="sequence", dtype=object)
    found = {problem.code: problem.severity for problem in SEQUENCES[name].check(column.to_frame())}
    if read_as == "dropped":
        assert found == {code: "drop"}
        return
    assert found[code] == "note"
    assert set(found.values()) == {"note"}
    assert clean(column, SEQUENCES[name].alphabet).tolist() == [read_as]


def test_the_page_lists_exactly_the_mixtures_of_each_alphabet():
    listed: dict[str, dict[str, str]] = {"dna": {}, "rna": {}, "protein": {}}
    for code, *members in rows("code"):
        for name, letters in zip(listed, members, strict=True):
            if letters:
                listed[name][code] = letters
    assert listed == {name: dict(each.alphabet.mixtures) for name, each in SEQUENCES.items()}


def test_the_page_lists_every_modality():
    assert {row[0] for row in rows("modality | what it is")} >= {*SEQUENCES, "table"}


def test_the_page_names_exactly_the_problems_that_exist():
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src/bioloom/modalities").glob("*.py")
    )
    code = r"\b(?:sequence|table)\.[a-z_]+\b"
    assert set(re.findall(f"`({code})`", PAGE)) == set(re.findall(f'"({code})"', source))
