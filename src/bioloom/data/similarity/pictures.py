"""Near copies among pictures: found by perceptual hash, confirmed pixel by pixel on small copies.

Pictures of one kind (chest X-rays, cells on a dish) all look alike to a hash, so the mean picture of the data is taken
away first: what is left is what makes a picture itself. A picture saved anew, made smaller, brighter or a little noisy
stays a near copy; mirrored and turned copies are found too, because pictures that were multiplied so before they were
shared are a frequent leak.
Source of the hash: Zauner (2010) Implementation and benchmarking of perceptual image hash functions (pHash).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import dctn

from bioloom.data.leakage import Alike, compare_copies
from bioloom.data.similarity.pairs import Pairs, components, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Index = NDArray[np.int64]
    Small = NDArray[np.float32]

SIDE = 32
"""Height and width of the small copies."""

ALIKE = 0.98
"""Small copies of near copies correlate so much at least. Of 5,000 handwritten digits no two do, of 5,856 chest X-rays
only copies."""

TURNED = 0.99
"""The same for mirrored and turned copies, of which there are seven chances."""

BITS = 12
"""The hashes of near copies differ in so many of their 64 bits at most; those of unrelated pictures in 32 or so."""

FEW = 10
"""Of fewer different pictures what they share is not known."""

BLOCK = 1 << 24  # pairs of hashes compared at once: 128 MB

CONFIRMED = 1 << 14  # pairs of small copies compared at once: 128 MB


@dataclass(frozen=True)
class Compared:
    """Pictures made ready to be compared.

    small:  (pictures, SIDE, SIDE) grey
    mean:   (SIDE, SIDE) what all pictures share
    copies: (pictures,) pictures with equal pixels share a number
    least:  correlation from which pictures are near copies
    """

    small: Small
    mean: Small
    copies: Index
    least: float = ALIKE

    @property
    def words(self) -> str:
        """What near means."""
        return (
            f"small copies of both, without what all pictures share, correlate at {self.least:g} or more; "
            "also after turning or mirroring"
        )

    def own(self, small: Small) -> Small:
        """What makes pictures themselves: without what all share, of length 1, so that products are correlations."""
        apart = small - self.mean
        apart = apart - apart.mean(axis=(1, 2), keepdims=True)
        length = np.sqrt((apart**2).sum(axis=(1, 2), keepdims=True))
        found: Small = (apart / np.maximum(length, 1e-6)).astype(np.float32)
        return found


def compare(small: Small, copies: Index, least: float | None = None) -> Compared:
    """Make pictures ready. small: (pictures, SIDE, SIDE) grey; least: correlation of near copies, None: the usual one."""
    several = len(np.unique(copies)) > FEW
    mean = small.mean(axis=0) if several else np.zeros((SIDE, SIDE), dtype=np.float32)
    return Compared(small, mean, copies, least or ALIKE)


def hashes(small: Small) -> NDArray[np.uint64]:
    """64 bits of each picture, (pictures,): which of the slow waves in it are stronger than their median."""
    waves = dctn(small, axes=(1, 2), norm="ortho")[:, :8, :8].reshape(len(small), 64)
    strong = waves > np.median(waves, axis=1, keepdims=True)
    return np.packbits(strong, axis=1).view(np.uint64).reshape(-1)


def families(pictures: Compared) -> Index:
    """Pictures linked by being copies or near copies, directly or through others, share a label, (pictures,)."""
    first, same = np.unique(pictures.copies, return_index=True, return_inverse=True)[1:]
    found = near(pictures, first, first)
    return components(len(first), found)[same]


def alike(pictures: Compared, queries: Index, targets: Index) -> Alike:
    """For each query a target with equal pixels, or else the near copy that is most alike."""
    exact = compare_copies(pictures.copies, queries, targets)
    kind, partner, identity = exact.kind.copy(), exact.partner.copy(), exact.identity.copy()
    rest = np.flatnonzero(partner < 0)
    found = near(pictures, queries[rest], targets)
    order = np.argsort(found.identity, kind="stable")  # later writes win: the most alike stays
    row = rest[found.left[order]]
    kind[row], partner[row], identity[row] = "near", found.right[order], found.identity[order]
    return Alike(kind, partner, identity, pictures.words)


def near(pictures: Compared, queries: Index, targets: Index) -> Pairs:
    """All pairs of near copies: left are positions in queries, right in targets; a picture is no copy of itself."""
    known = pictures.own(pictures.small[targets])
    found = []
    for asked, least in _orientations(pictures, queries):
        for one, other in _candidates(hashes(asked), hashes(known)):
            different = queries[one] != targets[other]
            left, right = one[different], other[different]
            alike = np.einsum("nij,nij->n", asked[left], known[right])
            close = alike >= least
            size = int(close.sum())
            found.append(
                Pairs(left[close], right[close], alike[close].clip(max=1), np.zeros(size, dtype=bool))
            )
    return joined(*found)


def _orientations(pictures: Compared, queries: Index) -> Iterator[tuple[Small, float]]:
    """The queries as they are, then mirrored and turned by quarters; how much they must correlate."""
    small = pictures.small[queries]
    for mirrored in (False, True):
        for quarters in range(4):
            turned = np.rot90(small[:, :, ::-1] if mirrored else small, quarters, axes=(1, 2))
            usual = not mirrored and quarters == 0
            yield pictures.own(turned), pictures.least if usual else max(pictures.least, TURNED)


def _candidates(asked: NDArray[np.uint64], known: NDArray[np.uint64]) -> Iterator[tuple[Index, Index]]:
    """Pairs whose hashes differ in few bits, some at a time."""
    step = max(BLOCK // max(len(known), 1), 1)
    for start in range(0, len(asked), step):
        differing = np.bitwise_count(asked[start : start + step, None] ^ known)
        left, right = np.nonzero(differing <= BITS)
        for first in range(0, len(left), CONFIRMED):
            some = slice(first, first + CONFIRMED)
            yield left[some] + start, right[some]
