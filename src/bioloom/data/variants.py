"""Variants: what was changed into what, from VCF, or written as A23T, p.Ala23Thr, c.23A>T.

One row of a file may hold several alleles; each is a variant with the line it stands in, and none is left out: what
cannot be used keeps its place and says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bioloom.data.reading.raw import open_file
from bioloom.errors import UserError

_LETTERS = frozenset("ACGTN")

THREE = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E", "Gly": "G", "His": "H",
    "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F", "Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W",
    "Tyr": "Y", "Val": "V", "Ter": "*",
}  # fmt: skip
"""Three-letter names of amino acids."""


@dataclass(frozen=True)
class Variant:
    """One allele of a VCF.

    line:      of the file, from 1
    name:      the id, or sequence:position:before>after
    sequence:  such as chr1
    position:  0-based, of the first letter that is replaced
    before, after: letters
    problem:   why it cannot be used; empty where it can
    """

    line: int
    name: str
    sequence: str
    position: int
    before: str
    after: str
    problem: str = ""


def read_vcf(path: Path) -> Iterator[Variant]:
    """All alleles of a VCF file, packed or not, in the order of the file.

    Raises UserError for a line that is no variant.
    """
    file = open_file(path)
    with file.stream() as stream:
        for number, raw in enumerate(stream, start=1):
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) < 5 or not fields[1].isdecimal() or int(fields[1]) < 1:
                raise UserError(
                    "This line is no variant.",
                    where=f"{file.shown}, line {number}",
                    fix="a line of VCF holds a sequence, a position from 1, an id, the reference and the alleles, with tabs",
                )
            yield from _alleles(number, fields)


def _alleles(number: int, fields: list[str]) -> Iterator[Variant]:
    sequence, position, name, before, alleles = fields[:5]
    before = before.upper()
    for allele in alleles.split(","):
        after = allele.upper()
        shown = (
            name
            if name not in (".", "") and "," not in alleles
            else f"{sequence}:{position}:{before}>{after}"
        )
        variant = Variant(number, shown, sequence, int(position) - 1, before, after)
        if set(before) - _LETTERS or not before:
            variant = replace(
                variant, problem=f'the reference "{before[:20]}" is not spelled with A, C, G, T and N'
            )
        elif after == "*":
            variant = replace(variant, problem="the allele * says that another variant deletes this place")
        elif after in (".", ""):
            variant = replace(variant, problem="there is no other allele")
        elif set(after) - _LETTERS:
            variant = replace(variant, problem=f'the allele "{after[:20]}" is not spelled out')
        yield variant


def mutated(parent: str, mutations: str, first: int = 1, *, protein: bool = True) -> str:
    """A parent sequence with mutations, such as "A23T", "A23T,G45C", "p.Ala23Thr", "c.23A>T" or "A23T:G45C"; stretches as
    "A23del", "c.23_25del", "c.23_24insACG" (between the two) and "c.23_25delinsT".

    first:   the number of the parent's first letter
    protein: whether the parent is one; names of amino acids and p. belong to proteins, c., g. and n. to nucleotides
    "WT", "wild type", "p.=" and "=" leave the parent as it is.
    Raises UserError for a mutation that is not understood, that names another letter than the parent has, or that
    lies outside of it.
    """
    if not mutations.strip():
        raise UserError("There is no mutation in this cell.", fix='write "WT" for the parent itself')
    if mutations.strip().lower() in ("wt", "wild type", "wildtype", "p.=", "c.=", "="):
        return parent
    letters = list(parent)
    seen: set[int] = set()
    for word in filter(None, re.split(r"[,;:/+\s]+", mutations.strip())):
        _refuse_other_kind(word, protein)
        for before, number, after in _stretch(word) or [_parsed(word)]:
            if number in seen:
                raise UserError(f"The position {number} is changed twice.", fix="name each position once")
            seen.add(number)
            place = number - first
            if not 0 <= place < len(parent):
                raise UserError(
                    f"The mutation {word} lies outside of the parent, whose letters are {first} to "
                    f"{first + len(parent) - 1}.",
                    fix="give the number of the parent's first letter with --first",
                )
            if before and parent[place].upper() != before:
                raise UserError(
                    f"The mutation {word} replaces {before}, and the parent has {parent[place]} at {number}.",
                    fix="check the parent, and the number of its first letter (--first)",
                )
            letters[place] = after.replace(_KEPT, parent[place])
    return "".join(letters)


_KEPT = "="
"""Stands for the parent's own letter in what takes its place."""

_NAME = r"[A-Za-z]{3}|[A-Za-z*]"


def _stretch(word: str) -> list[tuple[str, int, str]]:
    """Letter before, number, and what takes its place, for each position of a deletion or insertion; empty for others."""
    plain = re.sub(r"^(?:p|c|n|g)\.\(?|\)$", "", word)
    found = re.fullmatch(rf"({_NAME})?(\d+)(?:_({_NAME})?(\d+))?(delins|del|ins)((?:{_NAME})*)", plain)
    if found is None:
        return []
    one, first, other, last, what, new = found.groups()
    start, end = int(first), int(last or first)
    names = [_one_letter(name, word) if name else "" for name in (one, other)]
    if (what == "ins" and end != start + 1) or not start <= end < start + _LONGEST:
        raise UserError(
            f'"{word}" is no stretch of positions.',
            fix="write c.23_25del, c.23_25delinsT, or c.23_24insACG for letters between two neighbours",
        )
    if what == "ins":
        return [(names[0], start, _KEPT + _spelled(new, word)), (names[1], end, _KEPT)]
    befores = {end: names[1], start: names[0]} if last else {start: names[0]}
    if what == "del" and new:  # the letters that are taken away, as c.23_24delAC
        befores |= dict(enumerate(_spelled(new, word), start))
    put = _spelled(new, word) if what == "delins" else ""
    return [
        (befores.get(number, ""), number, "" if number > start else put) for number in range(start, end + 1)
    ]


_LONGEST = 100_000
"""Positions that one mutation takes away at most."""


def _spelled(names: str, word: str) -> str:
    """Letters, or three-letter names of amino acids, as letters."""
    if not names:
        raise UserError(f"{word} does not say what is put in.", fix="write it, such as c.23_24insACG")
    threes = [names[place : place + 3] for place in range(0, len(names), 3)]
    return "".join(THREE[each] for each in threes) if all(each in THREE for each in threes) else names.upper()


def _refuse_other_kind(word: str, protein: bool) -> None:
    """p.Ala23Thr says nothing of a DNA sequence, and c.23A>T nothing of a protein."""
    of_protein = word.startswith("p.") or re.fullmatch(r"\(?[A-Za-z]{3}\d+[A-Za-z]{3}\)?", word) is not None
    of_nucleotides = re.match(r"[cgn]\.", word) is not None
    if (of_protein and not protein and not word.endswith("del")) or (of_nucleotides and protein):
        kind = "a protein" if of_protein else "nucleotides"
        raise UserError(
            f"{word} is a mutation of {kind}, and the parent is {'a protein' if protein else 'made of nucleotides'}.",
            fix="give mutations of the sequence that the model reads",
        )


def _parsed(word: str) -> tuple[str, int, str]:
    """Letter before, number, letters after of one mutation; after is empty for a deletion."""
    plain = re.sub(r"^(?:p|c|n|g)\.\(?|\)$", "", word)
    for pattern, order in (
        (r"([A-Za-z]{3}|[A-Za-z*])(\d+)([A-Za-z]{3}|[A-Za-z*])", (1, 2, 3)),
        (r"(\d+)([A-Za-z]+)>([A-Za-z]+)", (2, 1, 3)),
    ):
        found = re.fullmatch(pattern, plain)
        if found:
            before, number, after = (found[each] for each in order)
            return (
                _one_letter(before, word),
                int(number),
                "" if after.lower() == "del" else _one_letter(after, word),
            )
    raise UserError(
        f'"{word}" is no mutation that can be read.',
        fix="write A23T, p.Ala23Thr, c.23A>T, A23del or c.23_24insACG, several with commas",
    )


def _one_letter(text: str, word: str) -> str:
    if len(text) == 1:
        return text.upper()
    known = THREE.get(text.capitalize())
    if known is None:
        raise UserError(f'"{text}" in {word} is no amino acid.', fix="write A23T or p.Ala23Thr")
    return known
