"""Every site and no other, beside a search window by window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioloom.errors import UserError
from bioloom.motifs import scan as scanning
from bioloom.motifs.background import codes, from_frequencies, uniform
from bioloom.motifs.motif import Motif
from bioloom.motifs.scan import Wanted, scanner, windows


def random_motifs(seed: int, widths: list[int]) -> list[Motif]:
    rng = np.random.default_rng(seed)
    return [
        Motif(f"m{number}", rng.dirichlet((0.3,) * 4, size=width).T, sites=40)
        for number, width in enumerate(widths)
    ]


def by_hand(made, sequences):
    """All windows of all sequences, one after the other."""
    found = set()
    for number, text in enumerate(sequences):
        letters = codes(text)
        for motif, weights in enumerate(made.weights):
            least = made.distributions[motif].threshold(made.wanted.p_value)
            for forward, matrix in ((True, weights), (False, weights[::-1, ::-1])):
                for start in range(len(letters) - matrix.shape[1] + 1):
                    window = letters[start : start + matrix.shape[1]]
                    if window.max(initial=0) < 4:
                        steps = int(matrix[window, np.arange(len(window))].sum())
                        if steps >= least and (forward or made.wanted.both_strands):
                            found.add((number, start, motif, forward, steps))
    return found


def ours(made, sequences):
    found = []
    for hits in made.scan(sequences):
        found += list(
            zip(
                hits.sequence.tolist(), hits.start.tolist(), hits.motif.tolist(), hits.forward.tolist(),
                hits.steps.tolist(), strict=True,
            )
        )  # fmt: skip
    assert len(found) == len(set(found))
    assert [each[:2] for each in found] == sorted(each[:2] for each in found)
    return set(found)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text("ACGTNacgt", max_size=60), max_size=6),
    st.lists(st.integers(1, 16), min_size=1, max_size=4),
    st.sampled_from([1.0, 0.2, 0.01, 1e-3]),
    st.booleans(),
)
def test_all_sites_are_found(sequences, widths, p_value, both):
    made = scanner(random_motifs(len(widths), widths), Wanted(p_value, both))
    assert ours(made, sequences) == by_hand(made, sequences)


def test_long_sequences_are_cut_without_a_seam(monkeypatch):
    monkeypatch.setattr(scanning, "BLOCK", 50)
    monkeypatch.setattr(scanning.Scanner, "block", 50)
    rng = np.random.default_rng(3)
    sequences = [
        "".join(rng.choice(list("ACGTN"), size, p=[0.24] * 4 + [0.04]))
        for size in (10, 49, 51, 230, 3, 100, 101)
    ]
    made = scanner(random_motifs(7, [5, 12, 20]), Wanted(0.02))
    assert ours(made, sequences) == by_hand(made, sequences)


def test_many_motifs_are_looked_up_in_several_rounds(monkeypatch):
    monkeypatch.setattr("bioloom.motifs.words.MOST_OWNERS", 1000)
    made = scanner(random_motifs(9, [6, 9, 14, 11]), Wanted(1e-3))
    assert len(made.indices) > 1
    text = "".join(np.random.default_rng(1).choice(list("ACGT"), 3000))
    assert ours(made, [text]) == by_hand(made, [text])


def test_sites_are_as_frequent_as_their_p_value_says():
    """1,000,000 random windows of the background's own letters, both strands: 200 sites expected at p = 1e-4."""
    letters = (0.35, 0.15, 0.15, 0.35)
    text = "".join(np.random.default_rng(8).choice(list("ACGT"), 1_000_000, p=letters))
    made = scanner(random_motifs(2, [12]), Wanted(1e-4, background=from_frequencies(letters)))
    exact = made.distributions[0].p_value(np.array([made.patterns[0].least]))[0]
    found = sum(len(hits) for hits in made.scan([text]))
    expected = 2 * exact * (len(text) - 11)
    assert abs(found - expected) < 5 * np.sqrt(expected)


def test_both_strands_are_compared_with_one_background():
    """Given letters are those of one strand; with both, A is as frequent as T and C as G, so that one p-value fits both."""
    motifs = random_motifs(4, [8])
    given, even = from_frequencies((0.25, 0.05, 0.45, 0.25)), from_frequencies((0.25, 0.25, 0.25, 0.25))
    both = scanner(motifs, Wanted(0.01, background=given))
    np.testing.assert_array_equal(
        both.distributions[0].survival,
        scanner(motifs, Wanted(0.01, background=even)).distributions[0].survival,
    )
    forward = scanner(motifs, Wanted(0.01, both_strands=False, background=given))
    assert not np.array_equal(forward.weights[0], both.weights[0])


def test_windows_without_unknown_letters_are_counted():
    assert windows("ACGTNACG", 3, 4) == (3, 1)
    assert windows("NNN", 1) == (0,)
    assert windows("", 3) == (0,)


def test_without_motifs_or_with_an_impossible_p_value_nothing_is_looked_for():
    with pytest.raises(UserError, match="no motifs"):
        scanner([])
    with pytest.raises(UserError, match="not possible"):
        scanner(random_motifs(1, [5]), Wanted(0.0, background=uniform()))
