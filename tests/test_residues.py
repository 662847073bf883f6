"""Reading PDB and mmCIF files, beside Biopython's parsers and by hand."""

from __future__ import annotations

import warnings
from io import StringIO

import numpy as np
import pytest
from Bio.PDB import MMCIFIO, PDBParser

from bioloom.modalities.residues import GAP, LETTERS, RENAMED, Chains, UnreadableError, read_structure
from bioloom.modalities.structure_demo import hairpin, pdb_text
from bioloom.modalities.structure_graph import FEATURES, _table

LINE = (
    "{kind:<6}{serial:5d} {name:<4}{alt}{residue:>3} {chain}{number:4d}{code}   "
    "{x:8.3f}{y:8.3f}{z:8.3f}{occ:6.2f}  0.00          {element:>2}"
)


def atom(name: str, residue: str, number: int, **more) -> str:
    """A line of a PDB file; residues lie 3.8 Å apart along x."""
    known = {
        "kind": "ATOM",
        "serial": 1,
        "alt": " ",
        "chain": "A",
        "code": " ",
        "occ": 1.0,
        "element": name[0],
    }
    at = {"x": 3.8 * number, "y": {"N": -1.0, "CA": 0.0, "C": 1.0, "CB": 0.5}.get(name, 2.0), "z": 0.0}
    name = name if len(name) == 4 else f" {name}"
    return LINE.format(**(known | at | {"name": name, "residue": residue, "number": number} | more))


def residue(name: str, number: int, **more) -> list[str]:
    return [atom(each, name, number, **more) for each in ("N", "CA", "C", "CB")]


def file_of(*blocks: list[str]) -> bytes:
    return "\n".join(line for block in blocks for line in block).encode() + b"\nEND\n"


def spelled(found) -> str:
    return "".join(LETTERS[letter] for letter in found.letters)


PLAIN = (residue("ALA", 1), residue("LYS", 2), residue("TRP", 3))


def test_asparagine_is_no_nucleotide_and_a_nucleotide_is_no_asparagine() -> None:
    strand = [
        atom(name, "DA", number, chain="B", y=9.0) for number in (1, 2, 3, 4) for name in ("P", "C1'", "N9")
    ]
    found = read_structure(file_of(residue("ASN", 1), residue("ALA", 2), residue("ASN", 3), strand))
    assert spelled(found) == "NANnnnn"
    assert found.sequences == {"A": "NAN"}
    assert found.nucleic == {"B": "AAAA"}
    nodes = dict(zip(FEATURES, _table()[found.letters[3]], strict=False))
    assert (nodes["nucleotide"], nodes["N"], nodes["polar"]) == (1, 0, 0)


def test_residues_come_in_the_order_of_the_file_with_their_names() -> None:
    found = read_structure(file_of(*PLAIN))
    assert spelled(found) == "AKW"
    assert found.labels == ["A:A1", "A:K2", "A:W3"]
    assert found.sequences == {"A": "AKW"}
    assert len(found.atoms) == 12
    np.testing.assert_allclose(found.alpha[:, 0], [3.8, 7.6, 11.4], atol=1e-4)
    assert found.notes == ()


def test_waters_ligands_ions_and_hydrogens_are_left_out() -> None:
    extra = [
        atom("O", "HOH", 9, kind="HETATM"),
        atom("C1", "HEM", 10, kind="HETATM"),
        atom("ZN", "ZN", 11, kind="HETATM", element="ZN"),
        atom("HA", "ALA", 1, element="H"),
    ]
    found = read_structure(file_of(*PLAIN, extra))
    assert spelled(found) == "AKW"
    assert set(found.elements) == {"N", "C"}


def test_selenomethionine_is_methionine_and_said_to_be() -> None:
    found = read_structure(file_of(*PLAIN, residue("MSE", 4, kind="HETATM")))
    assert spelled(found) == "AKWM"
    assert "MSE" in found.notes[0]


def test_a_residue_that_nobody_knows_is_x_where_it_has_a_backbone() -> None:
    assert spelled(read_structure(file_of(*PLAIN, residue("QQQ", 4, kind="HETATM")))) == "AKWX"


def test_of_alternative_locations_the_most_occupied_counts() -> None:
    two = [atom("CB", "LYS", 2, alt="A", occ=0.3, z=9.0), atom("CB", "LYS", 2, alt="B", occ=0.7, z=5.0)]
    lysine = [line for line in residue("LYS", 2) if " CB " not in line]
    found = read_structure(file_of(residue("ALA", 1), lysine + two, residue("TRP", 3)))
    assert found.beta[1, 2] == 5.0
    assert len(found.atoms) == 12


def test_insertion_codes_are_residues_of_their_own() -> None:
    found = read_structure(file_of(*PLAIN, residue("GLY", 3, code="A", x=15.2)))
    assert found.labels == ["A:A1", "A:K2", "A:W3", "A:G3A"]


def test_of_several_models_the_first_is_read_and_it_is_said() -> None:
    body = file_of(*PLAIN).decode().replace("END\n", "")
    models = "".join(f"MODEL     {number:4d}\n{body}ENDMDL\n" for number in (1, 2, 3))
    found = read_structure(models.encode())
    assert len(found) == 3
    assert found.notes == ("of 3 models the first is read",)


def test_missing_residues_leave_a_gap_along_the_chain() -> None:
    found = read_structure(file_of(*PLAIN, residue("GLY", 9), residue("GLY", 10)))
    assert np.diff(found.along).tolist() == [1, 1, GAP, 1]


def test_a_beta_carbon_is_put_where_glycine_would_have_it() -> None:
    """Ideal alanine: the built atom lies within 0.1 Å of the real one (coordinates of a helix of PDB 1L2Y)."""
    lines = [
        atom("N", "LEU", 2, x=-6.351, y=-1.205, z=-0.346),
        atom("CA", "LEU", 2, x=-5.014, y=-0.636, z=-0.096),
        atom("C", "LEU", 2, x=-4.021, y=-1.646, z=0.475),
    ]
    found = read_structure(file_of(lines, residue("ALA", 3), residue("ALA", 4)))
    bond = found.beta[0] - found.alpha[0]
    assert np.linalg.norm(bond) == pytest.approx(1.53, abs=0.03)
    to_nitrogen, to_carbon = found.atoms[0] - found.alpha[0], found.atoms[2] - found.alpha[0]
    for other in (to_nitrogen, to_carbon):
        cosine = bond @ other / np.linalg.norm(bond) / np.linalg.norm(other)
        assert np.degrees(np.arccos(cosine)) == pytest.approx(110, abs=4)


def test_mmcif_reads_as_pdb_does() -> None:
    text = pdb_text("ACDEFGHIKLMNPQ", hairpin(6))
    stream = StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer = MMCIFIO()
        writer.set_structure(PDBParser(QUIET=True).get_structure("x", StringIO(text)))
        writer.save(stream)
    one, other = read_structure(text.encode()), read_structure(stream.getvalue().encode())
    assert one.labels == other.labels
    np.testing.assert_allclose(one.atoms, other.atoms, atol=1e-3)


def two_chains() -> bytes:
    return file_of(
        *PLAIN,
        *(residue(name, 1 + place, chain="B", z=5.0) for place, name in enumerate(["GLY", "SER", "VAL"])),
    )


@pytest.mark.parametrize(
    ("chains", "sides"),
    [
        ("", [0] * 6),
        ("A", [0] * 3),
        ("AB", [0] * 6),
        ("A:B", [0, 0, 0, 1, 1, 1]),
        ("B:A", [1, 1, 1, 0, 0, 0]),
        ("A, B", [0] * 6),
    ],
)
def test_chains_are_kept_and_put_on_sides(chains: str, sides: list[int]) -> None:
    assert read_structure(two_chains(), chains).side.tolist() == sides


def test_two_partners_of_other_names_can_only_be_the_two_chains_and_that_is_said() -> None:
    found = read_structure(two_chains(), "HL:V")
    assert found.side.tolist() == [0, 0, 0, 1, 1, 1]
    assert RENAMED in found.notes


@pytest.mark.parametrize("chains", ["C", "A:B:C", "AC", "A:", "AA"])
def test_chains_that_are_not_there_or_make_no_sense_are_refused(chains: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_structure(two_chains(), chains)
    assert caught.value.fix


def test_names_of_chains_of_several_letters_need_commas() -> None:
    assert Chains.parse("A1,B2:C").sides == (("A1", "B2"), ("C",))


def test_a_place_that_is_no_number_is_refused_and_not_read_as_0() -> None:
    whole = file_of(*(residue("ALA", number) for number in (1, 2, 3, 4)))
    lines = whole.splitlines()
    broken = b"\n".join([*lines[:3], lines[3][:30] + b"   abc  " + lines[3][38:], *lines[4:]])
    read_structure(whole)
    with pytest.raises(UnreadableError, match="no number in line 4"):
        read_structure(broken)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello\nworld\n",
        b"\x00\x01\x02\xff" * 50,
        b"data_x\nloop_\n_atom_site.id\n",
        b"data_x\n",
        b"ATOM      1  N   ALA A   1       x.xxx   0.000   0.000\n",
        file_of(residue("ALA", 1)),
        file_of([atom("O", "HOH", 1, kind="HETATM")]),
        b"HEADER    SOMETHING\nEND\n",
    ],
)
def test_broken_files_are_refused_with_a_reason_and_what_to_do(content: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_structure(content)
    assert caught.value.reason
    assert not caught.value.reason.endswith(".")
    assert caught.value.fix
