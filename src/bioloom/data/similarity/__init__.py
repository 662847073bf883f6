"""Which records are copies or near copies of each other.

copies     exact copies, also after reverse complement
letters    sequences as numbers, packed to compare 32 letters in one step
notion     what counts as a near copy
seeds      spaced seeds: where two records may be alike
verify     the stretch without gaps that they share
gapped     the alignment with short gaps that they share
search     seeds, sieve, verification: one search
pairs      near copies found, and the families they link
near       near_pairs, clusters, neighbours: what other layers call
library    variants of one parent: mutations and distances
relatives  all of this about one data set, as splits and the leak report need it
"""

from bioloom.data.similarity.copies import (
    canonical,
    exact_groups,
    joined_groups,
    repeats,
    reverse_complement,
    row_groups,
)
from bioloom.data.similarity.library import Library, hamming_nearest, one_parent
from bioloom.data.similarity.near import clusters, near_pairs, neighbours
from bioloom.data.similarity.notion import Notion, Settings
from bioloom.data.similarity.pairs import Pairs, components, nearest
from bioloom.data.similarity.relatives import Nearest, Relatives, row_relatives, sequence_relatives

__all__ = [
    "Library",
    "Nearest",
    "Notion",
    "Pairs",
    "Relatives",
    "Settings",
    "canonical",
    "clusters",
    "components",
    "exact_groups",
    "hamming_nearest",
    "joined_groups",
    "near_pairs",
    "nearest",
    "neighbours",
    "one_parent",
    "repeats",
    "reverse_complement",
    "row_groups",
    "row_relatives",
    "sequence_relatives",
]
