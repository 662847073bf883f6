"""`bioloom scan` as a person gives it."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from bioloom.cli import main
from bioloom.motifs import stretches

MOTIF = ">box\nA [ 0 30 0 30 30 0 ]\nC [ 0 0 0 0 0 0 ]\nG [ 0 0 0 0 0 0 ]\nT [ 30 0 30 0 0 30 ]\n"


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), 400)) for _ in range(12)]
    texts = [text[:100] + "TATAAT" + text[106:] for text in texts]
    (tmp_path / "motifs.txt").write_text(MOTIF)
    (tmp_path / "seqs.fa").write_text("".join(f">s{number}\n{text}\n" for number, text in enumerate(texts)))
    pd.DataFrame({"id": [f"s{n}" for n in range(12)], "promoter": texts, "y": range(12)}).to_csv(
        tmp_path / "seqs.csv", index=False
    )
    (tmp_path / "all.bed").write_text("".join(f"s{number}\t90\t120\n" for number in range(12)))
    return tmp_path


def scan(capsys, *words):
    code = main(["scan", *map(str, words)])
    return code, capsys.readouterr()


def test_planted_sites_are_found_in_each_kind_of_file(files, capsys):
    tables = []
    for source in ("seqs.fa", "seqs.csv"):
        code, shown = scan(capsys, files / "motifs.txt", files / source, "--p-value", "0.0003")
        assert code == 0
        tables.append(pd.read_csv(io.StringIO(shown.out), sep="\t", keep_default_na=False))
    pd.testing.assert_frame_equal(tables[0], tables[1])
    planted = tables[0][(tables[0]["start"] == 100) & (tables[0]["strand"] == "+")]
    assert planted["sequence"].tolist() == [f"s{number}" for number in range(12)]
    code, shown = scan(
        capsys,
        files / "motifs.txt",
        files / "seqs.fa",
        "--bed",
        files / "all.bed",
        "--forward-only",
        "--p-value",
        "0.0003",
    )
    regions = pd.read_csv(io.StringIO(shown.out), sep="\t")
    assert regions["start"].tolist() == [100] * 12


def test_a_file_read_in_parts_gives_the_same_sites(files, capsys, monkeypatch):
    _, whole = scan(capsys, files / "motifs.txt", files / "seqs.fa", "--p-value", "0.01")
    monkeypatch.setattr(stretches, "TOGETHER", 1000)
    code, _ = scan(
        capsys, files / "motifs.txt", files / "seqs.fa", "--p-value", "0.01", "--out", files / "sites.tsv"
    )
    assert code == 0
    assert (files / "sites.tsv").read_text() == whole.out


def test_a_background_can_be_learned_or_given(files, capsys):
    for background in (["sequences"], ["sequences", "--order", "2"], ["0.3,0.2,0.2,0.3"]):
        code, shown = scan(
            capsys, files / "motifs.txt", files / "seqs.fa", "--background", *background, "--p-value", "0.001"
        )
        assert code == 0
        assert "TATAAT" in shown.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["motifs.txt", "seqs.fa", "--p-value", "2"], "not possible"),
        (["motifs.txt", "seqs.fa", "--background", "human"], "no background"),
        (["motifs.txt", "seqs.fa", "--order", "1"], "has no order"),
        (["motifs.txt", "seqs.csv", "--column", "promotor"], "Did you mean"),
        (["motifs.txt", "absent.fa"], "no such file"),
        (["absent.txt", "seqs.fa"], "no such motif file"),
        (["seqs.fa", "seqs.fa"], "no number"),
    ],
)
def test_mistakes_are_told_in_words(files, capsys, words, told):
    paths = [str(files / word) if "." in word and word[0] not in "-0" else word for word in words]
    code, shown = scan(capsys, *paths)
    assert code == 2
    assert told in " ".join(shown.err.split())


def test_a_hopeless_motif_and_lopsided_letters_are_told(files, capsys):
    (files / "gc.fa").write_text(">one\n" + "GCGCGGCC" * 50 + "\n")
    _, shown = scan(capsys, files / "motifs.txt", files / "gc.fa")
    assert "too short or too vague" in shown.err
    assert "100% of the letters are G or C" in shown.err
