"""Motif files: JASPAR, MEME, TRANSFAC, HOMER and plain matrices, read and written.

All of them are lines of four numbers with a few words around, so that one reader serves each family and says in
which line a matrix is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError, did_you_mean
from bioloom.motifs.matrices import PROBABILITIES, Draft, is_number, label_of, lines, made, numbers_of
from bioloom.motifs.motif import Motif, checked
from bioloom.motifs.pwm import LETTERS

_LARGEST = 64 << 20  # bytes of a motif file; all of JASPAR is 2 MB


@dataclass(frozen=True)
class MotifFormat:
    """A form of motif file.

    name:   what users type
    title:  where it comes from
    sniff:  whether a text is of this form
    read:   (text, file name) -> motifs
    write:  motifs -> text
    """

    name: str
    title: str
    sniff: Callable[[str], bool]
    read: Callable[[str, str], list[Motif]]
    write: Callable[[Iterable[Motif]], str]


def read_motifs(path: Path, format_name: str = "auto") -> list[Motif]:
    """Read all motifs of a file.

    format_name: "auto" looks into the file, or jaspar, meme, transfac, homer, plain
    Raises UserError for a file that cannot be read, that holds no motif, or with the line that is wrong.
    """
    text = _text(path)
    if format_name != "auto" and format_name not in FORMATS:
        raise UserError(
            f'There is no motif format called "{format_name}".{did_you_mean(format_name, FORMATS)}',
            fix=f"use one of: {', '.join(FORMATS)}",
        )
    form = next(
        each
        for each in FORMATS.values()
        if each.name == format_name or (format_name == "auto" and each.sniff(text))
    )
    found = form.read(text, path.name)
    if not found:
        raise UserError(
            "There are no motifs in this file.",
            where=str(path),
            fix=f"give a motif file: {', '.join(FORMATS)}",
        )
    return _distinct([checked(motif, str(path)) for motif in found])


def write_motifs(motifs: Iterable[Motif], format_name: str = "meme") -> str:
    """Motifs as the text of a file; raises UserError for an unknown format."""
    if format_name not in FORMATS:
        raise UserError(
            f'There is no motif format called "{format_name}".{did_you_mean(format_name, FORMATS)}',
            fix=f"use one of: {', '.join(FORMATS)}",
        )
    return FORMATS[format_name].write(motifs)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise UserError(
                "This file is too large for a file of motifs.",
                where=str(path),
                fix="give the motif file first, then the sequences",
            )
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(
            f"The motif file cannot be read: {error.strerror}.",
            where=str(path),
            fix="check the name of the file",
        ) from None


def _distinct(motifs: list[Motif]) -> list[Motif]:
    """Motifs whose names differ: a second one of the same name is numbered."""
    seen: dict[str, int] = {}
    found = []
    for motif in motifs:
        seen[motif.name] = seen.get(motif.name, 0) + 1
        name = motif.name if seen[motif.name] == 1 else f"{motif.name}_{seen[motif.name]}"
        found.append(Motif(name, motif.frequencies, motif.title, motif.sites))
    return found


# ---- reading ------------------------------------------------------------------------------------------------


def _read_named(text: str, name: str) -> list[Motif]:
    """JASPAR, HOMER and others: a line ">name", then a row for each letter or for each position."""
    drafts: list[Draft] = []
    for number, line in lines(text):
        if line.startswith(">"):
            words = re.split(r"\t", line[1:].strip()) if "\t" in line else line[1:].split(maxsplit=1)
            drafts.append(Draft(words[0] if words and words[0] else f"motif_{number}", number, _title(words)))
            continue
        if not drafts:
            raise UserError(
                "Numbers stand before the first name.",
                where=f"{name}, line {number}",
                fix='begin each motif with ">name"',
            )
        label, rest = label_of(line)
        drafts[-1].rows.append((number, label, numbers_of(rest, f"{name}, line {number}")))
    return [made(draft, name) for draft in drafts]


def _title(words: list[str]) -> str:
    return words[1].strip() if len(words) > 1 else ""


def _read_plain(text: str, name: str) -> list[Motif]:
    """One matrix without a name: four rows, or four columns; or several with names."""
    if _begins_with_name(text):
        return _read_named(text, name)
    draft = Draft(Path(name).name.split(".")[0] or "motif", 1)
    for number, line in lines(text):
        if re.fullmatch(r"[ACGTU\s,;]+", line, re.IGNORECASE):
            continue  # a heading of letters; in the order that all of these files have
        label, rest = label_of(line)
        draft.rows.append((number, label, numbers_of(rest, f"{name}, line {number}")))
    return [made(draft, name)] if draft.rows else []


def _read_meme(text: str, name: str) -> list[Motif]:
    drafts: list[Draft] = []
    inside = False
    for number, line in lines(text):
        words = line.split()
        if words[0].upper().startswith("ALPHABET") and not _is_dna(line):
            raise UserError(
                "This motif file is not of DNA.", where=f"{name}, line {number}", fix="give motifs of DNA"
            )
        if words[0] == "MOTIF":
            drafts.append(
                Draft(words[1] if len(words) > 1 else f"motif_{number}", number, " ".join(words[2:]))
            )
            inside = False
        elif line.startswith("letter-probability matrix") and drafts:
            inside = True
            drafts[-1].width, drafts[-1].sites = _meme_size(line)
        elif inside and is_number(words[0]):
            drafts[-1].rows.append((number, "", numbers_of(line, f"{name}, line {number}")))
        elif inside and drafts[-1].rows:
            inside = False  # a URL, a line of dashes, or the next part of the file
    return [made(draft, name, by_position=True) for draft in drafts]


def _is_dna(line: str) -> bool:
    letters = line.partition("=")[2].strip().strip('"').upper()
    return not letters or set(letters.replace("U", "T")) == set(LETTERS) or letters.startswith(("DNA", "RNA"))


def _meme_size(line: str) -> tuple[int | None, float | None]:
    width = re.search(r"w=\s*(\d+)", line)
    sites = re.search(r"nsites=\s*([\d.eE+]+)", line)
    counted = float(sites[1]) if sites else 0.0
    return int(width[1]) if width else None, counted if counted > 0 else None


def _read_transfac(text: str, name: str) -> list[Motif]:
    drafts: list[Draft] = []
    inside = False
    for number, line in lines(text):
        key, *others = line.split(None, 1)
        rest = others[0].strip() if others else ""
        if key == "//":
            inside = False
        elif key in ("ID", "AC") and (not drafts or drafts[-1].rows):
            drafts.append(Draft(rest or f"motif_{number}", number))
        elif key == "ID" and drafts:
            drafts[-1].title = drafts[-1].title or rest
        elif key == "NA" and drafts:
            drafts[-1].title = rest
        elif key.upper() in ("P0", "PO"):
            if not drafts or drafts[-1].rows:
                drafts.append(Draft(f"motif_{number}", number))
            inside = True
        elif inside and key.isdigit():
            words = rest.split()
            if len(words) > len(LETTERS) and words[-1].isalpha():
                words = words[:-1]  # the consensus letter
            drafts[-1].rows.append((number, "", numbers_of(" ".join(words), f"{name}, line {number}")))
    return [made(draft, name, by_position=True) for draft in drafts if draft.rows]


# ---- writing ------------------------------------------------------------------------------------------------


def _counts(motif: Motif) -> NDArray[np.float64]:
    """Frequencies as counts, (4, positions); of 100 sites where their number is not known."""
    if motif.sites is None:
        return motif.probabilities(pseudocount=0.0) * 100
    return (
        motif.frequencies
        if motif.frequencies.sum(axis=0).max() > 1 + PROBABILITIES
        else motif.frequencies * motif.sites
    )


def _named(number: float) -> str:
    return f"{number:.10g}"


def _write_jaspar(motifs: Iterable[Motif]) -> str:
    blocks = []
    for motif in motifs:
        rows = [
            f"{letter}  [ {' '.join(_named(value) for value in row)} ]"
            for letter, row in zip(LETTERS, _counts(motif), strict=True)
        ]
        blocks.append("\n".join([f">{motif.name}\t{motif.title or motif.name}", *rows, ""]))
    return "\n".join(blocks)


def _write_meme(motifs: Iterable[Motif]) -> str:
    lines = ["MEME version 5", "", "ALPHABET= ACGT", "", "strands: + -", ""]
    lines += ["Background letter frequencies", "A 0.25 C 0.25 G 0.25 T 0.25", ""]
    for motif in motifs:
        sites = "" if motif.sites is None else f" nsites= {_named(motif.sites)}"
        lines.append(f"MOTIF {motif.name} {motif.title}".rstrip())
        lines.append(f"letter-probability matrix: alength= 4 w= {len(motif)}{sites} E= 0")
        lines += [" ".join(f"{value:.8f}" for value in row) for row in motif.probabilities(pseudocount=0.0).T]
        lines.append("")
    return "\n".join(lines)


def _write_transfac(motifs: Iterable[Motif]) -> str:
    lines = []
    for motif in motifs:
        lines += [
            f"AC  {motif.name}",
            "XX",
            f"ID  {motif.title or motif.name}",
            "XX",
            "P0      A      C      G      T",
        ]
        rows = zip(_counts(motif).T, motif.consensus, strict=True)
        lines += [
            f"{number:02d}  {' '.join(_named(value) for value in row)} {letter}"
            for number, (row, letter) in enumerate(rows, start=1)
        ]
        lines += ["XX", "//"]
    return "\n".join([*lines, ""])


def _write_homer(motifs: Iterable[Motif]) -> str:
    lines = []
    for motif in motifs:
        # HOMER wants a threshold in its own log odds; half of the best score is what its manual suggests to start with
        best = np.log(motif.probabilities().max(axis=0) / 0.25).sum()
        lines.append(f">{motif.consensus}\t{motif.name}\t{best / 2:.6f}")
        lines += [
            "\t".join(f"{value:.6f}" for value in row) for row in motif.probabilities(pseudocount=0.0).T
        ]
    return "\n".join([*lines, ""])


def _write_plain(motifs: Iterable[Motif]) -> str:
    blocks = []
    for motif in motifs:
        rows = [" ".join(_named(value) for value in row) for row in motif.frequencies.T]
        blocks.append("\n".join([f">{motif.name}", *rows, ""]))
    return "\n".join(blocks)


def _begins_with_name(text: str) -> bool:
    return next((line.startswith(">") for _, line in lines(text)), False)


def _is_homer(text: str) -> bool:
    first = next((line for _, line in lines(text)), "")
    return first.startswith(">") and len(first.split("\t")) >= 3


FORMATS: dict[str, MotifFormat] = {
    form.name: form
    for form in (
        MotifFormat(
            "meme",
            "MEME suite, minimal format",
            lambda text: "letter-probability matrix" in text,
            _read_meme,
            _write_meme,
        ),
        MotifFormat(
            "transfac",
            "TRANSFAC",
            lambda text: re.search(r"^P[0O]\s", text, re.MULTILINE | re.IGNORECASE) is not None,
            _read_transfac,
            _write_transfac,
        ),
        MotifFormat(
            "homer",
            "HOMER",
            _is_homer,
            lambda text, name: _homer_names(_read_named(text, name)),
            _write_homer,
        ),
        MotifFormat("jaspar", "JASPAR and others with >name", _begins_with_name, _read_named, _write_jaspar),
        MotifFormat("plain", "one matrix of numbers", lambda _: True, _read_plain, _write_plain),
    )
}


def _homer_names(motifs: list[Motif]) -> list[Motif]:
    """HOMER puts the consensus first and the name second, with its source behind a "/"."""
    return [
        Motif(motif.title.split("/")[0] or motif.name, motif.frequencies, motif.name, motif.sites)
        for motif in motifs
    ]
