"""Omics: one profile of hundreds to thousands of genes, taxa, proteins, probes or peaks for each record.

Profiles differ in more than biology: how deep a library was sequenced, that abundances add up to a whole, that arrays
are in logarithms already. What the numbers are is told from the training records, said, and can be set below
`encoding.omics`; then each feature is read in standard deviations from its training mean. Features that fewer than
three training records hold, or that do not vary, are left out. A feature that a new file lacks is read as its training
mean, others are left alone, and their order does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field

from bioloom.data.columns import as_numbers, kind_of
from bioloom.data.feature_names import MANY, identifiers, last_level, names_of_features
from bioloom.data.gene_sets import GeneSets, read_gene_sets
from bioloom.data.leakage import Alike
from bioloom.data.learned import row_hashes
from bioloom.data.profiles import (
    PROFILE,
    Scale,
    as_matrix,
    comparable,
    is_number,
    kept_features,
    nothing_held,
    odd_cells,
    plain_matrix,
    plain_numbers,
    scaled,
    smallest_share,
    tell_scale,
    usual_total,
)
from bioloom.data.records import Problem
from bioloom.data.similarity.profiles import (
    MOST_RECORDS,
    NEAR,
    compare_profiles,
    profile_families,
    profile_groups,
    words,
)
from bioloom.data.simulate.pathway import simulate as simulate_pathway
from bioloom.data.wording import listed
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
from bioloom.modalities.encoded import ColumnEncoded

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.modalities import Signal

HELD = 3
"""A feature that fewer training records hold is left out: nothing can be learned about it."""

LOOKED_AT = 200
"""Rows from which columns are known to hold numbers."""

UNBROKEN = 0.9
"""Share of names of genes in a stretch of columns from which all of the stretch are taken for genes."""

DRAWN = 15
"""Features in the picture of a record; gene sets are half as many."""


@modalities.register
@dataclass(frozen=True)
class Omics(Modality):
    """A profile of many features, each in standard deviations from its training mean.

    names:  of the features that are used, as the columns of the file are called
    scale:  how profiles are made comparable, see `bioloom.data.profiles.Scale`
    reason: why that one, in words
    usual:  total of a usual training record; pseudocount: share that stands for "not found"
    fill:   (features,) training means in the units of the file: what a missing number is read as in totals
    mean, spread: (features,) on the scale
    left_out: how many features of the training records are not used
    sets:   gene sets, by the numbers of their features
    """

    names: tuple[str, ...]
    scale: Scale
    reason: str
    usual: float
    pseudocount: float
    fill: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    left_out: int = 0
    sets: GeneSets = field(default=())

    name = "omics"
    title = "profile of genes, taxa or other molecules"
    kind = Kind.VECTOR
    default_network = "profile"
    columns = "many"
    unit = "feature"
    fewest_columns = MANY
    may_lack = True
    rivals: ClassVar[tuple[str, ...]] = ("forest",)
    augmentations = ("noise", "mixing")

    class Settings(ModalitySettings):
        """How profiles are read."""

        scale: Literal["auto", "counts", "clr", "log", "none"] = Field(
            default="auto",
            description="counts: log of counts per usual total; clr: centred log-ratio; log; none",
        )
        pseudocount: float = Field(
            default=0.0,
            ge=0,
            description="share of a record that stands for not found in clr; 0: half the smallest",
        )
        fewest: int = Field(default=HELD, ge=1, description="training records that must hold a feature")
        most: int = Field(
            default=0,
            ge=0,
            description="features used at most, those that vary most; 0: all, or as many as memory should hold",
        )
        gene_sets: str = Field(default="", description="a GMT file of gene sets, for explanations")

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """A column of numbers named as a gene or taxon; whether it is one of a profile only many together can tell."""
        like = bool(identifiers([str(column.name)])[0])
        return 0.92 if like and kind_of(column) == "number" else 0.0

    @classmethod
    def claims(cls, table: pd.DataFrame) -> tuple[str, ...]:
        """Columns that a reader knows for a profile; else those named as genes or taxa are, where there are fifty.

        Columns of other names between the named ones belong to them where they are few.
        """
        known = set(table.attrs.get(PROFILE, ()))
        names = [str(name) for name in table.columns]
        if known:
            return tuple(name for name in names if name in known)
        like = names_of_features(names)
        if like.sum() < MANY:
            return ()
        first, last = np.flatnonzero(like)[[0, -1]]
        if like[first : last + 1].mean() >= UNBROKEN:
            like[first : last + 1] = True
        named = np.flatnonzero(like).tolist()
        some = table.iloc[:LOOKED_AT, named]
        if plain_matrix(some) is None or not some.notna().any().all():
            named = [place for place in named if is_number(table[table.columns[place]])]
        found = tuple(names[place] for place in named)
        return found if len(found) >= MANY else ()

    @classmethod
    def check(cls, values: pd.DataFrame) -> list[Problem]:
        """Refuse columns of words; drop rows with cells that are no number, and rows that hold nothing at all."""
        found: list[Problem] = []
        plain = plain_matrix(values)
        if plain is not None and not np.isinf(plain).any():
            return nothing_held(as_matrix(values))
        for place, name in enumerate(map(str, values.columns)):
            cells = values.iloc[:, place]
            if pd.api.types.is_numeric_dtype(cells) or plain_numbers(cells):
                continue
            if kind_of(cells) not in ("number", "empty"):
                message = (
                    f'the column "{name}" of a profile holds no numbers, such as "{cells.dropna().iloc[0]}"'
                )
                found.append(
                    Problem("omics.words", "fatal", message, "name other columns with --input", name)
                )
                continue
            wrong = np.flatnonzero(as_numbers(cells)[1])
            if len(wrong):
                message = f'"{name}" holds a cell that is no number, such as "{str(cells.iloc[int(wrong[0])])[:40]}"'
                fix = "correct the cells, or leave them empty where the value is unknown"
                found.append(Problem("omics.number", "drop", message, fix, name, wrong))
        if any(problem.severity == "fatal" for problem in found):
            return found
        return found + nothing_held(as_matrix(values))

    @classmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn scale, means and spreads with the usual settings."""
        return cls.fit_as(values, cls.Settings())

    @classmethod
    def fit_as(cls, values: pd.DataFrame, settings: Any) -> Self:
        """Learn which scale suits, which features are held and vary, and their means and spreads."""
        matrix = as_matrix(values)
        told = tell_scale(matrix)
        scale: Scale = told.scale if settings.scale == "auto" else settings.scale
        reason = told.reason if settings.scale == "auto" else "as the recipe says"
        kept = kept_features(matrix, settings.fewest, settings.most)
        names = tuple(str(values.columns[place]) for place in kept)
        matrix = matrix[:, kept]
        fill = np.nan_to_num(np.nanmean(matrix, axis=0, dtype=np.float64))
        matrix = np.where(np.isnan(matrix), fill.astype(np.float32), matrix)
        usual, pseudocount = usual_total(matrix), settings.pseudocount or smallest_share(matrix)
        numbers = scaled(matrix, scale, usual, pseudocount)
        spread = numbers.std(axis=0, dtype=np.float64)
        sets = read_gene_sets(Path(settings.gene_sets), names) if settings.gene_sets else ()
        return cls(
            names=names,
            scale=scale,
            reason=reason,
            usual=usual,
            pseudocount=pseudocount,
            fill=_short(fill),
            mean=_short(numbers.mean(axis=0, dtype=np.float64)),
            spread=_short(np.where(spread > 0, spread, 1.0)),
            left_out=values.shape[1] - len(names),
            sets=sets,
        )

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        state = {key: list(value) if isinstance(value, tuple) else value for key, value in vars(self).items()
                 if key in self.__dataclass_fields__}  # fmt: skip
        return state | {"sets": [[name, list(places)] for name, places in self.sets]}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        plain = {key: tuple(value) if isinstance(value, list) else value for key, value in state.items()}
        return cls(**plain | {"sets": tuple((name, tuple(places)) for name, places in state["sets"])})

    @property
    def shape(self) -> Shape:
        """(features,)."""
        return Shape(Kind.VECTOR, (len(self.names),))

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the features; of a lineage the last level."""
        return self._called

    @cached_property
    def _called(self) -> tuple[str, ...]:
        short = tuple(last_level(name) for name in self.names)
        return short if len(set(short)) == len(short) else self.names

    @cached_property
    def _numbers(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Fill, mean and spread as arrays."""
        fill, mean, spread = (
            np.array(each, dtype=np.float32) for each in (self.fill, self.mean, self.spread)
        )
        return fill, mean, spread

    def encode(self, values: pd.DataFrame) -> ColumnEncoded:
        """Profiles in standard deviations from the training mean; raises UserError where hardly a feature is there."""
        matrix = as_matrix(self._columns(values))
        fill, mean, spread = self._numbers
        missing = np.isnan(matrix)
        numbers = scaled(np.where(missing, fill, matrix), self.scale, self.usual, self.pseudocount)
        numbers -= mean
        numbers /= spread
        numbers[missing] = 0.0
        return ColumnEncoded(numbers)

    def _columns(self, values: pd.DataFrame) -> pd.DataFrame:
        """The features in the order of training; those that are missing are empty."""
        names = [str(name) for name in values.columns]
        if tuple(names) == self.names:
            return values
        there = set(names)
        if sum(name in there for name in self.names) * 2 < len(self.names):
            raise UserError(
                f"Fewer than half of the {len(self.names):,} features of the model are in the data.",
                where=f"columns: {listed(names)}",
                fix=f"give the same kind of names as in training, such as {', '.join(self.names[:3])}",
            )
        return values.set_axis(names, axis=1).reindex(columns=list(self.names))

    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """How the numbers are read, how many features are used, and what is missing."""
        read = {
            "counts": f"as the logarithm of counts per {self.usual:,.6g} in all",
            "clr": f"as centred log-ratios, with {self.pseudocount:.2g} of a record standing for not found",
            "log": "as their logarithms",
            "none": "as they are",
        }[self.scale]
        found = [Problem("omics.scale", "note", f"profiles are read {read}: {self.reason}")]
        if self.left_out:
            why = (
                "held by too few training records, the same in all of them, or not among those that vary most"
            )
            message = f"{self.left_out:,} of {self.left_out + len(self.names):,} features are not used: {why}"
            found.append(Problem("omics.unused", "note", message))
        return found + odd_cells(self._columns(values), self.scale)

    @classmethod
    def clusters(cls, values: pd.DataFrame, similarity: Similarity | None = None) -> Clusters:
        """Group profiles that are equal or correlate by 0.97, and all that they link; 1 means equal."""
        same, near = profile_groups(as_matrix(values)), _near(similarity or Similarity())
        if near is None or len(values) > MOST_RECORDS or len(values) < 3:
            return Clusters(same, "equal in every feature")
        return Clusters(profile_families(comparable(values), same, near), words(near))

    @classmethod
    def alike(cls, values: pd.DataFrame, across: Across) -> Alike:
        """The profile of the other side that correlates most."""
        near = _near(across.similarity)
        sides = across.queries, across.targets
        return compare_profiles(comparable(values), profile_groups(as_matrix(values)), sides, near or 2.0)

    @classmethod
    def copies(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Numbers that equal rows share."""
        return profile_groups(as_matrix(values))

    @classmethod
    def usual_network(cls, values: pd.DataFrame) -> tuple[str, str]:
        """A weighted sum of all features beside a narrow network: records are few and features many."""
        return cls.default_network, "the default for profiles: many features, few records"

    def hashes(self, values: pd.DataFrame) -> NDArray[np.uint64]:
        """Equal for profiles that the network sees alike."""
        return row_hashes(self.encode(values).values)

    def features(self, values: pd.DataFrame) -> Features:
        """The features as a network sees them."""
        return Features(
            self.encode(values).values, self.channels, "the features of the profile, standardised"
        )

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """The features."""
        return [Part(name, (place,)) for place, name in enumerate(self.channels)]

    def background(self, signal: Signal, seed: int, count: int) -> Tensor:
        """The average training record."""
        return signal.x.new_zeros(()).expand(len(signal.x), count, len(self.names))

    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """Bars of the strongest features with their values, and of the strongest gene sets where there are any."""
        from bioloom.figures.bars import Bar, attributions, two_attributions

        shown = as_matrix(self._columns(values))[0]
        strongest = np.argsort(-np.abs(attribution), kind="stable")[:DRAWN].tolist()
        bars = [Bar(f"{self.channels[i]} = {shown[i]:.4g}", float(attribution[i])) for i in strongest]
        title = (
            f"The {len(bars)} strongest of {len(self.names):,} features"
            if len(bars) < len(self.names)
            else ""
        )
        if not self.sets:
            return attributions(bars, label=fill(label, 44), title=title)
        sums = [Bar(name, float(attribution[list(places)].sum())) for name, places in self.sets]
        return two_attributions(
            (bars, sums), (title or "Features", "Gene sets, summed up"), label=fill(label, 44)
        )

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Counts of 60 genes; in half of the records the eight genes of one pathway are higher."""
        made = simulate_pathway(n, seed, genes=60)
        places = np.array([name in made.pathway for name in made.genes])
        return Demo(made.records, "expression", np.tile(places, (n, 1)), "binary")


def _short(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    """Numbers with seven digits, which is what float32 holds, so that a model of 20,000 genes stays small."""
    return tuple(float(f"{number:.7g}") for number in numbers)


def _near(similarity: Similarity) -> float | None:
    """The correlation of near profiles; None where only equal ones are asked for."""
    identity = NEAR if similarity.identity is None else similarity.identity
    return None if identity >= 1 else identity
