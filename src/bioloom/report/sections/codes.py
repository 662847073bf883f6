"""Evaluation: a map of the records by the few numbers that describe them, where a run learned without labels."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from bioloom.figures.cloud import CATEGORIES, as_numbers, cloud
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import Image, from_figure
from bioloom.report.templating import fill

MAPS = 2
"""Columns that colour a map."""

HELD_OUT = 20
"""Held-out records without which the map shows all."""


def render(facts: Facts) -> Markup | None:
    """Maps of the codes, one for each of a few columns that no network saw."""
    rows = facts.rows("codes.csv")
    if not rows:
        return None
    held = [row for row in rows if row.get("part") == "test"]
    rows = held if len(held) >= HELD_OUT else rows
    names = [name for name in rows[0] if name.startswith("code ")]
    codes = np.array([[float(row[name]) for name in names] for row in rows])
    colours = [
        name
        for name in rows[0]
        if name not in ("id", "part", *names) and _telling([row[name] for row in rows])
    ]
    images = [_map(codes, [row[name] or None for row in rows], name) for name in colours[:MAPS]]
    values = {
        "images": images or [from_figure(cloud(codes))],
        "numbers": len(names),
        "held_out": len(held) >= HELD_OUT,
        "coloured": bool(images),
    }
    return fill("codes.html", values)


def _map(
    codes: np.ndarray[tuple[int, int], np.dtype[np.float64]], cells: list[str | None], name: str
) -> Image:
    return from_figure(cloud(codes, cells, label=name), title=f"Coloured by {name}")


def _telling(cells: list[str]) -> bool:
    """Whether a column has a few categories, or numbers."""
    known = [cell for cell in cells if cell]
    return as_numbers(cells) is not None or 2 <= len(set(known)) <= 2 * CATEGORIES


codes = sections.register(Section("codes", "evaluation", 11, "Map of the records", render))
