"""What structures tell of each residue: exposure and contacts, as targets at every position."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bioloom.cli import main
from bioloom.data.stores import from_text
from bioloom.errors import UserError
from bioloom.events import Silent
from bioloom.journey.prepare import Request, prepare
from bioloom.journey.residues import tell_residues
from bioloom.modalities.structure_demo import salt_bridges
from bioloom.modalities.survey import Cells


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve hairpins as PDB files."""
    root = tmp_path_factory.mktemp("hairpins")
    cells = salt_bridges(12, 0)[0].inputs["structure"]["structure"]
    for number, cell in enumerate(cells):
        (root / f"hairpin{number}.pdb").write_bytes(bytes(from_text(cell)))
    return root


@pytest.fixture(scope="module")
def table(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    out = tmp_path_factory.mktemp("out") / "residues.csv"
    found = tell_residues(str(folder), out, Silent())
    frame = pd.read_csv(out)
    assert (found.chains, found.left_out) == (len(frame), ())
    return frame


def test_each_chain_has_as_many_numbers_as_residues(table: pd.DataFrame) -> None:
    assert len(table) == 12
    for column in ("accessibility", "contacts"):
        assert [len(cell.split()) for cell in table[column]] == [len(each) for each in table["sequence"]]
    assert table["id"].is_unique


def test_exposure_is_that_of_the_survey(folder: Path, table: pd.DataFrame) -> None:
    names = pd.DataFrame({"structure": [str(folder / name) for name in table["structure"]]})
    from bioloom.data.assets import from_program

    cells = Cells.of(from_program(names))
    for row in range(len(table)):
        told = np.array(table["accessibility"][row].split(), dtype=float)
        np.testing.assert_allclose(told, cells.survey(row).exposure, atol=5e-4)


def test_contacts_are_those_of_heavy_atoms_counted_one_by_one(folder: Path, table: pd.DataFrame) -> None:
    lines = (folder / table["structure"][0]).read_text().splitlines()
    atoms = [(int(line[22:26]), np.array([float(line[30 + 8 * i : 38 + 8 * i]) for i in range(3)]))
             for line in lines if line.startswith("ATOM")]  # fmt: skip
    numbers = sorted({number for number, _ in atoms})
    expected = []
    for one in numbers:
        near = {
            other
            for number, place in atoms
            if number == one
            for other, there in atoms
            if abs(other - one) >= 4 and np.linalg.norm(place - there) < 5.5
        }
        expected.append(len(near))
    assert [int(word) for word in table["contacts"][0].split()] == expected


def test_the_table_is_taken_for_targets_at_every_position(table: pd.DataFrame, tmp_path: Path) -> None:
    table.to_csv(tmp_path / "residues.csv", index=False)
    # small counts read as letters too
    for target, task in (
        ("accessibility", ""),
        ("contacts", "position_values"),
    ):
        asked = Request(str(tmp_path / "residues.csv"), target=(target,), inputs=("sequence",), task=task)
        prepared = prepare(asked)
        assert prepared.recipe.data.task == "position_values"
        assert prepared.recipe.data.inputs["sequence"].modality == "protein"


def test_files_that_are_no_structures_are_left_out_and_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.pdb").write_text("no structure")
    assert main(["data", "residues", str(tmp_path), "--out", str(tmp_path / "out" / "r.csv")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "12 chains" in shown
    assert "left out: broken.pdb: it holds no coordinates" in shown


def test_data_without_structures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(UserError, match="no column of structures"):
        tell_residues(str(tmp_path / "t.csv"), tmp_path / "r.csv", Silent())
