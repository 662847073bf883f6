"""From the rows of a motif file to a matrix, with the line that does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError
from bioloom.motifs.motif import Motif
from bioloom.motifs.pwm import LETTERS

PROBABILITIES = 0.02
"""How far a position may be from a sum of 1 and still hold probabilities."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass
class Draft:
    """A motif that is being read: its name, and rows of numbers with the line they stand in."""

    name: str
    line: int
    title: str = ""
    sites: float | None = None
    width: int | None = None
    rows: list[tuple[int, str, list[float]]] = field(default_factory=list)  # line, label, numbers


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers from 1."""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip().lstrip("\ufeff")
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def is_number(word: str) -> bool:
    """Whether a word of a line is a number."""
    return _NUMBER.fullmatch(word) is not None


def numbers_of(line: str, where: str) -> list[float]:
    """The numbers of a line; raises UserError where something else stands."""
    words = re.split(r"[\s,;]+", line.replace("[", " ").replace("]", " ").strip())
    wrong = next((word for word in words if not _NUMBER.fullmatch(word)), None)
    if wrong is not None:
        raise UserError(
            f'"{wrong[:40]}" is no number.',
            where=where,
            fix="a row of a motif holds numbers only, one for each letter",
        )
    return [float(word) for word in words]


def label_of(line: str) -> tuple[str, str]:
    """The letter that a row begins with, if it does, and the rest."""
    found = re.match(r"([ACGTU])\s*[:|=]?[\s\[]+", line, re.IGNORECASE)
    return (found[1].upper().replace("U", "T"), line[found.end() :]) if found else ("", line)


def made(draft: Draft, name: str, by_position: bool = False) -> Motif:
    """A motif of the rows that were read; raises UserError with the line that does not fit."""
    where = f"{name}, line {draft.line}"
    if not draft.rows:
        raise UserError(
            f'The motif "{draft.name}" has no matrix.', where=where, fix="put its numbers below its name"
        )
    if draft.width is not None and draft.width != len(draft.rows):
        raise UserError(
            f'The motif "{draft.name}" says that it has {draft.width} positions and has {len(draft.rows)}.',
            where=where,
            fix="get the file again, or correct w=",
        )
    rows = _in_letter_order(draft, name)
    numbers = _frequencies(draft, rows, by_position, name)
    sums = numbers.sum(axis=0)
    counted = not np.all(np.abs(sums - 1) <= PROBABILITIES)
    sites = draft.sites if draft.sites is not None else float(sums.max()) if counted else None
    return Motif(draft.name, numbers, draft.title, sites)


def _in_letter_order(draft: Draft, name: str) -> list[tuple[int, str, list[float]]]:
    """Rows of letters in the order A, C, G, T where they are labelled."""
    labels = [label for _, label, _ in draft.rows]
    if not any(labels):
        return draft.rows
    if sorted(labels) != sorted(LETTERS):
        raise UserError(
            f'The motif "{draft.name}" needs one row for each of A, C, G and T.',
            where=f"{name}, line {draft.line}",
            fix=f"there are rows for: {', '.join(label or 'no letter' for label in labels)}",
        )
    return sorted(draft.rows, key=lambda row: row[1])


def _frequencies(
    draft: Draft, rows: list[tuple[int, str, list[float]]], by_position: bool, name: str
) -> NDArray[np.float64]:
    """The numbers as (4, positions)."""
    lengths = {len(numbers) for _, _, numbers in rows}
    labelled = bool(rows[0][1])
    if not by_position and len(rows) == len(LETTERS) and len(lengths) == 1 and (labelled or lengths != {4}):
        return np.array([numbers for _, _, numbers in rows])
    odd = next(((line, numbers) for line, _, numbers in rows if len(numbers) != len(LETTERS)), None)
    if odd is not None:
        letters = labelled or (not by_position and len(rows) == len(LETTERS))
        raise UserError(
            f'The rows of the motif "{draft.name}" differ in length.'
            if letters
            else f"A position has {len(odd[1])} numbers, and there are four letters.",
            where=f"{name}, line {odd[0]}",
            fix="give as many numbers for each letter" if letters else "give four numbers: of A, C, G and T",
        )
    numbers = np.array([each for _, _, each in rows])
    if not by_position and len(rows) == len(LETTERS):
        return _four_by_four(draft, numbers, name)
    return np.ascontiguousarray(numbers.T)


def _four_by_four(draft: Draft, numbers: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """A matrix of four rows and four columns: positions are what sums to the same number."""
    rows, columns = (np.ptp(numbers.sum(axis=axis)) <= 0.02 * numbers.sum() / 4 for axis in (1, 0))
    if rows == columns:
        raise UserError(
            f'It cannot be told whether the rows of the motif "{draft.name}" are letters or positions.',
            where=f"{name}, line {draft.line}",
            fix='begin the rows with "A", "C", "G" and "T" if they are letters, or write the file as MEME',
        )
    return np.ascontiguousarray(numbers.T) if rows else numbers
