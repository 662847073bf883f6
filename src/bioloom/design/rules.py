"""What a designed sequence must and must not be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from bioloom.data.similarity.copies import reverse_complement
from bioloom.errors import UserError, did_you_mean

ENZYMES: Mapping[str, str] = MappingProxyType({
    "AarI": "CACCTGC", "AatII": "GACGTC", "AgeI": "ACCGGT", "ApaI": "GGGCCC", "AscI": "GGCGCGCC", "AvrII": "CCTAGG",
    "BamHI": "GGATCC", "BbsI": "GAAGAC", "BclI": "TGATCA", "BglII": "AGATCT", "BsaI": "GGTCTC", "BsmBI": "CGTCTC",
    "BspQI": "GCTCTTC", "BstBI": "TTCGAA", "BstEII": "GGTNACC", "BtgZI": "GCGATG", "ClaI": "ATCGAT", "DpnI": "GATC",
    "EcoRI": "GAATTC", "EcoRV": "GATATC", "Esp3I": "CGTCTC", "FseI": "GGCCGGCC", "HindIII": "AAGCTT",
    "HpaI": "GTTAAC", "KpnI": "GGTACC", "MfeI": "CAATTG", "MluI": "ACGCGT", "NcoI": "CCATGG", "NdeI": "CATATG",
    "NheI": "GCTAGC", "NotI": "GCGGCCGC", "NruI": "TCGCGA", "NsiI": "ATGCAT", "PacI": "TTAATTAA",
    "PaqCI": "CACCTGC", "PciI": "ACATGT", "PmeI": "GTTTAAAC", "PstI": "CTGCAG", "PvuI": "CGATCG", "PvuII": "CAGCTG",
    "SacI": "GAGCTC", "SacII": "CCGCGG", "SalI": "GTCGAC", "SapI": "GCTCTTC", "SbfI": "CCTGCAGG", "ScaI": "AGTACT",
    "SfiI": "GGCCNNNNNGGCC", "SmaI": "CCCGGG", "SpeI": "ACTAGT", "SphI": "GCATGC", "StuI": "AGGCCT",
    "SwaI": "ATTTAAAT", "XbaI": "TCTAGA", "XhoI": "CTCGAG", "XmaI": "CCCGGG",
})  # fmt: skip
"""Recognition sites of restriction enzymes that cloning uses, 5' to 3' (REBASE, Roberts 2015 doi:10.1093/nar/gku1046)."""

IUPAC: Mapping[str, str] = MappingProxyType({
    "A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
})  # fmt: skip
"""Letters that each letter of a pattern stands for (NC-IUB 1985)."""

CODONS: Mapping[str, str] = MappingProxyType({
    one + two + three: "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"[16 * i + 4 * j + k]
    for i, one in enumerate("TCAG") for j, two in enumerate("TCAG") for k, three in enumerate("TCAG")
})  # fmt: skip
"""The standard genetic code."""

Found = tuple[tuple[str, re.Pattern[str]], ...]
"""Words, each with a pattern that finds it."""


@dataclass(frozen=True)
class Rules:
    """What a sequence must and must not be. All positions are 0-based and half-open.

    letters:  the alphabet: "ACGT", also for RNA, or amino acids, for which rules about DNA are refused
    parent:   the sequence that is changed; every design has its length
    fixed:    positions that stay as they are in the parent
    gc:       lowest and highest share of G and C
    longest_run: letters that may be the same in a row, at most
    without:  words or enzymes that must not occur, on either strand
    words:    words that must occur, on the strand given
    edits:    letters that may differ from the parent, at most
    coding:   a stretch whose protein stays the same
    usage:    by codon, its frequency; codons below `rarest` of the most frequent one of their amino acid are not used
    """

    parent: str
    letters: str = "ACGT"
    fixed: frozenset[int] = frozenset()
    gc: tuple[float, float] = (0.0, 1.0)
    longest_run: int = 0
    without: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    edits: int = 0
    coding: tuple[int, int] | None = None
    usage: Mapping[str, float] = field(default_factory=dict)
    rarest: float = 0.1

    def broken(self, sequence: str) -> list[str]:
        """The rules that a sequence breaks, in words; empty where it keeps all."""
        return [told for told in (check(self, sequence) for check in _CHECKS) if told]

    def kept(self, sequences: Sequence[str]) -> NDArray[np.bool_]:
        """Which sequences keep all rules, (sequences,)."""
        return np.array(
            [not any(check(self, text) for check in _CHECKS) for text in sequences], dtype=np.bool_
        )

    @property
    def nucleic(self) -> bool:
        """Whether this is DNA, or what DNA is read into."""
        return set(self.letters) <= set("ACGT")

    @property
    def meaning(self) -> Mapping[str, str]:
        """The letters that each letter of a word stands for."""
        return IUPAC if self.nucleic else {**{each: each for each in self.letters}, "X": self.letters}

    @cached_property
    def forbidden(self) -> Found:
        """What must not occur; of DNA on either strand."""
        return tuple(
            (word, pattern(strand, self.meaning))
            for word in self.without
            for strand in ((word, reverse_complement(word)) if self.nucleic else (word,))
        )

    @cached_property
    def wanted(self) -> Found:
        """What must occur."""
        return tuple((word, pattern(word, self.meaning)) for word in self.words)

    @property
    def free(self) -> NDArray[np.int64]:
        """Positions that may change."""
        return np.array(
            [place for place in range(len(self.parent)) if place not in self.fixed], dtype=np.int64
        )


def spelled(word: str, letters: str = "ACGT") -> str:
    """The letters behind an enzyme or a word, in capitals; letters that stand for several are kept.

    Raises UserError for what is neither.
    """
    upper = word.upper()
    if not set(letters) <= set("ACGT"):
        if not upper or set(upper) - {*letters, "X"}:
            raise UserError(
                f'"{word}" is no word of amino acids.',
                fix="write it with their letters, and X for any, such as RGXD",
            )
        return upper
    known = {name.lower(): site for name, site in ENZYMES.items()}
    if word.lower() in known:
        return known[word.lower()]
    upper = upper.replace("U", "T")
    if not upper or set(upper) - set(IUPAC):
        raise UserError(
            f'"{word}" is neither an enzyme nor a word of DNA.{did_you_mean(word, ENZYMES)}',
            fix="name an enzyme such as EcoRI, or write its site with A, C, G, T and IUPAC letters such as GGTNACC",
        )
    return upper


def checked(rules: Rules) -> Rules:
    """The rules themselves, words spelled out.

    Raises UserError for rules that cannot be kept whatever is designed, with the rule.
    """
    without, words = (
        tuple(spelled(word, rules.letters) for word in some) for some in (rules.without, rules.words)
    )
    rules = replace(rules, without=without, words=words)
    _refuse_outside(rules)
    if not rules.nucleic:
        _refuse_rules_of_dna(rules)
    low, high = rules.gc
    if not 0 <= low <= high <= 1:
        raise UserError(
            f"No sequence has a share of G and C from {low} to {high}.", fix="choose shares from 0 to 1"
        )
    if rules.coding is not None:
        _refuse_codons(rules)
    if not len(rules.free):
        raise UserError(
            "Every position is fixed, so that nothing can be designed.", fix="leave some positions free"
        )
    _refuse_fixed_words(rules)
    for word in rules.words:
        if word in rules.without:
            raise UserError(f"{word} must occur, and must not occur.", fix="leave out one of the two rules")
        if len(word) > len(rules.parent):
            raise UserError(
                f"{word} is longer than the sequence.", fix="choose a shorter word or a longer sequence"
            )
    _refuse_gc(rules)
    return rules


def _refuse_rules_of_dna(rules: Rules) -> None:
    if rules.gc != (0.0, 1.0) or rules.coding is not None or rules.usage:
        raise UserError(
            "A share of G and C, codons and their usage are rules for DNA, and this is a protein.",
            fix="leave out --gc, --coding and --usage",
        )


def _refuse_outside(rules: Rules) -> None:
    wrong = sorted(set(rules.parent) - set(rules.letters))
    if wrong or not rules.parent:
        raise UserError(
            f'The parent holds "{wrong[0]}", which is no letter of it.' if wrong else "There is no parent.",
            fix=f"write it with {', '.join(rules.letters)}",
        )
    outside = [place for place in rules.fixed if not 0 <= place < len(rules.parent)]
    if outside:
        raise UserError(
            f"Position {outside[0] + 1} is fixed, and the sequence has {len(rules.parent)}.",
            fix="correct the positions",
        )


def _refuse_fixed_words(rules: Rules) -> None:
    for word, found in rules.forbidden:
        for match in found.finditer(rules.parent):
            if rules.fixed.issuperset(range(match.start(), match.end())):
                raise UserError(
                    f"{word} must not occur, and stands at the fixed positions {match.start() + 1} to {match.end()}.",
                    fix="free one of them, or allow the word",
                )


def _refuse_codons(rules: Rules) -> None:
    start, end = rules.coding or (0, 0)
    if not 0 <= start < end <= len(rules.parent) or (end - start) % 3:
        raise UserError(
            f"The coding stretch {start + 1} to {end} is not made of whole codons of the sequence.",
            fix="give its first and last position; its length is a multiple of 3",
        )
    for codon in rules.usage:
        if codon.upper().replace("U", "T") not in CODONS:
            raise UserError(
                f'"{codon}" is no codon.', fix="write codons with three letters A, C, G and T or U"
            )


def _refuse_gc(rules: Rules) -> None:
    fixed = [rules.parent[place] for place in sorted(rules.fixed)]
    always = sum(letter in "GC" for letter in fixed)
    never = len(fixed) - always
    total = len(rules.parent)
    if always / total > rules.gc[1] or (total - never) / total < rules.gc[0]:
        raise UserError(
            f"The fixed positions alone do not allow a share of G and C from {rules.gc[0]:g} to {rules.gc[1]:g}.",
            fix="free some positions, or widen the range",
        )


# ---- one check for each rule ----------------------------------------------------------------------------------


def _fixed(rules: Rules, text: str) -> str:
    if len(text) != len(rules.parent):
        return f"has {len(text)} letters, not {len(rules.parent)}"
    moved = [place + 1 for place in rules.fixed if text[place] != rules.parent[place]]
    return f"changes the fixed position {min(moved)}" if moved else ""


def _gc(rules: Rules, text: str) -> str:
    low, high = rules.gc
    if (low, high) == (0.0, 1.0):
        return ""
    share = (text.count("G") + text.count("C")) / max(1, len(text))
    return "" if low <= share <= high else f"has {share:.0%} G and C"


def _runs(rules: Rules, text: str) -> str:
    if not rules.longest_run:
        return ""
    found = re.search(rf"(.)\1{{{rules.longest_run},}}", text)
    return f"has {found.end() - found.start()} times {found[1]} in a row" if found else ""


def _without(rules: Rules, text: str) -> str:
    for word, found in rules.forbidden:
        match = found.search(text)
        if match:
            return f"holds {word} at {match.start() + 1}"
    return ""


def _with(rules: Rules, text: str) -> str:
    absent = next((word for word, found in rules.wanted if not found.search(text)), "")
    return f"does not hold {absent}" if absent else ""


def _edits(rules: Rules, text: str) -> str:
    if not rules.edits:
        return ""
    count = sum(a != b for a, b in zip(text, rules.parent, strict=False))
    return f"differs from the parent at {count} positions" if count > rules.edits else ""


def _protein(rules: Rules, text: str) -> str:
    if rules.coding is None:
        return ""
    start, end = rules.coding
    best = _most_used(rules.usage)
    for place in range(start, end, 3):
        codon, parent = text[place : place + 3], rules.parent[place : place + 3]
        if CODONS.get(codon) != CODONS[parent]:
            return f"changes the amino acid at {place + 1}"
        if (
            rules.usage
            and codon != parent
            and rules.usage.get(codon, 0.0) < rules.rarest * best[CODONS[codon]]
        ):
            return f"uses the rare codon {codon} at {place + 1}"
    return ""


def _most_used(usage: Mapping[str, float]) -> dict[str, float]:
    """The frequency of the most frequent codon of each amino acid."""
    best: dict[str, float] = {}
    for codon, amino_acid in CODONS.items():
        best[amino_acid] = max(best.get(amino_acid, 0.0), usage.get(codon, 0.0))
    return best


def pattern(word: str, meaning: Mapping[str, str] = IUPAC) -> re.Pattern[str]:
    """A word whose letters may stand for several as a pattern; the module keeps the last ones compiled."""
    return re.compile(
        "".join(letter if meaning[letter] == letter else f"[{meaning[letter]}]" for letter in word)
    )


_CHECKS = (_fixed, _runs, _gc, _without, _with, _edits, _protein)
