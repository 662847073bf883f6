"""Attributions as tables for other programs: CSV for spreadsheets, bedGraph for genome browsers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.explanation import Explanation
from bioloom.explanation.quality.masking import by_part

ROWS_AT_MOST = 200_000
"""Longer tables are left out; the numbers are in the .npz file."""

Seen = tuple[NDArray[np.float32], NDArray[np.bool_] | None]
"""Records as the network saw them, (records, *shape), and which positions are filled; None: all."""

_PLACE = re.compile(r"(?:^|::|\s|\|)([\w.\-]+):([\d,]+)(?:-|\.\.)([\d,]+)(?:\(([+-])\))?")


def as_csv(found: Explanation, seen: Seen, names: Sequence[str]) -> bytes | None:
    """One row for each record and part: the column, the position with its letter, or the pixel; None where it is too long.

    seen:  the records as the network saw them, (records, *shape), and which positions are filled
    names: columns of a table, or letters of a sequence
    Positions, rows and columns of pixels are counted from 1.
    """
    x, mask = seen
    letters = _letters(x)
    values = by_part(found.attribution, x, letters)
    filled = np.ones(values.shape, dtype=bool) if mask is None else mask.reshape(values.shape)
    record, part = np.nonzero(filled)
    if len(record) > ROWS_AT_MOST:
        return None
    table = pd.DataFrame({"id": np.array(found.ids, dtype=object)[record]})
    if x.ndim == 2 and len(names) == values.shape[1]:
        table["column"] = np.array(names, dtype=object)[part]
    elif x.ndim == 4:
        table["row"], table["pixel"] = part // x.shape[3] + 1, part % x.shape[3] + 1
    else:
        table["position"] = part + 1
        if letters and len(names) == x.shape[1]:
            table["letter"] = np.where(
                x.max(axis=1)[record, part] == 1,
                np.array(names, dtype=object)[x.argmax(axis=1)[record, part]],
                "",
            )
    table["attribution"] = values[record, part].astype(np.float32)
    return table.to_csv(index=False, lineterminator="\n").encode()


def as_bedgraph(found: Explanation, seen: Seen, title: str) -> bytes | None:
    """Attributions along a genome, where the ids of records read as places such as chr1:100-200(+); else None.

    A place as long as end - start is counted from 0, as in BED; one longer by one is counted from 1. Records of the minus
    strand are turned round, and where records overlap the mean is taken. Records whose length is not that of their place
    are left out.
    """
    x, mask = seen
    if x.ndim != 3:
        return None
    values = by_part(found.attribution, x, _letters(x))
    rows = []
    for number, name in enumerate(found.ids):
        length = x.shape[2] if mask is None else int(mask[number].sum())
        placed = _placed(name, length)
        if placed is not None:
            chromosome, start, turned = placed
            own = values[number, :length][::-1] if turned else values[number, :length]
            rows.append(pd.DataFrame({"chrom": chromosome, "start": start + np.arange(length), "value": own}))
    if not rows:
        return None
    table = pd.concat(rows).groupby(["chrom", "start"], as_index=False, sort=True)["value"].mean()
    table.insert(2, "end", table["start"] + 1)
    head = f'track type=bedGraph name="{title}"\n'
    text: str = table.to_csv(sep="\t", index=False, header=False, lineterminator="\n", float_format="%.6g")
    return (head + text).encode()


def _placed(name: str, length: int) -> tuple[str, int, bool] | None:
    """Chromosome, first position from 0, and whether it is the minus strand; None where an id says no such place."""
    place = _PLACE.search(name)
    if place is None:
        return None
    start, end = (int(place[number].replace(",", "")) for number in (2, 3))
    if end - start not in (length, length - 1):
        return None
    return place[1], start if end - start == length else start - 1, place[4] == "-"


def _letters(x: NDArray[np.float32]) -> bool:
    """Whether a sequence spells letters, as `bioloom.explanation.engine.spells_letters` has it."""
    if x.ndim != 3 or x.shape[1] < 2 or not x.size:
        return False
    total = x.sum(axis=1)
    return bool((x >= 0).all() and np.minimum(np.abs(total), np.abs(total - 1)).max() < 1e-3)
