"""Figures inside the page: SVG as data URIs, so that the page is one file and nothing in a figure can run."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bioloom.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE_FROM = 432
"""Points (6 inches) from which a figure scrolls sideways on a phone instead of shrinking until it is unreadable."""

BYTES_AT_MOST = 2_000_000
"""Of all figures read from the run folder together, once encoded: the page stays below 3 MB."""


@dataclass(frozen=True)
class Image:
    """A figure ready for the page.

    source:  a data URI
    alt:     what it shows, for readers who cannot see it
    caption: how to read it
    width:   points, 1/72 inch
    """

    source: str
    alt: str
    caption: str = ""
    title: str = ""
    width: float = 360.0

    @property
    def wide(self) -> bool:
        """Whether it needs more room than a phone has."""
        return self.width >= WIDE_FROM


def from_figure(figure: Figure, *, caption: str = "", title: str = "") -> Image:
    """A figure drawn for the page."""
    text = style.svg(figure)
    return Image(_uri(text.encode()), style.alt_text(figure), caption, title, _width(text))


def from_file(folder: Path, name: str, *, alt: str, title: str = "") -> Image | None:
    """A figure of the run folder; None where there is no such file inside the folder."""
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts or inside.suffix.lower() != ".svg":
        return None
    path = folder / inside
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        return None
    content = path.read_bytes()
    return Image(_uri(content), alt, title=title, width=_width(content[:2000].decode("utf-8", "replace")))


def _uri(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}"


def _width(svg: str) -> float:
    found = re.search(r'<svg[^>]*?\swidth="([\d.]+)(?:pt)?"', svg, flags=re.DOTALL)
    return float(found[1]) if found else 360.0
