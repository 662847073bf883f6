"""DNA: letters, problems, notes, features, shuffles, and the course's simulated motif."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from Bio.Data.IUPACData import ambiguous_dna_values

from bioloom.data.simulate.motif import PERCENT, plant_motif
from bioloom.errors import UserError
from bioloom.modalities import Signal
from bioloom.modalities.dna import ALPHABET, Dna
from bioloom.modalities.letters import clean


def frame(*cells: object) -> pd.DataFrame:
    return pd.DataFrame({"sequence": pd.Series(cells, dtype=object)})


def signal_of(*sequences: str) -> Signal:
    values = frame(*sequences)
    return Dna.fit(values).encode(values).on("cpu").batch(torch.arange(len(sequences)))


def found(values: pd.DataFrame) -> dict[str, tuple[str, list[int]]]:
    return {problem.code: (problem.severity, problem.rows.tolist()) for problem in Dna.check(values)}


# ---- letters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(set(ambiguous_dna_values) - set("X")))
def test_every_iupac_code_is_the_mixture_biopython_lists(code):
    x = signal_of(code).x[0, :, 0].numpy()
    letters = ambiguous_dna_values[code]
    expected = [(letter in letters) / len(letters) for letter in "ACGT"]
    np.testing.assert_allclose(x, expected, rtol=1e-6)


def test_case_uracil_and_white_space_do_not_change_what_is_encoded():
    plain = signal_of("ACGTT").x
    for same in ("acgtt", "ACGUU", " ACG TT\n", "aCgUt"):
        assert torch.equal(signal_of(same).x, plain)


def test_clean_text_has_one_spelling():
    assert clean(frame("acGU u", "NR-.")["sequence"], ALPHABET).tolist() == ["ACGTT", "NR--"]


# ---- problems --------------------------------------------------------------------------------------------------


def test_clean_sequences_have_no_problem():
    assert Dna.check(frame("ACGT", "GGG")) == []


def test_missing_and_empty_sequences_are_dropped():
    problems = found(frame("ACGT", None, "", "  ", "--", float("nan")))
    assert problems["sequence.missing"] == ("drop", [1, 5])
    assert problems["sequence.empty"] == ("drop", [2, 3, 4])


def test_a_wrong_character_is_told_with_its_position_and_row():
    (problem,) = Dna.check(frame("ACGT", "AC1T"))
    assert problem.severity == "drop"
    assert problem.rows.tolist() == [1]
    assert problem.message == 'the sequence holds "1" at position 3, which is no letter of DNA'
    assert problem.column == "sequence"


def test_characters_of_any_script_are_told_as_they_are():
    messages = [problem.message for problem in Dna.check(frame("ACGA", "ACGé", "αCGT"))]
    assert any('"é" at position 4' in message for message in messages)
    assert any('"α" at position 1' in message for message in messages)


def test_many_wrong_rows_are_told_together_by_character():
    cells = ["ACGT"] * 200 + ["A" * n + "?" for n in range(1, 31)]
    (problem,) = Dna.check(frame(*cells))
    assert problem.rows.tolist() == list(range(200, 230))
    assert "at position 2 in the first of these rows" in problem.message


def test_a_column_of_other_letters_gets_advice_to_name_its_modality():
    problems = Dna.check(frame("MKLP", "MEEP"))
    assert all("--input sequence=MODALITY" in problem.fix for problem in problems)


def test_numbers_in_a_sequence_column_are_no_letters():
    assert found(frame("ACGT", 12.5))["sequence.letters"] == ("drop", [1])


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("acgt", "sequence.lower_case"),
        ("ACGU", "sequence.spelling"),
        ("AC GT", "sequence.spaces"),
        ("AC-T", "sequence.gaps"),
        ("ACRT", "sequence.mixtures"),
        ("NNNA", "sequence.unknown"),
    ],
)
def test_each_change_of_letters_is_noted(cell, code):
    problems = found(frame("ACGT", cell))
    assert problems[code] == ("note", [1])
    assert all(severity == "note" for severity, _ in problems.values())


def test_the_note_on_mixtures_names_the_codes():
    (problem,) = Dna.check(frame("ACRT", "AYGT"))
    assert "(R, Y)" in problem.message


def test_a_dropped_row_gets_no_notes():
    assert set(found(frame("ac1t"))) == {"sequence.letters"}


def test_encoding_refuses_what_check_would_drop():
    dna = Dna.fit(frame("ACGT"))
    with pytest.raises(UserError, match="'X' at position 2"):
        dna.encode(frame("ACGT", "AXGT"))
    with pytest.raises(UserError, match="Record 2 has no sequence"):
        dna.encode(frame("ACGT", None))


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(UserError, match="no sequence to learn from"):
        Dna.fit(frame())


# ---- lengths ---------------------------------------------------------------------------------------------------


def test_longer_records_than_in_training_are_noted_and_cropped():
    dna = Dna.fit(frame("ACGT", "AC"))
    values = frame("ACGT", "TTACGTTT")
    (note,) = dna.notes(values)
    assert (note.code, note.rows.tolist()) == ("sequence.cropped", [1])
    assert "4 nt" in note.message
    tokens = dna.encode(values).tokens
    assert tokens[0].tolist() == tokens[1].tolist() == [0, 1, 2, 3]


def test_a_sequence_shorter_than_all_training_records_is_noted():
    dna = Dna.fit(frame("ACGT", "ACGA"))
    (note,) = dna.notes(frame("ACGT", "AC"))
    assert (note.code, note.rows.tolist()) == ("sequence.short", [1])
    assert dna.notes(frame("ACGT")) == []
    assert Dna.fit(frame("ACGT", "AC")).notes(frame("A")) == []


def test_parts_are_numbered_as_in_the_whole_sequence():
    dna = Dna.fit(frame("ACGT"))
    assert [part.label for part in dna.parts(frame("TTACGTTT"))] == ["A3", "C4", "G5", "T6"]
    assert [(part.label, part.index) for part in dna.parts(frame("AC"))] == [("A1", (0,)), ("C2", (1,))]


# ---- recognition -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cells",
    [
        ["CAT", "DOG", "TAG"] * 10,  # words
        ["ACTB", "GATA", "TACC"] * 10,  # gene names
        ["YAL001C:38:0", "YAL002W:125:75"],
        ["CC(=O)Nc1ccccc1", "CCO", "c1ccccc1"],
        ["1", "2", "3"],
        ["+", "-", "+"],
        ["", "", ""],
        ["GATTACA", "CATGCAT"] * 500,  # two long words, a thousand times: rather a category
    ],
)
def test_other_columns_are_not_taken_for_dna(cells):
    assert Dna.detect(pd.Series(cells)) <= 0.5


@pytest.mark.parametrize(
    "cells",
    [
        ["ACGTACGT", "GGGTACCC"],
        ["acgtacgt", "ggNNaccc"],
        ["ACGTACGT", None, "GGGRACCC"],
        ["ACGACGACC"],
        ["ACGUACGTTT", "ACGTACGTTT"],
        ["ACGTACGTAC ACGTACGTAC ACGTACGTAC"],
    ],
)
def test_dna_is_recognised(cells):
    assert Dna.detect(pd.Series(cells, dtype=object)) > 0.9


def test_numbers_are_not_dna():
    assert Dna.detect(pd.Series([1.0, 2.0])) == 0.0


# ---- features --------------------------------------------------------------------------------------------------


def words(sequence: str, k: int) -> Counter[str]:
    return Counter(sequence[i : i + k] for i in range(len(sequence) - k + 1))


def test_word_shares_equal_counting_by_hand():
    random = np.random.default_rng(3)
    sequences = ["".join(random.choice(list("ACGTN"), size=n)) for n in random.integers(1, 60, 40)]
    values = frame(*sequences)
    features = Dna.fit(values).features(values)
    for row, sequence in enumerate(sequences):
        for k in (1, 2, 3, 4):
            counts = {word: n for word, n in words(sequence, k).items() if "N" not in word}
            total = sum(counts.values())
            for name, value in zip(features.names, features.values[row], strict=True):
                word = name.removeprefix("kmer ")
                if name.startswith("kmer ") and len(word) == k:
                    assert value == pytest.approx(counts.get(word, 0) / max(total, 1), abs=1e-6)


def test_composition_and_length_are_features_of_sequences_of_several_lengths():
    values = frame("GGCA", "ACGTAC")
    features = Dna.fit(values).features(values)
    column = dict(zip(features.names, features.values.T, strict=True))
    assert column["GC"].tolist() == pytest.approx([0.75, 0.5])
    assert column["length"].tolist() == [4, 6]


def test_positions_that_vary_are_features_of_aligned_sequences():
    dna = Dna.fit(frame("ACGT", "ACGA", "ATGT"))
    assert dna.aligned
    features = dna.features(frame("ACGT", "ATGR", "GGGG"))
    column = dict(zip(features.names, features.values.T, strict=True))
    assert [name for name in features.names if " at " in name] == ["C at 2", "T at 2", "A at 4", "T at 4"]
    assert column["C at 2"].tolist() == [1, 0, 0]
    assert column["A at 4"].tolist() == [0, 0.5, 0]  # R is A or G
    assert "length" not in column


def test_features_of_a_shorter_record_are_finite():
    features = Dna.fit(frame("ACGT", "ACGA")).features(frame("A"))
    assert np.isfinite(features.values).all()


# ---- shuffles --------------------------------------------------------------------------------------------------


def texts(x: torch.Tensor) -> list[str]:
    return ["".join("ACGT"[i] for i in record.argmax(dim=0)) for record in x]


def pairs(sequence: str) -> Counter[tuple[str, str]]:
    return Counter(pairwise(sequence))


def test_shuffles_keep_every_dinucleotide_count_and_the_ends():
    random = np.random.default_rng(0)
    sequences = ["".join(random.choice(list("ACGT"), p=[0.4, 0.1, 0.2, 0.3], size=60)) for _ in range(30)]
    background = Dna.fit(frame(*sequences)).background(signal_of(*sequences), seed=1, count=10)
    assert background.shape == (30, 10, 4, 60)
    for sequence, shuffles in zip(sequences, background, strict=True):
        drawn = texts(shuffles)
        assert all(pairs(shuffle) == pairs(sequence) for shuffle in drawn)
        assert all((shuffle[0], shuffle[-1]) == (sequence[0], sequence[-1]) for shuffle in drawn)
        assert len(set(drawn)) == 10


def test_every_sequence_with_the_same_dinucleotides_is_equally_likely():
    sequence = "ACAGATACGA"
    alike = same_dinucleotides(sequence)
    assert len(alike) > 10
    dna = Dna.fit(frame(sequence))
    drawn = Counter(texts(dna.background(signal_of(sequence), seed=0, count=20_000)[0]))
    assert set(drawn) == alike
    expected = 20_000 / len(alike)
    chi_square = sum((count - expected) ** 2 / expected for count in drawn.values())
    freedom = len(alike) - 1
    assert chi_square < freedom + 4 * np.sqrt(2 * freedom)  # four standard deviations


def same_dinucleotides(sequence: str) -> set[str]:
    """All walks that use each step of the sequence once, by trying all."""
    walks, steps = {sequence[0]}, [Counter(pairwise(sequence))]
    grown = [(sequence[0], steps[0])]
    while grown:
        text, left = grown.pop()
        if not +left:
            walks.add(text)
        for (before, after), count in left.items():
            if before == text[-1] and count:
                grown.append((text + after, left - Counter([(before, after)])))
    return {walk for walk in walks if len(walk) == len(sequence)}


def test_gaps_and_mixtures_are_shuffled_as_letters_of_their_own():
    x = signal_of("ACNA-GRACNA-GT").x
    background = Dna.fit(frame("ACGT")).background(Signal(x), seed=0, count=20)[0]
    columns = [Counter(tuple(column) for column in record.T.tolist()) for record in background]
    assert all(counts == Counter(tuple(column) for column in x[0].T.tolist()) for counts in columns)


def test_padding_stays_where_it_is():
    signal = signal_of("ACGTACGGTA", "ACGACA", "A", "CC")
    background = Dna.fit(frame("ACGT")).background(signal, seed=0, count=5)
    assert signal.mask is not None
    assert torch.equal(background.sum(dim=2) > 0, signal.mask[:, None].expand(4, 5, 10))


def test_mixtures_in_other_records_do_not_change_the_shuffles_of_one():
    dna = Dna.fit(frame("ACGT"))
    alone, among = (
        signal_of("ACNRTTGCAN--AA"),
        signal_of("NYWSKMBDHVACGT", "ACNRTTGCAN--AA", "ACGTACGTACGTAC"),
    )
    assert torch.equal(dna.background(among, 0, 4)[1], dna.background(alone, 0, 4)[0])


def test_a_record_has_the_same_shuffles_in_every_batch_and_others_with_another_seed():
    dna = Dna.fit(frame("ACGTTGCAACGGTTAACGAT", "TTGACAGGTACCATGGACTA"))
    both, one = signal_of("ACGTTGCAACGGTTAACGAT", "TTGACAGGTACCATGGACTA"), signal_of("TTGACAGGTACCATGGACTA")
    assert torch.equal(dna.background(both, 5, 3)[1], dna.background(one, 5, 3)[0])
    assert torch.equal(dna.background(one, 5, 2)[0], dna.background(one, 5, 3)[0, :2])
    assert not torch.equal(dna.background(one, 5, 3), dna.background(one, 6, 3))


# ---- likeness --------------------------------------------------------------------------------------------------


def test_copies_reverse_complements_and_near_copies_travel_together():
    random = np.random.default_rng(0)
    first, other = ("".join(random.choice(list("ACGT"), size=100)) for _ in range(2))
    near = "T" + first[1:50] + "A" + first[51:]
    reverse = first[::-1].translate(str.maketrans("ACGT", "TGCA"))
    labels = Dna.clusters(frame(first, other, first.lower(), reverse, near)).labels
    assert labels[0] == labels[2] == labels[3] == labels[4]
    assert labels[1] != labels[0]
    assert "strand" in Dna.clusters(frame(first, other)).notion


# ---- the course's data -----------------------------------------------------------------------------------------


def test_positives_hold_the_motif_with_the_frequencies_of_the_matrix():
    sequences, positive = plant_motif(5000, 5000, seed=0)
    assert {len(sequence) for sequence in sequences} == {20}
    assert positive.sum() == 5000
    planted = np.array([list(sequence[7:13]) for sequence in sequences[positive]])
    counts = np.stack([(planted == letter).mean(axis=0) for letter in "ACGT"])
    np.testing.assert_allclose(counts, PERCENT / PERCENT.sum(axis=0), atol=0.03)
    others = np.array([list(sequence) for sequence in sequences[~positive]])
    np.testing.assert_allclose([(others == letter).mean() for letter in "ACGT"], 0.25, atol=0.01)


def test_the_same_seed_gives_the_same_sequences():
    assert plant_motif(5, 5, seed=3)[0].tolist() == plant_motif(5, 5, seed=3)[0].tolist()
    assert plant_motif(5, 5, seed=3)[0].tolist() != plant_motif(5, 5, seed=4)[0].tolist()


def test_the_demo_marks_the_motif_in_positives_only():
    demo = Dna.demo(50, seed=0)
    positive = (demo.records.targets["motif"] == "yes").to_numpy()
    assert positive.sum() == 25
    assert (demo.parts[positive][:, 7:13]).all()
    assert demo.parts.sum() == 25 * 6


# ---- drawing ---------------------------------------------------------------------------------------------------


def test_a_drawing_numbers_positions_as_in_the_whole_sequence():
    dna = Dna.fit(frame("ACGT"))
    figure = dna.draw(frame("TTACGTTT"), np.ones((4, 4), dtype=np.float32), "a record")
    figure.draw_without_rendering()
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels == ["3", "4", "5", "6"]
    assert figure.axes[0].get_xlabel() == "Position (nt, counted from 1)"


def test_long_sequences_are_drawn_as_a_profile_and_a_logo_of_the_strongest_stretch():
    random = np.random.default_rng(0)
    values = frame("".join(random.choice(list("ACGT"), size=500)))
    attribution = np.zeros((4, 500), dtype=np.float32)
    attribution[:, 300:310] = 1
    figure = Dna.fit(values).draw(values, attribution, "long")
    whole, part = figure.axes
    assert whole.get_xlim() == (0, 500)
    low, high = part.get_xlim()
    assert high - low == 80
    assert low < 300 < 310 < high


def test_its_properties_are_length_and_gc() -> None:
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("ACGT"), random.integers(5, 30))) for _ in range(50)]
    found = Dna.properties(frame(*texts))
    assert found[:, 0].tolist() == [len(text) for text in texts]
    assert found[:, 1] == pytest.approx([(text.count("G") + text.count("C")) / len(text) for text in texts])
