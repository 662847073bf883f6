"""What DNA, RNA and protein share: letters along one axis, read as tokens, padded at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from bioloom.data import large
from bioloom.data import mapped as stores
from bioloom.data.leakage import Alike
from bioloom.data.learned import text_hashes
from bioloom.data.library import Library, one_parent
from bioloom.data.records import Problem, Records
from bioloom.data.similarity.across import compare
from bioloom.data.similarity.copies import canonical, exact_groups, hashed_groups
from bioloom.data.similarity.letters import read_letters
from bioloom.data.similarity.near import clusters as families
from bioloom.data.similarity.notion import Notion, Settings, notion_of
from bioloom.data.similarity.several import Column, compare_several
from bioloom.errors import UserError
from bioloom.modalities import Across, Clusters, Features, Kind, Modality, Part, Shape, Similarity
from bioloom.modalities.encoded import TokenEncoded
from bioloom.modalities.kmers import kmer_names, kmer_shares
from bioloom.modalities.letters import (
    CELLS,
    Alphabet,
    Tokens,
    clean,
    column_parts,
    crop_start,
    token_parts,
    tokenise,
)
from bioloom.modalities.shuffles import any_order, neighbours_kept, shuffled
from bioloom.modalities.spelling import problems

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.modalities import Signal, Watched

LONGEST = 100_000
"""Letters a network is given at most; longer records are cropped around their centre, and listed."""

LARGEST = 2**31
"""Bytes that the tokens of all training records may take together."""

LOOKED_AT = 20_000
"""So many records, evenly spaced, say whether all are variants of one parent."""

MUTATIONS_OF_A_SCAN = 5
"""Variants of one parent that differ from it at so many positions in the median, or fewer, say what letters and their
pairs do; more mutations at once make new sites, which convolutions find."""

LONGEST_ALIGNED = 400
"""Sequences of one length up to this are taken as aligned: a position means the same in every record."""


@dataclass(frozen=True)
class SequenceModality(Modality):
    """One sequence per record, in the letters of `alphabet`.

    length:    positions a network is given: those of the longest training record, at most 100,000, and fewer
               where a handful of long records would make all others take 2 GiB
    aligned:   whether all training records have that length
    varying:   where aligned and at most 400 long: the letters seen at each position in training, "" where
               it never varies; empty otherwise. Baselines get these letters as features.
    scan:      whether they are variants of one parent with few mutations each; then words of several letters only
               repeat what the letters at each position say, and baselines do without them
    """

    length: int
    aligned: bool
    varying: tuple[str, ...] = ()
    scan: bool = False

    kind = Kind.SEQUENCE
    default_network = "residual"
    explainers = ("mutagenesis", "occlusion", "integrated_gradients")
    augmentations: ClassVar[tuple[str, ...]] = ("shift", "mutation", "mixing")
    alphabet: ClassVar[Alphabet]
    word_lengths: ClassVar[tuple[int, ...]]
    shares: ClassVar[tuple[tuple[str, str], ...]] = ()
    keeps_neighbours: ClassVar[bool]

    @classmethod
    def check(cls, values: pd.DataFrame) -> list[Problem]:
        """Missing sequences and wrong characters (dropped), and every reading that changes a letter (notes)."""
        return problems(_column(values), cls.alphabet)

    @classmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn the length, and the letters at each position of aligned sequences."""
        lengths = cls._lengths(values)
        if not len(lengths):
            raise UserError("There is no sequence to learn from.", where=f'column "{values.columns[0]}"')
        length = _length(lengths)
        aligned = bool((lengths == length).all())
        varying: tuple[str, ...] = ()
        if aligned and length <= LONGEST_ALIGNED:
            parts = token_parts(_column(values), cls.alphabet)
            varying = _varying((part.flat.reshape(-1, length) for part in parts), cls.alphabet.letters)
        return cls(length, aligned, varying, bool(varying) and cls._scan(values) is not None)

    @classmethod
    def _scan(cls, values: pd.DataFrame) -> Library | None:
        """The library that the sequences are, where its variants have few mutations each; some records say it for all."""
        library = cls.library(values.iloc[:: -(-len(values) // LOOKED_AT) or 1])
        few = library is not None and np.median(library.mutations) <= MUTATIONS_OF_A_SCAN
        return library if few else None

    @classmethod
    def _lengths(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Letters of each record, (records,)."""
        return np.concatenate([part.lengths for part in token_parts(_column(values), cls.alphabet)])

    @classmethod
    def positions(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Letters and gaps of each record, (records,); 0 where the sequence is missing."""
        cells = _column(values)
        return np.array(
            [0 if pd.isna(cell) else len("".join(str(cell).split())) for cell in cells], dtype=np.int64
        )

    @property
    def still(self) -> tuple[int, ...]:
        """Positions with one letter in all training records, where these are aligned and not long."""
        return tuple(place for place, seen in enumerate(self.varying) if not seen)

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        return {
            "length": self.length,
            "aligned": self.aligned,
            "varying": list(self.varying),
            "scan": self.scan,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        # older models say nothing of scans
        varying, scan = (tuple(state["varying"]), bool(state.get("scan", False)))
        return cls(int(state["length"]), bool(state["aligned"]), varying, scan)

    @property
    def shape(self) -> Shape:
        """(letters, positions)."""
        return Shape(Kind.SEQUENCE, (len(self.alphabet.letters), self.length))

    @property
    def channels(self) -> tuple[str, ...]:
        """The letters."""
        return tuple(self.alphabet.letters)

    def encode(self, values: pd.DataFrame) -> TokenEncoded:
        """One byte per letter; raises UserError at the first row that `check` would drop."""
        if len(values) <= CELLS:
            return self._encoded(tokenise(_column(values), self.alphabet))
        tokens, first = np.empty((len(values), self.length), dtype=np.uint8), 0
        for block in self._token_blocks(values):
            tokens[first : first + len(block)] = block
            first += len(block)
        return self._stored(tokens, values)

    def encode_into(self, values: pd.DataFrame, path: Path) -> TokenEncoded:
        """One byte per letter, in a file where these are more than 256 MB; raises UserError also on a full disk."""
        shape = (len(values), self.length)
        if shape[0] * shape[1] <= stores.MAPPED:
            return self.encode(values)
        tokens = stores.mapped(path.with_name(f"{path.name}.npy"), shape, self._token_blocks(values))
        return self._stored(tokens, values)

    def _token_blocks(self, values: pd.DataFrame) -> Iterator[NDArray[np.uint8]]:
        """The tokens of some records after the others, (some, positions)."""
        for part in token_parts(_column(values), self.alphabet):
            yield self._encoded(part).tokens

    def _stored(self, tokens: NDArray[np.uint8], values: pd.DataFrame) -> TokenEncoded:
        lengths = np.minimum(self._lengths(values), self.length).astype(np.int32)
        return TokenEncoded(tokens, lengths, self.alphabet.channels)

    def _encoded(self, tokens: Tokens) -> TokenEncoded:
        lengths = np.minimum(tokens.lengths, self.length).astype(np.int32)
        matrix = tokens.matrix(self.length, self.alphabet.padding)
        return TokenEncoded(matrix, lengths, self.alphabet.channels)

    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """The records that are longer than what the network is given, and those shorter than all it learned from."""
        lengths, column = self._lengths(values), str(values.columns[0])
        long, found = np.flatnonzero(lengths > self.length), list[Problem]()
        if len(long):
            message = (
                f"the sequence is longer than the {self.length:,} {self.unit} the model was trained on; "
            )
            message += f"only its middle {self.length:,} are used"
            fix = "train on sequences as long as those to predict, or cut them yourself"
            found.append(Problem("sequence.cropped", "note", message, fix, column, long))
        short = np.flatnonzero(lengths < self.length)
        if self.aligned and len(short):
            message = (
                f"the sequence is shorter than the {self.length:,} {self.unit} of every training record; "
            )
            message += "its prediction is a guess"
            fix = "predict sequences as long as those the model learned from"
            found.append(Problem("sequence.short", "note", message, fix, column, short))
        return found

    @classmethod
    def clusters(cls, values: pd.DataFrame, similarity: Similarity | None = None) -> Clusters:
        """Group exact and near copies and all that they link; DNA also on the other strand.

        similarity: share of equal letters; None takes 0.75 for DNA and RNA, 0.40 for proteins. See
                    `bioloom.data.similarity` for what counts as a near copy.
        """
        sequences = clean(_column(values), cls.alphabet)
        notion = cls._notion(sequences, similarity or Similarity())
        return Clusters(families(sequences, cls.alphabet, notion), notion.words)

    @classmethod
    def properties(cls, values: pd.DataFrame) -> NDArray[np.float64]:
        """The length of each sequence, and its shares of letters such as GC, (records, properties)."""
        return np.concatenate([cls._measured(part) for part in token_parts(_column(values), cls.alphabet)])

    @classmethod
    def _measured(cls, tokens: Tokens) -> NDArray[np.float64]:
        starts = np.cumsum(tokens.lengths) - tokens.lengths
        columns = [tokens.lengths.astype(np.float64)]
        for _, members in cls.shares:
            wanted = np.zeros(256, dtype=np.uint8)
            wanted[[cls.alphabet.letters.index(letter) for letter in members]] = 1
            hits = np.frombuffer(tokens.flat.tobytes().translate(wanted.tobytes()), dtype=np.uint8)
            columns.append(np.add.reduceat(hits, starts, dtype=np.int64) / tokens.lengths)
        return np.column_stack(columns)

    @classmethod
    def _notion(cls, sequences: NDArray[np.object_], similarity: Similarity) -> Notion:
        settings = replace(Settings.suited_to(cls.alphabet), engine=similarity.engine)
        if similarity.identity is not None:
            settings = replace(settings, identity=similarity.identity)
        return notion_of(read_letters(sequences, cls.alphabet), settings)

    @classmethod
    def alike(cls, values: pd.DataFrame, across: Across) -> Alike:
        """The most alike sequence on the other side: exact copy, reverse complement (DNA), or near copy."""
        sequences = clean(_column(values), cls.alphabet)
        notion = cls._notion(sequences, across.similarity)
        return compare(sequences[across.queries], sequences[across.targets], cls.alphabet, notion)

    @classmethod
    def alike_in_all(cls, watched: Sequence[Watched], across: Across) -> Alike | None:
        """For records of several sequences: copies, or near copies, of one record in every sequence."""
        columns = []
        for modality, values in watched:
            if not issubclass(modality, SequenceModality):
                return None
            sequences = clean(_column(values), modality.alphabet)
            notion = modality._notion(sequences, across.similarity)
            columns.append(Column(sequences, modality.alphabet, notion))
        return compare_several(columns, across.queries, across.targets)

    @classmethod
    def copies(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Numbers that identical sequences share; DNA also with reverse complements."""
        column, both_strands = _column(values), cls.alphabet.both_strands
        if not large.many(len(column)):
            return exact_groups(clean(column, cls.alphabet), both_strands=both_strands)
        parts = (clean(part, cls.alphabet) for part in column_parts(column))
        return hashed_groups(parts, both_strands=both_strands)

    def hashes(self, values: pd.DataFrame) -> NDArray[np.uint64]:
        """Equal for identical sequences; for DNA also for reverse complements."""
        alphabet = self.alphabet
        parts = (clean(part, alphabet) for part in column_parts(_column(values)))
        found = [text_hashes(canonical(part, both_strands=alphabet.both_strands)) for part in parts]
        return np.concatenate(found)

    @classmethod
    def library(cls, values: pd.DataFrame) -> Library | None:
        """The variants of one parent that the sequences are, where they are."""
        return one_parent(clean(_column(values), cls.alphabet))

    @classmethod
    def usual_network(cls, values: pd.DataFrame) -> tuple[str, str]:
        """Effects of letters and of their pairs for variants of one parent that differ from it at few positions."""
        library = cls._scan(values)
        if library is None:
            return super().usual_network(values)
        return "epistasis", f"the records are {library.words}"

    def features(self, values: pd.DataFrame) -> Features:
        """Shares of words of letters, letters at varying positions, length, and composition."""
        tokens = tokenise(_column(values), self.alphabet)
        encoded = self._encoded(tokens)
        blocks = [self._positions(encoded.tokens), *self._words(encoded.tokens)]
        if not self.aligned:
            blocks.append((tokens.lengths[:, None].astype(np.float32), ("length",)))
        names = tuple(name for _, names in blocks for name in names)
        kinds = "letters at each position, " if self.varying else "length, "
        words = f"shares of words of {self.word_lengths[0]} to {self.word_lengths[-1]} letters"
        words = "share of each letter" if self.scan else words
        return Features(np.concatenate([block for block, _ in blocks], axis=1), names, kinds + words)

    def _positions(self, tokens: NDArray[np.uint8]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
        """One column for each letter at each varying position: 1, 0, or a share for mixtures."""
        chosen = [(place, letter) for place, seen in enumerate(self.varying) for letter in seen]
        channel = np.array([self.alphabet.letters.index(letter) for _, letter in chosen], dtype=np.uint8)
        places = np.array([place for place, _ in chosen], dtype=np.int64)
        values = (tokens[:, places] == channel).astype(np.float32)
        mixed = np.flatnonzero((tokens > self.alphabet.padding).any(axis=1))
        values[mixed] = self.alphabet.channels[tokens[np.ix_(mixed, places)], channel]
        return values, tuple(f"{letter} at {place + 1}" for place, letter in chosen)

    def _words(self, tokens: NDArray[np.uint8]) -> list[tuple[NDArray[np.float32], tuple[str, ...]]]:
        letters = self.alphabet.letters
        counted = self.word_lengths[:1] if self.scan else self.word_lengths
        blocks = [(kmer_shares(tokens, len(letters), k), kmer_names(letters, k)) for k in counted]
        singles = blocks[0][0]
        for name, members in self.shares:
            share = singles[:, [letters.index(letter) for letter in members]].sum(axis=1, keepdims=True)
            blocks.append((share, (name,)))
        return blocks

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """One part per filled position, labelled with its letter and its number in the sequence, from 1."""
        text = clean(_column(values), self.alphabet)[0]
        start = crop_start(len(text), self.length)
        kept = text[start : start + self.length]
        return [Part(f"{letter}{start + place + 1}", (place,)) for place, letter in enumerate(kept)]

    def background(self, signal: Signal, seed: int, count: int) -> Tensor:
        """Shuffles of each record: DNA and RNA keep their dinucleotide counts, proteins their residue counts."""
        return shuffled(signal, seed, count, neighbours_kept if self.keeps_neighbours else any_order)

    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """A logo in which each letter is as tall as its attribution, downward where it lowers the output.

        Of sequences longer than 160, the whole is drawn as a profile and the strongest stretch as a logo.
        """
        from bioloom.figures.attributed import attributed_sequence
        from bioloom.figures.positions import SequenceAxis

        tokens = tokenise(_column(values), self.alphabet)
        encoded = self._encoded(tokens)
        filled = slice(0, int(encoded.lengths[0]))
        there = encoded.channels[encoded.tokens[0, filled]].T > 0  # (letters, positions)
        heights = np.where(there, attribution[:, filled], 0)
        axis = SequenceAxis(self.unit, first=crop_start(int(tokens.lengths[0]), self.length) + 1)
        return attributed_sequence(heights, self.alphabet.letters, label=label, axis=axis)


def _column(values: pd.DataFrame) -> pd.Series[Any]:
    column: pd.Series[Any] = values.iloc[:, 0]
    return column


def _length(lengths: NDArray[np.int64]) -> int:
    longest = min(int(lengths.max()), LONGEST)
    if longest * len(lengths) <= LARGEST:
        return longest
    return min(longest, max(LARGEST // len(lengths), int(np.quantile(lengths, 0.99))))


def _varying(parts: Iterable[NDArray[np.uint8]], letters: str) -> tuple[str, ...]:
    """The letters at each position, (positions,) texts; "" where there is only one; parts: (records, positions) tokens."""
    found = (np.stack([(part == number).any(axis=0) for number in range(len(letters))]) for part in parts)
    seen = reduce(np.logical_or, found)  # (letters, positions)
    texts = ["".join(letters[number] for number in np.flatnonzero(column)) for column in seen.T]
    return tuple(text if len(text) > 1 else "" for text in texts)


def demo_records(
    sequences: Iterable[str], target: str, labels: NDArray[np.float64] | NDArray[np.str_]
) -> Records:
    """Records of one input called `sequence`, for demonstrations."""
    cells = np.array(list(sequences), dtype=object)
    return Records(
        ids=np.array([f"demo{number + 1}" for number in range(len(cells))], dtype=object),
        inputs={"sequence": pd.DataFrame({"sequence": cells})},
        targets=pd.DataFrame({target: labels}),
        lines=np.arange(len(cells), dtype=np.int64) + 2,
    )
