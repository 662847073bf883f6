"""Numbering of positions and named regions."""

from __future__ import annotations

import pytest

from bioloom.figures import style
from bioloom.figures.positions import Region, SequenceAxis, draw_regions, number_positions, position_label


def shown(axis: SequenceAxis, start: int, end: int) -> list[str]:
    with style.styled():
        figure = style.new_figure()
        ax = figure.add_subplot()
        number_positions(ax, axis, start, end)
        figure.draw_without_rendering()
    return [tick.get_text() for tick in ax.get_xticklabels()]


@pytest.mark.parametrize(
    ("axis", "end", "numbers"),
    [
        (SequenceAxis(), 9, ["1", "2", "3", "4", "5", "6", "7", "8", "9"]),
        (SequenceAxis(), 20, ["1", "5", "10", "15", "20"]),
        (SequenceAxis(first=-20), 20, ["−20", "−15", "−10", "−5"]),
        (SequenceAxis(first=0), 30, ["0", "5", "10", "15", "20", "25"]),
        (SequenceAxis(), 1000, ["1", "100", "200", "300", "400", "500", "600", "700", "800", "900", "1000"]),
    ],
)
def test_numbers_are_round_and_begin_where_told(axis: SequenceAxis, end: int, numbers: list[str]) -> None:
    assert shown(axis, 0, end) == numbers


def test_a_number_stands_in_the_middle_of_its_position() -> None:
    ax = style.new_figure().add_subplot()
    number_positions(ax, SequenceAxis(), 0, 20)
    assert ax.get_xticks().tolist() == [0.5, 4.5, 9.5, 14.5, 19.5]
    assert ax.get_xlim() == (0, 20)


def test_rows_of_one_sequence_go_on_counting() -> None:
    assert shown(SequenceAxis(), 40, 80) == ["45", "50", "55", "60", "65", "70", "75", "80"]


def test_the_label_says_where_counting_starts() -> None:
    assert position_label(SequenceAxis("aa", 1)) == "Position (aa, counted from 1)"
    assert position_label(SequenceAxis("nt", -75)) == "Position (nt, counted from −75)"


def test_regions_are_half_open_and_only_drawn_where_they_reach() -> None:
    ax = style.new_figure().add_subplot()
    axis = SequenceAxis(regions=(Region("box", 3, 9), Region("far", 50, 60)))
    draw_regions(ax, axis, 0, 5)
    assert [text.get_text() for text in ax.texts] == ["box"]
    assert list(ax.lines[0].get_xdata()) == [3, 5]
