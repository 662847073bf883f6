"""Words in sentences: capitals, and lists of things."""

from __future__ import annotations

from collections.abc import Sequence

NAMES = {"Spearman", "Pearson", "Matthews", "Brier"}
"""First words that keep their capital within a sentence."""


def capital(words: str) -> str:
    """The first letter as a capital; the others stay."""
    return words[:1].upper() + words[1:]


def sentence(words: str) -> str:
    """With a capital at the beginning and a full stop at the end."""
    told = capital(words.strip())
    return told if not told or told[-1] in ".?!" else f"{told}."


def in_sentence(words: str) -> str:
    """Without the capital of a beginning, unless it begins with a name or an abbreviation such as DNA or R²."""
    first, _, rest = words.partition(" ")
    keeps = first in NAMES or not first[1:].islower() or rest[:1].isupper()
    return words if keeps else words[:1].lower() + words[1:]


def listed(words: Sequence[object], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    told = [str(word) for word in words]
    return f" {last} ".join(filter(None, (", ".join(told[:-1]), told[-1]))) if told else ""
