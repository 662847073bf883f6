"""Maps of records: what is drawn, in which colours, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.figures import style
from bioloom.figures.cloud import CATEGORIES, as_numbers, cloud, plane


def codes(records: int = 40, numbers: int = 5) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(records, numbers))


def test_two_numbers_are_drawn_as_they_are_and_more_by_their_principal_components() -> None:
    two, names = plane(codes(numbers=2))
    assert np.array_equal(two, codes(numbers=2))
    assert names[0] == "First number of the code"
    points, names = plane(codes())
    assert np.corrcoef(points.T)[0, 1] == pytest.approx(0.0, abs=1e-9)
    assert points[:, 0].var() >= points[:, 1].var()
    assert "%" in names[0]


def test_categories_have_colours_and_numbers_a_scale() -> None:
    words = ["liver", "brain"] * 20
    figure = cloud(codes(), words, label="tissue")
    assert "coloured by tissue: brain, liver" in style.alt_text(figure)
    assert "from pale to dark by age" in style.alt_text(cloud(codes(), list(range(40)), label="age"))
    assert as_numbers(["1", "2"] * 20) is None, "a few different numbers are categories"


def test_unknown_cells_and_rare_categories_are_pale() -> None:
    many = [f"type{number}" for number in range(CATEGORIES + 4)] * 2
    svg = style.svg(cloud(codes(len(many)), many, label="type"))
    assert "other" in svg
    assert "unknown" in style.svg(cloud(codes(4), ["a", "b", None, "a"], label="x"))


def test_a_single_record_is_no_map() -> None:
    assert "no two records" in style.alt_text(cloud(codes(1)))
