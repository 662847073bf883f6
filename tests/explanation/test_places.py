"""Where importance lies in pictures, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.explanation import places
from bioloom.explanation.overview import Explained, overview
from bioloom.modalities import Kind


def test_half_of_the_importance_lies_on_few_places_or_on_half_of_them() -> None:
    assert places.half_lies_on(np.ones((10, 10))) == 0.5
    one = np.zeros((10, 10))
    one[3, 4] = 7
    assert places.half_lies_on(one) == 0.01
    assert np.isnan(places.half_lies_on(np.zeros((2, 2))))


def test_channels_add_up_before_sizes_are_taken() -> None:
    attribution = np.zeros((2, 2, 3, 3), dtype=np.float32)
    attribution[0, 0, 1, 1], attribution[0, 1, 1, 1] = 3, -1
    attribution[1, 0, 1, 1] = -4
    assert places.mean_places(attribution)[1, 1] == pytest.approx(3)


def test_the_sentence_says_where() -> None:
    values = np.zeros((9, 9))
    values[8, 0] = 1
    assert "most of it at the bottom left" in places.told(values)
    assert "no place stands out" in places.told(np.ones((9, 9)))
    assert "No place of the pictures moves" in places.told(np.zeros((9, 9)))


def test_explanations_of_pictures_have_an_overview() -> None:
    attribution = np.random.default_rng(0).normal(size=(4, 1, 8, 8)).astype(np.float32)
    found = overview(Kind.IMAGE, Explained(attribution, None, attribution, ("grey",), "Change of yield"))
    assert found.text
    assert [picture.name for picture in found.pictures] == ["places"]
