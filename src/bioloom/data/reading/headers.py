"""Headers of FASTA and FASTQ: the name, and key=value words as columns, for as many records as there are.

Headers are gone through twice, part by part: which keys are frequent is known only after the last one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.data.reading.grid import column_of
from bioloom.data.reading.missing import with_missing
from bioloom.data.stored import StoredText, TextWriter
from bioloom.data.wording import counted, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.object_]

PART = 50_000
"""Headers looked at together."""

_PAIR = re.compile(
    r"\[(?P<bracket>\w+)=(?P<in_bracket>[^\]]*)\]"  # [organism=Homo sapiens], as NCBI writes it
    r"|\b(?P<uniprot>OS|OX|GN|PE|SV)=(?P<in_uniprot>.*?)(?=\s+(?:OS|OX|GN|PE|SV)=|$)"  # OS=Homo sapiens OX=9606
    r"|(?<!\S)(?P<quoted>[A-Za-z_][\w.:-]*)=\"(?P<in_quotes>[^\"]*)\""
    r"|(?<!\S)(?P<plain>[A-Za-z_][\w.:-]*)=(?P<value>\S*)"
)
_RARE = 0.05  # keys in fewer headers than this stay in the description
_TAKEN = ("id", "description", "sequence", "file")
_REPEATED = 10_000  # different values of which one text each is kept, however often they occur


@dataclass(frozen=True)
class Headers:
    """What the headers say.

    ids:          the first word of each
    descriptions: what is left of the others, NaN where nothing is; None where no header has anything left
    pairs:        by key, the values
    """

    ids: list[str]
    descriptions: Column | StoredText | None
    pairs: dict[str, Column]
    notes: tuple[str, ...]


def read_headers(headers: list[str] | StoredText) -> Headers:
    """Take headers apart; keys of few of them stay in the description."""
    ids: list[str] = []
    unnamed, described, counts = 0, False, Counter[str]()
    for part in _parts(headers):
        for name, _, description in _split(part):
            unnamed += not name
            ids.append(name or f"record_{len(ids) + 1}")
            described |= bool(description)
            if "=" in description:
                counts.update(_pairs_of(description).keys())
    notes = []
    if unnamed:
        notes.append(f'{counted(unnamed, "record")} without a name, called by number ("record_1" ...)')
    if not described:
        return Headers(ids, None, {}, tuple(notes))
    keys = [key for key, count in counts.items() if count >= _RARE * len(ids)]
    descriptions, values = _taken_apart(headers, keys)
    if not keys:
        return Headers(ids, descriptions, {}, tuple(notes))
    pairs, words = with_missing({_free(key): column for key, column in values.items()})
    notes.append(f"columns from key=value in the headers: {listed(list(pairs))}")
    rare = sorted(counts.keys() - set(keys))
    if rare:
        notes.append(f"keys in fewer than 5 % of the headers stay in the description: {listed(rare)}")
    return Headers(ids, descriptions, pairs, (*notes, *words))


def _parts(headers: list[str] | StoredText) -> Iterator[list[str]]:
    for first in range(0, len(headers), PART):
        part = headers[first : first + PART]
        yield part if isinstance(part, list) else [cell if isinstance(cell, str) else "" for cell in part]


def _split(part: list[str]) -> Iterator[tuple[str, str, str]]:
    """The first word of each header and the rest, without white space round them."""
    for header in part:
        name, space, rest = header.strip().replace("\t", " ").partition(" ")  # copies nothing if one word
        yield name, space, rest.strip()


def _taken_apart(
    headers: list[str] | StoredText, keys: list[str]
) -> tuple[Column | StoredText | None, dict[str, Column]]:
    """What is left of the descriptions without these keys, and the values of each key."""
    left: list[str] | TextWriter = [] if isinstance(headers, list) else TextWriter()
    values: dict[str, list[str]] = {key: [] for key in keys}
    known: dict[str, str] = {}
    anything = False
    for part in _parts(headers):
        rest = []
        for _, _, description in _split(part):
            pairs = _pairs_of(description) if keys and "=" in description else {}
            for key in keys:
                value = pairs.get(key, "")
                values[key].append(known.setdefault(value, value) if len(known) < _REPEATED else value)
            rest.append(_without(description, keys) if pairs else description)
        anything |= any(rest)
        if isinstance(left, list):
            left += rest
        else:
            left.add(rest)
    if not anything:
        descriptions: Any = None
    else:
        descriptions = (
            column_of([text or np.nan for text in left]) if isinstance(left, list) else left.column()
        )
    return descriptions, {key: column_of(each) for key, each in values.items()}


def _pairs_of(text: str) -> dict[str, str]:
    return dict(_pair(match) for match in _PAIR.finditer(text))


def _pair(match: re.Match[str]) -> tuple[str, str]:
    key, value = [group for group in match.groups() if group is not None]
    return key, value.strip()


def _without(text: str, keys: list[str]) -> str:
    kept = _PAIR.sub(lambda match: "" if _pair(match)[0] in keys else match[0], text)
    return " ".join(kept.split())


def _free(key: str) -> str:
    return f"{key}_in_header" if key in _TAKEN else key
