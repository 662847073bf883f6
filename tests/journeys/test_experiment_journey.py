"""`bioloom experiment` and `bioloom variants` on a model that has learned a planted motif."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom.cli import main
from small_runs import FAST, motif_table


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on sequences of 20 nt with a planted motif; the folder of the run and of the table."""
    folder = tmp_path_factory.mktemp("experiment")
    motif_table(400).to_csv(folder / "motif.csv", index=False)
    settings = FAST | {"training.members": 2, "evaluation.deliver": "network"}
    bioloom.train(folder / "motif.csv", target="bound", outdir=folder / "run", settings=settings)
    return folder


def told(capsys, *words):
    code = main([*map(str, words)])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    return pd.read_csv(io.StringIO(shown.out), sep="\t", keep_default_na=False, na_values=[""])


def test_the_planted_motif_raises_the_odds_and_its_stretch_matters(run, capsys):
    table = motif_table(400)
    bound = table[table["bound"] == "yes"]["sequence"]
    word = "".join(bound.str[place].mode()[0] for place in range(7, 13))
    found = told(capsys, "experiment", "motif", run / "run", word, "AAAAAA", "--at", 8, "--records", 40)
    assert found["motif"][0] == word
    assert found["low"][0] > 0.3
    tiles = told(
        capsys,
        "experiment",
        "tile",
        run / "run",
        "--width",
        6,
        "--step",
        7,
        "--figure",
        run / "tiles.svg",
        "--records",
        30,
    )
    strongest = tiles.loc[tiles["effect"].abs().idxmax()]
    assert 4 <= strongest["start"] <= 10
    assert "<svg" in (run / "tiles.svg").read_text()


def test_the_other_experiments_write_tables_and_figures(run, capsys):
    space = told(
        capsys,
        "experiment",
        "space",
        run / "run",
        "CCG",
        "GAA",
        "--most",
        4,
        "--step",
        2,
        "--figure",
        run / "s.png",
    )
    assert len(space) == 12
    assert (run / "s.png").stat().st_size > 5000
    pair = told(capsys, "experiment", "pair", run / "run", "CCG", "GAA", "--spacing", 2)
    assert pair["what"].tolist() == ["first", "second", "both", "epistasis"]
    assert len(told(capsys, "experiment", "stretch", run / "run", 8, 13)) == 1
    pairs = told(
        capsys, "experiment", "pairs", run / "run", "--start", 8, "--end", 13, "--figure", run / "p.svg"
    )
    assert len(pairs) == 15


def test_the_motif_that_the_model_uses_is_discovered(run, capsys):
    found = told(
        capsys,
        "motifs",
        "discover",
        run / "run",
        "--outdir",
        run / "found",
        "--width",
        6,
        "--file",
        run / "motif.csv",
        "--records",
        200,
    )
    raising = found[found["effect"] > 0]
    assert len(raising) >= 1
    assert raising["sites"].iloc[0] >= 40
    sites = pd.read_csv(run / "found" / "sites.tsv", sep="\t")
    first = sites[sites["motif"] == raising["motif"].iloc[0]]
    assert 4 <= first["start"].median() <= 10
    assert "<svg" in (run / "found" / "contributions.svg").read_text()


def test_records_that_were_learned_from_come_behind_tested_ones_where_these_are_few(run):
    finished = bioloom.load(run / "run")
    parts = pd.read_csv(run / "run" / "split.csv", dtype=str).set_index("id")["part"]
    tested = int((parts == "test").sum())
    frames, ids = finished.test_records(tested + 30, others=True)
    assert (parts[ids] == "test").tolist() == [True] * tested + [False] * 30
    assert len(set(ids)) == len(ids) == len(frames["sequence"])
    assert len(finished.test_records(tested + 30)[1]) == tested


def test_variants_of_a_vcf_keep_their_rows_and_say_what_is_wrong(run, capsys):
    text = "".join(np.random.default_rng(0).choice(list("ACGT"), 90))
    (run / "genome.fa").write_text(f">chr1\n{text}\n")
    other = "A" if text[39] != "A" else "C"
    rows = [
        f"chr1\t40\trs1\t{text[39]}\t{other}",
        f"chr1\t40\trs2\t{text[39]}\t{text[39]}GG,*",
        f"chr1\t40\trs3\t{other}\t{text[39]}",
        "chr9\t4\trs4\tA\tG",
    ]
    (run / "v.vcf").write_text("##fileformat=VCFv4.2\n" + "\n".join(rows) + "\n")
    found = told(capsys, "variants", run / "run", run / "v.vcf", "--genome", run / "genome.fa", "--shifts", 1)
    assert found["line"].tolist() == [2, 3, 3, 4, 5]
    assert found["effect"].notna().tolist() == [True, True, False, False, False]
    assert (found["low"][:2] <= found["effect"][:2]).all()
    assert "the genome has" in found["problem"][3]
    assert "no sequence" in found["problem"][4]


def test_mutations_of_a_parent_and_all_substitutions_agree(run, capsys):
    parent = "ACGTACGCCGGAATACGTAC"
    (run / "m.csv").write_text(f"mutation\nA1C\nWT\n{parent[9]}10T\nG1C\n")
    found = told(capsys, "variants", run / "run", run / "m.csv", "--parent", parent)
    assert found["effect"].notna().tolist() == [True, True, True, False]
    assert found["effect"][1] == 0.0
    assert "replaces G" in found["problem"][3]
    every = told(capsys, "variants", run / "run", parent, "--all", "--figure", run / "map.svg").set_index(
        "mutation"
    )
    assert len(every) == 60
    assert every.loc["A1C", "effect"] == pytest.approx(found["effect"][0], abs=1e-4)
    assert "<svg" in (run / "map.svg").read_text()


def test_pairs_of_sequences_are_compared_by_name(run, capsys):
    (run / "one.fa").write_text(">a\nACGTACGCCGGAATACGTAC\n>b\nACGTACGCCGGAATACGTAC\n")
    (run / "two.fa").write_text(">a\nACGTACGAAAGAATACGTAC\n>c\nACGTACGCCGGAATACGTAC\n")
    found = told(capsys, "variants", run / "run", run / "one.fa", "--against", run / "two.fa")
    assert found["name"].tolist() == ["a", "b", "c"]
    assert found["effect"].notna().tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("words", "words_told"),
    [
        (["variants", "RUN", "m.csv"], "one of --genome, --parent"),
        (["experiment", "motif", "RUN", "ACGT", "--output", "maybe"], 'no output "maybe"'),
        (["experiment", "motif", "RUN", "A" * 40], "takes 40 letters"),
        (["experiment", "tile", "RUN", "--width", "30"], "A window takes 30"),
        (["experiment", "motif", "nowhere", "ACGT"], "nowhere"),
    ],
)
def test_mistakes_are_told_in_words(run, capsys, words, words_told):
    code = main([str(run / "run") if word == "RUN" else word for word in words])
    assert code == 2
    assert words_told in " ".join(capsys.readouterr().err.split())
