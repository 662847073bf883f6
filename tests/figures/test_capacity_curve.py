"""The capacity curve draws what it is given, and says when that is too little."""

from __future__ import annotations

from bioloom.figures import style
from bioloom.figures.capacity import capacity

ROWS = [(26, 0.7, 0.68, 0.6, 0.75), (101, 0.8, 0.79, None, None), (401, None, 0.78, 0.7, 0.8)]


def test_both_lines_stand_over_the_number_of_parameters() -> None:
    (ax,) = capacity(ROWS, label="R²").axes
    assert ax.get_xscale() == "log"
    by_name = {line.get_label(): line for line in ax.lines}
    assert list(by_name["test records"].get_xdata()) == [26, 101, 401]
    assert list(by_name["training records"].get_ydata()) == [0.7, 0.8]


def test_the_figure_is_told_in_words() -> None:
    assert "0.79 with 101" in style.alt_text(capacity(ROWS, label="R²"))


def test_one_size_is_no_curve() -> None:
    assert "fewer than two" in style.alt_text(capacity(ROWS[:1], label="R²"))
