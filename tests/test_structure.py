"""Structures as inputs: what is dropped and why, which are alike, what is told of them, and a whole journey."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import gemmi
import numpy as np
import pandas as pd
import pytest
import torch

import bioloom
from bioloom.data.assets import of_files
from bioloom.data.places import Folder
from bioloom.errors import UserError
from bioloom.modalities import Across, Similarity
from bioloom.modalities.kinship import families
from bioloom.modalities.structure import Structure
from bioloom.modalities.structure_demo import hairpin, pdb_text, turned
from bioloom.modalities.structure_views import DistanceMap, StructurePicture
from small_runs import FAST

AMINO = "ACDEFGHIKLMNPQRSTVWY"


def chain(letters: str, seed: int = 0, name: str = "A", moved: float = 0.0) -> str:
    random = np.random.default_rng(seed)
    strand = (len(letters) - 2) // 2
    places = hairpin(strand) + random.normal(0, 0.2, size=(len(letters), 4, 3)) + [0.0, 0.0, moved]
    return pdb_text(letters, places, name)


def letters_of(seed: int, length: int = 42) -> str:
    return "".join(np.random.default_rng(seed).choice(list(AMINO), size=length))


def column(folder: Path, files: dict[str, str], chains: list[str] | None = None) -> pd.DataFrame:
    for name, text in files.items():
        (folder / name).write_text(text)
    frame = pd.DataFrame({"structure": of_files(Folder(folder), list(files))})
    return frame if chains is None else frame.assign(chains=chains)


def complex_of(seed: int) -> str:
    one, other = letters_of(seed), letters_of(seed + 100)
    return chain(one).replace("TER\n", "") + chain(other, 1, "B", moved=5.0)


def test_each_way_to_be_broken_is_dropped_with_its_reason(tmp_path: Path) -> None:
    good = complex_of(0)
    files = {
        "good.pdb": good,
        "empty.pdb": "",
        "text.pdb": "no structure\n",
        "chains.pdb": good,
        "far.pdb": "",
    }
    files["far.pdb"] = chain(letters_of(1)) + chain(letters_of(2), 1, "B", moved=500.0)
    files["renamed.pdb"] = good
    values = column(tmp_path, files, ["A:B", "", "", "AQ", "A:B", "H:L"])
    values.loc[len(values)] = [np.nan, ""]
    values["structure"] = of_files(Folder(tmp_path), values["structure"])
    found = {(problem.code, problem.severity, tuple(problem.rows)) for problem in Structure.check(values)}
    dropped = {row for _, severity, rows in found if severity == "drop" for row in rows}
    assert dropped == {1, 2, 3, 4, 6}
    assert ("structure.missing", "drop", (6,)) in found
    assert ("structure.read", "note", (5,)) in found
    words = " ".join(problem.message for problem in Structure.check(values))
    assert "no coordinates" in words
    assert "Å apart" in words
    assert 'no chain "Q"' in words


def test_a_file_that_is_not_there_is_dropped(tmp_path: Path) -> None:
    values = pd.DataFrame({"structure": of_files(Folder(tmp_path), ["absent.pdb"])})
    (problem,) = Structure.check(values)
    assert (problem.code, problem.severity) == ("structure.absent", "drop")


def test_names_of_files_are_recognised_and_words_are_not() -> None:
    assert Structure.detect(pd.Series(["a.pdb", "b.cif", "x/c.ent.gz"])) > 0.9
    assert Structure.detect(pd.Series(["a.png", "b.png"])) == 0
    assert DistanceMap.detect(pd.Series(["a.pdb"])) == 0


def test_a_copy_in_another_crystal_is_a_relative_and_a_shared_partner_is_not(tmp_path: Path) -> None:
    one, other, third = letters_of(1), letters_of(2), letters_of(3)
    mutant = "".join("G" if place % 9 == 0 else letter for place, letter in enumerate(one))

    def pair(first: str, second: str) -> str:
        return chain(first).replace("TER\n", "") + chain(second, 5, "B", moved=5.0)

    files = {
        "a.pdb": pair(one, other),
        "b.pdb": pair(mutant, other),
        "c.pdb": pair(one, third),
        "d.pdb": chain(one),
    }
    labels = Structure.clusters(column(tmp_path, files)).labels
    assert labels[0] == labels[1]
    assert labels[3] == labels[0]  # its only chain has a relative in the others
    assert labels[2] == labels[3]
    apart = Structure.clusters(column(tmp_path, {name: files[name] for name in ("a.pdb", "c.pdb")})).labels
    assert apart[0] != apart[1]


def nucleic(bases: str, seed: int, name: str = "A", dna: bool = False) -> gemmi.Structure:
    """A strand of nucleotides of which C1' and P are known, anywhere."""
    random, built = np.random.default_rng(seed), gemmi.Structure()
    strand = gemmi.Chain(name)
    for number, base in enumerate(bases):
        residue = gemmi.Residue()
        residue.name, residue.seqid = f"D{base}" if dna else base, gemmi.SeqId(str(number + 1))
        residue.het_flag, residue.entity_type = "A", gemmi.EntityType.Polymer
        for atom_name, element in (("C1'", "C"), ("P", "P")):
            atom = gemmi.Atom()
            atom.name, atom.element = atom_name, gemmi.Element(element)
            atom.pos = gemmi.Position(6.0 * number, *random.normal(0, 1, size=2))
            residue.add_atom(atom)
        strand.add_residue(residue)
    model = gemmi.Model("1")
    model.add_chain(strand)
    built.add_model(model)
    return built


def test_structures_of_rna_or_dna_alone_have_relatives_by_their_bases(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    riboswitch, other, third = ("".join(random.choice(list("ACGU"), size=72)) for _ in range(3))
    entries = [riboswitch[:40] + "A" * (number % 2) + riboswitch[41:] for number in range(8)]
    made = [nucleic(bases, number) for number, bases in enumerate([*entries, riboswitch, other, other])]
    dna = third.replace("U", "T")
    files = {f"entry{number}.pdb": each.make_pdb_string() for number, each in enumerate(made)}
    files["copy.cif"] = nucleic(riboswitch, 50, "X").make_mmcif_document().as_string()
    files["dna.pdb"] = nucleic(dna, 60, dna=True).make_pdb_string()
    files["protein.pdb"] = chain(letters_of(0))
    values = column(tmp_path, files)
    labels = Structure.clusters(values).labels
    assert labels.tolist() == [0] * 9 + [1, 1, 0, 2, 3]
    found = Structure.alike(values, Across(np.array([0, 9, 11, 12, 13]), np.array([8, 10]), Similarity()))
    assert found.kind.tolist() == ["near", "near", "near", "", ""]
    assert found.identity[1] == found.identity[2] == 1.0


def test_families_are_linked_by_one_lying_in_the_other() -> None:
    sets = [frozenset({1, 2}), frozenset({1}), frozenset({3}), frozenset({1, 2}), frozenset(), frozenset()]
    assert families(sets, np.array([0, 1, 2, 3, 4, 4])).tolist() == [0, 0, 1, 0, 2, 2]


def test_across_a_split_copies_and_relatives_are_found(tmp_path: Path) -> None:
    one, other = letters_of(1), letters_of(2)
    mutant = "".join("G" if place % 9 == 0 else letter for place, letter in enumerate(one))
    files = {"a.pdb": chain(one), "b.pdb": chain(one), "c.pdb": chain(mutant, 3), "d.pdb": chain(other, 4)}
    found = Structure.alike(column(tmp_path, files), Across(np.array([1, 2, 3]), np.array([0])))
    assert found.kind.tolist() == ["exact", "near", ""]
    assert found.partner.tolist() == [0, 0, -1]
    assert found.identity[0] == 1
    assert 0.8 < found.identity[1] < 1


def test_two_partners_are_seen_where_they_meet(tmp_path: Path) -> None:
    values = column(tmp_path, {"a.pdb": complex_of(0)}, ["A:B"])
    fitted = Structure.fit(values)
    assert fitted.partners
    parts = [part.label for part in fitted.parts(values)]
    assert {label[0] for label in parts} == {"A", "B"}
    assert fitted.features(values).names[0] == "contacts charged-charged"


def test_a_structure_too_large_is_cut_around_its_centre_and_that_is_said(tmp_path: Path) -> None:
    fitted = Structure.fit(column(tmp_path, {"small.pdb": chain(letters_of(0, 14))}))
    large = column(tmp_path, {"large.pdb": chain(letters_of(1, 42))})
    assert fitted.notes(large)[0].code == "structure.cut"
    x, mask = fitted.encode(large).on("cpu").batch(torch.arange(1))
    assert mask.all()
    neighbours = x[0, len(fitted.average) :: 6]
    assert neighbours.max() <= fitted.nodes


def test_attributions_are_written_as_b_factors(tmp_path: Path) -> None:
    values = column(tmp_path, {"a.pdb": chain(letters_of(0, 14))})
    fitted = Structure.fit(values)
    attribution = np.zeros(fitted.shape.sizes, dtype=np.float32)
    attribution[0, 3], attribution[1, 5] = 0.2, -0.4
    content = fitted.files(values, attribution, "Change of yield")[".cif"]
    structure = gemmi.make_structure_from_block(gemmi.cif.read_string(content.decode())[0])
    found = [residue[0].b_iso for residue in structure[0][0]]
    expected = np.zeros(14)
    expected[[3, 5]] = 50, -100
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert "0.4" in structure.info["_struct.title"]


@pytest.mark.parametrize("view", [DistanceMap, StructurePicture])
def test_pictures_of_a_structure_do_not_change_when_it_is_turned(tmp_path: Path, view) -> None:
    letters = letters_of(0, 26)
    places = hairpin(12) * [1.0, 1.0, 1.0] + np.random.default_rng(0).normal(0, 0.4, size=(26, 4, 3))
    files = {
        "a.pdb": pdb_text(letters, places),
        "b.pdb": pdb_text(letters, turned(places, np.random.default_rng(1))),
    }
    pixels = view.fit(values := column(tmp_path, files)).encode(values).pixels.astype(int)
    assert np.abs(pixels[0] - pixels[1]).max() <= 2 or np.mean(pixels[0] != pixels[1]) < 0.01


def table(folder: Path, pack: str) -> Path:
    """Thirty structures and a broken one, in an archive beside a table."""
    records = Structure.demo(30, 1).records
    from bioloom.data.stores import from_text

    files = {
        f"s{row}.pdb": from_text(cell) for row, cell in enumerate(records.inputs["structure"]["structure"])
    }
    files["broken.pdb"] = b"ATOM broken"
    if pack == "zip":
        with zipfile.ZipFile(folder / "structures.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        with tarfile.open(folder / "structures.tgz", "w:gz") as archive:
            for name in files:
                archive.add(folder / name, name)
                (folder / name).unlink()
    stability = [*records.targets["stability"], 0.0]
    frame = pd.DataFrame({"file": list(files), "stability": stability})
    frame.to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


QUICK = FAST | {"model.network": "auto", "training.epochs": 2, "explanation.records": 2, "split.folds": 1}


@pytest.mark.parametrize("pack", ["zip", "tgz"])
def test_a_journey_from_files_in_an_archive_to_predictions(tmp_path: Path, pack: str) -> None:
    source = table(tmp_path, pack)
    run = bioloom.train(source, target="stability", settings=QUICK, outdir=tmp_path / "run", quiet=True)
    dropped = pd.read_csv(run.folder / "dropped.csv")
    assert len(dropped) == 1
    assert "structure" in dropped["reason"][0]
    assert list((run.folder / "figures").glob("*.cif"))
    predicted = bioloom.predict(run.folder, source, quiet=True).frame
    assert len(predicted) == 31
    assert predicted["stability"].notna().sum() == 30


def test_one_structure_and_a_column_of_variants_are_joined(tmp_path: Path) -> None:
    """The structure is the same for all records: what tells variants apart is their sequence."""
    random = np.random.default_rng(0)
    parent = letters_of(0, 22)
    (tmp_path / "parent.pdb").write_text(chain(parent))
    rows, activity = [], []
    for _ in range(40):
        variant = list(parent)
        for place in random.choice(22, size=2, replace=False):
            variant[place] = str(random.choice(list(AMINO)))
        rows.append("".join(variant))
        activity.append(
            float(variant[4] == parent[4]) + float(variant[9] == parent[9]) + random.normal(0, 0.1)
        )
    frame = pd.DataFrame({"structure": "parent.pdb", "sequence": rows, "activity": activity})
    frame.to_csv(tmp_path / "variants.csv", index=False)
    run = bioloom.train(
        tmp_path / "variants.csv", target="activity", settings=QUICK, outdir=tmp_path / "run", quiet=True
    )
    assert run.result["model"]["network"] == "fusion" or "fusion" in str(run.result)
    predicted = bioloom.predict(run.folder, tmp_path / "variants.csv", quiet=True).frame
    assert predicted["activity"].notna().all()


def test_no_usable_structure_at_all_is_told_as_a_mistake_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "a.pdb").write_text("nothing")
    pd.DataFrame({"file": ["a.pdb", "a.pdb"], "y": [1.0, 2.0]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError, match="None of the 2 rows can be used"):
        bioloom.train(tmp_path / "t.csv", target="y", settings=QUICK, outdir=tmp_path / "run", quiet=True)
