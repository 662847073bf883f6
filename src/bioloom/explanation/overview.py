"""What many explanations say together, as pictures and one sentence: one way for each kind of input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.explanation import places
from bioloom.explanation.summary import (
    average_logo,
    column_importance,
    concentrations,
    enrichment,
    importance,
    substitutions,
)
from bioloom.figures.attributed import attributed_sequence
from bioloom.figures.bars import Bar, attributions
from bioloom.figures.heatmap import heatmap
from bioloom.figures.positions import Region, SequenceAxis
from bioloom.figures.profile import profile
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

LONGEST_LOGO = 160
"""Longer sequences are shown as a profile only."""


@dataclass(frozen=True)
class Explained:
    """Attributions of many records, with what is needed to read them.

    x:       (records, *shape) the records as the network saw them
    mask:    (records, positions) or None
    attribution: (records, *shape)
    names:   the letters of a sequence, or the features of a table
    effect:  what an attribution is, with its unit, such as "Change of expression"
    every_letter: whether letters that are not there have attributions too (mutagenesis)
    unit:    what one position is, such as "nt"
    regions: named stretches to point at
    sets:    named groups of features, such as pathways, by their numbers
    groups:  features that come from one column of a file, by its name; empty where each stands for itself
    still:   positions of a sequence that were the same in all training records
    """

    x: NDArray[np.float32]
    mask: NDArray[np.bool_] | None
    attribution: NDArray[np.float32]
    names: tuple[str, ...]
    effect: str
    every_letter: bool = False
    unit: str = ""
    regions: tuple[Region, ...] = ()
    sets: tuple[tuple[str, tuple[int, ...]], ...] = ()
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    still: tuple[int, ...] = ()

    @property
    def by_column(self) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """The columns of the file and what each contributes, (records, columns): the sum of the features it became."""
        there = {name: list(features) for name, features in self.groups.items() if features}
        if not there:
            return self.names, self.attribution
        summed = [self.attribution[:, features].sum(axis=1) for features in there.values()]
        return tuple(there), np.stack(summed, axis=1)


@dataclass(frozen=True)
class Picture:
    """A figure of an explanation with a short file name and a title."""

    name: str
    title: str
    figure: Figure


@dataclass(frozen=True)
class Overview:
    """What many explanations say together, in a sentence and in pictures."""

    text: str
    pictures: tuple[Picture, ...]


def overview(kind: Kind, explained: Explained) -> Overview:
    """Summarise the explanations of many records; kinds without a common frame have no overview."""
    summarise = OVERVIEWS.get(kind)
    return summarise(explained) if summarise else Overview("", ())


def sequences(explained: Explained) -> Overview:
    """Where in aligned sequences importance lies; sequences of different lengths have no common positions."""
    if explained.mask is not None and not explained.mask.all():
        return Overview("The sequences differ in length, so positions cannot be averaged over records.", ())
    axis = SequenceAxis(explained.unit or "nt", 1, explained.regions)
    per_position = importance(explained.attribution, explained.x)
    shown = ~np.isin(np.arange(len(per_position)), explained.still)
    per_position = per_position * shown  # nothing was learned of a position that is always the same
    pictures = [
        Picture(
            "profile",
            "Where the prediction comes from, on average",
            profile(per_position, label=_size_of(explained.effect), axis=axis),
        )
    ]
    letters = "".join(explained.names)
    spelt = all(len(name) == 1 for name in explained.names)  # letters, and not channels of a signal
    if per_position.size <= LONGEST_LOGO and spelt:
        if explained.every_letter:
            changes = substitutions(explained.attribution, explained.x).mean(axis=0) * shown
            title = "What each substitution does, on average over the records"
            pictures.append(
                Picture("substitutions", title, heatmap(changes, letters, label=explained.effect, axis=axis))
            )
        heights = average_logo(explained.attribution, explained.x) * shown
        title = "What the letters that stand there contribute, on average"
        figure = attributed_sequence(heights, letters, label=explained.effect, axis=axis)
        pictures.append(Picture("logo", title, figure))
    same = int((~shown).sum())
    positions = "1 position is" if same == 1 else f"{same} positions are"
    left_out = f" {positions} the same in all training records and left out." if same else ""
    return Overview(_where(per_position, explained) + left_out, tuple(pictures))


def _size_of(effect: str) -> str:
    """The mean size of an effect, whose first letter is no more the first."""
    return f"Mean size of: {effect[:1].lower()}{effect[1:]}"


def _where(per_position: NDArray[np.float64], explained: Explained) -> str:
    windows = concentrations(per_position)
    words = []
    if windows:
        spans = ", ".join(f"{start + 1}–{end}" for start, end in sorted(windows))
        words.append(f"By this map the prediction depends most on positions {spans} (counted from 1).")
    else:
        words.append("No stretch of positions stands out.")
    known = [
        f"{region.name} {times:.1f}"
        for region in explained.regions
        if np.isfinite(times := _enrichment(per_position, region, explained.regions))
    ]
    if known:
        words.append(
            "How many times as much a position matters there as one outside all named sites: "
            f"{', '.join(known)}."
        )
    return " ".join(words)


def _enrichment(per_position: NDArray[np.float64], region: Region, regions: Sequence[Region]) -> float:
    """The importance of a region beside what lies outside all of them."""
    alone = per_position.copy()
    for other in regions:
        if other != region:
            alone[other.start : other.end] = np.nan
    return enrichment(alone, [(region.start, region.end)])


WORTH_NAMING = 0.1
"""Share of the strongest column's effect from which another one is named beside it."""


def _strongest(bars: Sequence[Bar], unit: str = "column") -> str:
    """The columns that matter most, at most three; columns that hardly move anything are not named."""
    top = sorted(bars, key=lambda bar: -bar.value)[:3]
    if top[0].value <= 0:
        return f"No {unit} moves the prediction."
    named = [bar.name for bar in top if bar.value >= WORTH_NAMING * top[0].value]
    if len(named) == 1:
        return f"The {unit} that moves the prediction most by far is {named[0]}."
    return f"The {unit}s that move the prediction most are {', '.join(named)}."


def columns(explained: Explained) -> Overview:
    """Which columns of a table move the output, with an interval over the explained records."""
    names, attribution = explained.by_column
    sizes = column_importance(attribution)
    bars = [
        Bar(name, float(mean), float(low), float(high))
        for name, mean, low, high in zip(names, sizes.mean, sizes.low, sizes.high, strict=True)
    ]
    if not bars:
        return Overview("", ())
    unit, label = explained.unit or "column", fill(_size_of(explained.effect), 44)
    title = f"Which {unit}s move the prediction, whatever the direction"
    pictures = [Picture("columns", title, attributions(bars, label=label))]
    text = _strongest(bars, unit)
    if explained.sets:
        summed = [explained.attribution[:, list(places)].sum(axis=1) for _, places in explained.sets]
        of_sets = column_importance(np.stack(summed, axis=1))
        groups = [
            Bar(name, float(mean), float(low), float(high))
            for (name, _), mean, low, high in zip(
                explained.sets, of_sets.mean, of_sets.low, of_sets.high, strict=True
            )
        ]
        title = f"Which sets of {unit}s move it, each being the sum of its {unit}s"
        pictures.append(Picture("sets", title, attributions(groups, label=label)))
        text += f" {_strongest(groups, 'set')}"
    return Overview(text, tuple(pictures))


SHOWN = 15
"""Words that are drawn."""

SEEN_IN = 2
"""Records that a word must stand in to be told of."""


def tokens(explained: Explained) -> Overview:
    """Which words move the output most, on average over the places where they stand."""
    effects: dict[str, list[float]] = {}
    records: dict[str, set[int]] = {}
    for number, (row, values) in enumerate(
        zip(explained.x.astype(np.int64), explained.attribution, strict=True)
    ):
        for word, value in _words(row, values, explained.names):
            effects.setdefault(word, []).append(value)
            records.setdefault(word, set()).add(number)
    means = {word: float(np.mean(effects[word])) for word in effects if len(records[word]) >= SEEN_IN}
    if not means:
        return Overview("No word stands in two of these texts, so nothing can be averaged.", ())
    top = sorted(means, key=lambda word: -abs(means[word]))[:SHOWN]
    named = ", ".join(f'"{word}"' for word in top[:3])
    figure = attributions([Bar(word, means[word]) for word in top], label=f"{explained.effect}, on average")
    picture = Picture(
        "words", "Which words move the prediction, averaged over the places where they stand", figure
    )
    return Overview(f"The words that move the prediction most are {named}.", (picture,))


def _words(
    row: NDArray[np.int64], values: NDArray[np.float32], names: tuple[str, ...]
) -> list[tuple[str, float]]:
    """The words of a text in small letters, with what their tokens add up to; signs are left out."""
    words: list[list[Any]] = []
    for token, value in zip(row[row > 0].tolist(), values.tolist(), strict=False):
        name = names[token]
        if not words or not name[:1].isalnum() or not words[-1][0][-1:].isalnum():
            words.append(["", 0.0])
        words[-1][0] += name
        words[-1][1] += value
    return [(text.strip().casefold(), value) for text, value in words if text.strip()[:1].isalnum()]


def nodes(explained: Explained) -> Overview:
    """What each kind of node, such as each amino acid, does on average to the output."""
    of_node = explained.attribution.sum(axis=1)  # (records, nodes)
    # the first feature that is there: features begin with what a node is
    sort = (explained.x == 1).argmax(axis=1)
    filled = np.ones_like(of_node, dtype=bool) if explained.mask is None else explained.mask
    means = {
        explained.names[number]: float(of_node[here].mean())
        for number in np.unique(sort[filled]).tolist()
        if (here := filled & (sort == number)).any(axis=1).sum() >= SEEN_IN
    }
    if not means:
        return Overview(
            f"No kind of {explained.unit} is in two of these records, so nothing can be averaged.", ()
        )
    top = sorted(means, key=lambda name: -abs(means[name]))[:SHOWN]
    named = ", ".join(f"{name} ({'raises' if means[name] > 0 else 'lowers'} it)" for name in top[:3])
    figure = attributions(
        [Bar(name, means[name]) for name in top], label=f"{explained.effect}, by {explained.unit}"
    )
    title = f"What each kind of {explained.unit} contributes where it stands, on average"
    text = f"On average, the kinds of {explained.unit} that move the prediction most are {named}."
    return Overview(text, (Picture("kinds", title, figure),))


def pictures(explained: Explained) -> Overview:
    """Where in pictures importance lies, on average."""
    values = places.mean_places(explained.attribution)
    title = "Where in the pictures the prediction comes from, on average"
    return Overview(places.told(values), (Picture("places", title, places.drawn(values, explained.effect)),))


OVERVIEWS: dict[Kind, Callable[[Explained], Overview]] = {
    Kind.SEQUENCE: sequences,
    Kind.VECTOR: columns,
    Kind.TOKENS: tokens,
    Kind.GRAPH: nodes,
    Kind.IMAGE: pictures,
}
"""One way per kind of input."""
