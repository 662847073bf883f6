"""Sequence logos: geometry and information content."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy

from bioloom.figures import logos, style
from bioloom.figures.positions import SequenceAxis
from bioloom.motifs.pwm import information_content


def drawn(heights: np.ndarray, letters: str = "ACGT", start: int = 0) -> dict[str, np.ndarray]:
    """Corners (x0, y0, x1, y1) of each drawn letter, in order of position."""
    ax = style.new_figure().add_subplot()
    logos.draw_logo(ax, heights, letters, logos.NUCLEOTIDES, start=start)
    boxes: dict[str, np.ndarray] = {}
    for patch in ax.patches:
        colour = patch.get_facecolor()
        letter = next(x for x in letters if np.allclose(colour, to_rgba(logos.NUCLEOTIDES[x])))
        copies = len(patch.get_path().vertices) // len(logos._glyph(letter).vertices)
        parts = patch.get_path().vertices.reshape(copies, -1, 2)
        boxes[letter] = np.concatenate([parts.min(axis=1), parts.max(axis=1)], axis=1)
    return boxes


def to_rgba(colour: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgba as convert

    return convert(colour)


def test_a_letter_is_exactly_as_tall_as_its_number() -> None:
    boxes = drawn(np.array([[2.0, 0, 0], [0, 0, 0], [0, 0, -1.5], [0, 0, 0]]))
    assert set(boxes) == {"A", "G"}
    assert boxes["A"][0] == pytest.approx([0.04, 0.0, 0.96, 2.0])
    assert boxes["G"][0, [1, 3]] == pytest.approx([-1.5, 0.0])
    assert 2 < boxes["G"][0, 0] < boxes["G"][0, 2] < 3


def test_letters_are_stacked_with_the_largest_farthest_from_the_axis() -> None:
    lower, tall = logos.stack(np.array([[1.0, -1.0], [3.0, 2.0], [2.0, -4.0], [-0.5, 0.0]]))
    assert lower[:, 0].tolist() == [0.0, 3.0, 1.0, -0.5]
    assert lower[:, 1].tolist() == [-1.0, 0.0, -5.0, 0.0]
    assert tall[:, 0].tolist() == [1.0, 3.0, 2.0, 0.5]


def test_a_stack_leaves_no_gap_and_no_overlap() -> None:
    heights = np.random.default_rng(0).normal(0, 1, (20, 50))
    lower, tall = logos.stack(heights)
    for position in range(50):
        up = heights[:, position] > 0
        edges = sorted(zip(lower[up, position], (lower + tall)[up, position], strict=True))
        assert edges[0][0] == 0
        assert [end for _, end in edges[:-1]] == pytest.approx([start for start, _ in edges[1:]])
        assert edges[-1][1] == pytest.approx(heights[up, position].sum())
        assert lower[:, position].min() == pytest.approx(heights[~up, position].sum())


def test_unknown_heights_count_as_nothing() -> None:
    assert not drawn(np.full((4, 3), np.nan))


def test_letters_too_small_to_see_are_left_out() -> None:
    assert set(drawn(np.array([[1.0], [0.001], [0.01], [0.0]]))) == {"A", "G"}


def test_a_logo_can_start_at_any_position() -> None:
    assert drawn(np.array([[1.0], [0], [0], [0]]), start=40)["A"][0, 0] == pytest.approx(40.04)


def test_all_copies_of_a_letter_are_one_patch() -> None:
    ax = style.new_figure().add_subplot()
    logos.draw_logo(ax, np.ones((20, 100)), "ACDEFGHIKLMNPQRSTVWY", logos.AMINO_ACIDS)
    assert len(ax.patches) == 20


def test_a_narrow_letter_keeps_its_width() -> None:
    width = np.ptp(logos._glyph("I").vertices[:, 0])
    assert width < 0.5
    assert np.ptp(logos._glyph("W").vertices[:, 0]) == pytest.approx(1.0)


def test_heights_must_have_a_row_for_each_letter() -> None:
    with pytest.raises(ValueError, match="4 letters"):
        logos.draw_logo(style.new_figure().add_subplot(), np.ones((3, 5)), "ACGT", logos.NUCLEOTIDES)


@pytest.mark.parametrize("letters", [4, 20])
def test_information_equals_scipys_entropy(letters: int) -> None:
    p = np.random.default_rng(0).dirichlet(np.full(letters, 0.3), 9).T
    expected = p * (np.log2(letters) - entropy(p, base=2, axis=0))
    assert information_content(p) == pytest.approx(expected)


def test_information_of_a_sure_and_of_an_even_position() -> None:
    found = information_content(np.array([[10, 5], [0, 5], [0, 5], [0, 5]]))
    assert found.sum(axis=0) == pytest.approx([2.0, 0.0])


def test_few_sequences_lower_the_information_as_schneider_says() -> None:
    p = np.array([[1.0], [0], [0], [0]])
    assert information_content(p, 10).sum() == pytest.approx(2 - 3 / (2 * np.log(2) * 10))
    assert information_content(p, 1).sum() == 0.0  # never below zero


def test_an_empty_position_has_no_height() -> None:
    assert not information_content(np.zeros((4, 2))).any()


@pytest.mark.parametrize(("positions", "rows"), [(12, 1), (80, 1), (81, 2), (200, 3)])
def test_long_sequences_go_on_in_further_rows_with_one_scale(positions: int, rows: int) -> None:
    heights = np.random.default_rng(0).normal(0, 1, (4, positions))
    figure = logos.logo(heights, "ACGT", logos.NUCLEOTIDES)
    assert len(figure.axes) == rows
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    total = np.where(heights > 0, heights, 0).sum(axis=0).max()
    assert figure.axes[0].get_ylim()[1] >= total


def test_the_description_names_the_tallest_letters_by_number() -> None:
    heights = np.zeros((4, 20))
    heights[2, 7], heights[3, 12] = 3, -2
    figure = logos.logo(heights, "ACGT", logos.NUCLEOTIDES, axis=SequenceAxis(first=-10))
    assert "Tallest: G-3, T2." in style.alt_text(figure)
