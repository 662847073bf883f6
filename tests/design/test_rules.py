"""Rules are kept, broken ones named, impossible ones refused."""

from __future__ import annotations

import pytest

from bioloom.design.rules import CODONS, ENZYMES, Rules, checked, spelled
from bioloom.errors import UserError

PARENT = "ATGGCTGAATTCAAAGGGTTTACGCATTAA"


@pytest.mark.parametrize(
    ("rules", "text", "told"),
    [
        ({"fixed": frozenset({0, 1})}, "C" + PARENT[1:], "fixed position 1"),
        ({"gc": (0.5, 0.6)}, PARENT, "G and C"),
        ({"longest_run": 2}, PARENT, "3 times A in a row"),
        ({"without": ("EcoRI",)}, PARENT, "holds GAATTC at 7"),
        ({"without": ("CTTTGAA",)}, PARENT[:9] + "TTCAAAG" + PARENT[16:], "holds CTTTGAA"),
        ({"words": ("TATAAT",)}, PARENT, "does not hold TATAAT"),
        ({"edits": 1}, "CC" + PARENT[2:], "differs from the parent at 2"),
        ({"coding": (0, 30)}, PARENT[:3] + "TTT" + PARENT[6:], "changes the amino acid at 4"),
        ({}, PARENT[:-1], "has 29 letters"),
    ],
)
def test_a_broken_rule_is_named(rules, text, told):
    made = checked(Rules(PARENT, **rules))
    assert any(told in each for each in made.broken(text))
    assert made.kept([text]).tolist() == [False]


def test_synonymous_codons_keep_the_protein_and_rare_ones_are_refused():
    made = checked(Rules(PARENT, coding=(0, 30), usage={"GCT": 20.0, "GCC": 26.0, "GCG": 1.0}))
    assert made.broken(PARENT[:3] + "GCC" + PARENT[6:]) == []
    assert any("rare codon GCG" in each for each in made.broken(PARENT[:3] + "GCG" + PARENT[6:]))


def test_the_genetic_code_is_that_of_biopython():
    from Bio.Data.CodonTable import standard_dna_table as table

    expected = {**table.forward_table, **dict.fromkeys(table.stop_codons, "*")}
    assert dict(CODONS) == expected


def test_enzymes_are_those_of_rebase():
    from Bio import Restriction

    for name, site in ENZYMES.items():
        assert getattr(Restriction, name).site == site, name


def test_words_and_enzymes_are_spelled_out():
    assert spelled("ecori") == "GAATTC"
    assert spelled("ggtnacc") == "GGTNACC"
    with pytest.raises(UserError, match='Did you mean "EcoR'):
        spelled("EcoR1")


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"fixed": frozenset(range(30))}, "Every position is fixed"),
        ({"fixed": frozenset(range(6, 12)), "without": ("EcoRI",)}, "stands at the fixed positions 7 to 12"),
        ({"gc": (0.6, 0.5)}, "share of G and C from 0.6 to 0.5"),
        ({"fixed": frozenset(range(29)), "gc": (0.9, 1.0)}, "fixed positions alone"),
        ({"coding": (0, 29)}, "whole codons"),
        ({"words": ("GAATTC",), "without": ("EcoRI",)}, "must occur, and must not occur"),
        ({"words": ("A" * 40,)}, "longer than the sequence"),
        ({"fixed": frozenset({99})}, "Position 100 is fixed"),
        ({"usage": {"XYZ": 1.0}, "coding": (0, 30)}, "no codon"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(rules, told):
    with pytest.raises(UserError, match=told):
        checked(Rules(PARENT, **rules))


AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"


def test_words_of_proteins_are_words_and_not_codes_of_bases():
    """R is arginine, not A or G; X is any amino acid; nothing is looked for on another strand."""
    made = checked(Rules("MKRGDAWY", letters=AMINO_ACIDS, without=("rgd",), words=("WX",)))
    assert made.broken("MKRGDAWY") == ["holds RGD at 3"]
    assert made.broken("MKAGDAWY") == []
    assert made.broken("MKAGDAYY") == ["does not hold WX"]
    assert set(made.meaning["X"]) == set(AMINO_ACIDS)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"gc": (0.4, 0.6)}, "rules for DNA"),
        ({"coding": (0, 6)}, "rules for DNA"),
        ({"without": ("EcoR1",)}, "no word of amino acids"),
        ({"parent": "MKB"}, 'holds "B"'),
    ],
)
def test_rules_about_dna_are_refused_for_proteins(rules, told):
    with pytest.raises(UserError, match=told):
        checked(Rules(**{"parent": "MKRGDAWY", "letters": AMINO_ACIDS, **rules}))
