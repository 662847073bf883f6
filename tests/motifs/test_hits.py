"""Sites as a table and as files."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from bioloom.errors import UserError
from bioloom.motifs.hits import COLUMNS, Tally, scan, write
from bioloom.motifs.motif import from_sites
from bioloom.motifs.scan import Wanted, scanner
from bioloom.motifs.stretches import Stretch

MOTIFS = [from_sites("box", ["TATAAT"] * 30), from_sites("cap", ["GGCC"] * 30)]


def found(p_value=0.01):
    return scan(
        scanner(MOTIFS, Wanted(p_value)), [Stretch("one", "ccTATAATcc", 100), Stretch("two", "ATTATAGGCC")]
    )


def test_sites_are_told_where_they_are_and_as_the_motif_reads_them():
    table = found(0.0005)
    assert tuple(table.columns) == COLUMNS
    rows = table[["motif", "sequence", "start", "end", "strand", "site"]].to_numpy().tolist()
    assert rows == [["box", "one", 102, 108, "+", "TATAAT"], ["box", "two", 0, 6, "-", "TATAAT"]]


def test_a_palindrome_is_a_site_on_both_strands():
    table = found()
    assert table[table["motif"] == "cap"]["strand"].tolist() == ["+", "-"]


def test_q_values_are_those_of_benjamini_and_hochberg_over_all_windows():
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("ACGT"), 2000)) + "TATAAT" * 5
    made = scanner(MOTIFS[:1], Wanted(1.0))
    table = scan(made, [Stretch("one", text)])
    p = table["p_value"].to_numpy()
    assert len(p) == 2 * (len(text) - 5)
    order = np.argsort(p)
    ranks = np.array([np.sum(p <= each) for each in p[order]])
    expected = np.minimum.accumulate((p[order] * len(p) / ranks)[::-1])[::-1]
    np.testing.assert_allclose(table["q_value"].to_numpy()[order], np.minimum(expected, 1))
    from scipy.stats import false_discovery_control

    np.testing.assert_allclose(table["q_value"], false_discovery_control(p))


def test_a_tally_of_parts_is_that_of_the_whole():
    made = scanner(MOTIFS, Wanted(0.05))
    texts = ["ccTATAATccGGCC", "ATTATAGGCCN" * 3]
    whole, parts = Tally(made), Tally(made)
    from bioloom.motifs.hits import joined

    whole.add(joined(made.scan(texts)), [Stretch("", text) for text in texts])
    for text in texts:
        parts.add(joined(made.scan([text])), [Stretch("", text)])
    for number in (0, 1):
        scores = np.array(sorted(whole._scores[number]), dtype=np.int32)
        np.testing.assert_array_equal(whole.q_values(number, scores), parts.q_values(number, scores))
        assert whole.windows(number) == parts.windows(number)


def test_files_for_spreadsheets_and_browsers():
    table = found(0.0005)
    tsv = pd.read_csv(io.StringIO(write(table, "tsv")), sep="\t", keep_default_na=False)
    assert tsv["start"].tolist() == [102, 0]
    bed = [line.split("\t") for line in write(table, "bed").splitlines()]
    assert bed[0][:4] == ["one", "102", "108", "box"]
    assert bed[0][5] == "+"
    gff = write(table, "gff").splitlines()
    assert gff[0] == "##gff-version 3"
    fields = gff[1].split("\t")
    assert (fields[0], fields[3], fields[4], fields[6]) == ("one", "103", "108", "+")
    assert "Name=box" in fields[8]
    assert write(table, "tsv", first=False).startswith("box\t")
    with pytest.raises(UserError, match="cannot be written"):
        write(table, "xls")


def test_without_sites_there_is_an_empty_table():
    table = scan(scanner(MOTIFS), [Stretch("one", "CCCCCCCCC")])
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 0
    assert write(table, "tsv").count("\n") == 1
