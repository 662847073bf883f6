"""Learning without labels, from a file to codes: what is trained, judged, written, and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom import workflow
from bioloom.errors import UserError
from bioloom.journey.described import Drawing
from bioloom.run import Run

QUICK = {
    "training.epochs": 30,
    "training.learning_rate": 0.01,
    "training.batch_size": 32,
    "evaluation.draws": 100,
    "evaluation.shares": [],
    "split.folds": 1,
    "threads": 1,
}


def curved(records: int, seed: int) -> pd.DataFrame:
    """Twelve features on a curved surface of two numbers, and a tissue that the first number decides."""
    random = np.random.default_rng(seed)
    state = random.normal(size=(records, 2))
    weights = np.random.default_rng(99).normal(size=(2, 12))
    x = 2 * np.tanh(1.5 * state @ weights) + 0.2 * random.normal(size=(records, 12))
    frame = pd.DataFrame(x, columns=[f"m{number + 1}" for number in range(12)])
    frame.insert(0, "id", [f"r{number}" for number in range(records)])
    frame["tissue"] = np.where(state[:, 0] > 0, "liver", "brain")
    return frame


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("unlabelled") / "run"
    return bioloom.train(
        curved(300, 0), task="reconstruct", exclude="tissue", settings=QUICK, outdir=folder, quiet=True
    )


def test_the_run_says_how_much_is_kept_and_beside_what(restored: Run) -> None:
    verdict = restored.verdict
    assert "From 3 numbers the network restores" in verdict
    assert "principal components with as many" in verdict
    assert set(restored.result["scores"]["baselines"]) == {"trivial", "simple"}
    assert restored.scores["variance_explained"]["low"] is not None
    page = restored.report.read_text()
    assert "Map of the records" in page
    assert "How well each feature is restored" in page
    codes = {finding["code"] for finding in restored.findings}
    assert not codes & {"leak.input_column", "leak.ids", "leak.shuffled_labels", "leak.conflicting_labels"}


def test_codes_and_features_are_written_for_all(restored: Run) -> None:
    codes = pd.read_csv(restored.folder / "codes.csv")
    assert list(codes.columns) == ["id", "part", "code 1", "code 2", "code 3", "tissue"]
    assert len(codes) == 300
    features = pd.read_csv(restored.folder / "features.csv")
    assert list(features["feature"]) == [f"m{number + 1}" for number in range(12)]
    assert features["explained"].between(features["low"], features["high"]).all()


def test_embedding_gives_a_row_for_each_row_and_the_codes_of_the_run(restored: Run, tmp_path: Path) -> None:
    out, picture = tmp_path / "codes.npz", tmp_path / "map.svg"
    asked = workflow.Embedding(drawing=Drawing(picture, "tissue"))
    found = workflow.embed(restored.folder, curved(300, 0), out, asked=asked)
    codes = pd.read_csv(restored.folder / "codes.csv")
    names = ["code 1", "code 2", "code 3"]
    assert found.frame[names].to_numpy() == pytest.approx(codes[names].to_numpy(), abs=1e-4)
    assert np.load(out)["codes"].shape == (300, 3)
    assert "liver" in picture.read_text()


def test_rows_that_cannot_be_read_stay_and_say_so(restored: Run) -> None:
    frame = curved(20, 1).astype({"m1": object})
    frame.loc[4, "m1"] = "lost"
    found = bioloom.embed(restored.folder, frame, quiet=True).frame
    assert len(found) == 20
    assert list(np.flatnonzero(found["problem"] != "")) == [4]
    assert found.loc[4, ["code 1", "code 2"]].isna().all()


def test_predicting_restores_every_feature(restored: Run) -> None:
    fresh = curved(50, 2)
    found = bioloom.predict(restored.folder, fresh, quiet=True).frame
    names = [f"m{number + 1}" for number in range(12)]
    table = restored.model.modalities[next(iter(restored.model.modalities))]
    seen = table.encode(fresh[names]).on("cpu").batch(restored.model.index(50)).x.numpy()
    left = ((found[names].to_numpy() - seen) ** 2).sum() / ((seen - seen.mean(axis=0)) ** 2).sum()
    assert left < 0.5


def test_the_same_seed_gives_the_same_bytes(restored: Run, tmp_path: Path) -> None:
    again = bioloom.train(
        curved(300, 0),
        task="reconstruct",
        exclude="tissue",
        settings=QUICK,
        outdir=tmp_path / "run",
        quiet=True,
    )
    for name in ("codes.csv", "features.csv", "model/weights.safetensors"):
        assert (again.folder / name).read_bytes() == (restored.folder / name).read_bytes()


def test_a_target_and_an_explanation_are_refused_with_advice(restored: Run) -> None:
    with pytest.raises(UserError, match="learns without labels, so it has no target"):
        workflow.dry_run(workflow.Request(curved(60, 0), target=("tissue",), task="reconstruct"))
    with pytest.raises(UserError, match="no prediction to explain"):
        workflow.explain(restored.folder, curved(20, 0))


def test_check_needs_no_target(restored: Run) -> None:
    checked = bioloom.check(curved(100, 0), task="reconstruct", exclude="tissue", quiet=True)
    assert checked is not None


def test_a_sequence_can_be_restored_too(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    halves = ["".join(random.choice(list("ACGT"), 6)) for _ in range(4)]
    rows = [halves[a] + halves[b] for a, b in random.integers(0, 4, (120, 2))]
    noisy = [
        "".join(letter if random.random() > 0.1 else random.choice(list("ACGT")) for letter in row)
        for row in rows
    ]
    run = bioloom.train(
        pd.DataFrame({"sequence": noisy}),
        task="reconstruct",
        inputs="sequence=dna",
        settings=QUICK | {"split.method": "random"},
        outdir=tmp_path / "run",
        quiet=True,
    )
    assert len(pd.read_csv(run.folder / "features.csv")) == 4 * 12
    assert run.scores["variance_explained"]["value"] > 0.2


def test_a_network_that_predicts_describes_records_too_and_a_simple_model_does_not(
    finished: Run, motif_file: Path
) -> None:
    found = workflow.embed(finished.folder, str(motif_file), asked=workflow.Embedding("network"))
    assert len(found.frame) == 240
    assert found.frame["code 1"].notna().all()
    with pytest.raises(UserError, match="does not describe records by numbers"):
        workflow.embed(finished.folder, str(motif_file), asked=workflow.Embedding("simple"))
