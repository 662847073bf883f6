"""What columns do to the whole model: in the report of a table, and by name."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import bioloom
from bioloom.errors import UserError
from bioloom.modalities.table import Table
from bioloom.run import Run, load
from small_runs import FAST

SMALL = {**FAST, "model.network": "mlp"}

TRUE = {"glucose_g_per_l", "strain"}
"""The columns that decide the yield in the demo of tables; four others do nothing."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A fast run on cultures under six conditions."""
    folder = tmp_path_factory.mktemp("columns")
    records = Table.demo(240, 0).records
    table = pd.concat([records.inputs["conditions"], records.targets], axis=1)
    table.to_csv(folder / "cultures.csv", index=False)
    bioloom.train(
        folder / "cultures.csv", target="yield_g_per_l", outdir=folder / "run", settings=SMALL, quiet=True
    )
    return load(folder / "run")


def test_the_report_of_a_table_says_which_columns_the_model_needs(run: Run) -> None:
    (entry,) = [each for each in run.result["explanation"] if each["method"] == "permutation_importance"]
    assert entry["model"]
    numbers = pd.read_csv(run.folder / entry["file"])
    assert set(numbers["columns"][:2]) == TRUE
    assert (numbers["low"][:2] > 0).all()
    assert (numbers["importance"][2:] < 0.1).all()
    assert "glucose_g_per_l" in entry["text"]
    assert "partial_dependence" in {each["method"] for each in run.result["explanation"]}
    page = (run.folder / "report.html").read_text()
    assert "Which columns the model needs to predict well" in page
    assert entry["model"] in page


def test_all_that_is_told_of_columns_is_asked_for_by_name(run: Run) -> None:
    methods = ["permutation_importance", "partial_dependence", "interactions", "occlusion"]
    entries = bioloom.explain(run.folder, method=methods, quiet=True)
    assert [each["method"] for each in entries] == methods
    for entry in entries:
        assert (run.folder / entry["file"]).exists()
        assert entry["figures"]
        assert all((run.folder / each["file"]).read_text().count("<svg") == 1 for each in entry["figures"])
    curves = pd.read_csv(run.folder / entries[1]["file"])
    glucose = curves[curves["column"] == "glucose_g_per_l"]["mean"]
    assert glucose.iloc[-1] > glucose.iloc[0] + 1
    json.dumps(entries, allow_nan=False)


def test_records_of_a_file_have_no_truth_to_lose(run: Run) -> None:
    with pytest.raises(UserError, match="test records"):
        bioloom.explain(
            run.folder, run.folder.parent / "cultures.csv", method="permutation_importance", quiet=True
        )


def test_a_model_of_sequences_has_no_columns(finished: Run) -> None:
    with pytest.raises(UserError, match="no input of this model is made of columns"):
        bioloom.explain(finished.folder, method="interactions", quiet=True)


def test_a_misspelt_method_is_refused_before_training(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="permutation"):
        bioloom.train(
            run.folder.parent / "cultures.csv", target="yield_g_per_l", outdir=tmp_path / "run",
            settings={**SMALL, "explanation.methods": ["permutation_importnce"]}, quiet=True,
        )  # fmt: skip
