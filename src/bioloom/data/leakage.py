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

    kind:     (queries,) "exact", "reverse", "near" or ""
    partner:  (queries,) position among the targets, -1 for none
    identity: (queries,) share of equal letters or cells with the partner; NaN where none was looked for or found
    notion:   what counts as near, in words; empty where near copies were not looked for
    strands:  whether reverse complements were looked for
    """

    kind: NDArray[np.object_]
    partner: NDArray[np.int64]
    identity: NDArray[np.float32]
    notion: str = ""
    strands: bool = False


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

    repeated:  records of the whole file that repeat an earlier one
    conflicts: of those, how many carry another label than the one they repeat
    straddling: test records whose group also has training or validation records
    nearest:   (test records,) identity to the nearest training record, NaN where not known
    examples:  a few pairs: test id, training id, kind
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

    def counts(self) -> dict[str, int]:
        """Test records by kind of leak; kinds that were not looked for are missing."""
        return {kind: count for kind, count in self._all_counts().items() if count is not None}

    def _all_counts(self) -> dict[str, int | None]:
        return {
            "exact_copies": self.exact_copies,
            "reverse_complements": self.reverse_complements,
            "near_copies": self.near_copies,
            "conflicting_labels": self.conflicting_labels,
            "groups_straddling": self.straddling,
        }

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json; a kind that was not looked for is null."""
        return {
            **self._all_counts(),
            "repeated_in_file": self.repeated,
            "conflicting_in_file": self.conflicts,
            "notion": self.notion,
            "examples": list(self.examples),
        }


def audit(split: Split, alike: Alike, records: Labelled) -> Leakage:
    """Count what stands on both sides.

    alike: of each test record (queries) among training and validation records (targets)
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
        near_copies=int((alike.kind == "near").sum()) if alike.notion else None,
        conflicting_labels=int(conflicting.sum()),
        straddling=_straddling(split, records.group),
        repeated=len(again),
        conflicts=int(_differ(records, again, first[again]).sum()),
        notion=alike.notion,
        nearest=alike.identity,
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
