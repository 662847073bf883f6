"""Data: where the records come from, what each column is for, and which rows were left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import count, plural
from bioloom.report.templating import fill
from bioloom.report.words import capital

MOST_NAMES = 40
"""Columns that are named one by one at most."""

LONGEST_NAME = 32

SEVERITIES = {"drop": "rows left out", "note": "rows kept"}


def render(facts: Facts) -> Markup:
    """The source, the inputs, the rows that were left out and the problems that were noticed."""
    data = facts["data"]
    noticed, problems = _problems(data.get("problems") or ())
    values = {
        "source": _source(data),
        "inputs": [_input(each) for each in data["inputs"]],
        "dropped": [_dropped(each) for each in data.get("dropped_reasons") or ()],
        "noticed": noticed,
        "problems": problems,
        "reserved": [(str(role), str(column)) for role, column in (data.get("reserved") or {}).items()],
        "unused": shortened(map(str, data.get("unused_columns") or ()), MOST_NAMES),
        "notes": list(data.get("notes") or ()),
    }
    return fill("records.html", values)


def _source(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    dropped = data.get("dropped", data["rows"] - data["used"])
    rows = f"{count(data['rows'])} read, {count(data['used'])} used, {count(dropped)} left out"
    found = [
        ("File", data["source"]),
        ("Format", data.get("format")),
        ("Records", rows),
        ("SHA-256", data.get("sha256")),
    ]
    return [(name, str(value)) for name, value in found if value]


def _input(each: Mapping[str, Any]) -> tuple[str, ...]:
    columns = [str(column) for column in each.get("columns") or ()]
    named = str(each["name"])
    if len(columns) > MOST_NAMES:
        named += f" ({plural(len(columns), 'column')}, such as {', '.join(map(_end_of, columns[:2]))})"
    elif columns != [named]:
        named += f" ({shortened(columns, 8)})"
    size = shape(str(each.get("kind", "")), each.get("shape") or ())
    return named, str(each["modality"]), size, str(each.get("reason") or "")


def _end_of(name: str) -> str:
    """The end of a long name, which says more than its beginning."""
    return name if len(name) <= LONGEST_NAME else f"…{name[-LONGEST_NAME:]}"


def shape(kind: str, sizes: Sequence[int]) -> str:
    """What a network receives of one record, in words."""
    if kind == "sequence" and len(sizes) == 2:
        return f"{plural(sizes[1], 'position')} of {plural(sizes[0], 'letter')}"
    if kind == "vector" and len(sizes) == 1:
        return plural(sizes[0], "number")
    return " × ".join(count(size) for size in sizes)


def shortened(words: Iterable[str], at_most: int) -> str:
    """The first words of a list, and how many more there are."""
    listed = list(words)
    more = len(listed) - at_most
    return ", ".join(listed[:at_most]) + (f" and {count(more)} more" if more > 0 else "")


def _lines(lines: Sequence[int], total: int) -> str:
    """Where rows stand in the file: "12, 15, 99, ..."."""
    return ", ".join(map(str, lines)) + (", …" if total > len(lines) else "")


def _dropped(each: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(each["reason"]), _lines(each.get("lines") or (), each["count"]), count(each["count"])


def _problems(problems: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The heading and the rows of the table; without the column of advice where there is none."""
    head: tuple[str, ...] = ("What", "Consequence", "Rows")
    rows = [_problem(each) for each in problems]
    advice = [str(each.get("fix") or "") for each in problems]
    if not any(advice):
        return head, rows
    advised = [(what, fix, *rest) for (what, *rest), fix in zip(rows, advice, strict=True)]
    return ("What", "What to do", *head[1:]), advised


def _problem(each: Mapping[str, Any]) -> tuple[str, ...]:
    column, message = str(each.get("column") or ""), str(each["message"])
    what = f"{column}: {message}" if column and column not in message else capital(message)
    kept = SEVERITIES.get(str(each["severity"]), str(each["severity"]))
    rows = int(each.get("count") or 0)
    return what, kept, count(rows) if rows else ""


records = sections.register(Section("records", "data", 10, "Records", render))
