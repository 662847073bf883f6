"""Sequences from FASTA, from the regions of a BED, and from tables."""

from __future__ import annotations

import gzip

import pytest

from bioloom.errors import UserError
from bioloom.motifs import stretches
from bioloom.motifs.stretches import Stretch


def genome(tmp_path):
    path = tmp_path / "genome.fa.gz"
    with gzip.open(path, "wt") as stream:
        stream.write(">chr1 first\nACGTACGT\nACGT\n>chr2\nTTTTGGGG\n")
    return path


def test_records_of_a_packed_fasta_come_one_after_the_other(tmp_path):
    assert list(stretches.from_fasta(genome(tmp_path))) == [
        Stretch("chr1", "ACGTACGTACGT"),
        Stretch("chr2", "TTTTGGGG"),
    ]


def test_regions_are_cut_out_and_keep_their_place(tmp_path):
    bed = tmp_path / "peaks.bed"
    bed.write_text("track name=x\nchr2\t1\t5\tpeak\nchr1\t6\t12\nchr1\t0\t4\n")
    found = list(stretches.from_regions(bed, genome(tmp_path)))
    assert found == [Stretch("chr1", "ACGT", 0), Stretch("chr1", "GTACGT", 6), Stretch("chr2", "TTTG", 1)]


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("chr1\t5\n", "no region", "line 1"),
        ("chr1\t1\t4\nchr1\ta\t5\n", "no region", "line 2"),
        ("chr1\t5\t5\n", "before it starts", "line 1"),
        ("chr1\t5\t13\n", "ends behind the sequence, which has 12", "line 1"),
        ("chr1\t1\t4\n2\t1\t4\n", 'no sequence called "2"', "line 2"),
        ("# nothing\n", "no regions", "peaks.bed"),
    ],
)
def test_wrong_regions_are_refused_with_the_line(tmp_path, text, words, place):
    bed = tmp_path / "peaks.bed"
    bed.write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        list(stretches.from_regions(bed, genome(tmp_path)))
    assert place in caught.value.where


def test_groups_hold_all_stretches_in_their_order(monkeypatch):
    monkeypatch.setattr(stretches, "TOGETHER", 10)
    given = [Stretch(str(number), "A" * number) for number in (3, 4, 5, 30, 1)]
    groups = list(stretches.in_groups(iter(given)))
    assert [each for group in groups for each in group] == given
    assert [len(group) for group in groups] == [3, 1, 1]
