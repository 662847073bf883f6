"""Sequences with the same composition and another order: what an explanation compares with.

Orders are drawn with a random number generator whose stream belongs to the record (its letters and the seed),
so that a record has the same shuffles whatever batch it comes in.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.modalities import Signal

TEXTS = 1_000
"""Texts shuffled at once; those of one portion take as much memory as the longest."""

NUMBERS = 2**21
"""Positions shuffled at once: enough to fill the processor's vectors, few enough to stay small in memory."""


@dataclass(frozen=True)
class Symbols:
    """What stands at each position of some records.

    codes:  (records, positions) integers, equal where the columns of a record are equal; filled positions first
    places: (records, positions) where each stands in the signal
    counts: (records,) how many positions are filled
    """

    codes: NDArray[np.int64]
    places: NDArray[np.int64]
    counts: NDArray[np.int64]

    def repeated(self, rows: slice, count: int) -> Symbols:
        """Some of the records, each `count` times."""
        parts = (self.codes, self.places, self.counts)
        return Symbols(*(np.repeat(part[rows], count, axis=0) for part in parts))


Orders = Callable[[Symbols, "NDArray[np.uint64]"], "NDArray[np.int64]"]
"""Draws one order per record from its stream: (records, positions) places among the filled positions."""


def shuffled(signal: Signal, seed: int, count: int, orders: Orders) -> Tensor:
    """Shuffle each record of a signal `count` times, (records, count, channels, positions).

    Padding stays where it is; the result lies on the device of the signal.
    """
    import torch

    symbols = _symbols(signal)
    streams = _streams(symbols, seed, count)
    records, channels, positions = signal.x.shape
    step = max(1, NUMBERS // max(1, count * positions))
    order = np.empty((records, count, positions), dtype=np.int64)
    for first in range(0, records, step):
        rows = slice(first, first + step)
        drawn = orders(symbols.repeated(rows, count), streams[rows].ravel()).reshape(-1, count, positions)
        places = np.broadcast_to(symbols.places[rows, None], drawn.shape)
        np.put_along_axis(order[rows], places, np.take_along_axis(places, drawn, axis=2), axis=2)
    index = (
        torch.from_numpy(order).to(signal.x.device)[:, :, None].expand(records, count, channels, positions)
    )
    return signal.x[:, None].expand(records, count, channels, positions).gather(3, index)


def shuffled_texts(texts: Sequence[str], seed: int, orders: Orders | None = None) -> list[str]:
    """Each text once in another order; with the same neighbours (dinucleotides) where no other kind is named."""
    draw = orders or neighbours_kept
    found: list[str] = []
    for first in range(0, len(texts), TEXTS):
        some = [
            np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)
            for text in texts[first : first + TEXTS]
        ]
        counts = np.array([len(each) for each in some], dtype=np.int64)
        codes = np.zeros((len(some), max(1, int(counts.max(initial=0)))), dtype=np.int64)
        for row, each in enumerate(some):
            codes[row, : len(each)] = each
        kinds, numbers = np.unique(codes, return_inverse=True)
        symbols = Symbols(
            numbers.reshape(codes.shape), np.broadcast_to(np.arange(codes.shape[1]), codes.shape), counts
        )
        order = draw(symbols, _streams(symbols, seed, 1)[:, 0])
        signs = kinds.astype(np.uint8)[np.take_along_axis(symbols.codes, order, axis=1)]
        found += [row[:count].tobytes().decode("latin-1") for row, count in zip(signs, counts, strict=True)]
    return found


def _symbols(signal: Signal) -> Symbols:
    x = signal.x.detach().cpu().numpy()
    letters = x.shape[1]
    # a gap is a letter of its own
    codes = np.where(x.any(axis=1), x.argmax(axis=1), letters).astype(np.int64)
    mixed = x.any(axis=1) & (x.max(axis=1) < 1)
    for row in np.flatnonzero(mixed.any(axis=1)):  # numbered within the record, so that others do not matter
        kinds = np.unique(x[row][:, mixed[row]], axis=1, return_inverse=True)[1]
        codes[row, mixed[row]] = letters + 1 + kinds.reshape(-1)
    filled = np.ones(codes.shape, dtype=bool) if signal.mask is None else signal.mask.cpu().numpy()
    places = np.argsort(~filled, axis=1, kind="stable")
    return Symbols(np.take_along_axis(codes, places, axis=1), places, filled.sum(axis=1))


# ---- random numbers ---------------------------------------------------------------------------------------

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output function of SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _uniform(streams: NDArray[np.uint64], count: int) -> NDArray[np.float64]:
    """The first numbers of each stream, (streams, count) in [0, 1)."""
    steps = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
    numbers: NDArray[np.float64] = (_mixed(streams[:, None] + steps) >> np.uint64(11)) * np.float64(2.0**-53)
    return numbers


def _streams(symbols: Symbols, seed: int, count: int) -> NDArray[np.uint64]:
    """A stream for each copy of each record, (records, count): of its letters, the seed and the copy's number."""
    rows = zip(symbols.codes.astype(np.uint8), symbols.counts, strict=True)
    letters = np.array([zlib.crc32(codes[:filled].tobytes()) for codes, filled in rows], dtype=np.uint64)
    seeds = np.full(len(letters), seed, dtype=np.uint64) * _GOLDEN
    copies = np.arange(count, dtype=np.uint64) * _GOLDEN
    return _mixed(_mixed(letters + seeds)[:, None] + copies)


# ---- orders -------------------------------------------------------------------------------------------------


def any_order(symbols: Symbols, streams: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Every order of the letters is equally likely: keeps how often each letter occurs."""
    keys = _uniform(streams, symbols.codes.shape[1])
    keys[_padding(symbols)] = 2.0 + np.nonzero(_padding(symbols))[1]
    return np.argsort(keys, axis=1)


def neighbours_kept(symbols: Symbols, streams: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Every order with the same neighbours (dinucleotide counts) is equally likely; the ends stay.

    A sequence is a walk along edges from letter to letter; a uniform random walk along the same edges is
    drawn from a uniform random tree of last edges (Altschul & Erickson 1985, Mol Biol Evol 2:526), and that
    by popping cycles (Propp & Wilson 1998, J Algorithms 27:170). All records walk at once.
    """
    edges = _Edges.of(symbols)
    keys = _uniform(streams, symbols.codes.shape[1])
    last = edges.last(_mixed(streams + np.uint64(1)))
    rows, letters = np.nonzero(last >= 0)
    keys[rows, last[rows, letters]] = 2.0  # a letter leaves by its last edge when all others are used up
    return edges.walk(np.lexsort((keys, edges.letters), axis=1))


def _padding(symbols: Symbols) -> NDArray[np.bool_]:
    return np.arange(symbols.codes.shape[1]) >= symbols.counts[:, None]


@dataclass(frozen=True)
class _Edges:
    """The steps of each record: edge i leads from the letter at position i to the letter at i + 1.

    letters: (records, positions) the letter each edge leaves, `kinds` where there is no edge
    kinds:   how many letters there are
    degree:  (records, kinds) edges leaving each letter
    first:   (records, kinds) where a letter's edges begin when edges are sorted by letter
    """

    symbols: Symbols
    letters: NDArray[np.int64]
    kinds: int
    degree: NDArray[np.int64]
    first: NDArray[np.int64]

    @classmethod
    def of(cls, symbols: Symbols) -> _Edges:
        kinds = int(symbols.codes.max(initial=0)) + 1
        positions = np.arange(symbols.codes.shape[1])
        letters = np.where(positions < symbols.counts[:, None] - 1, symbols.codes, kinds)
        degree = np.stack([(letters == letter).sum(axis=1) for letter in range(kinds)], axis=1)
        return cls(symbols, letters, kinds, degree, np.cumsum(degree, axis=1) - degree)

    def last(self, streams: NDArray[np.uint64]) -> NDArray[np.int64]:
        """A uniform random last edge for each letter, all leading to the last letter in the end; -1 for none."""
        rows = np.arange(len(self.letters))[:, None]
        grouped = np.argsort(self.letters, axis=1, kind="stable")
        end = np.take_along_axis(self.symbols.codes, np.maximum(self.symbols.counts - 1, 0)[:, None], axis=1)
        free = (self.degree > 0) & (np.arange(self.kinds) != end)
        redraw, last = free, np.full(free.shape, -1, dtype=np.int64)
        while redraw.any():
            streams = _mixed(streams + _GOLDEN)
            chosen = self.first + (_uniform(streams, self.kinds) * self.degree).astype(np.int64)
            last = np.where(redraw, grouped[rows, np.minimum(chosen, grouped.shape[1] - 1)], last)
            redraw = free & self._in_cycle(last)
        return last

    def _in_cycle(self, last: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which letters come back to themselves by following last edges, (records, kinds)."""
        letters = np.broadcast_to(np.arange(self.kinds), last.shape)
        following = np.clip(last + 1, 0, self.letters.shape[1] - 1)
        after = np.take_along_axis(self.symbols.codes, following, axis=1)
        after = np.where(last >= 0, after, letters)
        reached, cycle = after, np.zeros(last.shape, dtype=bool)
        for _ in range(self.kinds):
            cycle |= (reached == letters) & (last >= 0)
            reached = np.take_along_axis(after, reached, axis=1)
        return cycle

    def walk(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Use up the edges of each letter in this order, (records, positions); returns the places visited."""
        codes, counts = self.symbols.codes, self.symbols.counts
        records, positions = codes.shape
        rows = np.arange(records)
        places = np.tile(np.arange(positions), (records, 1))
        used = self.first.copy()
        here = codes[:, 0]
        for step in range(1, positions):
            on = step < counts
            edge = order[rows, np.minimum(used[rows, here], positions - 1)]
            used[rows, here] += on
            places[on, step] = edge[on] + 1
            here = np.where(on, codes[rows, np.minimum(edge + 1, positions - 1)], here)
        return places
