"""The similarity engine against brute force, Biopython, and copies planted at known rates."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from Bio.Seq import Seq
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from bioloom.data.similarity.across import compare
from bioloom.data.similarity.copies import (
    canonical,
    exact_groups,
    joined_groups,
    reverse_complement,
    reverse_complements,
    row_groups,
)
from bioloom.data.similarity.letters import pack, read_letters
from bioloom.data.similarity.near import clusters, near_pairs, neighbours
from bioloom.data.similarity.notion import NEVER, Notion, Settings, notion_of
from bioloom.data.similarity.pairs import components, nearest
from bioloom.data.similarity.seeds import patterns, plan, weights
from bioloom.data.similarity.verify import Codec, Overlaps, stretches
from bioloom.errors import UserError
from planted import (
    DNA,
    LETTERS,
    ONE_STRAND,
    PROTEIN,
    RESIDUES,
    Alphabet,
    substituted,
    texts,
    turned,
    unrelated,
)

IUPAC = "ACGTRYSWKMBDHVN"
short_dna = st.lists(st.text(alphabet="ACG" + "T", min_size=1, max_size=6), max_size=30)


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    return len(set(zip(one.tolist(), other.tolist(), strict=True))) == len(set(one)) == len(set(other))


def notion(sequences: np.ndarray, alphabet: Alphabet, settings: Settings | None = None) -> Notion:
    return notion_of(read_letters(sequences, alphabet), settings or Settings.suited_to(alphabet))


# ---- exact copies ---------------------------------------------------------------------------------------


@given(st.text(alphabet=IUPAC, max_size=40))
def test_the_reverse_complement_is_that_of_biopython(sequence: str) -> None:
    assert reverse_complement(sequence) == str(Seq(sequence).reverse_complement())


@given(short_dna)
def test_many_reverse_complements_at_once_equal_one_by_one(sequences: list[str]) -> None:
    assert reverse_complements(texts(sequences)) == [reverse_complement(one) for one in sequences]


@given(short_dna)
def test_groups_of_exact_copies_equal_brute_force(sequences: list[str]) -> None:
    same = exact_groups(texts(sequences), both_strands=False)
    either = exact_groups(texts(sequences), both_strands=True)
    for i, j in combinations(range(len(sequences)), 2):
        a, b = sequences[i], sequences[j]
        assert (same[i] == same[j]) == (a == b)
        assert (either[i] == either[j]) == (b in (a, turned(a)))


def test_a_molecule_has_one_name_whichever_strand_is_given() -> None:
    names = canonical(texts(["AACC", "GGTT", "ACGT"]), both_strands=True)
    assert names.tolist() == ["AACC", "AACC", "ACGT"]


def test_rows_are_copies_where_every_column_is_equal_and_missing_equals_missing() -> None:
    frame = pd.DataFrame({"a": [1.0, 1.0, np.nan, np.nan, 1.0], "b": ["x", "x", "x", "x", None]})
    assert row_groups(frame).tolist() == [0, 0, 1, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_joined_groups_agree_only_where_all_do(labels: list[tuple[int, int]]) -> None:
    one, other = np.array(labels, dtype=np.int64).T
    expected = pd.factorize(pd.Series(labels))[0]
    assert joined_groups(one, other).tolist() == expected.tolist()


# ---- the parts of the search ----------------------------------------------------------------------------


@pytest.mark.parametrize(("alphabet", "letters"), [(DNA, LETTERS), (PROTEIN, RESIDUES)])
def test_packed_comparison_counts_equal_letters(alphabet: Alphabet, letters: str) -> None:
    random = np.random.default_rng(0)
    sequences = unrelated(random, 12, 150, letters)
    row = read_letters(texts(sequences), alphabet)
    left, right = random.integers(0, 12, (2, 300))
    at, opposite = random.integers(0, 60, (2, 300))
    length = random.integers(0, 90, 300)
    found = pack(row).matches(row.starts[left] + at, row.starts[right] + opposite, length)
    for i in range(300):
        a = sequences[left[i]][at[i] : at[i] + length[i]]
        b = sequences[right[i]][opposite[i] : opposite[i] + length[i]]
        assert found[i] == sum(x == y for x, y in zip(a, b, strict=True))


def best_stretch(flags: list[bool], lenient: float) -> tuple[float, int, int]:
    """The highest score of any stretch, and the length and equal letters of one that has it, by trying all."""
    loss = round(1000 * lenient)
    return max(
        (1000 * sum(flags[i:j]) - loss * (j - i), j - i, sum(flags[i:j]))
        for i in range(len(flags) + 1)
        for j in range(i, len(flags) + 1)
    )


@given(st.text(alphabet="01", min_size=1, max_size=40), st.sampled_from([0.3, 0.5, 0.56, 0.7]))
def test_the_best_stretch_is_that_of_brute_force(equal: str, lenient: float) -> None:
    pair = texts(["A" * len(equal), "".join("A" if sign == "1" else "C" for sign in equal)])
    row = read_letters(pair, ONE_STRAND)
    found = stretches(row, Overlaps(row.starts[:1], row.starts[1:], row.lengths[:1]), lenient)
    length, equals = int(found.length[0]), int(found.equal[0])
    score, _, _ = best_stretch([sign == "1" for sign in equal], lenient)
    assert 1000 * equals - round(1000 * lenient) * length == score
    assert any(equal[i : i + length].count("1") == equals for i in range(len(equal) - length + 1))


def test_every_seed_pattern_reads_the_same_from_both_ends() -> None:
    for weight in weights(both_strands=False):
        for pattern in patterns(weight):
            assert pattern == pattern[::-1]
            assert pattern.count("1") == weight
            assert pattern[0] == "1"


def test_larger_data_sets_get_heavier_seeds_and_crowds_grow_with_chance() -> None:
    random = np.random.default_rng(0)
    rows = [read_letters(texts(unrelated(random, count, 100)), DNA) for count in (20, 20_000)]
    few, many = (plan(row, 0.75) for row in rows)
    assert few.weight < many.weight
    assert len(many.patterns) > 1


def test_short_stretches_need_a_higher_identity_and_very_short_ones_never_count() -> None:
    random = np.random.default_rng(0)
    thresholds = [
        int(notion(texts(unrelated(random, 2000, length)), DNA).lowest(np.array([length]))[0])
        for length in (8, 20, 30, 60, 200)
    ]
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[0] == NEVER
    assert thresholds[-1] == 750


@pytest.mark.parametrize(("alphabet", "letters"), [(DNA, LETTERS), (PROTEIN, RESIDUES)])
def test_chance_gives_a_near_copy_to_less_than_one_record_in_a_hundred(
    alphabet: Alphabet, letters: str
) -> None:
    """By the binomial distribution, for every record of a set and every way to lay another one on it."""
    random = np.random.default_rng(0)
    sequences = texts(unrelated(random, 1000, 60, letters))
    others = 999 * (2 if alphabet.both_strands else 1)
    for criterion in notion(sequences, alphabet).criteria:
        needed, bar = (int(value(np.array([60]))[0]) for value in (criterion.needed, criterion.identity))
        by_chance = binom.sf(np.ceil(needed * bar / 1000) - 1, needed, 1 / len(letters))
        placements = 2 * (60 - needed) + 1
        assert others * placements * by_chance < 0.01


def test_too_large_a_search_is_refused_with_advice() -> None:
    with pytest.raises(UserError, match="too many for one search"):
        Codec(50_000_000, 100_000)


# ---- near copies ----------------------------------------------------------------------------------------


def alike(a: str, b: str, what: Notion) -> bool:
    """Whether two sequences are near copies, by trying every shift, strand and end of a stretch."""
    shorter = np.array([min(len(a), len(b))])
    one = np.frombuffer(a.encode(), dtype=np.uint8)
    loss = round(1000 * what.lenient)
    for text in (b, turned(b)) if what.both_strands else (b,):
        other = np.frombuffer(text.encode(), dtype=np.uint8)
        for shift in range(-len(other) + 1, len(one)):
            low, high = max(shift, 0), min(len(one), len(other) + shift)
            equal = one[low:high] == other[low - shift : high - shift]
            total = np.concatenate([[0], np.cumsum(1000 * equal - loss)])
            gain = np.triu(total[None, :] - total[:, None])  # (start, end)
            start, end = np.unravel_index(gain.argmax(), gain.shape)
            length, equals = np.array([end - start]), np.array([equal[start:end].sum()])
            if any(criterion.met(shorter, length, equals)[0] for criterion in what.criteria):
                return True
    return False


def related(seed: int) -> np.ndarray:
    """Thirty sequences of 28 to 40 nt: copies, windows, contained ones, either strand, with up to 10 changes."""
    random = np.random.default_rng(seed)
    sequences = unrelated(random, 10, 40)
    for number in range(20):
        parent = sequences[int(random.integers(0, len(sequences)))]
        start = int(random.integers(0, len(parent) - 27))
        copy = parent[start : start + int(random.integers(28, 41))]
        copy = substituted(random, copy, int(random.integers(0, min(8, len(copy)))))
        sequences.append(turned(copy) if number % 2 else copy)
    return texts(sequences)


@pytest.mark.parametrize("alphabet", [DNA, ONE_STRAND])
def test_near_pairs_are_those_of_brute_force(alphabet: Alphabet) -> None:
    expected, found = 0, 0
    for seed in range(4):
        sequences = related(seed)
        what = notion(sequences, alphabet, Settings(gapped=False))
        pairs = near_pairs(sequences, alphabet, what)
        listed = set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
        assert len(listed) == len(pairs)
        true = {
            (i, j)
            for i, j in combinations(range(len(sequences)), 2)
            if alike(sequences[i], sequences[j], what)
        }
        assert listed <= true
        expected, found = expected + len(true), found + len(listed)
    assert expected > 30
    assert found >= 0.98 * expected


def test_neighbours_between_two_sets_are_those_of_brute_force() -> None:
    sequences = related(7)
    what = notion(sequences, DNA, Settings(gapped=False))
    queries, targets = sequences[::3], np.delete(sequences, np.s_[::3])
    pairs = neighbours(queries, targets, DNA, what)
    listed = set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    true = {(i, j) for i, a in enumerate(queries) for j, b in enumerate(targets) if alike(a, b, what)}
    assert listed <= true
    assert {i for i, _ in listed} == {i for i, _ in true}


def test_families_are_the_components_of_the_pairs() -> None:
    for seed in range(4):
        sequences = related(seed)
        pairs = near_pairs(sequences, DNA)
        assert clusters(sequences, DNA).tolist() == components(len(sequences), pairs).tolist()


@pytest.mark.parametrize(("changed", "recall"), [(20, 0.99), (40, 0.95)])
def test_planted_near_copies_are_found(changed: int, recall: float) -> None:
    """2,000 sequences of 200 nt, each with a copy on either strand that has 10 or 20 % of its letters changed."""
    random = np.random.default_rng(changed)
    parents = unrelated(random, 2000, 200)
    copies = [substituted(random, parent, changed) for parent in parents]
    copies = [turned(copy) if number % 2 else copy for number, copy in enumerate(copies)]
    pairs = near_pairs(texts(parents + copies), DNA)
    listed = set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    true = {(number, number + 2000) for number in range(2000)}
    assert len(listed & true) >= recall * len(true)
    assert len(listed - true) <= 0.01 * len(true)  # what chance may give
    reverse = dict(
        zip(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True), pairs.reverse, strict=True)
    )
    assert all(reverse[pair] == (pair[0] % 2 == 1) for pair in listed & true)
    close = [i for i, pair in enumerate(zip(pairs.left, pairs.right, strict=True)) if pair in true]
    assert np.abs(pairs.identity[close] - (1 - changed / 200)).mean() < 0.03


def test_planted_relatives_of_proteins_are_found() -> None:
    random = np.random.default_rng(2)
    parents = unrelated(random, 600, 200, RESIDUES)
    copies = [substituted(random, parent, 100, RESIDUES) for parent in parents[:300]]
    pairs = near_pairs(texts(parents + copies), PROTEIN)
    true = {(number, number + 600) for number in range(300)}
    listed = set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    assert len(listed & true) >= 0.97 * len(true)
    assert len(listed - true) <= 9


def test_copies_with_insertions_and_deletions_are_found_with_their_identity() -> None:
    random = np.random.default_rng(3)
    parents = unrelated(random, 300, 200)
    one_lost = [parent[:100] + parent[101:] for parent in parents[:100]]
    three_more = [parent[:60] + "ACG" + parent[60:130] + parent[132:] for parent in parents[100:200]]
    pairs = near_pairs(texts(parents + one_lost + three_more), DNA)
    index, identity = nearest(500, pairs)
    assert (index[:200] == np.arange(300, 500)).mean() > 0.98
    assert np.nanmin(identity[100:200]) > 0.9
    assert np.nanmedian(identity[100:200]) == pytest.approx(198 / 203, abs=0.01)


def test_windows_that_overlap_by_half_and_contained_records_are_near_copies() -> None:
    random = np.random.default_rng(4)
    genome = unrelated(random, 1, 3000)[0]
    windows = texts([genome[start : start + 200] for start in range(0, 2800, 100)])
    assert set(clusters(windows, DNA).tolist()) == {0}
    contained = texts([genome[:1000], genome[400:480], *unrelated(random, 5, 80)])
    assert clusters(contained, DNA).tolist() == [0, 0, 1, 2, 3, 4, 5]


def test_unrelated_short_sequences_are_seldom_called_near_copies() -> None:
    random = np.random.default_rng(5)
    for length in (12, 20, 40):
        sequences = texts(unrelated(random, 3000, length))
        pairs = near_pairs(sequences, DNA)
        near = pairs.take(pairs.identity < 1)
        assert len(set(near.left) | set(near.right)) <= 0.02 * len(sequences)


def test_a_large_family_is_one_cluster() -> None:
    random = np.random.default_rng(6)
    parent = unrelated(random, 1, 150)[0]
    family = [substituted(random, parent, 15) for _ in range(1500)]
    others = unrelated(random, 500, 150)
    labels = clusters(texts(family + others), DNA)
    assert set(labels[:1500].tolist()) == {0}
    assert len(set(labels[1500:].tolist())) == 500


def test_shared_repeats_alone_do_not_link_records() -> None:
    random = np.random.default_rng(7)
    sequences = [one[:100] + "CA" * 25 + one[150:] for one in unrelated(random, 400, 200)]
    assert len(set(clusters(texts(sequences), DNA).tolist())) == 400


def test_unknown_letters_match_nothing() -> None:
    assert clusters(texts(["N" * 60, "N" * 60 + "A", "X" * 61]), DNA).tolist() == [0, 1, 2]


@pytest.mark.parametrize("sequences", [[], ["ACGT"], ["A", "A", "C"], ["", "", "ACGT"]])
def test_very_few_and_very_short_records_are_no_trouble(sequences: list[str]) -> None:
    labels = clusters(texts(sequences), DNA)
    assert same_partition(labels, exact_groups(texts(sequences), both_strands=True))
    assert len(neighbours(texts(sequences), texts([]), DNA)) == 0


def test_identical_records_are_paired_with_the_first_of_them() -> None:
    one, other = unrelated(np.random.default_rng(8), 2, 100)
    pairs = near_pairs(texts([one, other, one, turned(one), one]), DNA)
    assert pairs.left.tolist() == [0, 0, 0]
    assert pairs.right.tolist() == [2, 3, 4]
    assert pairs.identity.tolist() == [1, 1, 1]
    assert pairs.reverse.tolist() == [False, True, False]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=15))
def test_components_are_those_of_a_walk_over_the_pairs(links: list[tuple[int, int]]) -> None:
    from bioloom.data.similarity.pairs import Pairs

    left, right = (np.array([link[side] for link in links], dtype=np.int64) for side in (0, 1))
    ones, none = np.ones(len(links), dtype=np.float32), np.zeros(len(links), dtype=bool)
    reached = {start: {start} for start in range(10)}
    for _ in range(10):
        for a, b in links:
            reached[a] |= reached[b]
            reached[b] |= reached[a]
    labels = components(10, Pairs(left, right, ones, none))
    for a, b in combinations(range(10), 2):
        assert (labels[a] == labels[b]) == (b in reached[a] or a in reached[b])


# ---- across a split -------------------------------------------------------------------------------------


def test_the_kind_of_copy_across_a_split_is_told() -> None:
    random = np.random.default_rng(9)
    targets = unrelated(random, 30, 120)
    queries = [
        targets[3],
        turned(targets[4]),
        substituted(random, targets[5], 12),
        unrelated(random, 1, 120)[0],
    ]
    everything = texts(targets + queries)
    found = compare(texts(queries), texts(targets), DNA, notion(everything, DNA))
    assert found.kind.tolist() == ["exact", "reverse", "near", ""]
    assert found.partner.tolist() == [3, 4, 5, -1]
    assert found.identity[:3] == pytest.approx([1, 1, 0.9], abs=0.02)
    assert found.identity[3] < 0.5
    assert found.unlike.tolist() == [False] * 4


def test_variants_of_one_parent_are_near_only_where_almost_identical() -> None:
    random = np.random.default_rng(10)
    parent = unrelated(random, 1, 80)[0]
    targets = [substituted(random, parent, 8) for _ in range(60)]
    queries = [substituted(random, targets[0], 2), substituted(random, parent, 8)]
    found = compare(texts(queries), texts(targets), DNA, notion(texts(targets), DNA))
    assert found.kind.tolist() == ["near", ""]
    assert found.identity[0] == pytest.approx(1 - 2 / 80)
    assert found.identity[1] < 0.95
