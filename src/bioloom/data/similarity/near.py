"""Near copies among records, or between two sets of them, and the families they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.similarity import mmseqs
from bioloom.data.similarity.contained import contained
from bioloom.data.similarity.copies import exact_groups
from bioloom.data.similarity.letters import Letters, read_letters
from bioloom.data.similarity.notion import Notion, Settings, notion_of
from bioloom.data.similarity.pairs import Pairs, joined, linked, numbered
from bioloom.data.similarity.search import Search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.similarity.copies import Alphabet

    Index = NDArray[np.int64]
    Texts = NDArray[np.object_]


def usual_notion(letters: Letters, alphabet: Alphabet) -> Notion:
    """What counts as a near copy among these records, unless something else is wanted."""
    return notion_of(letters, Settings.suited_to(alphabet))


def near_pairs(sequences: Texts, alphabet: Alphabet, notion: Notion | None = None) -> Pairs:
    """All near copies among some records.

    sequences: (records,) upper-case text, DNA with T
    A record that is identical to an earlier one (also after reverse complement, on two strands) is paired
    with that one only, at identity 1: the pairs of 1,000 identical records are 999. Of families of many
    members not every pair is listed, but enough to link them all.
    """
    label = exact_groups(sequences, both_strands=alphabet.both_strands)
    first = _firsts(label)
    letters = read_letters(sequences[first], alphabet)
    found = Search(letters, notion or usual_notion(letters, alphabet)).run()
    found = Pairs(first[found.left], first[found.right], found.identity, found.reverse)
    later = np.flatnonzero(first[label] != np.arange(len(label)))
    return joined(found, _identical(sequences, sequences, first[label[later]], later))


def clusters(sequences: Texts, alphabet: Alphabet, notion: Notion | None = None) -> Index:
    """Families: records linked by near or contained copies, directly or through others, share a label.

    Single linkage. Returns (records,) labels numbered from 0 in order of first appearance. They are the
    components of `near_pairs` and of `contained`, but two records that are linked already are not compared
    again, so that large families cost little.
    """
    label = exact_groups(sequences, both_strands=alphabet.both_strands)
    distinct = sequences[_firsts(label)]
    letters = read_letters(distinct, alphabet)
    notion = notion or usual_notion(letters, alphabet)
    if notion.settings.engine == "mmseqs2":
        family = linked(np.arange(len(distinct)), mmseqs.search(distinct, distinct, alphabet, notion))
    else:
        search = Search(letters, notion, linking=True)
        search.run()
        family = search.family
    return numbered(linked(family, contained(distinct, alphabet))[label])


def neighbours(queries: Texts, targets: Texts, alphabet: Alphabet, notion: Notion | None = None) -> Pairs:
    """The near copies that some records have among others: left are positions in queries, right in targets.

    Of identical targets the first stands for all.
    """
    label = exact_groups(np.concatenate([queries, targets]), both_strands=alphabet.both_strands)
    query_label, target_label = label[: len(queries)], label[len(queries) :]
    asked, kept = _firsts(query_label), _firsts(target_label)
    letters = read_letters(np.concatenate([queries[asked], targets[kept]]), alphabet)
    notion = notion or usual_notion(letters, alphabet)
    if notion.settings.engine == "mmseqs2":
        found = mmseqs.search(queries[asked], targets[kept], alphabet, notion)
        found = Pairs(asked[found.left], kept[found.right], found.identity, found.reverse)
    else:
        found = Search(letters, notion, queries=len(asked)).run()
        found = Pairs(asked[found.left], kept[found.right - len(asked)], found.identity, found.reverse)
    found = _for_repeats(found.take(query_label[found.left] != target_label[found.right]), query_label)
    target_of = np.full(int(label.max(initial=-1)) + 1, -1, dtype=np.int64)
    target_of[target_label[kept]] = kept
    left = np.flatnonzero(target_of[query_label] >= 0)
    return joined(found, _identical(queries, targets, left, target_of[query_label[left]]))


def _firsts(labels: Index) -> Index:
    """Position of the first record with each label, in order of labels."""
    return np.unique(labels, return_index=True)[1].astype(np.int64)


def _identical(a: Texts, b: Texts, left: Index, right: Index) -> Pairs:
    """Pairs of identical records; reverse where only the reverse complement is identical."""
    turned = np.array([a[i] != b[j] for i, j in zip(left, right, strict=True)], dtype=bool)
    return Pairs(left, right, np.ones(len(left), dtype=np.float32), turned)


def _for_repeats(found: Pairs, label: Index) -> Pairs:
    """Give the pairs of each first record to those that repeat it as well."""
    order = np.argsort(label, kind="stable")
    low = np.searchsorted(label[order], label[found.left])
    count = np.searchsorted(label[order], label[found.left], side="right") - low
    pair = np.repeat(np.arange(len(found)), count)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    chosen = found.take(pair)
    return Pairs(order[low[pair] + within], chosen.right, chosen.identity, chosen.reverse)
