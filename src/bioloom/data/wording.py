"""Numbers and lists of names in messages: "1 row", "2 rows", "a, b and 7 more"."""

from __future__ import annotations


def short(text: str, most: int = 40) -> str:
    """Text cut to a length that fits a message."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def listed(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Names for a message: the first few, and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(short(name) for name in names[:most]) + more


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 row, 2 rows, 1,000 rows, 3 families."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Several of a noun: rows, families, batches."""
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("ch") else f"{noun}s"
