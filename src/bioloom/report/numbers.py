"""Numbers as people write them. Nothing is computed here: values come from `result.json` and are only written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bioloom.metrics import described

Score = Mapping[str, Any]
"""A metric in `result.json`: value, low, high, n, interval, undefined."""

NONE = "–"
"""Written where there is no number."""


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, thousands separated: 0.742, 12.3, 50,518, 2.1e-05."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size > 8:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - size)}f}"


def short(value: float | None) -> str:
    """A setting such as a learning rate, without idle zeros: 0.01, 128, 3e-05."""
    return NONE if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def count(value: int | None) -> str:
    """A number of things: 50,518."""
    return NONE if value is None else f"{value:,}"


def plural(value: int, one: str, many: str = "") -> str:
    """ "1 record", "2 records", "2 copies"."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A time in words: 0.4 s, 48 s, 3 min 5 s, 2 h 4 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def metric_title(name: str) -> str:
    """How reports call a metric; the name itself where bioloom does not know it."""
    known = described(name)
    return known.title if known else name


def score(name: str, value: float | None) -> str:
    """The value of a metric in that metric's own format."""
    if value is None or not math.isfinite(value):
        return "not defined"
    known = described(name)
    kind = known.format if known else ".3f"
    text = number(value) if kind.endswith("g") else format(value, kind)  # "g" drops zeros that tell precision
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text  # "-0.000" is 0


def interval(name: str, scored: Score) -> str:
    """The 95 % interval of a score, "0.731 to 0.753"; empty where there is none."""
    low, high = scored.get("low"), scored.get("high")
    if low is None or high is None:
        return ""
    return f"{score(name, low)} to {score(name, high)}"


def without_number(scored: Score) -> str:
    """Why a score has no value or no interval, in words; empty where it has both."""
    return str(scored.get("undefined") or "")


def with_interval(name: str, scored: Score) -> str:
    """A score with its interval, "0.742 (0.731 to 0.753)", or why there is none."""
    if scored.get("value") is None:
        return without_number(scored) or "not defined"
    span = interval(name, scored) or without_number(scored)
    value = score(name, scored["value"])
    return f"{value} ({span})" if span else value


def signed(name: str, value: float | None) -> str:
    """A difference with its sign, "+0.052"."""
    text = score(name, value)
    return f"+{text}" if value is not None and value > 0 and text.strip("0.") else text
