"""Draws the figures of docs/tutorials/how-a-convolution-sees.md into docs/images: python tools/draw_convolution.py"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from bioloom.figures import style
from bioloom.models.layers import layers_of
from bioloom.models.sums import Window, convolve, grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
PICTURE, FILTER = grid("11100 01110 00111 00110 01100"), grid("101 010 101")
SEEN = "#FBE3CF"
"""The fill of what a filter looks at."""


def cells(ax: Axes, rows: Sequence[Sequence[float]], title: str, corner: tuple[float, float]) -> None:
    """Numbers in squares, one unit wide, from this upper left corner; the title stands above."""
    left, top = corner
    for down, row in enumerate(rows):
        for across, value in enumerate(row):
            fill = "#DCE9F3" if value else "white"
            place = (left + across, top - down - 1)
            ax.add_patch(Rectangle(place, 1, 1, facecolor=fill, edgecolor=style.MUTED))
            ax.text(place[0] + 0.5, place[1] + 0.5, f"{value:g}", ha="center", va="center")
    ax.text(left + len(rows[0]) / 2, top + 0.25, title, ha="center", va="bottom", weight="bold")


@style.styled()
def one_filter() -> Figure:
    """A picture, a filter and what it makes of it; the first field and its sum are marked."""
    figure = style.new_figure(style.WIDE, 3.0)
    ax = figure.add_subplot()
    cells(ax, PICTURE, "picture, 5 x 5", (0, 5))
    cells(ax, FILTER, "filter, 3 x 3", (7.5, 5))
    cells(ax, convolve(PICTURE, FILTER), "what it finds, 3 x 3", (13, 5))
    for left, size in ((0, 3), (13, 1)):
        ax.add_patch(
            Rectangle((left, 5 - size), size, size, fill=False, edgecolor=style.VERMILLION, linewidth=3)
        )
    sums = "1x1 + 1x0 + 1x1\n+ 0x0 + 1x1 + 1x0\n+ 0x1 + 0x0 + 1x1 = 4"
    ax.text(9, 1.7, sums, ha="center", va="top", color=style.VERMILLION, fontsize=9)
    ax.set(xlim=(-0.2, 16.6), ylim=(-0.2, 6), aspect="equal")
    ax.set_axis_off()
    return style.describe(
        figure, "A filter of 3 by 3 weights laid on the first field of a picture of 5 by 5 numbers gives 4."
    )


@style.styled()
def stops() -> Figure:
    """Where a filter of three stops on seven places, for three strides and with padding."""
    cases = (("stride 1", 1, 0), ("stride 2", 2, 0), ("stride 3", 3, 0), ("stride 3, padding 1", 3, 1))
    figure = style.new_figure(style.WIDE, 4.4)
    ax = figure.add_subplot()
    for number, (title, stride, padding) in enumerate(cases):
        base = -2.6 * number
        found = Window(3, stride, 2 * padding).after(7)
        seen = {place for stop in range(found.places) for place in range(stop * stride, stop * stride + 3)}
        for place in range(7 + 2 * padding):
            empty = not padding <= place < 7 + padding
            fill = "white" if place in seen else "#F6C9AE"
            style_of = (0, (2, 2)) if empty else "-"
            ax.add_patch(
                Rectangle(
                    (place - padding, base),
                    0.94,
                    0.6,
                    facecolor=fill,
                    edgecolor=style.MUTED,
                    linestyle=style_of,
                )
            )
            ax.text(
                place - padding + 0.47, base + 0.3, "0" if empty else "", ha="center", va="center", fontsize=9
            )
        for stop in range(found.places):
            left, high = stop * stride - padding + 0.03, base - 0.22 - 0.24 * (stop % 3)
            ax.plot((left, left + 2.88), (high, high), color=style.BLUE, linewidth=3, solid_capstyle="butt")
        ax.text(-1.5, base + 0.3, title, ha="right", va="center", weight="bold")
        told = f"{found.words} = {found.exact:.3g}"
        ax.text(8.6, base + 0.3, told, ha="left", va="center")
        lost = "fits" if not found.left else "does not fit: the last place is never seen"
        ax.text(
            8.6,
            base - 0.4,
            lost,
            ha="left",
            va="center",
            color=style.MUTED if not found.left else style.VERMILLION,
        )
    ax.set(xlim=(-6.2, 16.5), ylim=(-9.0, 1.0))
    ax.set_axis_off()
    return style.describe(
        figure,
        "On 7 places a filter of 3 stops 5 times with stride 1, 3 times with stride 2; stride 3 leaves one over.",
    )


@style.styled()
def lenet() -> Figure:
    """The sizes of LeNet-5 layer by layer, as tiles in proportion, with the numbers it learns."""
    table = layers_of("lenet", "32x32x1", outputs=10)
    kept = [each for each in table.layers if each.operation in {"Conv2d", "AvgPool2d", "Linear"}]
    figure = style.new_figure(style.WIDE, 3.4)
    ax = figure.add_subplot()
    shapes: list[tuple[tuple[int, ...], str, str]] = [((32, 32, 1), "picture", "")]
    words = {"Conv2d": "convolution 5x5", "AvgPool2d": "pool 2x2", "Linear": "dense"}
    shapes += [
        (each.shape, words[each.operation], f"{each.parameters:,}" if each.parameters else "")
        for each in kept
    ]
    left = 0.0
    for shape, title, learned in shapes:
        height, depth = (shape[0], shape[2]) if len(shape) == 3 else (shape[0] / 6, 1)
        sheets = min(depth, 6)
        width = height if len(shape) == 3 else 2.5
        for sheet in reversed(range(sheets)):
            corner = (left + 1.1 * sheet, -height / 2 + 1.1 * sheet)
            fill = "#DCE9F3" if len(shape) == 3 else SEEN
            ax.add_patch(
                Rectangle(corner, width, height, facecolor=fill, edgecolor=style.MUTED, linewidth=0.8)
            )
        middle = left + (width + 1.1 * (sheets - 1)) / 2
        ax.text(middle, -20, " x ".join(map(str, shape)), ha="center", va="top", fontsize=8)
        ax.text(middle, 24.5, title.replace(" ", "\n"), ha="center", va="bottom", fontsize=8)
        ax.text(
            middle, -24, learned, ha="center", va="top", fontsize=8, color=style.VERMILLION, weight="bold"
        )
        left = max(left + width + 1.1 * sheets, middle + 7.5) + 4
    ax.text(
        0,
        -28.5,
        "numbers learned by each layer, 61,706 in all",
        ha="left",
        va="top",
        fontsize=8,
        color=style.VERMILLION,
    )
    ax.set(xlim=(-2, left), ylim=(-32, 33), aspect="equal")
    ax.set_axis_off()
    return style.describe(
        figure, "LeNet-5: a picture of 32 by 32 becomes smaller and deeper layer by layer, then 10 numbers."
    )


def main() -> None:
    """Write the figures."""
    for name, draw in (("convolution", one_filter), ("strides", stops), ("lenet", lenet)):
        style.save(draw(), IMAGES / f"{name}.svg")


if __name__ == "__main__":
    main()
