"""Variants are read allele by allele, mutations letter by letter."""

from __future__ import annotations

import pytest

from bioloom.data.variants import mutated, read_vcf
from bioloom.errors import UserError

VCF = """##fileformat=VCFv4.2
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
chr1\t5\trs1\tA\tG\t.\t.\t.
chr1\t9\t.\tAC\tA,ACGT,<DEL>\t.\t.\t.
chr2\t1\trs3\tT\t*\t.\t.\t.
chr2\t4\trs4\tR\tT\t.\t.\t.
chr2\t4\trs5\tA\t.\t.\t.\t.
"""


def test_every_allele_is_a_variant_and_none_is_left_out(tmp_path):
    path = tmp_path / "v.vcf"
    path.write_text(VCF)
    found = list(read_vcf(path))
    assert [(each.line, each.position, each.before, each.after) for each in found[:4]] == [
        (3, 4, "A", "G"),
        (4, 8, "AC", "A"),
        (4, 8, "AC", "ACGT"),
        (4, 8, "AC", "<DEL>"),
    ]
    assert [each.name for each in found[:3]] == ["rs1", "chr1:9:AC>A", "chr1:9:AC>ACGT"]
    assert [bool(each.problem) for each in found] == [False, False, False, True, True, True, True]
    assert len(found) == 7


@pytest.mark.parametrize("line", ["chr1\t5\trs1\tA", "chr1\tx\trs1\tA\tG", "chr1\t0\trs1\tA\tG"])
def test_a_line_that_is_no_variant_is_named(tmp_path, line):
    path = tmp_path / "v.vcf"
    path.write_text(f"##x\n{line}\n")
    with pytest.raises(UserError, match="no variant") as caught:
        list(read_vcf(path))
    assert "line 2" in caught.value.where


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("WT", "MAGW"), ("p.=", "MAGW"), ("A2T", "MTGW"), ("p.Ala2Thr", "MTGW"), ("p.(Ala2Thr)", "MTGW"),
        ("A2T,W4*", "MTG*"), ("A2T:G3K", "MTKW"), ("A2del", "MGW"), ("p.Trp4Ter", "MAG*")
    ],
)  # fmt: skip
def test_mutations_are_understood_in_the_usual_spellings(words, expected):
    assert mutated("MAGW", words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("c.2_3del", "AT"),
        ("c.2del", "AGT"),
        ("c.2_3delCG", "AT"),
        ("2_3delinsTTT", "ATTTT"),
        ("C2delinsGG", "AGGGT"),
        ("c.2_3insAAA", "ACAAAGT"),
        ("C2_G3insA,A1G", "GCAGT"),
    ],
)
def test_stretches_are_taken_away_and_put_in(words, expected):
    assert mutated("ACGT", words, protein=False) == expected


def test_stretches_of_proteins_have_names_of_three_letters():
    assert mutated("MAGW", "p.Ala2_Gly3del") == "MW"
    assert mutated("MAGW", "p.Ala2_Gly3insTrpTer") == "MAW*GW"
    assert mutated("MAGW", "p.(Gly3delinsSerThr)") == "MASTW"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("c.2_4insA", "no stretch of positions"),
        ("c.2insA", "no stretch of positions"),
        ("c.3_2del", "no stretch of positions"),
        ("c.2_3delCA", "replaces A, and the parent has G at 3"),
        ("c.2_3ins", "does not say what is put in"),
        ("C2_C3del", "replaces C, and the parent has G at 3"),
        ("c.3_9del", "outside of the parent"),
        ("c.2_3insA,C2G", "changed twice"),
    ],
)
def test_stretches_that_cannot_be_are_told(words, told):
    with pytest.raises(UserError, match=told):
        mutated("ACGT", words, protein=False)


def test_numbers_may_begin_elsewhere():
    assert mutated("MAGW", "A24T", first=23) == "MTGW"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("C2T", "replaces C, and the parent has A at 2"),
        ("A9T", "outside of the parent"),
        ("A2", "no mutation that can be read"),
        ("p.Xyz2Thr", "no amino acid"),
        ("", "no mutation in this cell"),
        ("A2T,A2G", "changed twice"),
        ("c.2A>T", "a mutation of nucleotides, and the parent is a protein"),
    ],
)
def test_wrong_mutations_are_told(words, told):
    with pytest.raises(UserError, match=told):
        mutated("MAGW", words)


def test_proteins_and_nucleotides_are_not_mixed_up():
    assert mutated("ACGT", "c.2C>G", protein=False) == "AGGT"
    assert mutated("ACGT", "C2del", protein=False) == "AGT"
    with pytest.raises(UserError, match="a mutation of a protein, and the parent is made of nucleotides"):
        mutated("ACGT", "p.Ala1Thr", protein=False)
