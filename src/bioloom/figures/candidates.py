"""The short trainings of a search: the validation loss of each candidate, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure


@style.styled()
def candidates(losses: Mapping[str, Sequence[float]], *, default: str, chosen: str) -> Figure:
    """A line for each candidate; the default and the one that was taken are named, the others are grey.

    losses: by name, the validation loss after each epoch of the longest training of that candidate
    """
    shown = {name: line for name, line in losses.items() if len(line)}
    if not shown:
        return style.nothing("no candidate was trained")
    figure = style.new_figure(style.WIDTH, 2.4)
    ax = figure.add_subplot()
    named = {default: style.BLUE} | {chosen: style.ORANGE if chosen != default else style.BLUE}
    others = [name for name in shown if name not in named]
    for place, name in enumerate([*others, *(name for name in named if name in shown)]):
        colour = named.get(name, style.PALETTE[6])
        label = _label(name, default, chosen) if name in named else "the others" if place == 0 else None
        line = shown[name]
        ax.plot(
            range(1, len(line) + 1), line, color=colour, lw=2 if name in named else 1, marker="o", ms=2.5,
            label=label, zorder=3 if name in named else 2,
        )  # fmt: skip
    ax.grid(True, axis="y")
    ax.set_xlabel("Epoch of the short training")
    ax.set_ylabel("Validation loss")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, names = ax.get_legend_handles_labels()
    ax.legend(
        handles[::-1], names[::-1], loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, frameon=False,
        borderaxespad=0.2,
    )  # fmt: skip
    best = ", ".join(f"{name} {min(line):.3g}" for name, line in shown.items())
    return style.describe(figure, f"Lowest validation loss of each candidate: {best}.")


def _label(name: str, default: str, chosen: str) -> str:
    (short,) = style.short_names([name], 24)
    roles = [*(["default"] if name == default else []), *(["taken"] if name == chosen else [])]
    return f"{short} ({', '.join(roles)})"
