"""Profiles from a file to a report, and predictions for files that lack genes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom.data.simulate import simulate
from bioloom.errors import UserError
from bioloom.events import Silent
from bioloom.journey.denoise import Wish, judge, restore_counts
from bioloom.journey.prepare import Request
from bioloom.recipe import Recipe
from bioloom.run import Run
from bioloom.workflow import check, predict
from small_runs import FAST

QUICK = FAST | {"model.network": "auto", "training.learning_rate": 0.01, "training.epochs": 15}


def samples() -> pd.DataFrame:
    """Counts of 120 genes in 90 samples, with a batch and a column that gives the condition away."""
    made = simulate("pathway", 90, 0)
    genes = [name for name in made.frame if name.startswith("gene_")]
    kept = sorted({*made.truth["pathway"], *genes[:120]}, key=lambda name: int(name[5:]))
    return made.frame[["id", "condition", "batch", *kept]].assign(drug=made.frame["condition"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A matrix with samples in columns, and gene sets with the planted one."""
    folder = tmp_path_factory.mktemp("omics")
    frame = samples()
    frame.set_index("id").T.to_csv(folder / "counts.tsv", sep="\t", index_label="sample")
    planted = simulate("pathway", 90, 0).truth["pathway"]
    others = [name for name in frame if name.startswith("gene_") and name not in planted]
    sets = [("PLANTED", planted), *((f"OTHER_{n}", others[8 * n : 8 * n + 8]) for n in range(8))]
    (folder / "sets.gmt").write_text("".join("\t".join([name, "", *genes]) + "\n" for name, genes in sets))
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    settings = QUICK | {"encoding.omics.gene_sets": str(folder / "sets.gmt")}
    return bioloom.train(
        folder / "counts.tsv", target="condition", settings=settings, outdir=folder / "run", quiet=True
    )


def test_a_matrix_on_its_side_is_trained_on_and_its_description_is_no_input(run: Run) -> None:
    (each,) = run.result["data"]["inputs"]
    assert each["modality"] == "omics"
    assert not {"batch", "drug"} & set(each["columns"])
    assert any("turned round" in note for note in run.result["data"]["notes"])
    assert {"batch", "drug"} <= set(run.result["data"]["unused_columns"])


def test_a_random_forest_stands_beside_the_network(run: Run) -> None:
    assert run.result["scores"]["baselines"]["forest"]["title"] == "random forest"
    assert "forest" in {each["against"] for each in run.result["comparison"]}


def test_a_column_beside_the_profile_that_gives_the_answer_away_is_told(run: Run) -> None:
    (found,) = [each for each in run.findings if each["code"] == "leak.unused_column"]
    assert "drug" in found["answer"]


def test_the_planted_gene_set_moves_the_prediction_most(run: Run) -> None:
    (entry,) = [each for each in run.result["explanation"] if each["method"] == "occlusion"]
    assert "PLANTED" in entry["text"]
    assert any("sets of features" in figure["title"] for figure in entry["figures"])


def test_predictions_need_neither_all_genes_nor_their_order(run: Run) -> None:
    frame = samples().drop(columns=["condition", "batch", "drug"])
    whole = predict(run.folder, frame).frame
    lacking = frame[frame.columns[::-1]].drop(columns=["gene_50", "gene_51"]).copy().assign(gene_9999=3)
    found = predict(run.folder, lacking).frame
    column = next(name for name in whole if name.startswith("p("))
    assert np.corrcoef(whole[column], found[column])[0, 1] > 0.95
    pd.testing.assert_frame_equal(predict(run.folder, frame[frame.columns[::-1]]).frame, whole)


def test_predict_says_what_is_missing_and_what_is_not_used(run: Run, tmp_path: Path) -> None:
    frame = samples().drop(columns=["condition", "batch", "drug", "gene_50"]).copy().assign(gene_9999=3)
    frame.to_csv(tmp_path / "new.csv", index=False)
    notes = " ".join(predict(run.folder, tmp_path / "new.csv").notes)
    assert "(gene_50)" in notes
    assert "1 other column is in new.csv" in notes


def test_new_samples_in_columns_are_turned_round_and_that_is_said(run: Run, tmp_path: Path) -> None:
    frame = samples().drop(columns=["condition", "batch", "drug"]).iloc[:2]
    upright = predict(run.folder, frame)
    frame.set_index("id").T.to_csv(tmp_path / "new.csv")
    found = predict(run.folder, tmp_path / "new.csv")
    pd.testing.assert_frame_equal(found.frame, upright.frame)
    assert "turned round: its first column holds what the model reads" in " ".join(found.notes)


def test_a_file_of_other_genes_is_refused_with_what_is_missing(run: Run) -> None:
    frame = samples().rename(columns=lambda name: name.replace("gene_", "protein"))
    with pytest.raises(UserError, match="columns that the model reads are not in"):
        predict(run.folder, frame)


def test_genes_and_a_column_beside_them_can_be_two_inputs() -> None:
    found = check(Request(samples(), target=("condition",), inputs=("gene_*", "batch")))
    assert {"input omics", "input table"} <= set(found.facts)


def test_denoising_says_whether_it_helped_and_writes_every_cell(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    programmes = random.dirichlet(np.full(60, 0.2), size=3)
    shares = random.dirichlet(np.full(3, 0.3), size=120) @ programmes
    counts = np.stack([random.multinomial(200, share) for share in shares])
    frame = pd.DataFrame(counts, columns=[f"gene_{n}" for n in range(60)])
    frame.insert(0, "id", [f"cell{n}" for n in range(120)])
    recipe = Recipe.model_validate({"training": {"epochs": 5}, "threads": 1})
    found = restore_counts(Wish(frame, recipe), tmp_path / "run", Silent())
    written = pd.read_csv(tmp_path / "run" / "denoised.csv")
    assert written["id"].tolist() == frame["id"].tolist()
    np.testing.assert_allclose(
        written.iloc[:, 1:].sum(axis=1), found.frame.iloc[:, 1:].sum(axis=1), rtol=1e-3
    )
    assert found.content["scores"]["low_rank"]["bits_per_molecule"] > 0.1
    assert found.content["used"] == judge(found.told)[0]
    assert (tmp_path / "run" / "denoised.svg").exists()


def test_denoising_refuses_what_is_no_counts(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(80, 60)), columns=[f"gene_{n}" for n in range(60)]
    )
    with pytest.raises(UserError, match="no counts"):
        restore_counts(Wish(frame), tmp_path / "run", Silent())


def test_a_batch_is_suggested_as_a_group_unless_it_is_one() -> None:
    found = check(Request(samples(), target=("condition",)))
    (note,) = [each for each in found.problems if each.code == "columns.batch"]
    assert note.column == "batch"
    assert "data.group=batch" in note.fix
    grouped = check(Request(samples(), target=("condition",), settings={"data.group": "batch"}))
    assert not [each for each in grouped.problems if each.code == "columns.batch"]


def test_how_profiles_are_read_makes_no_record_unlike_the_others(run: Run) -> None:
    found = predict(run.folder, samples().drop(columns=["condition", "batch", "drug"]))
    assert any(note.startswith("profiles are read") for note in found.notes)
    assert (found.frame["unlike"] == "").mean() > 0.5
