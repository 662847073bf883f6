"""The axis that follows a sequence, shared by logos, heat maps and profiles: numbering and named regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.ticker import FixedLocator, FuncFormatter

from bioloom.figures.style import MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Region:
    """A named stretch of a sequence, start to end, 0-based half-open."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class SequenceAxis:
    """How positions are numbered and what is known about them.

    unit:    what one position is: "nt", "aa"
    first:   the number shown at the first position; 1 as biologists count, or -75 for a promoter
    regions: named stretches to point at
    """

    unit: str = "nt"
    first: int = 1
    regions: tuple[Region, ...] = ()


def number_positions(ax: Axes, axis: SequenceAxis, start: int, end: int) -> None:
    """Show positions start to end (0-based half-open), one unit of x each, with round numbers as ticks."""
    shown = range(axis.first + start, axis.first + end)
    step = next(step for step in (1, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9) if len(shown) <= 16 * step)
    numbers = [number for number in shown if number % step == 0 or number == axis.first]
    if len(numbers) > 1 and numbers[1] - numbers[0] < step / 2:  # 1 beside 5 is crowded only if very close
        numbers.pop(0)
    ax.xaxis.set_major_locator(FixedLocator([number - axis.first + 0.5 for number in numbers]))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: f"{round(x - 0.5) + axis.first}".replace("-", "−"))
    )
    ax.tick_params(axis="x", length=3)
    ax.set_xlim(start, end)


def position_label(axis: SequenceAxis) -> str:
    """The label of the axis, saying where counting starts."""
    start = f"{axis.first}".replace("-", "−")
    return f"Position ({axis.unit}, counted from {start})"


def draw_regions(ax: Axes, axis: SequenceAxis, start: int, end: int, *, shade: bool = True) -> None:
    """Name the regions between start and end in a bracket above the plot."""
    transform = ax.get_xaxis_transform()
    for region in axis.regions:
        left, right = max(region.start, start), min(region.end, end)
        if left >= right:
            continue
        if shade:
            ax.axvspan(left, right, color=MUTED, alpha=0.09, linewidth=0, zorder=0)
        ax.plot([left, right], [1.02, 1.02], color=MUTED, linewidth=2.5, transform=transform, clip_on=False,
                solid_capstyle="butt")  # fmt: skip
        ax.text((left + right) / 2, 1.05, region.name, transform=transform, ha="center", va="bottom", size=9)
