"""Text: documents such as abstracts and notes, read as tokens: frequent words and pieces of words.

White space is one space wherever it stands, and letters stay as they are written. Tokens are learned from training
rows (`bioloom.modalities.pieces`); characters that no training row holds are read as unknown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field

from bioloom.data.columns import kind_of
from bioloom.data.learned import text_hashes
from bioloom.data.records import Problem, Records
from bioloom.data.similarity.shingles import RESEMBLANCE, compare_texts, families, told
from bioloom.errors import UserError
from bioloom.modalities import (
    Across,
    Clusters,
    Demo,
    Features,
    Kind,
    Modality,
    ModalitySettings,
    Part,
    Shape,
    Similarity,
    modalities,
)
from bioloom.modalities.encoded import NumberedEncoded
from bioloom.modalities.pieces import UNKNOWN, Pieces
from bioloom.modalities.words import Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.data.leakage import Alike
    from bioloom.modalities import Signal

LEARNED_FROM = 5_000
"""Training documents from which tokens are learned; more change them little."""

WORDS = 3
"""The median cell of a text has so many words or more."""

_SPACE = re.compile(r"\s+")


@modalities.register
@dataclass(frozen=True)
class Text(Modality):
    """A document per record.

    length: tokens a network is given: those of the longest training document, at most 512
    pieces: the tokens
    words:  what baselines look at
    exact:  whether white space counts as it stands, so that tokens joined are the text again
    """

    length: int
    pieces: Pieces
    words: Words
    exact: bool = False

    class Settings(ModalitySettings):
        """How texts become tokens."""

        tokens: Literal["pieces", "characters"] = Field(
            default="pieces", description="frequent runs of characters, or single characters"
        )
        most: int = Field(default=1_000, ge=1, le=30_000, description="runs of characters at most")
        longest: int = Field(
            default=512, ge=1, description="tokens that a network is given at most: some 400 words"
        )
        white_space: Literal["single", "exact"] = Field(
            default="single", description="one space wherever white space stands, or all of it as it is"
        )

    name = "text"
    title = "text"
    kind = Kind.TOKENS
    default_network = "transformer"
    explainers = ("occlusion",)
    unit = "token"
    last = True

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """Likely where cells are free text of three words or more in the median; sequences and numbers are surer."""
        if kind_of(column) != "text":
            return 0.0
        words = [len(str(cell).split()) for cell in column.dropna().iloc[:1000]]
        return 0.4 if np.median(words) >= WORDS else 0.0

    @classmethod
    def check(cls, values: pd.DataFrame) -> list[Problem]:
        """Documents without a character (dropped)."""
        texts, missing = _clean(values), _column(values).isna().to_numpy()
        empty = np.array([not text for text in texts], dtype=bool)
        name, fix = str(values.columns[0]), "fill in the text, or leave these records out"
        return [
            Problem(code, "drop", message, fix, name, np.flatnonzero(rows))
            for code, message, rows in (
                ("text.missing", "the text is missing", missing),
                ("text.empty", "the text holds no character", empty & ~missing),
            )
            if rows.any()
        ]

    @classmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn tokens, the length, and the words of baselines from training rows."""
        return cls.fit_as(values, cls.Settings())

    @classmethod
    def fit_as(cls, values: pd.DataFrame, settings: Any) -> Self:
        """The same with settings; see `Settings`."""
        exact = settings.white_space == "exact"
        texts = _written(values) if exact else _clean(values)
        if not len(texts):
            raise UserError("There is no text to learn from.", where=f'column "{values.columns[0]}"')
        step = -(-len(texts) // LEARNED_FROM)
        ready = texts if exact else np.array([f" {text}" for text in texts], dtype=object)
        merges = settings.most if settings.tokens == "pieces" else 0
        pieces = Pieces.learn(ready[::step] if merges else ready, merges)
        longest = max(len(pieces.encode(text)) for text in ready)
        spaced = float(np.median([text.count(" ") for text in texts])) >= 1
        words = Words.learn(texts.tolist(), spaced=spaced)
        return cls(min(longest, settings.longest), pieces, words, exact)

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        told = {"length": self.length, "exact": self.exact}
        return told | {"pieces": self.pieces.state(), "words": self.words.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        pieces, words = Pieces.from_state(state["pieces"]), Words.from_state(state["words"])
        return cls(int(state["length"]), pieces, words, bool(state["exact"]))

    @property
    def shape(self) -> Shape:
        """(positions,) of so many different tokens."""
        return Shape(Kind.TOKENS, (self.length,), len(self.pieces))

    @property
    def channels(self) -> tuple[str, ...]:
        """Each token as text."""
        return self.pieces.names

    def encode(self, values: pd.DataFrame) -> NumberedEncoded:
        """Two bytes per token; raises UserError at the first row that `check` would drop."""
        texts = self._texts(values)
        tokens = np.zeros((len(texts), self.length), dtype=np.int16)
        lengths = np.zeros(len(texts), dtype=np.int32)
        for row, text in enumerate(texts):
            if not text.strip():
                raise _no_text(row, str(values.columns[0]))
            found = self.pieces.encode(text)[: self.length]
            tokens[row, : len(found)], lengths[row] = found, len(found)
        return NumberedEncoded(tokens, lengths, len(self.pieces))

    def _texts(self, values: pd.DataFrame) -> NDArray[np.object_]:
        """The texts as they are cut into tokens, (records,).

        Unless white space is exact they begin with a space, so that the first word is the same token as anywhere else.
        """
        if self.exact:
            return _written(values)
        return np.array([f" {text}" for text in _clean(values)], dtype=object)

    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """Documents longer than what the network is given, and those with characters that no training row holds."""
        each, name = [self.pieces.encode(text) for text in self._texts(values)], str(values.columns[0])
        long = np.array([len(tokens) > self.length for tokens in each], dtype=bool)
        unknown = np.array([bool((tokens == UNKNOWN).any()) for tokens in each], dtype=bool)
        cropped = (
            f"the text is longer than the {self.length:,} tokens a network is given; its end is not read"
        )
        strange = "the text holds characters that no training record holds; they are read as unknown"
        return [
            Problem(code, "note", message, fix, name, np.flatnonzero(rows))
            for code, message, fix, rows in (
                ("text.cropped", cropped, "cut texts to what matters", long),
                (
                    "text.unknown",
                    strange,
                    "correct the characters, or train on texts that hold them",
                    unknown,
                ),
            )
            if rows.any()
        ]

    @classmethod
    def clusters(cls, values: pd.DataFrame, similarity: Similarity | None = None) -> Clusters:
        """Group texts that are equal or share half of their runs of three words, and all that they link."""
        resemblance = (similarity or Similarity()).identity or RESEMBLANCE
        return Clusters(families(_plain(values), resemblance), told(resemblance))

    @classmethod
    def alike(cls, values: pd.DataFrame, across: Across) -> Alike:
        """The most alike text on the other side; how alike is the share of runs of three words in common."""
        resemblance = across.similarity.identity or RESEMBLANCE
        return compare_texts(_plain(values), across.queries, across.targets, resemblance)

    @classmethod
    def copies(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Numbers that texts share which differ in white space and capitals at most."""
        return pd.factorize(_plain(values))[0].astype(np.int64)

    def hashes(self, values: pd.DataFrame) -> NDArray[np.uint64]:
        """Equal for texts that differ in white space and capitals at most."""
        return text_hashes(_plain(values))

    @classmethod
    def properties(cls, values: pd.DataFrame) -> NDArray[np.float64]:
        """Characters of each text, (records, 1)."""
        return np.array([[len(text)] for text in _clean(values)], dtype=np.float64).reshape(-1, 1)

    def features(self, values: pd.DataFrame) -> Features:
        """Words and word pairs by how rare they are (tf-idf), and the length."""
        texts = _clean(values)
        size = np.array([[np.log1p(len(text))] for text in texts], dtype=np.float32).reshape(-1, 1)
        what = "words and pairs of words" if self.words.spaced else "runs of one to three characters"
        names = (*(f'"{name}"' for name in self.words.names), "log length")
        return Features(np.concatenate([self.words.weigh(texts), size], axis=1), names, f"{what} (tf-idf)")

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """One part per token, labelled with its text and its number from 1."""
        tokens = self.pieces.encode(self._texts(values)[0])[: self.length]
        names = self.pieces.names
        return [Part(f"{names[token].strip()} {place + 1}", (place,)) for place, token in enumerate(tokens)]

    def background(self, signal: Signal, seed: int, count: int) -> Tensor:
        """Each record with its own tokens in another order, (records, count, positions); empty places stay empty."""
        import torch

        tokens = signal.x.detach().cpu().numpy()
        drawn = np.zeros((len(tokens), count, tokens.shape[1]), dtype=np.float32)
        for row, record in enumerate(tokens):
            filled = int(np.count_nonzero(record))
            own = int(text_hashes(np.array([record.tobytes().hex()], dtype=object))[0])
            random = np.random.default_rng([seed, own])
            for number in range(count):
                drawn[row, number, :filled] = random.permutation(record[:filled])
        return torch.from_numpy(drawn).to(signal.x.device)

    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """The text, each word in the colour of what its tokens add up to."""
        from bioloom.figures.passage import Word, passage

        tokens = self.pieces.encode(self._texts(values)[0])[: self.length]
        names = [self.pieces.names[token] for token in tokens]
        groups = whole_words(names)
        sums = np.bincount(groups, weights=attribution[: len(tokens)].astype(np.float64))
        words = ["" for _ in sums]
        for name, group in zip(names, groups, strict=True):
            words[group] += name
        return passage([Word(*each) for each in zip(words, sums.tolist(), strict=True)], label=label)

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Notes on cell cultures of twelve words or so; "turbid" and "foul" say that one is contaminated."""
        random = np.random.default_rng(seed)
        texts, labels = [], random.permutation(np.resize(np.array(["yes", "no"], dtype=object), n))
        for label in labels:
            words = list(random.choice(PLAIN, size=random.integers(9, 15)))
            if label == "yes":
                words[random.integers(len(words))] = str(random.choice(PLANTED))
            texts.append(" ".join(words))
        frame = pd.DataFrame({"note": np.array(texts, dtype=object)})
        return Demo(_demo_records(frame, labels), "note", _planted(cls.fit(frame), texts), "binary")


PLANTED = ("turbid", "foul")
PLAIN = (
    "the", "culture", "was", "warm", "and", "medium", "flask", "grew", "overnight", "cells", "plate", "clear", "with",
    "buffer", "at", "low", "density", "after", "shaking", "in", "fresh", "broth", "passage", "day", "two", "sample",
)  # fmt: skip


def _demo_records(frame: pd.DataFrame, labels: NDArray[np.object_]) -> Records:
    return Records(
        ids=np.array([f"demo{number + 1}" for number in range(len(frame))], dtype=object),
        inputs={"note": frame},
        targets=pd.DataFrame({"contaminated": labels}),
        lines=np.arange(len(frame), dtype=np.int64) + 2,
    )


def _planted(fitted: Text, texts: Sequence[str]) -> NDArray[np.bool_]:
    """(records, positions) True at the tokens of planted words."""
    parts = np.zeros((len(texts), fitted.length), dtype=bool)
    for row, text in enumerate(texts):
        words, read = text.split(), ""
        for place, token in enumerate(fitted.pieces.encode(f" {text}")):
            read += fitted.pieces.names[token]
            parts[row, place] = words[max(0, len(read.split()) - 1)] in PLANTED
    return parts


def whole_words(names: Sequence[str]) -> list[int]:
    """The number of the word that each token belongs to: a word begins at white space, and signs are alone."""
    groups: list[int] = []
    for place, name in enumerate(names):
        begins = not name[:1].isalnum() or (place > 0 and not names[place - 1][-1:].isalnum())
        groups.append(groups[-1] + begins if groups else 0)
    return groups


def _column(values: pd.DataFrame) -> pd.Series[Any]:
    column: pd.Series[Any] = values.iloc[:, 0]
    return column


def _clean(values: pd.DataFrame) -> NDArray[np.object_]:
    """The texts with one space between words, composed characters, and "" where there is none, (records,)."""
    cells = np.empty(len(values), dtype=object)
    cells[:] = [
        "" if pd.isna(cell) else _SPACE.sub(" ", unicodedata.normalize("NFC", str(cell))).strip()
        for cell in _column(values)
    ]
    return cells


def _written(values: pd.DataFrame) -> NDArray[np.object_]:
    """The texts as they are written, with composed characters, and "" where there is none, (records,)."""
    cells = np.empty(len(values), dtype=object)
    cells[:] = ["" if pd.isna(cell) else unicodedata.normalize("NFC", str(cell)) for cell in _column(values)]
    return cells


def _plain(values: pd.DataFrame) -> NDArray[np.object_]:
    """The texts without capitals, (records,), by which copies are told."""
    cells = np.empty(len(values), dtype=object)
    cells[:] = [text.casefold() for text in _clean(values)]
    return cells


def _no_text(row: int, column: str) -> UserError:
    return UserError(
        f"Record {row + 1} has no text.",
        where=f'column "{column}"',
        fix="fill in the text or leave the record out",
    )
