"""`bioloom motifs` as a person gives it."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from bioloom.cli import main
from bioloom.modalities.shuffles import shuffled_texts
from bioloom.motifs.formats import read_motifs, write_motifs
from bioloom.motifs.motif import Motif, from_sites


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    motifs = [from_sites("box", ["TATAAT"] * 30), from_sites("cre", ["TGACGTCA"] * 25)]
    others = [Motif(f"m{n}", rng.dirichlet((0.3,) * 4, size=9).T, sites=40.0) for n in range(25)]
    (tmp_path / "motifs.meme").write_text(write_motifs([*motifs, *others]))
    texts = ["".join(rng.choice(list("ACGT"), 100)) for _ in range(120)]
    bound = [text[:40] + "TGACGTCA" + text[48:] if number % 2 else text for number, text in enumerate(texts)]
    (tmp_path / "bound.fa").write_text("".join(f">s{number}\n{text}\n" for number, text in enumerate(bound)))
    (tmp_path / "long.fa").write_text(
        "".join(f">s{number}\n{text * 2}\n" for number, text in enumerate(texts))
    )
    return tmp_path


def motifs(capsys, *words):
    code = main(["motifs", *map(str, words)])
    return code, capsys.readouterr()


def as_table(shown):
    return pd.read_csv(io.StringIO(shown.out), sep="\t", keep_default_na=False)


def test_motifs_are_listed_and_converted(files, capsys):
    code, shown = motifs(capsys, "show", files / "motifs.meme", "--json")
    assert code == 0
    first = json.loads(shown.out)["motifs"][0]
    assert (first["motif"], first["positions"], first["sites"], first["consensus"]) == (
        "box",
        6,
        30.0,
        "TATAAT",
    )
    code, _ = motifs(capsys, "convert", files / "motifs.meme", "--out", files / "motifs.jaspar")
    assert code == 0
    assert [motif.name for motif in read_motifs(files / "motifs.jaspar")][:2] == ["box", "cre"]


def test_logos_are_drawn_with_their_names(files, capsys):
    code, _ = motifs(
        capsys, "draw", files / "motifs.meme", "--name", "cre", "--name", "box", "--out", files / "logos.svg"
    )
    assert code == 0
    text = (files / "logos.svg").read_text()
    ElementTree.fromstring(text)
    assert ">cre<" in text
    assert ">box<" in text


def test_a_part_of_a_motif_is_found_among_others(files, capsys):
    (part,) = [motif for motif in read_motifs(files / "motifs.meme") if motif.name == "m7"]
    (files / "part.meme").write_text(write_motifs([Motif("part", part.frequencies[:, 1:8])]))
    code, shown = motifs(capsys, "compare", files / "part.meme", files / "motifs.meme", "--top", 1)
    assert code == 0
    assert as_table(shown)["target"].tolist() == ["m7"]


def test_copies_are_grouped_into_one_motif(files, capsys):
    known = read_motifs(files / "motifs.meme")
    copies = [
        Motif(f"{motif.name}_again", motif.reverse_complement.frequencies, sites=20.0) for motif in known[2:6]
    ]
    (files / "all.meme").write_text(write_motifs([*known, *copies]))
    code, shown = motifs(capsys, "group", files / "all.meme", "--out", files / "kinds.meme")
    assert code == 0
    table = as_table(shown).set_index("motif")["kind"]
    assert all(table[f"m{number}"] == table[f"m{number}_again"] for number in range(4))
    assert len(read_motifs(files / "kinds.meme")) == table.nunique() == len(known)


def test_a_planted_motif_is_enriched_beside_shuffles_and_beside_others(files, capsys):
    code, shown = motifs(capsys, "enrich", files / "motifs.meme", files / "bound.fa")
    assert code == 0
    first = as_table(shown).iloc[0]
    assert first["motif"] == "cre"
    assert first["with_site"] >= 60
    assert first["q_value"] < 1e-6
    assert "shuffled" in shown.err
    _, shown = motifs(
        capsys, "enrich", files / "motifs.meme", files / "bound.fa", "--against", files / "long.fa"
    )
    assert "differ in length" in shown.err


def test_shuffled_texts_keep_neighbours_and_ends():
    texts = ["ACGTTGCAACGTNNACGT", "A", "", "GGGGCCCC" * 5]
    again = shuffled_texts(texts, seed=3)
    for text, other in zip(texts, again, strict=True):
        assert sorted(pairwise(text)) == sorted(pairwise(other))
        assert text[:1] == other[:1]
    assert again == shuffled_texts(texts, seed=3)
    assert again[0] != shuffled_texts(texts, seed=4)[0] or again[3] != shuffled_texts(texts, seed=4)[3]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["draw", "motifs.meme", "--name", "bax", "--out", "x.svg"], 'Did you mean "box"'),
        (["convert", "motifs.meme", "--out", "x.txt"], "cannot be told"),
        (["show", "jaspar:nothing"], "JASPAR"),
        (["enrich", "motifs.meme", "absent.fa"], "no such file"),
    ],
)
def test_mistakes_are_told_in_words(files, capsys, words, told):
    paths = [str(files / word) if "." in word else word for word in words]
    code, shown = motifs(capsys, *paths)
    assert code == 2
    assert told in " ".join(shown.err.split())
