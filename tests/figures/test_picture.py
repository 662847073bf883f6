"""Pictures with their attributions: drawn whatever their shape, told in words."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.figures import style
from bioloom.figures.picture import attributed_picture, map_of_places, place


@pytest.mark.parametrize("shape", [(28, 28), (5, 60), (60, 5), (1, 1)])
def test_pictures_of_any_shape_are_drawn(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    figure = attributed_picture(random.random(shape), random.normal(size=shape), label="Change of yield")
    figure.draw_without_rendering()
    assert "Change of yield" in [ax.get_ylabel() for ax in figure.axes]
    colours = attributed_picture(random.random((*shape, 3)), np.zeros(shape), label="Change of yield")
    colours.draw_without_rendering()
    map_of_places(np.abs(random.normal(size=shape)), label="Mean size").draw_without_rendering()


def test_the_highest_and_the_lowest_place_are_told() -> None:
    attribution = np.zeros((9, 9), dtype=np.float32)
    attribution[0, 0], attribution[8, 8] = 2, -3
    figure = attributed_picture(np.zeros((9, 9), dtype=np.float32), attribution, label="Change of yield")
    assert "Highest at the top left (2), lowest at the bottom right" in style.alt_text(figure)


def test_a_scale_has_numbers_below_zero_only_where_a_place_has() -> None:
    pixels, attribution = np.zeros((9, 9), dtype=np.float32), np.eye(9, dtype=np.float32)
    for each, lowest in ((attribution, 0.0), (attribution - 0.5, -0.5)):
        assert attributed_picture(pixels, each, label="Evidence").axes[-1].get_ylim()[0] == lowest


def test_places_have_names() -> None:
    names = [place(row, column, (9, 9)) for row in (0, 4, 8) for column in (0, 4, 8)]
    assert names == [
        "at the top left", "at the top", "at the top right", "at the left", "in the middle", "at the right",
        "at the bottom left", "at the bottom", "at the bottom right",
    ]  # fmt: skip
