"""`bioloom motifs discover` and `filters` on a model that has learned a planted motif: both find it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom.cli import main
from small_runs import FAST, motif_table


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motifs")
    motif_table(600).to_csv(folder / "motif.csv", index=False)
    settings = FAST | {"model.settings": {"filters": 16}, "training.members": 2}
    bioloom.train(folder / "motif.csv", target="bound", outdir=folder / "run", settings=settings, quiet=True)
    return folder


def asked(capsys, *words):
    code = main([*map(str, words)])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    return json.loads(shown.out)["motifs"], shown.err


def test_the_planted_motif_is_discovered_with_its_sites(run, capsys):
    words = ["--file", run / "motif.csv", "--width", 6, "--database", run / "planted.meme"]
    (run / "planted.meme").write_text(
        "MEME version 4\n\nMOTIF planted\nletter-probability matrix: alength= 4 w= 6\n"
        + "".join(f"{' '.join(str(float(each == letter)) for each in 'ACGT')}\n" for letter in "CCGGAA")
    )
    found, _ = asked(capsys, "motifs", "discover", run / "run", "--outdir", run / "found", "--json", *words)
    assert "CGGA" in found[0]["consensus"]
    assert found[0]["motif"].startswith("raises_")
    sites = pd.read_csv(run / "found" / "sites.tsv", sep="\t")
    assert len(sites[sites["motif"] == found[0]["motif"]]) == found[0]["sites"]
    for name in ("motifs.tsv", "motifs.meme", "contributions.svg", "information.svg"):
        assert (run / "found" / name).stat().st_size > 100


def test_filters_are_told_by_what_the_answers_lose_without_them(run, capsys):
    words = ["--file", run / "motif.csv", "--outdir", run / "filters", "--json"]
    found, told = asked(capsys, "motifs", "filters", run / "run", *words)
    effects = np.abs([each["effect"] for each in found])
    assert (np.diff(effects) <= 0).all()
    assert effects[0] > 10 * effects[-1]
    assert any(word in each["consensus"] for each in found[:4] for word in ("CCGG", "CGGA", "GGAA"))
    assert "filters answer to words" in " ".join(told.split())
    assert (run / "filters" / "weights.svg").exists()
    other, _ = asked(capsys, "motifs", "filters", run / "run", "--member", 2, *words)
    assert other != found
    assert main(["motifs", "filters", str(run / "run"), "--member", "3", "--outdir", str(run / "none")]) == 2
    assert "The model has 2 networks" in " ".join(capsys.readouterr().err.split())


def test_a_network_that_begins_with_no_convolution_has_no_filters(tmp_path, capsys):
    motif_table(120).to_csv(tmp_path / "motif.csv", index=False)
    settings = FAST | {"model.network": "additive_map", "training.epochs": 2, "training.learning_rate": 0.0}
    bioloom.train(
        tmp_path / "motif.csv", target="bound", outdir=tmp_path / "run", settings=settings, quiet=True
    )
    assert main(["motifs", "filters", str(tmp_path / "run"), "--outdir", str(tmp_path / "none")]) == 2
    assert "does not begin with a convolution" in " ".join(capsys.readouterr().err.split())
