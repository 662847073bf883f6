"""One sequence with what an explanation says about each letter."""

from __future__ import annotations

import numpy as np

from bioloom.figures import style
from bioloom.figures.attributed import attributed_sequence, strongest
from bioloom.figures.positions import SequenceAxis


def test_the_strongest_stretch_has_its_weight_in_the_middle():
    heights = np.zeros((4, 300))
    heights[2, 200:210] = -1
    assert strongest(heights, 80) + 40 == 205


def test_a_stretch_at_the_end_stays_inside():
    heights = np.zeros((4, 300))
    heights[0, 299] = 1
    assert strongest(heights, 80) == 220


def test_short_sequences_are_a_logo_and_long_ones_also_a_profile():
    assert len(attributed_sequence(np.ones((4, 50)), "ACGT").axes) == 1
    figure = attributed_sequence(
        np.ones((21, 400)), "ACDEFGHIKLMNPQRSTVWY*", axis=SequenceAxis("aa", first=51)
    )
    whole, part = figure.axes
    assert whole.get_xlim() == (0, 400)
    assert part.get_xlabel() == "Position (aa, counted from 1)"
    assert "strongest stretch, positions 51 to 130" in style.alt_text(figure)


def test_a_long_title_is_broken_into_lines_and_read_out_whole():
    title = "Record 12 of the splice sites: effect on the logarithm of the share spliced in"
    figure = attributed_sequence(np.ones((4, 9)), "ACGU", title=title)
    shown = figure.axes[0].get_title(loc="left")
    assert shown.replace("\n", " ") == title
    assert max(map(len, shown.splitlines())) < 25
    assert style.alt_text(figure).startswith(title)


def test_nothing_and_unknown_numbers_can_be_drawn():
    attributed_sequence(np.zeros((4, 200)), "ACGT").draw_without_rendering()
    attributed_sequence(np.full((4, 9), np.nan), "ACGT").draw_without_rendering()
