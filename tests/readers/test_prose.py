"""Running text among tables and lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioloom.data.readers import read
from bioloom.data.readers.prose import PIECE

LINE = "It was a dark and stormy night; the rain fell in torrents,\nexcept at occasional intervals.\n\n"
TEXT = LINE * 80


def written(folder: Path, text: str, name: str = "book.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_running_text_is_cut_into_pieces_in_their_order(tmp_path: Path) -> None:
    table = read(written(tmp_path, TEXT))
    assert table.format == "running text"
    assert table.order == "place"
    assert "".join(table.frame["text"]) == TEXT[: len(TEXT) // PIECE * PIECE]
    assert table.frame["place"].tolist() == list(range(1, len(TEXT) // PIECE + 1))


def test_each_piece_knows_the_line_on_which_it_begins(tmp_path: Path) -> None:
    table = read(written(tmp_path, TEXT))
    for number in (0, 3, 17):
        before = TEXT[: number * PIECE]
        assert table.lines[number] == before.count("\n") + 1


def test_line_ends_of_windows_are_plain_ones(tmp_path: Path) -> None:
    same = read(written(tmp_path, TEXT.replace("\n", "\r\n"), "b.txt")).frame["text"]
    assert same.equals(read(written(tmp_path, TEXT)).frame["text"])


@pytest.mark.parametrize(
    "text",
    [
        "id\tnote\tyield\n" + "".join(f"{n}\tgrew well and fast\t{n / 7:.2f}\n" for n in range(300)),
        "note;yield\n" + "".join(f"the cells grew well today;{n}\n" for n in range(300)),
        "sequence\n" + "ACGTTGCA\n" * 900,
        "a short text of a few words\n" * 5,
    ],
    ids=["tabs", "semicolons", "list", "short"],
)
def test_tables_and_lists_stay_what_they_are(tmp_path: Path, text: str) -> None:
    assert read(written(tmp_path, text)).format != "running text"


def test_the_ending_must_say_text(tmp_path: Path) -> None:
    name = written(tmp_path, "note\n" + "the cells grew well over night\n" * 300, "notes.csv")
    assert read(name).format != "running text"
