"""One look for every figure: readable on a phone and in print, for colour-blind readers, the same file each time.

Figures are made with matplotlib's objects, never through pyplot, so nothing global is touched and figures
can be drawn on a server without a screen. Text in SVG stays text: it can be searched, selected and edited.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from bioloom.errors import UserError
from bioloom.files import write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

# Okabe & Ito 2008, "Color universal design": eight colours that colour-blind readers can tell apart.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"

PALETTE = (BLUE, ORANGE, GREEN, PURPLE, VERMILLION, SKY, "#6B6B6B", BLACK)
"""Colours of categories in order; yellow is left out because it is unreadable on white."""

INK, MUTED, FAINT = "#1F1F1F", "#5E5E5E", "#DDDDDD"
"""Text; secondary text and reference lines (contrast 6.5 to 1 on white); grid lines."""

AMOUNT = LinearSegmentedColormap.from_list("amount", ["#EAF2F8", "#7FB3D5", "#0072B2", "#00304D"])
"""From little (pale) to much (dark): lightness alone carries the meaning, so it also prints in grey."""

SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#00436B", "#0072B2", "#7FB8D8", "#FFFFFF", "#F0AE80", "#D55E00", "#7A3600"]
)
"""From negative (blue) through zero (white) to positive (vermillion), readable with every colour blindness."""

WIDTH = 5.0
"""Inches of an ordinary figure: text of 10 points stays readable when a phone shrinks it to its screen."""

WIDE = 8.0
"""Inches of a figure that follows a sequence."""

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "text.parse_math": False,  # a "$" in a column name is a dollar sign
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "bioloom",  # otherwise matplotlib draws ids at random
    "svg.image_inline": True,
    "pdf.fonttype": 42,
}

_FONTS = "'DejaVu Sans', Verdana, 'Segoe UI', sans-serif"
"""Where a reader's device has no DejaVu Sans, Verdana has the same widths."""

_ROOT = "max-width: 100%; height: auto; stroke-linejoin: round; stroke-linecap: butt"
"""The style of the <svg> element: it shrinks with the page."""


@contextmanager
def styled() -> Iterator[None]:
    """Draw in bioloom's style; also a decorator. The user's own matplotlib settings come back afterwards."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def new_figure(width: float = WIDTH, height: float = 3.4) -> Figure:
    """An empty figure of this size in inches, whose parts arrange themselves."""
    return Figure(figsize=(width, height), layout="compressed")  # as "constrained", and right for square axes


def describe(figure: Figure, text: str) -> Figure:
    """Attach what the figure shows, in words, for readers who cannot see it."""
    figure.set_label(text)
    return figure


def alt_text(figure: Figure) -> str:
    """What the figure shows, in words."""
    return str(figure.get_label())


@styled()
def nothing(reason: str) -> Figure:
    """A figure in place of one that cannot be drawn, saying why."""
    figure = new_figure(height=1.2)
    figure.text(0.5, 0.5, reason, ha="center", va="center", color=MUTED, wrap=True)
    return describe(figure, f"No figure: {reason}")


def reference_line(ax: Axes, *, x: float | None = None, y: float | None = None) -> None:
    """Draw what to compare with (chance, identity, zero) as a dashed grey line."""
    if x is not None:
        ax.axvline(x, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1.5)
    if y is not None:
        ax.axhline(y, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1.5)


def identity_line(ax: Axes, limits: tuple[float, float]) -> None:
    """Draw where both axes say the same."""
    ax.plot(limits, limits, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2, zorder=3)


def with_unit(name: str, unit: str = "") -> str:
    """An axis label: the name, and the unit in brackets where there is one."""
    return f"{name} ({unit})" if unit else name


def number(value: float, digits: int = 3) -> str:
    """A number as people write it: `digits` significant ones, thousands separated, a true minus sign."""
    if math.isnan(value):
        return "not defined"
    if value == 0 or 1e-4 <= abs(value) < 10**digits:
        text = f"{value:.{digits}g}"
    else:
        text = f"{value:,.0f}" if 1 <= abs(value) < 1e7 else f"{value:.{digits - 1}e}"
    return text.replace("-", "−")


def decimals(value: float) -> int:
    """How many places after the point show three digits, or three places from 1 to 10; at most six."""
    if not math.isfinite(value) or value == 0:
        return 3
    size = math.floor(math.log10(abs(value)))
    return min(6, max(0, 3 - size if size >= 0 else 2 - size))


def fixed(value: float, places: int) -> str:
    """A number with this many places after the point, so that numbers below one another compare."""
    return "not defined" if math.isnan(value) else f"{value:,.{places}f}".replace("-", "−")


def short_names(names: Sequence[str], at_most: int) -> list[str]:
    """Names that fit beside an axis: long ones lose their middle, since names differ at either end.

    Names that would then read the same lose what they begin with alike instead; where that does not tell them
    apart either, each is numbered by its place.
    """
    short = [_without_middle(name, at_most) for name in names]
    for cut in {each for each in short if len(_longer(each, names, short)) > 1}:
        alike = _longer(cut, names, short)
        same = next(
            place
            for place in range(len(cut) + len(alike[-1]))
            if len({name[: place + 1] for name in alike}) > 1
        )
        told = {name: _without_middle(f"…{name[same:]}", at_most) for name in alike}
        for place, name in enumerate(names):
            if name in told and len(set(told.values())) == len(told):
                short[place] = told[name]
            elif name in told:
                short[place] = f"{_without_middle(name, at_most - 5)} ({place + 1})"
    return short


def _longer(cut: str, names: Sequence[str], short: Sequence[str]) -> list[str]:
    """The different names that were cut to the same."""
    return sorted({name for name, each in zip(names, short, strict=True) if each == cut})


def _without_middle(name: str, at_most: int) -> str:
    if len(name) <= at_most:
        return name
    tail = (at_most - 1) // 2
    return f"{name[: at_most - 1 - tail]}…{name[-tail:]}"


# ---- writing ------------------------------------------------------------------------------------------------

_FORMATS = {".svg", ".png", ".pdf"}

DOTS = 200
"""Per inch, of pictures and of what is a picture inside a drawing."""


def save(figure: Figure, path: Path) -> None:
    """Write a figure as .svg, .png (200 dots per inch) or .pdf; the same figure gives the same bytes.

    Raises UserError for another ending, or where the file cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in _FORMATS:
        raise UserError(
            f'Figures are not written as "{ending}".',
            where=str(path),
            fix="end the name in .svg, .png or .pdf",
        )
    if ending == ".svg":
        content = b'<?xml version="1.0" encoding="utf-8"?>\n' + svg(figure).encode()
    else:
        content = _drawn(figure, ending[1:])
    write_bytes(path, content)


def svg(figure: Figure) -> str:
    """The figure as one <svg> element for a web page: ids of its own, alternative text, no date, no scripts."""
    text = _drawn(figure, "svg").decode()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(?<= d=")[^"]+', _shortened, text)
    text = re.sub(r"\n\s*", "\n", text).replace("'DejaVu Sans'", _FONTS)
    # it would apply to the whole page
    text = re.sub(r"<style.*?</style>", "", text, count=1, flags=re.DOTALL)
    head = f'<svg role="img" aria-label={quoteattr(alt_text(figure))} style="{_ROOT}"'
    return _with_own_ids(text.replace("<svg", head, 1))


@styled()
def _drawn(figure: Figure, ending: str) -> bytes:
    undated: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None},
        "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    }
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):  # arrange once: a second pass moves parts by a millionth
        if figure.axes:
            engine.execute(figure)
        figure.set_layout_engine("none")
    stream = io.BytesIO()
    if ending != "svg":
        figure.savefig(stream, format=ending, dpi=DOTS, metadata=undated[ending])
        return stream.getvalue()
    before = figure.dpi  # not savefig, which draws twice: once to arrange what is arranged
    figure.dpi = DOTS
    try:
        FigureCanvasSVG(figure).print_svg(stream, metadata=undated[ending])  # type: ignore[no-untyped-call]
    finally:
        figure.dpi = before
    return stream.getvalue()


def _shortened(path: re.Match[str]) -> str:
    """Coordinates to a hundredth of a point: half the bytes, no visible difference."""
    return re.sub(
        r"-?\d+\.\d+", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), path[0]
    ).replace("\n", "")


def _with_own_ids(text: str) -> str:
    """Put a fingerprint of the figure before each id, so that many figures fit in one page."""
    mark = "f" + hashlib.sha256(text.encode()).hexdigest()[:8]
    text = re.sub(r'(?<=[ \n]id=")', f"{mark}-", text)
    text = re.sub(r'(?<=href="#)', f"{mark}-", text)
    return re.sub(r"(?<=url\(#)", f"{mark}-", text)
