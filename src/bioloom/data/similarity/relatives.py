"""Who is a copy of whom in a data set: what a split must keep together and a leak report looks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.similarity.copies import exact_groups, row_groups
from bioloom.data.similarity.letters import read_letters
from bioloom.data.similarity.library import Library, one_parent
from bioloom.data.similarity.near import clusters, neighbours
from bioloom.data.similarity.notion import Settings, notion_of
from bioloom.data.similarity.pairs import nearest

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bioloom.data.similarity.copies import Alphabet

    Index = NDArray[np.int64]

LIBRARY_IDENTITY = 0.95  # variants of one parent are alike by design; closer than this is worth counting


@dataclass(frozen=True)
class Nearest:
    """The most alike of some records to each of others.

    index:    (queries,) positions of records, -1 where none is known
    identity: (queries,) share of equal letters; NaN where none is known
    distance: (queries,) differing positions, for aligned libraries
    """

    index: Index
    identity: NDArray[np.float32]
    distance: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Relatives:
    """Copies and near copies in a data set.

    exact:     (records,) identical records share a label
    strand:    (records,) so do those identical after reverse complement, where both strands are one molecule
    notion:    what counts as a near copy, one sentence
    threshold: identity from which on records are near copies; None where only identical ones are looked for
    library:   set where the records are variants of one parent
    """

    exact: Index
    strand: Index
    notion: str
    find_clusters: Callable[[], Index]
    find_nearest: Callable[[Index, Index], Nearest] | None = None
    threshold: float | None = None
    library: Library | None = None

    def __len__(self) -> int:
        return len(self.exact)

    @cached_property
    def clusters(self) -> Index:
        """(records,) labels of what may not be split apart; computed when first asked for."""
        return self.find_clusters()


def sequence_relatives(
    sequences: NDArray[np.object_], alphabet: Alphabet, settings: Settings | None = None
) -> Relatives:
    """Copies and near copies among sequences.

    sequences: (records,) upper-case text, DNA with T
    Variants of one parent are near copies of each other by design: of those only identical ones make a
    cluster, and closeness is counted in differing positions.
    """
    exact = exact_groups(sequences, both_strands=False)
    strand = exact_groups(sequences, both_strands=True) if alphabet.both_strands else exact
    library = one_parent(sequences)
    if library is not None:
        return _library_relatives(library, exact, strand)
    distinct = np.unique(strand, return_index=True)[1]
    notion = notion_of(read_letters(sequences[distinct], alphabet), settings or Settings.suited_to(alphabet))

    def find_nearest(queries: Index, targets: Index) -> Nearest:
        found = neighbours(sequences[queries], sequences[targets], alphabet, notion)
        index, identity = nearest(len(queries), found)
        return Nearest(np.where(index >= 0, targets[np.maximum(index, 0)], -1), identity)

    return Relatives(
        exact=exact,
        strand=strand,
        notion=notion.words,
        find_clusters=lambda: clusters(sequences, alphabet, notion),
        find_nearest=find_nearest,
        threshold=notion.settings.identity,
    )


def _library_relatives(library: Library, exact: Index, strand: Index) -> Relatives:
    positions = len(library.parent)

    def find_nearest(queries: Index, targets: Index) -> Nearest:
        index, distance = library.nearest(queries, targets)
        return Nearest(index, 1 - distance / np.float32(positions), distance)

    allowed = int((1 - LIBRARY_IDENTITY) * positions + 1e-9)
    return Relatives(
        exact=exact,
        strand=strand,
        notion=(
            f"All records are variants of one parent of {positions} letters, so all are alike by design; "
            f"those that differ in at most {allowed} position{'s' if allowed != 1 else ''} are counted as near copies."
        ),
        find_clusters=lambda: strand,
        find_nearest=find_nearest,
        threshold=LIBRARY_IDENTITY,
        library=library,
    )


def row_relatives(frame: pd.DataFrame) -> Relatives:
    """Copies among the rows of a table: rows that are equal in every column."""
    labels = row_groups(frame)
    return Relatives(
        exact=labels,
        strand=labels,
        notion="Rows that are equal in every input column are copies; near copies are not looked for.",
        find_clusters=lambda: labels,
    )
