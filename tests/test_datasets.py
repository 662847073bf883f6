"""The data sets that come with bioloom."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioloom.data import datasets
from bioloom.data.columns import kind_of
from bioloom.data.readers import read
from bioloom.errors import UserError
from bioloom.journey.prepare import Request, prepare
from bioloom.workflow import check

NAMES = ["ecoli_promoters_106", "lac_promoter", "manufacturing_yield", "splice_junctions"]


def test_the_list_is_complete_and_small() -> None:
    folder = datasets.path("lac_promoter").parent
    files = {path.name for path in folder.iterdir() if ".csv" in path.name}
    assert list(datasets.datasets) == NAMES
    assert {data.file for data in datasets.datasets.values()} == files
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 1_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_what_it_says(name: str) -> None:
    data = datasets.datasets[name]
    frame = read(datasets.path(name)).frame
    assert len(frame) == data.rows
    assert kind_of(frame[data.target]) == ("number" if data.task == "regression" else "category")
    assert frame[data.target].notna().all()


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_attributed(name: str) -> None:
    data = datasets.datasets[name]
    text = (datasets.path(name).parent / "ATTRIBUTION.md").read_text()
    _, _, section = text.partition(f"## {data.file}\n")
    section = section.split("\n## ")[0]
    assert data.citation.split("doi:")[1] in section
    assert data.licence in section


def test_an_unknown_name_is_told_with_a_guess() -> None:
    with pytest.raises(UserError, match='Did you mean "lac_promoter"'):
        datasets.path("lac_promotor")


def test_a_name_is_read_where_no_such_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = read("ecoli_promoters_106")
    assert len(table.frame) == 106
    assert "comes with bioloom" in table.notes[0]
    assert table.target == "promoter"
    (tmp_path / "ecoli_promoters_106").write_text("a,b\n1,2\n")
    assert len(read("ecoli_promoters_106").frame) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_has_a_target_of_its_own(name: str) -> None:
    assert check(Request(name)).facts["task"]
    assert prepare(Request(name)).recipe.data.target == (datasets.datasets[name].target,)


def test_another_target_of_a_data_set_can_be_named() -> None:
    other = prepare(Request("manufacturing_yield", target=("man_proc_01",)))
    assert other.recipe.data.target == ("man_proc_01",)


def test_the_bundled_data_are_those_of_the_sources(shared_data: Path) -> None:
    sources = {
        "lac_promoter": "dna/lac_promoter.csv.gz",
        "splice_junctions": "dna/splice_junctions.csv",
        "ecoli_promoters_106": "dna/ecoli_promoters_106.csv",
        "manufacturing_yield": "table/manufacturing_yield.csv",
    }
    for name, source in sources.items():
        assert read(datasets.path(name)).frame.equals(read(shared_data / source).frame)
