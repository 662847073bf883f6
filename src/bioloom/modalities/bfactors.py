"""A structure with a number for each residue in its B-factor column, which every viewer can colour by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioloom.modalities.residues import parse_structure

if TYPE_CHECKING:
    from collections.abc import Mapping

FULL = 100.0
"""The B-factor of the residue with the largest number; others are in proportion."""


def with_attributions(content: bytes, numbers: Mapping[tuple[str, str], float], label: str) -> bytes:
    """The first model as mmCIF, the numbers scaled so that the largest is 100 or -100, other residues at 0.

    content: of a PDB or mmCIF file; numbers: by chain and number of the residue, such as ("A", "52A")
    label:   what the numbers are, written into the title
    """
    structure = parse_structure(content)
    while len(structure) > 1:
        del structure[-1]
    largest = max((abs(number) for number in numbers.values()), default=0.0)
    for chain in structure[0]:
        for residue in chain:
            number = numbers.get((chain.name, str(residue.seqid)), 0.0)
            for atom in residue:
                atom.b_iso = FULL * number / largest if largest else 0.0
    structure.setup_entities()
    structure.name = "attribution"
    structure.info["_struct.title"] = f"B-factors: {label}; {FULL:g} stands for {largest:.4g}"
    document: str = structure.make_mmcif_document().as_string()
    return document.encode()
