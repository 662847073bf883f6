"""Records as points: where their descriptions lie, coloured by what else is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

CATEGORIES = 2 * len(style.PALETTE)
"""Categories with a colour and mark of their own; all others share a pale one."""

MARKS = ("o", "^")
"""The first categories are dots; where colours are used up, further ones are triangles."""

NUMBERS = 8
"""From so many different numbers on a column is drawn from pale to dark, and not as categories."""

POINTS = 5_000
"""Points drawn at most, spread evenly over the records."""

VECTORS = 500
"""From so many points on they are drawn as a picture inside the figure."""

FAINT = "#B8B8B8"


@style.styled()
def cloud(codes: NDArray[np.floating], cells: Sequence[Any] | None = None, *, label: str = "") -> Figure:
    """Records by the two directions in which their codes differ most, one point each.

    codes: (records, numbers), drawn as they are where there are two; cells: what colours each point, numbers or words,
    None where unknown; label: how the colours are called
    """
    whole: NDArray[np.float64] = codes.astype(np.float64)
    if len(codes) < 2 or not np.isfinite(codes).all():
        return style.nothing("there are no two records to compare")
    chosen = np.unique(np.linspace(0, len(codes) - 1, min(POINTS, len(codes))).round().astype(np.int64))
    points, names = plane(whole)
    points = points[chosen]
    figure = style.new_figure(5.6, 4.0)
    ax = figure.add_subplot()
    told = "" if cells is None else _coloured(ax, points, [cells[place] for place in chosen], label)
    if cells is None:
        _dots(ax, points, style.BLUE)
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.set_xticks([])
    ax.set_yticks([])
    return style.describe(
        figure, f"{len(points):,} records as points by two numbers that describe them{told}."
    )


def plane(codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[str, str]]:
    """Two numbers for each record, (records, 2), and what they are: the first principal components of more than two."""
    if codes.shape[1] == 1:
        return np.column_stack([codes[:, 0], np.zeros(len(codes))]), (
            "The number that describes a record",
            "",
        )
    if codes.shape[1] == 2:
        return codes, ("First number of the code", "Second number of the code")
    centred = codes - codes.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[[0, 1], np.abs(axes[:2]).argmax(axis=1)])[:, None]
    shares = 100 * sizes[:2] ** 2 / max((sizes**2).sum(), 1e-300)
    what = [
        f"{which} direction of the codes ({share:.0f} %)"
        for which, share in zip(("First", "Second"), shares, strict=True)
    ]
    return centred @ axes.T, (what[0], what[1])


def _dots(ax: Axes, points: NDArray[np.float64], colour: Any, **known: Any) -> Any:
    return ax.scatter(
        points[:, 0],
        points[:, 1],
        s=14,
        c=colour,
        alpha=0.7,
        linewidths=0,
        rasterized=len(points) > VECTORS,
        **known,
    )


def _coloured(ax: Axes, points: NDArray[np.float64], cells: Sequence[Any], label: str) -> str:
    """Points in the colours of their cells, with a legend or a scale; what that is, in words."""
    numbers = as_numbers(cells)
    if numbers is not None:
        known = np.isfinite(numbers)
        _dots(ax, points[~known], FAINT)
        drawn = _dots(ax, points[known], numbers[known], cmap=style.AMOUNT)
        bar = ax.get_figure(root=True).colorbar(drawn, ax=ax, pad=0.02, aspect=28)  # type: ignore[union-attr]
        bar.set_label(label)
        bar.outline.set_visible(False)
        return f", from pale to dark by {label}"
    words = np.array(["" if cell is None else str(cell) for cell in cells], dtype=object)
    names, counts = np.unique(words[words != ""].astype(str), return_counts=True)
    shown = sorted(names[np.argsort(-counts, kind="stable")][:CATEGORIES])
    others = ~np.isin(words.astype(str), shown)
    if others.any():
        _dots(ax, points[others], FAINT, label="other" if len(names) > CATEGORIES else "unknown")
    for place, name in enumerate(shown):
        mark, colour = divmod(place, len(style.PALETTE))
        _dots(ax, points[words == name], style.PALETTE[colour], label=name, marker=MARKS[mark])
    legend = ax.legend(title=label, loc="center left", bbox_to_anchor=(1.0, 0.5), alignment="left")
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)
    return f", coloured by {label}: {', '.join(shown)}"


def as_numbers(cells: Sequence[Any]) -> NDArray[np.float64] | None:
    """Cells as numbers where all that are known are numbers and more than a few differ; else None."""
    try:
        numbers = np.array([np.nan if cell in (None, "") else float(cell) for cell in cells])
    except (TypeError, ValueError):
        return None
    return numbers if len(np.unique(numbers[np.isfinite(numbers)])) >= NUMBERS else None
