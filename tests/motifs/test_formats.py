"""Motif files are read as Biopython reads them, written so that both read them again, and refused with the line."""

from __future__ import annotations

import io

import numpy as np
import pytest
from Bio import motifs as oracle

from bioloom.errors import UserError
from bioloom.motifs.formats import FORMATS, read_motifs, write_motifs
from bioloom.motifs.motif import Motif

JASPAR = """>MA0004.1	Arnt
A  [ 4 19 0 0 0 0 ]
C  [16 0 20 0 0 0 ]
G  [ 0 1 0 20 0 20 ]
T  [ 0 0 0 0 20 0 ]

>MA0006.1 Ahr::Arnt
A  [ 3 0 0 0 0 0 ]
C  [ 8 0 23 0 0 0 ]
G  [ 2 23 0 23 0 24 ]
T  [11 1 1 1 24 0 ]
"""

MEME = """MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies
A 0.25 C 0.25 G 0.25 T 0.25

MOTIF MA0004.1 Arnt
letter-probability matrix: alength= 4 w= 3 nsites= 20 E= 0
 0.2  0.8  0.0  0.0
 0.95 0.0  0.05 0.0
 0.0  1.0  0.0  0.0
URL http://example.org/MA0004.1
"""

TRANSFAC = """AC  M00001
XX
ID  V$MYOD_01
XX
NA  MyoD
P0      A      C      G      T
01      1      2      2      0      S
02      2      1      2      0      R
03      3      0      1      1      A
XX
//
"""

HOMER = ">ATGACTCA\tAP-1(bZIP)/ThioMac\t6.49\t-1982.9\t0\n0.4 0.1 0.4 0.1\n0.9 0.03 0.04 0.03\n0.1 0.1 0.7 0.1\n".replace(
    " ", "\t"
)


def write(tmp_path, text, name="motifs.txt"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "form"), [(JASPAR, "jaspar"), (MEME, "minimal"), (TRANSFAC, "transfac")])
def test_files_are_read_as_biopython_reads_them(tmp_path, text, form):
    ours = read_motifs(write(tmp_path, text))
    theirs = oracle.parse(io.StringIO(text), form)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        counts = np.array([other.counts[letter] for letter in "ACGT"])
        np.testing.assert_allclose(one.probabilities(pseudocount=0), counts / counts.sum(axis=0), atol=1e-9)


def test_names_titles_and_sites_are_kept(tmp_path):
    one, two = read_motifs(write(tmp_path, JASPAR))
    assert (one.name, one.title, one.sites) == ("MA0004.1", "Arnt", 20)
    assert (two.name, two.title, two.sites) == ("MA0006.1", "Ahr::Arnt", 24)
    (meme,) = read_motifs(write(tmp_path, MEME))
    assert (meme.name, meme.title, meme.sites) == ("MA0004.1", "Arnt", 20)
    (transfac,) = read_motifs(write(tmp_path, TRANSFAC))
    assert (transfac.name, transfac.title, transfac.sites) == ("M00001", "MyoD", 5)
    (homer,) = read_motifs(write(tmp_path, HOMER))
    assert (homer.name, homer.sites, homer.consensus) == ("AP-1(bZIP)", None, "AAG")


def test_the_files_of_the_meme_suite_and_of_jaspar_as_they_come(tmp_path):
    dashes = MEME.replace("URL http", "-----------\n\tMotif 2\nURL http").replace("nsites= 20", "nsites= 0")
    (meme,) = read_motifs(write(tmp_path, dashes))
    assert len(meme) == 3
    assert meme.sites is None
    assert np.isfinite(meme.log_odds()).all()
    (tabs,) = read_motifs(write(tmp_path, TRANSFAC.replace("      ", "\t").replace("  ", "\t")))
    assert (tabs.name, len(tabs)) == ("M00001", 3)


def test_all_of_hocomoco_is_read(shared_data):
    motifs = read_motifs(shared_data / "motif" / "hocomoco_v11_human.pfm")
    assert len(motifs) == 401
    assert motifs[0].name == "AHR_HUMAN.H11MO.0.B"
    assert motifs[0].sites == pytest.approx(154, abs=1)


@pytest.mark.parametrize("form", list(FORMATS))
def test_what_is_written_is_read_again(tmp_path, form):
    rng = np.random.default_rng(4)
    motifs = [
        Motif(f"MA000{number}.1", rng.integers(1, 30, size=(4, width)).astype(float), f"F{number}", None)
        for number, width in enumerate((6, 4, 11))
    ]
    motifs = [Motif(m.name, m.frequencies / m.frequencies.sum(axis=0) * 40, m.title, 40.0) for m in motifs]
    again = read_motifs(write(tmp_path, write_motifs(motifs, form)), form)
    assert [motif.name for motif in again] == [motif.name for motif in motifs]
    for one, other in zip(motifs, again, strict=True):
        np.testing.assert_allclose(one.probabilities(0), other.probabilities(0), atol=2e-6)


@pytest.mark.parametrize(
    ("form", "theirs"), [("jaspar", "jaspar"), ("meme", "minimal"), ("transfac", "transfac")]
)
def test_biopython_reads_what_is_written(form, theirs):
    motif = Motif("MA1.1", np.array([[10.0, 1], [2, 3], [4, 4], [4, 12]]), "name", 20.0)
    (read,) = oracle.parse(io.StringIO(write_motifs([motif], form)), theirs)
    counts = np.array([read.counts[letter] for letter in "ACGT"])
    np.testing.assert_allclose(counts / counts.sum(axis=0), motif.probabilities(0), atol=1e-6)


def test_a_matrix_without_a_name_takes_that_of_its_file(tmp_path):
    (rows,) = read_motifs(write(tmp_path, "1 2 3 4 5\n0 1 0 0 1\n4 0 0 0 1\n0 0 0 1 0\n", "crp.txt"))
    assert (rows.name, len(rows)) == ("crp", 5)
    (columns,) = read_motifs(write(tmp_path, "A C G T\n1 2 3 4\n0 1 0 9\n", "crp.txt"))
    assert len(columns) == 2
    (square,) = read_motifs(write(tmp_path, "1 2 3 4\n0 1 0 9\n5 0 5 0\n10 0 0 0\n", "crp.txt"))
    np.testing.assert_array_equal(square.frequencies[:, 0], [1, 2, 3, 4])


def test_a_second_motif_of_the_same_name_is_numbered(tmp_path):
    assert [motif.name for motif in read_motifs(write(tmp_path, HOMER + HOMER))] == [
        "AP-1(bZIP)",
        "AP-1(bZIP)_2",
    ]


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        (">m\n1 2 3 4 5\n1 2 3 4 5\n", "5 numbers, and there are four letters", "line 2"),
        (">m\n0.1 0.2 0.3 0.4\n0.1 0.2 0.3\n0.1 0.2 0.3 0.4\n", "3 numbers", "line 3"),
        (">m\nA [1 2 3]\nC [1 2 3]\nG [1 2]\nT [1 2 3]\n", "differ in length", "line"),
        (">m\nA [1 2 3]\nC [1 2 3]\nG [1 2 3]\n", "one row for each of A, C, G and T", "line 1"),
        (">m\n1 2 x 4\n", '"x" is no number', "line 2"),
        (">m\n", "has no matrix", "line 1"),
        (MEME.replace("w= 3", "w= 4"), "says that it has 4 positions and has 3", "line 10"),
        (MEME.replace("ALPHABET= ACGT", "ALPHABET= ACDEFGHIKLMNPQRSTVWY"), "not of DNA", "line 3"),
        (MEME.replace(" 0.2  0.8  0.0  0.0", " 0.2  0.8  0.0  0.0 0.1"), "5 numbers", "line 12"),
        (">m\n1 1 1 1\n1 1 1 1\n1 1 1 1\n1 1 1 1\n", "letters or positions", "line 1"),
        ("", "no motifs in this file", ""),
        (">m\n-1 2 2 2\n1 2 3 4\n", "negative or missing at position 1", ""),
    ],
)
def test_a_wrong_file_is_refused_with_the_line(tmp_path, text, words, place):
    with pytest.raises(UserError, match=words) as caught:
        read_motifs(write(tmp_path, text))
    assert place in caught.value.where


def test_an_absent_file_and_an_unknown_format_are_told(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_motifs(tmp_path / "nothing.meme")
    with pytest.raises(UserError, match='Did you mean "jaspar"'):
        read_motifs(write(tmp_path, JASPAR), "jasper")
