"""The same five commands on real data of every kind: check, train, predict, explain, report.

Some records of each file, and trainings too short to learn much: what is tested is that every kind of data goes the
same way, not how well.
"""

from __future__ import annotations

import csv
import gzip
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bioloom.cli import main

QUICK = {
    "training.epochs": 1,
    "training.members": 1,
    "evaluation.draws": 100,
    "evaluation.shuffles": 1,
    "evaluation.shares": "[]",
    "explanation.records": 2,
    "split.folds": 1,
}


@dataclass(frozen=True)
class Kind:
    """Real data of one kind.

    make:     writes some of the records into a folder; gives the file, and files of labels
    words:    of the command line beside the file
    modality: what the input is read as
    settings: to make it quick
    """

    make: Callable[[Path, Path], tuple[Path, list[Path]]]
    words: tuple[str, ...]
    modality: str
    settings: tuple[str, ...] = ()


def rows(name: str, count: int) -> Callable[[Path, Path], tuple[Path, list[Path]]]:
    """Some rows of a table, spread over the file."""

    def make(data: Path, folder: Path) -> tuple[Path, list[Path]]:
        frame = pd.read_csv(data / name, dtype=str, keep_default_na=False)
        path = folder / f"{Path(name).name.partition('.')[0]}.csv"
        frame.iloc[:: max(1, len(frame) // count)].head(count).to_csv(path, index=False)
        return path, []

    return make


def pictures(data: Path, folder: Path) -> tuple[Path, list[Path]]:
    """Some pictures of each part."""
    steps = {"train": 60, "val": 20, "test": 20}  # every so many
    with np.load(data / "image/pneumonia_28px.npz") as whole:
        kept = {name: whole[name][:: steps[name.partition("_")[0]]] for name in whole}
    np.savez(folder / "pneumonia.npz", **kept)
    return folder / "pneumonia.npz", []


def digits(data: Path, folder: Path) -> tuple[Path, list[Path]]:
    """Columns of pixels without a header."""
    with gzip.open(data / "image/mnist_5k.csv.gz", "rt") as stream:
        lines = stream.readlines()[::20]
    (folder / "digits.csv").write_text("".join(lines))
    return folder / "digits.csv", []


def complexes(data: Path, folder: Path) -> tuple[Path, list[Path]]:
    """The smallest structures, unpacked beside their table."""
    with tarfile.open(data / "structure/protein_complexes.tgz") as archive:
        members = [each for each in archive if each.isfile() and "/._" not in each.name]
        small = sorted((each for each in members if each.name.endswith(".pdb")), key=lambda each: each.size)[
            :14
        ]
        for each in small:
            (folder / Path(each.name).name).write_bytes(archive.extractfile(each).read())
    frame = pd.read_csv(data / "structure/protein_complexes.csv")
    frame[frame["structure"].isin([Path(each.name).name for each in small])].to_csv(
        folder / "complexes.csv", index=False
    )
    return folder / "complexes.csv", []


def profiles(data: Path, folder: Path) -> tuple[Path, list[Path]]:
    """Samples in columns, as the file came."""
    with gzip.open(data / "omics/gut_microbiome_colorectal.tsv.gz", "rt") as stream:
        (folder / "microbiome.tsv").write_text(stream.read())
    return folder / "microbiome.tsv", []


def residues(data: Path, folder: Path) -> tuple[Path, list[Path]]:
    """Chains and two files of labels."""
    paths = []
    for name in ("sequences", "sampled", "mask"):
        with gzip.open(data / f"protein/secondary_structure/{name}.fasta.gz", "rt") as stream:
            records = stream.read().split(">")[1:]
        paths.append(folder / f"{name}.fasta")
        paths[-1].write_text("".join(f">{each}" for each in records[::200]))
    return paths[0], paths[1:]


MOLECULES = ("--target", "measured log solubility in mols per litre", "--input", "smiles=molecule")
KINDS = {
    "dna": Kind(rows("dna/splice_junctions.csv", 120), ("--target", "site"), "dna", ("model.network=cnn",)),
    "rna": Kind(rows("rna/splice_site_mpsa.csv.gz", 120), ("--target", "psi_log10"), "rna", ("model.network=cnn",)),
    "protein": Kind(rows("protein/amyloid.csv.gz", 120), ("--target", "score"), "protein", ("model.network=cnn",)),
    "table": Kind(rows("table/manufacturing_yield.csv", 176), ("--target", "yield"), "table"),
    "molecule": Kind(rows("table/esol.csv", 80), MOLECULES, "molecule", ("model.settings.width=16",)),
    "pictures": Kind(pictures, (), "image", ("model.settings.width=4",)),
    "pixels": Kind(digits, ("--target", "column_785", "--input", "column_*=image", "--task", "multiclass"),
                   "image", ("model.settings.width=4",)),
    "structure": Kind(complexes, ("--target", "binding_dg"), "structure", ("model.settings.width=16",)),
    "omics": Kind(profiles, ("--target", "disease"), "omics"),
    "positions": Kind(residues, ("--target", "sampled"), "protein", ("model.settings.width=8",)),
}  # fmt: skip


@dataclass(frozen=True)
class Done:
    """One kind after `train`."""

    kind: Kind
    file: Path
    asked: list[str]
    run: Path


@pytest.fixture(scope="module", params=list(KINDS))
def done(request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    kind, folder = KINDS[request.param], tmp_path_factory.mktemp(request.param)
    file, labels = kind.make(shared_data, folder)
    asked = [str(file), *kind.words, *(word for path in labels for word in ("--labels", str(path)))]
    settings = [*(f"{key}={value}" for key, value in QUICK.items()), *kind.settings]
    told = [word for setting in settings for word in ("--set", setting)]
    run = folder / "run"
    assert (
        main(["train", *asked, *told, "--budget", "fast", "--threads", "1", "--outdir", str(run), "--quiet"])
        == 0
    )
    return Done(kind, file, asked, run)


def test_check_says_what_train_then_uses(done: Done, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *done.asked, "--json"]) == 0
    checked = json.loads(capsys.readouterr().out)
    result = json.loads((done.run / "result.json").read_text())
    assert [each["modality"] for each in result["data"]["inputs"]] == [done.kind.modality]
    assert f"{result['data']['used']:,} of {checked['rows']:,} rows can be used" == checked["facts"]["used"]
    assert not [each for each in checked["problems"] if each["severity"] == "fatal"]


def test_a_score_stands_beside_its_interval_and_simpler_models(done: Done) -> None:
    scores = json.loads((done.run / "result.json").read_text())["scores"]
    for score in scores["model"].values():
        assert score["value"] is not None or score["undefined"]
        assert score["low"] is not None or score["undefined"]
    assert {"trivial", "nearest", "simple"} <= set(scores["baselines"])


def test_predict_answers_row_for_row(done: Done, tmp_path: Path) -> None:
    out = tmp_path / "predicted.csv"
    assert main(["predict", str(done.run), str(done.file), "--out", str(out), "--quiet"]) == 0
    with out.open(newline="") as stream:
        predicted = list(csv.DictReader(stream))
    result = json.loads((done.run / "result.json").read_text())
    assert len(predicted) == result["data"]["rows"]
    answered = [row for row in predicted if list(row.values())[1]]
    assert len(answered) == result["data"]["used"]


def test_explain_draws_what_moves_a_prediction(done: Done, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(done.run), "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told
    folder = done.run / "explanations"
    assert list(folder.rglob("*.npz"))
    assert list(folder.rglob("*.csv"))


def test_the_report_is_written_again_to_the_same_bytes(done: Done) -> None:
    page = done.run / "report.html"
    before = page.read_bytes()
    assert main(["report", str(done.run)]) == 0
    assert page.read_bytes() == before
