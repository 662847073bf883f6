"""Pieces of a genome are those of the whole sequence."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from bioloom.data.genome import open_genome
from bioloom.errors import UserError


@pytest.fixture
def written(tmp_path):
    rng = np.random.default_rng(0)
    texts = {
        name: "".join(rng.choice(list("ACGTacgtN"), size))
        for name, size in (("chr1", 157), ("2", 60), ("chrM", 7))
    }
    path = tmp_path / "genome.fa"
    with path.open("w") as stream:
        for name, text in texts.items():
            lines = [text[i : i + 20] for i in range(0, len(text), 20)]
            stream.write(f">{name} a description\n" + "\n".join(lines) + "\n")
    return path, texts


def test_any_piece_is_that_of_the_whole_and_n_beyond_the_ends(written):
    path, texts = written
    genome = open_genome(path)
    for name, text in texts.items():
        assert genome.length(name) == len(text)
        for start, end in (
            (0, 5),
            (17, 43),
            (19, 21),
            (20, 40),
            (len(text) - 3, len(text)),
            (-4, 3),
            (len(text) - 2, len(text) + 5),
            (500, 504),
        ):
            expected = "".join(text[i].upper() if 0 <= i < len(text) else "N" for i in range(start, end))
            assert genome.fetch(name, start, end) == expected


def test_an_index_beside_the_genome_is_used(written):
    path, texts = written
    offset, lines = 0, []
    raw = path.read_bytes()
    for name, text in texts.items():
        offset = raw.index(f">{name} ".encode()) + len(f">{name} a description\n")
        lines.append(f"{name}\t{len(text)}\t{offset}\t20\t21\n")
    index = path.with_name("genome.fa.fai")
    index.write_text("".join(lines))
    assert open_genome(path).fetch("chr1", 18, 45) == texts["chr1"][18:45].upper()
    index.write_text("chr1\tx\n")
    with pytest.raises(UserError, match="index of the genome is damaged"):
        open_genome(path)


def test_names_with_and_without_chr_are_the_same(written):
    genome = open_genome(written[0])
    assert genome.fetch("1", 0, 4) == genome.fetch("chr1", 0, 4)
    assert "chr2" in genome
    assert "MT" in genome
    assert "chr3" not in genome
    with pytest.raises(UserError, match='no sequence called "chr3"'):
        genome.fetch("chr3", 0, 4)


def test_windows_line_ends_are_understood(tmp_path):
    path = tmp_path / "genome.fa"
    path.write_bytes(b">a\r\nACGT\r\nTTGG\r\nCC\r\n")
    assert open_genome(path).fetch("a", 2, 9) == "GTTTGGC"


def test_what_cannot_be_indexed_is_told(tmp_path):
    packed = tmp_path / "genome.fa.gz"
    packed.write_bytes(gzip.compress(b">a\nACGT\n"))
    with pytest.raises(UserError, match="packed genome"):
        open_genome(packed)
    uneven = tmp_path / "uneven.fa"
    uneven.write_text(">a\nACGT\nAC\nACGT\n")
    with pytest.raises(UserError, match="differ in length") as caught:
        open_genome(uneven)
    assert "line 3" in caught.value.where
    for number, text in enumerate(
        (">a\nAAAA\nCCCCGG\nTTTT\n", ">a\nAAAA\n\nCCGG\nTTTT\n", ">a\nAAAA\nCCCC\r\nTT\n")
    ):
        odd = tmp_path / f"odd{number}.fa"
        odd.write_text(text, newline="")
        with pytest.raises(UserError, match="differ in length"):
            open_genome(odd)
    empty = tmp_path / "empty.fa"
    empty.write_text("nothing\n")
    with pytest.raises(UserError, match="no sequence"):
        open_genome(empty)
