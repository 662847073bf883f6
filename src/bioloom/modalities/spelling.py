"""What is wrong or remarkable in the letters of sequences, by row, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.data.records import Problem
from bioloom.modalities.letters import GAPS, WHITE_SPACE, Alphabet, Flag, Texts, known_letters

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ONE_BY_ONE = 20
"""Up to so many rows with wrong characters are told one by one, more are told together by character."""


def problems(column: pd.Series[Any], alphabet: Alphabet) -> list[Problem]:
    """Everything a user should know about the letters of these cells before they become numbers.

    Rows without a sequence, or with a character that is no letter, are dropped; everything else is a note.
    """
    text = Texts(column)
    flags = text.joined(alphabet.flags)
    name = str(column.name)
    dropped = _missing(text, flags, name) + _wrong(column, flags, alphabet)
    usable = np.ones(len(flags), dtype=bool)
    for problem in dropped:
        usable[problem.rows] = False
    return dropped + _notes(text, np.where(usable, flags, 0).astype(np.uint8), alphabet, name)


def _missing(text: Texts, flags: NDArray[np.uint8], column: str) -> list[Problem]:
    fix = "fill in the sequence, or leave these records out"
    missing = text.missing
    empty = ~missing & (text.lengths == 0)
    suspect = np.flatnonzero(flags & (Flag.GAP | Flag.SPACE))
    if len(suspect):
        nothing = text.count(GAPS + WHITE_SPACE) == text.lengths
        empty |= ~missing & nothing
    return [
        Problem(code, "drop", message, fix, column, np.flatnonzero(rows))
        for code, message, rows in (
            ("sequence.missing", "the sequence is missing", missing),
            ("sequence.empty", "the sequence holds no letter", empty),
        )
        if rows.any()
    ]


def _wrong(column: pd.Series[Any], flags: NDArray[np.uint8], alphabet: Alphabet) -> list[Problem]:
    rows = np.flatnonzero(flags & Flag.INVALID)
    if not len(rows):
        return []
    table = alphabet.flags.tobytes()
    found: dict[str, list[tuple[int, int]]] = {}
    for row in map(int, rows):
        cell = str(column.iloc[row])
        looked_up = np.frombuffer(cell.encode("latin-1", "replace").translate(table), dtype=np.uint8)
        position = int(np.argmax(looked_up & Flag.INVALID))
        character = cell[position]
        key = character if len(rows) > ONE_BY_ONE else f"{character} {position}"
        found.setdefault(key, []).append((row, position))
    fix = f"correct or leave out these records; letters of {alphabet.word} are {known_letters(alphabet)}"
    if len(rows) > len(flags) / 2:
        fix += f"; if this is no {alphabet.word}, say what it is: --input {column.name}=MODALITY"
    return [
        Problem(
            "sequence.letters",
            "drop",
            _wrong_message(key[0], places, alphabet),
            fix,
            str(column.name),
            _rows(places),
        )
        for key, places in found.items()
    ]


def _wrong_message(character: str, found: list[tuple[int, int]], alphabet: Alphabet) -> str:
    several = len({position for _, position in found}) > 1
    shown = f'"{character}"' if character.isprintable() else repr(character)
    place = f"at position {found[0][1] + 1}" + (" in the first of these rows" if several else "")
    return f"the sequence holds {shown} {place}, which is no letter of {alphabet.word}"


def _rows(found: list[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array([row for row, _ in found], dtype=np.int64)


def _notes(text: Texts, flags: NDArray[np.uint8], alphabet: Alphabet, column: str) -> list[Problem]:
    told = [
        (Flag.SPACE, "sequence.spaces", "white space in the sequence is removed"),
        (Flag.LOWER, "sequence.lower_case", "lower-case letters are read as upper case"),
        (Flag.SPELLING, "sequence.spelling", _same(alphabet.spelling)),
        (Flag.REPLACED, "sequence.replaced", _same(alphabet.replaced)),
        (Flag.GAP, "sequence.gaps", "gaps (- or .) keep their position and stand for no letter"),
        (Flag.STOP, "sequence.stop", "a stop (*) is read as a letter of its own"),
        (Flag.MIXTURE, "sequence.mixtures", _mixtures(text, flags, alphabet)),
    ]
    notes = [
        Problem(code, "note", message, "", column, np.flatnonzero(flags & flag))
        for flag, code, message in told
        if (flags & flag).any()
    ]
    return notes + _unknown(text, flags, alphabet, column)


def _same(read_as: Any) -> str:
    return ", ".join(f"{letter} is read as {same}" for letter, same in read_as.items())


def _mixtures(text: Texts, flags: NDArray[np.uint8], alphabet: Alphabet) -> str:
    if not (flags & Flag.MIXTURE).any():
        return ""
    codes = [code for code in alphabet.mixtures if text.count(code)[(flags & Flag.MIXTURE) > 0].any()]
    return f"codes for several letters ({', '.join(codes)}) are read as equal shares of these letters"


def _unknown(text: Texts, flags: NDArray[np.uint8], alphabet: Alphabet, column: str) -> list[Problem]:
    if not (flags & Flag.MIXTURE).any():
        return []
    rows = ((flags & Flag.MIXTURE) > 0) & (2 * text.count(alphabet.unknown) > text.lengths)
    message = f"more than half of the sequence is unknown ({alphabet.unknown})"
    fix = "leave these records out unless unknown stretches mean something"
    return (
        [Problem("sequence.unknown", "note", message, fix, column, np.flatnonzero(rows))]
        if rows.any()
        else []
    )
