"""What stands on both sides of a split: copies, reverse complements, near copies, conflicting labels, groups.

A test record that the model has seen, exactly or nearly, says nothing about new records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.similarity.copies import row_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.split import Split

EXAMPLES = 5


@dataclass(frozen=True)
class Alike:
    """For each of some records (queries), the most alike of other records (targets).

    kind:     (queries,) "exact", "reverse", "contained", "near" or ""
    partner:  (queries,) position among the targets, -1 for none: set where there is a kind
    identity: (queries,) share of equal letters or cells with the most alike target, partner or not; NaN where it
              was not looked for, or where nothing is alike
    notion:   what counts as near, in words; empty where near copies were not looked for
    strands:  whether reverse complements were looked for
    pieces:   whether contained copies were looked for
    unlike:   (queries,) True where the most alike target was looked for and no stretch in common was found, so
              that there is no number: such a record belongs to those below 40 %; None where it was not looked for
    distance: (queries,) for variants of one parent: positions at which a query differs from the nearest target
    asked:    for how many queries near and contained copies were looked for, among a sample of the targets; None: all
    """

    kind: NDArray[np.object_]
    partner: NDArray[np.int64]
    identity: NDArray[np.float32]
    notion: str = ""
    strands: bool = False
    pieces: bool = False
    unlike: NDArray[np.bool_] | None = None
    distance: NDArray[np.int64] | None = None
    asked: int | None = None


@dataclass(frozen=True)
class Labelled:
    """What an audit needs to know about records besides their inputs.

    labels:  (records, targets) NaN where unknown
    differs: (targets,) labels further apart than this are in conflict: 0 for classes
    copies:  (records,) records that are exact copies of each other (on either strand) share a number
    """

    ids: NDArray[np.object_]
    labels: NDArray[np.float32]
    differs: NDArray[np.float64]
    copies: NDArray[np.int64]
    group: NDArray[np.object_] | None = None


@dataclass(frozen=True)
class Leakage:
    """Test records that have a partner among the records the model learned from, by kind; None: not looked for.

    Over several folds counts add up and arrays concatenate.

    repeated:  records of the whole file that repeat an earlier one
    conflicts: of those, how many carry another label than the one they repeat
    straddling: test records whose group also has training or validation records
    nearest:   (test records,) identity to the nearest learned record, NaN where not known
    examples:  a few pairs: test id, training id, kind
    contained_copies: test records that lie inside a longer learned record, or hold one
    validation_copies: validation records with a copy in training (exact, reverse complement, and contained or
               near where `validation_near`)
    unlike:    (test records,) see `Alike`; distance: (test records,) see `Alike`
    asked: see `Alike`
    start_copies: test records that the model to begin with had learned from; None without such a model
    """

    exact_copies: int
    reverse_complements: int | None
    near_copies: int | None
    conflicting_labels: int
    straddling: int | None
    repeated: int
    conflicts: int
    notion: str
    nearest: NDArray[np.float32]
    examples: tuple[dict[str, Any], ...] = field(default=())
    contained_copies: int | None = None
    validation_copies: int | None = None
    validation_near: bool = False
    unlike: NDArray[np.bool_] | None = None
    distance: NDArray[np.int64] | None = None
    start_copies: int | None = None
    asked: int | None = None

    def counts(self) -> dict[str, int]:
        """Test records by kind of leak; kinds that were not looked for are missing."""
        return {kind: count for kind, count in self._all_counts().items() if count is not None}

    def _all_counts(self) -> dict[str, int | None]:
        return {
            "exact_copies": self.exact_copies,
            "reverse_complements": self.reverse_complements,
            "contained_copies": self.contained_copies,
            "near_copies": self.near_copies,
            "conflicting_labels": self.conflicting_labels,
            "groups_straddling": self.straddling,
            "validation_copies": self.validation_copies,
            "start_copies": self.start_copies,
        } | ({} if self.asked is None else {"near_asked": self.asked})

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json; a kind that was not looked for is null."""
        return {
            **self._all_counts(),
            "repeated_in_file": self.repeated,
            "conflicting_in_file": self.conflicts,
            "notion": self.notion,
            "unlike": None if self.unlike is None else int(self.unlike.sum()),
            "examples": list(self.examples),
        }


def audit(split: Split, alike: Alike, records: Labelled, validation: Alike | None = None) -> Leakage:
    """Count what stands on both sides.

    alike:      of each test record (queries) among training and validation records (targets)
    validation: of each validation record among training records; None: only exact copies (on either strand)
                are counted there
    """
    test = split.index("test")
    learned = np.flatnonzero(split.part != "test")
    found = np.flatnonzero(alike.partner >= 0)
    partner = np.full(len(test), -1, dtype=np.int64)
    partner[found] = learned[alike.partner[found]]
    copied = np.isin(alike.kind, ("exact", "reverse"))
    conflicting = _differ(records, test[copied], partner[copied])
    first = _first_of_each(records.copies)
    again = np.flatnonzero(first != np.arange(len(first)))
    return Leakage(
        exact_copies=int((alike.kind == "exact").sum()),
        reverse_complements=int((alike.kind == "reverse").sum()) if alike.strands else None,
        contained_copies=int((alike.kind == "contained").sum()) if alike.pieces else None,
        near_copies=int((alike.kind == "near").sum()) if alike.notion else None,
        conflicting_labels=int(conflicting.sum()),
        straddling=_straddling(split, records.group),
        repeated=len(again),
        conflicts=int(_differ(records, again, first[again]).sum()),
        notion=alike.notion,
        nearest=alike.identity,
        validation_copies=_validation_copies(split, records.copies, validation),
        validation_near=validation is not None and bool(validation.notion),
        unlike=alike.unlike,
        distance=alike.distance,
        asked=alike.asked,
        examples=tuple(
            {
                "test": str(records.ids[test[row]]),
                "learned": str(records.ids[partner[row]]),
                "kind": str(alike.kind[row]),
                "identity": None if np.isnan(alike.identity[row]) else round(float(alike.identity[row]), 3),
            }
            for row in np.flatnonzero(alike.kind != "")[:EXAMPLES].tolist()
        ),
    )


def _validation_copies(split: Split, copies: NDArray[np.int64], alike: Alike | None) -> int | None:
    """Validation records with a copy in training: training stops where these do best, and they are remembered."""
    if not (split.part == "validation").any():
        return None
    if alike is not None:
        return int((alike.kind != "").sum())
    return int(np.isin(copies[split.part == "validation"], copies[split.part == "train"]).sum())


def _differ(records: Labelled, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether two records carry labels further apart than they may, (pairs,); unknown labels agree with all."""
    apart = np.abs(records.labels[one] - records.labels[other])
    return np.asarray((np.nan_to_num(apart) > records.differs).any(axis=1))


def _first_of_each(copies: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each record the first record that it is a copy of, (records,)."""
    _, first, inverse = np.unique(copies, return_index=True, return_inverse=True)
    return np.asarray(first[inverse])


def _straddling(split: Split, group: NDArray[np.object_] | None) -> int | None:
    if group is None:
        return None
    test = pd.Series(group[split.part == "test"], dtype=object).dropna()
    return int(test.isin(pd.Series(group[split.part != "test"], dtype=object).dropna()).sum())


def compare_rows(frame: pd.DataFrame, queries: NDArray[np.int64], targets: NDArray[np.int64]) -> Alike:
    """Rows equal in every column; near copies of rows are not looked for."""
    return compare_copies(row_groups(frame), queries, targets)


def compare_copies(codes: NDArray[np.int64], queries: NDArray[np.int64], targets: NDArray[np.int64]) -> Alike:
    """Records that share a number, (records,), are copies; near copies are not looked for."""
    known = pd.Series(np.arange(len(targets)), index=codes[targets])
    known = known[~known.index.duplicated()]
    partner = known.reindex(codes[queries], fill_value=-1).to_numpy(dtype=np.int64)
    same = partner >= 0
    kind = np.where(same, "exact", "").astype(object)
    return Alike(kind, partner, np.where(same, 1.0, np.nan).astype(np.float32))
