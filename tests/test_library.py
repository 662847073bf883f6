"""Libraries of one parent against brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioloom.data.library import nearest, one_parent
from planted import RESIDUES, substituted, texts, unrelated


def variants(count: int, mutations: int, letters: str = "ACGT", seed: int = 0) -> tuple[str, np.ndarray]:
    random = np.random.default_rng(seed)
    parent = unrelated(random, 1, 50, letters)[0]
    return parent, texts([substituted(random, parent, mutations, letters) for _ in range(count)])


@pytest.mark.parametrize("letters", ["ACGT", RESIDUES])
def test_a_library_is_recognised_with_its_parent_and_its_mutations(letters: str) -> None:
    parent, sequences = variants(200, 3, letters)
    library = one_parent(sequences)
    assert library is not None
    assert library.parent == parent
    assert library.mutations.tolist() == [3] * 200
    expected = [[a != b for a, b in zip(one, parent, strict=True)] for one in sequences]
    assert library.mutated.tolist() == expected
    assert "at 3 positions in the median" in library.words


def test_unrelated_and_few_and_uneven_sequences_are_no_library() -> None:
    random = np.random.default_rng(1)
    assert one_parent(texts(unrelated(random, 200, 50))) is None
    assert one_parent(texts([])) is None
    assert one_parent(variants(20, 2)[1]) is None
    assert one_parent(texts([one[: 30 + n % 20] for n, one in enumerate(variants(200, 2)[1])])) is None
    assert one_parent(texts(["ACGT" * 10] * 100)) is None


def test_sequences_of_nearly_one_letter_are_no_library() -> None:
    random = np.random.default_rng(2)
    rich = ["".join(random.choice(list("AC"), 50, p=[0.85, 0.15])) for _ in range(200)]
    assert one_parent(texts(rich)) is None


def test_a_few_records_of_another_length_do_not_hide_a_library() -> None:
    parent, sequences = variants(200, 3)
    library = one_parent(texts([*sequences, parent[:-1], parent + "A"]))
    assert library is not None
    assert library.aligned.tolist() == [True] * 200 + [False] * 2
    assert not library.mutated[200:].any()
    assert len(library.mutations) == 200


same_length = st.integers(1, 8).flatmap(
    lambda n: st.lists(st.text(alphabet="ABC", min_size=n, max_size=n), min_size=2, max_size=25)
)


@given(same_length, st.integers(1, 24))
@settings(deadline=None)
def test_the_nearest_variant_is_that_of_brute_force(sequences: list[str], cut: int) -> None:
    cut = min(cut, len(sequences) - 1)
    queries, targets = sequences[:cut], sequences[cut:]
    found, distance = nearest(texts(queries), texts(targets))
    for query, index, away in zip(queries, found, distance, strict=True):
        apart = [sum(a != b for a, b in zip(query, target, strict=True)) for target in targets]
        assert away == min(apart) == apart[index]


def test_the_spacing_is_the_median_distance_to_the_nearest_different_record() -> None:
    _, sequences = variants(120, 5)
    library = one_parent(texts([*sequences, *sequences]))
    assert library is not None
    letters = np.array([list(one) for one in sequences])
    apart = (letters[:, None] != letters).sum(axis=2) + 99 * np.eye(120, dtype=int)
    assert library.spacing(0) == np.median(apart.min(axis=1))


def test_the_libraries_among_real_data_are_recognised(shared_data) -> None:
    def library(name: str) -> object:
        return one_parent(pd.read_csv(shared_data / name)["sequence"].to_numpy(object))

    lac = library("dna/lac_promoter.csv.gz")
    assert (len(lac.parent), np.median(lac.mutations)) == (75, 8)
    assert np.median(library("protein/amyloid.csv.gz").mutations) == 2
    assert library("rna/splice_site_mpsa.csv.gz") is None
    assert library("dna/splice_junctions.csv") is None


def test_the_typical_distance_is_that_of_variants_drawn_at_random():
    random = np.random.default_rng(1)
    letters = np.tile(np.array(list("ACGT" * 10)), (200, 1))
    for row in letters:  # each with 8 of 40 positions changed
        places = random.choice(40, size=8, replace=False)
        row[places] = [random.choice([other for other in "ACGT" if other != row[place]]) for place in places]
    found = one_parent(np.array(["".join(row) for row in letters], dtype=object))
    assert found is not None
    pairs = [(letters[i] != letters[j]).sum() for i in range(200) for j in range(i)]
    assert abs(found.typical_distance() - np.median(pairs)) <= 1
