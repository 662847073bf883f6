"""FASTA and FASTQ against Biopython."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from Bio import SeqIO
from Bio.SeqRecord import SeqRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from bioloom.data.readers import fasta, read

names = st.text("abcXYZ019_|.:-", min_size=1, max_size=8)
words = st.text("abc XY>;,", max_size=12).map(lambda text: " ".join(text.split()))
sequences = st.text("ACGTNacgtn-*", min_size=1, max_size=40)


def by_biopython(path: Path, form: str) -> list[SeqRecord]:
    with path.open() as stream:
        return list(SeqIO.parse(stream, form))


@settings(max_examples=80, deadline=None)
@given(
    records=st.lists(st.tuples(names, words, sequences), min_size=1, max_size=12),
    width=st.integers(1, 50),
    end=st.sampled_from(["\n", "\r\n", "\n\n"]),
    block=st.sampled_from([1, 2, 7, 64, 1 << 20]),
)
def test_fasta_agrees_with_biopython(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[tuple[str, str, str]],
    width: int,
    end: str,
    block: int,
) -> None:
    lines = []
    for name, rest, sequence in records:
        lines += [f">{name} {rest}".rstrip()]
        lines += [sequence[start : start + width] for start in range(0, len(sequence), width)]
    path = tmp_path_factory.mktemp("t") / "t.fa"
    path.write_bytes((end.join(lines) + end).encode())
    expected = by_biopython(path, "fasta")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fasta, "_BLOCK", block)
        table = read(path)
    assert table.frame["id"].tolist() == [record.id for record in expected]
    assert table.frame["sequence"].tolist() == [str(record.seq) for record in expected]
    assert table.lines.tolist() == list(range(1, len(expected) + 1))
    if "description" in table.frame:
        told = [record.description.split(None, 1)[1:] for record in expected]
        assert table.frame["description"].fillna("").tolist() == [rest[0] if rest else "" for rest in told]


@pytest.mark.parametrize("pack", [False, True])
def test_fastq_agrees_with_biopython(tmp_path: Path, pack: bool) -> None:
    rng = np.random.default_rng(0)
    text = ""
    for index in range(50):
        length = int(rng.integers(1, 90))
        letters = "".join(rng.choice(list("ACGTN"), length))
        marks = "".join(chr(33 + mark) for mark in rng.integers(0, 40, length))
        text += f"@read{index} lane={index % 4}\n{letters}\n+\n{marks}\n"
    path = tmp_path / "t.fastq"
    path.write_text(text)
    expected = by_biopython(path, "fastq")
    if pack:
        path.write_bytes(gzip.compress(text.encode()))
    table = read(path)
    assert table.frame["id"].tolist() == [record.id for record in expected]
    assert table.frame["sequence"].tolist() == [str(record.seq) for record in expected]
    assert table.frame["lane"].tolist() == [str(index % 4) for index in range(50)]
    assert "qualities" in table.notes[0]


def test_real_fasta_agrees_with_biopython(shared_data: Path) -> None:
    path = shared_data / "dna" / "chip_oct4_mafk" / "oct4.fa"
    expected = by_biopython(path, "fasta")
    frame = read(path).frame
    assert frame["id"].tolist() == [record.id for record in expected]
    assert frame["sequence"].tolist() == [str(record.seq) for record in expected]


def read_text(folder: Path, text: str) -> dict[str, list[str]]:
    path = folder / "t.fa"
    path.write_text(text)
    frame = read(path).frame.fillna("")
    return {str(name): frame[name].tolist() for name in frame}


def test_key_value_words_become_columns_and_leave_the_description(tmp_path: Path) -> None:
    found = read_text(tmp_path, ">a strong y=1.5 class=x\nAC\n>b weak y=2\nGG\n")
    assert found == {
        "id": ["a", "b"],
        "description": ["strong", "weak"],
        "sequence": ["AC", "GG"],
        "y": ["1.5", "2"],
        "class": ["x", ""],
    }


@pytest.mark.parametrize(
    ("header", "key", "value"),
    [
        ("a y=-1e-3", "y", "-1e-3"),
        ("a y=", "y", ""),
        ('a host="E. coli K12" y=1', "host", "E. coli K12"),
        ("a [organism=Homo sapiens] [gene=TP53]", "organism", "Homo sapiens"),
        (
            "sp|P04637|P53_HUMAN Cellular antigen OS=Homo sapiens OX=9606 GN=TP53 PE=1 SV=4",
            "OS",
            "Homo sapiens",
        ),
        ("sp|P04637|P53_HUMAN Cellular antigen OS=Homo sapiens OX=9606 GN=TP53 PE=1 SV=4", "SV", "4"),
        ("a id=7", "id_in_header", "7"),
        ("a file=7", "file_in_header", "7"),
    ],
)
def test_headers_of_many_styles_are_understood(tmp_path: Path, header: str, key: str, value: str) -> None:
    assert read_text(tmp_path, f">{header}\nACGT\n")[key] == [value]


def test_a_rare_key_stays_in_the_description(tmp_path: Path) -> None:
    text = "".join(f">r{i} {'odd=1' if i == 7 else 'plain'} y={i}\nAC\n" for i in range(50))
    found = read_text(tmp_path, text)
    assert "odd" not in found
    assert found["description"][7] == "odd=1"


def test_white_space_inside_a_sequence_means_nothing(tmp_path: Path) -> None:
    assert read_text(tmp_path, ">a\nACG T\n\n  AC\tGT  \n>b\nA\n")["sequence"] == ["ACGTACGT", "A"]


def test_an_empty_record_is_kept_without_sequence(tmp_path: Path) -> None:
    path = tmp_path / "t.fa"
    path.write_text(">a\n>b\nACGT\n")
    table = read(path)
    assert table.frame["sequence"].isna().tolist() == [True, False]
    assert table.unit == "record"
    assert table.where(0, "sequence") == 't.fa, record 1, column "sequence"'


def test_repeated_ids_are_kept_for_the_check_to_find(tmp_path: Path) -> None:
    assert read_text(tmp_path, ">a\nAC\n>a\nGT\n")["id"] == ["a", "a"]


def test_utf16_without_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.fa"
    path.write_bytes(">a x\nACGT\n".encode("utf-16-le"))
    assert read(path).frame["sequence"].tolist() == ["ACGT"]


def test_a_long_sequence_is_one_record(tmp_path: Path) -> None:
    letters = "".join(np.random.default_rng(0).choice(list("ACGT"), 3_000_000))
    found = read_text(tmp_path, f">chr1\n{letters}\n>b\nA\n")
    assert found["sequence"] == [letters, "A"]


def test_protein_sequences_with_stops_and_gaps_are_left_as_they_are(tmp_path: Path) -> None:
    assert read_text(tmp_path, ">p\nMK-V*\n>q\nmkxbz\n")["sequence"] == ["MK-V*", "mkxbz"]
