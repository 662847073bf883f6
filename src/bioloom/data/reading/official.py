"""Splits that come with a data set, written in words of their own, as one column "split"."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bioloom.data.records import Table

SET, VALIDATION, SPLIT = "SET", "VALIDATION", "split"


def with_split(table: Table) -> Table:
    """A column "split" from SET=train or test and VALIDATION=True or False, as the headers of the FLIP benchmark have
    them (Dallago 2021, doi:10.1101/2021.11.09.467890); any other table is left as it is."""
    frame = table.frame
    if SPLIT in frame.columns or not {SET, VALIDATION} <= set(frame.columns):
        return table
    part = frame[SET].astype(object).where(frame[SET].notna(), "").map(str)
    held = frame[VALIDATION].astype(object).where(frame[VALIDATION].notna(), "").map(str)
    if not set(part) <= {"train", "test", ""} or not set(held) <= {"True", "False", ""}:
        return table
    told = np.where((part == "train") & (held == "True"), "validation", part)
    note = f'the column "{SPLIT}" was made from {SET} and {VALIDATION}, which say what each record is for'
    return replace(table, frame=frame.assign(**{SPLIT: told}), notes=(*table.notes, note))
