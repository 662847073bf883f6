"""`bioloom design` on a model that has learned a planted motif: it plants it, keeps the rules, and a judge agrees."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

import bioloom
from bioloom.cli import main
from bioloom.inquiry.model import SequenceModel
from bioloom.modalities import Signal
from bioloom.models import apply
from bioloom.models.ensemble import members_of
from small_runs import FAST, motif_table

PARENT = "ACGTACGATTGAATACGTAC"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("design")
    motif_table(400).to_csv(folder / "motif.csv", index=False)
    bioloom.train(
        folder / "motif.csv",
        target="bound",
        outdir=folder / "run",
        settings=FAST | {"training.members": 2},
        quiet=True,
    )
    return folder


def test_designs_raise_the_answer_within_the_rules_and_a_judge_agrees(run, capsys):
    words = [
        "design",
        run / "run",
        "--parent",
        PARENT,
        "--outdir",
        run / "designs",
        "--count",
        6,
        "--steps",
        30,
        "--width",
        16,
    ]
    rules = [
        "--fixed",
        "1-3",
        "--gc",
        "0.3-0.7",
        "--longest-run",
        3,
        "--without",
        "EcoRI",
        "--pool",
        "--json",
        "--quiet",
    ]
    pool = ["--primers", "GGTTAACCGATCGTA,CATGCCAAGTTGTCA", "--keep-unlike"]
    code = main([*map(str, [*words, *rules, *pool])])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    summary = json.loads(shown.out)["summary"]
    assert summary["designer_expects"] > 1.0
    assert summary["judge_expects"] > 0.5
    assert summary["optimism"] == pytest.approx(summary["designer_expects"] - summary["judge_expects"])
    table = pd.read_csv(run / "designs" / "designs.csv")
    assert len(table) == 6
    assert (table["sequence"].str[:3] == PARENT[:3]).all()
    assert table["gc"].between(0.3, 0.7).all()
    assert not table["sequence"].str.contains("GAATTC").any()
    oligos = pd.read_csv(run / "designs" / "pool.csv")
    assert oligos["kind"].value_counts()["design"] == 6
    assert oligos["barcode"].is_unique
    assert (run / "designs" / "pool.fasta").read_text().count(">") == len(oligos)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--fixed", "1-20"], "Every position is fixed"),
        (["--without", "EcoR1x"], "neither an enzyme nor a word"),
        (["--method", "evolv"], 'Did you mean "evolve"'),
        (["--gc", "high"], "no range"),
        (["--fixed", "1-x"], "no position"),
        (["--aim", "up"], "no aim"),
        (["--also", "run"], "names no aim"),
        (["--coding", "1-20"], "whole codons"),
        (["--fixed", "10-1"], "no stretch of positions"),
        (["--judge", "RUN"], "cannot judge its own designs"),
        (["--pool", "--primers", "GGXX,ACGT"], 'holds "X"'),
        (["--parent", "ACGTZ"], "no letter of it"),
    ],
)
def test_mistakes_are_told_in_words(run, capsys, words, told):
    judge = [] if "--judge" in words else ["--no-judge"]
    given = [str(run / "run") if word == "RUN" else word for word in words]
    code = main(
        [*map(str, ["design", run / "run", "--parent", PARENT, "--outdir", run / "no", *judge, *given])]
    )
    assert code == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_the_gradient_of_the_networks_is_that_of_the_answer_and_designs_with_it(run, capsys):
    model = SequenceModel(run / "run")
    slope = model.slope([PARENT, PARENT[::-1]], "TGCA")
    assert slope.shape == (2, 4, 20)

    def answer(letters):
        """The mean log-odds of letters that are mixed, (4, 20): what the slope is of."""
        modality = model.model.modalities[model.name]
        resident = modality.encode(model.model.frames({model.column: [PARENT]})[model.name]).on("cpu")
        mask = resident.batch(model.model.index(1)).mask
        x = torch.from_numpy(letters[None]).float()
        told = [apply(each, {model.name: Signal(x, mask)}) for each in members_of(model.model.network)]
        return float(torch.stack(told).detach().mean())

    first = np.array([[letter == each for each in PARENT] for letter in "ACGT"], dtype=np.float64)
    step = 1e-2 * np.random.default_rng(0).normal(size=(4, 20))
    change = (answer(first + step) - answer(first - step)) / 2
    assert (slope[0][[3, 2, 1, 0]] * step).sum() == pytest.approx(change, rel=0.05)
    words = ["design", run / "run", "--parent", PARENT, "--outdir", run / "climbed", "--method", "gradient"]
    more = ["--steps", 15, "--width", 8, "--count", 3, "--no-judge", "--keep-unlike", "--json", "--quiet"]
    assert main([*map(str, [*words, *more])]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert summary["designer_expects"] > 2


@pytest.mark.parametrize(
    ("kind", "rules", "letters"),
    [
        ("rna", ["--gc", "0.2-0.8", "--without", "UGUA", "--pool", "--barcode", "0"], "ACGU"),
        ("protein", ["--without", "AAXA", "--with", "WW"], "ACDEFGHIKLMNPQRSTVWY"),
    ],
)
@pytest.mark.parametrize("method", ["beam", "gradient"])
def test_rna_and_proteins_are_designed_in_their_own_letters(
    kind, rules, letters, method, runs_of_kinds, capsys
):
    folder, parent = runs_of_kinds[kind]
    words = ["design", folder, "--parent", parent, "--outdir", folder / method, "--no-judge", "--keep-unlike"]
    more = ["--method", method, "--steps", 4, "--width", 6, "--count", 3, "--json", "--quiet", *rules]
    assert main([*map(str, [*words, *more])]) == 0, capsys.readouterr().err
    table = pd.read_csv(folder / method / "designs.csv")
    assert len(table) == 3
    assert set("".join(table["sequence"])) <= set(letters)
    assert ("gc" in table) == (kind == "rna")
    if kind == "rna":
        pool = pd.read_csv(folder / method / "pool.csv")
        assert set("".join(pool["oligo"])) <= set("ACGT")
        assert not table["sequence"].str.contains("UGUA").any()
        assert parent.replace("U", "T") in set(pool["design"])
    else:
        assert table["sequence"].str.contains("WW").all()


def test_what_belongs_to_dna_is_refused_for_proteins(runs_of_kinds, capsys):
    folder, parent = runs_of_kinds["protein"]
    for words, told in ((["--gc", "0.4-0.6"], "rules for DNA"), (["--pool"], "Oligos are made of DNA")):
        asked = ["design", folder, "--parent", parent, "--outdir", folder / "no", "--no-judge", *words]
        assert main([*map(str, asked)]) == 2
        assert told in " ".join(capsys.readouterr().err.split())


@pytest.fixture(scope="module")
def runs_of_kinds(tmp_path_factory):
    """A run on RNA and one on proteins, of two networks that have hardly learned, and a sequence of each."""
    folder = tmp_path_factory.mktemp("kinds")
    found = {}
    for kind, letters in (("rna", "ACGU"), ("protein", "ACDEFGHIKLMNPQRSTVWY")):
        random = np.random.default_rng(0)
        texts = ["".join(random.choice(list(letters), 30)) for _ in range(80)]
        frame = pd.DataFrame(
            {"sequence": texts, "value": [text.count("A") + 0.1 * len(set(text)) for text in texts]}
        )
        settings = FAST | {"training.epochs": 3, "training.members": 2, "split.method": "random"}
        outdir = folder / kind
        bioloom.train(
            frame, target="value", inputs=[f"sequence={kind}"], outdir=outdir, settings=settings, quiet=True
        )
        found[kind] = outdir, texts[0]
    return found
