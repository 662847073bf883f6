"""What a map from sequence to function has learned, as tables and figures of a run: every effect, and the measurement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from bioloom.data.wording import counted
from bioloom.evaluation.information import predictive_information, variational_information
from bioloom.evaluation.intervals import Score
from bioloom.explanation.effects import NORMAL as REACH
from bioloom.explanation.effects import ROWS, Library, Standing, errors, phi, standing, varies
from bioloom.figures import maps, style
from bioloom.figures.heatmap import heatmap
from bioloom.figures.positions import Region, SequenceAxis
from bioloom.files import write_text
from bioloom.heads import HEADS
from bioloom.journey.sought import OUTPUTS_AT_MOST
from bioloom.journey.trainee import Trainee
from bioloom.models.gauge import GAUGES, Effects, in_gauge, shares_of
from bioloom.models.sequence_map import SequenceMap
from bioloom.training.loss import loss_of

Floats = NDArray[np.float64]

AROUND_ONE = 0.5
"""Mean share of the commonest letter from which effects are drawn against it: then there is a parent."""

PAIRS_WRITTEN = 50_000
"""Pairs of letters up to which effects are written in every gauge, and not only in the one that is drawn."""

AGAINST = {
    "uniform": "the mean of the letters at its position",
    "consensus": "the commonest letter of its position",
    "empirical": "the letters as often as training records have them there",
}

COLUMNS = (
    "target", "gauge", "first_position", "first_letter", "second_position", "second_letter", "records", "effect",
    "low", "high",
)  # fmt: skip


@dataclass(frozen=True)
class _Chart:
    """All that is told of one trait.

    at:      records that the network did not learn from, and their phi
    letters: the names of the letters
    """

    trainee: Trainee
    members: tuple[SequenceMap, ...]
    library: Library
    letters: str
    trait: int
    standing: Standing | None
    at: tuple[NDArray[np.int64], Floats]

    @property
    def target(self) -> str:
        """What is measured."""
        targets = self.trainee.learnable.targets
        return targets.names[self.trait if self.trait < len(targets.names) else 0]

    @property
    def side_by_side(self) -> bool:
        """Whether only neighbours have effects together."""
        near = self.standing.layout.near if self.standing else ()
        return all(other - one == 1 for one, other in near)

    @property
    def gauge(self) -> str:
        """The gauge that is drawn."""
        return "consensus" if self.library.seen.max(axis=0).mean() >= AROUND_ONE else "uniform"


def charted(trainee: Trainee, folder: Path) -> list[dict[str, Any]]:
    """Write and draw what the networks of a run add up, where they are maps from sequence to function; the entries of
    `result.json`, empty for other networks and for sequences of several lengths."""
    members = tuple(each.fitted.network for each in trainee.members)
    maps_only = tuple(each for each in members if isinstance(each, SequenceMap))
    if len(maps_only) < len(members):
        return []
    library, rows = _library(trainee)
    if len(rows) * 2 < len(trainee.job.train):
        return []
    entries = []
    for trait in range(min(maps_only[0].traits, OUTPUTS_AT_MOST)):
        if not all(_varies(member, library, trait) for member in maps_only):
            continue  # a map that says the same of every sequence has neither effects nor a unit for them
        chart = _chart(trainee, maps_only, library, rows, trait)
        entries.append(
            _entry(chart, folder, "effects" if maps_only[0].traits == 1 else f"effects-{trait + 1}")
        )
    return entries


def _varies(network: SequenceMap, library: Library, trait: int) -> bool:
    raw = phi(network, library)[:, trait]
    return bool(np.isfinite(raw).all() and np.ptp(raw) > 1e-9 * np.abs(raw).max(initial=0.0))


def _library(trainee: Trainee) -> tuple[Library, NDArray[np.int64]]:
    """The training records with one known letter at each position, and their numbers."""
    letters, whole = _letters(trainee, trainee.job.train)
    rows = trainee.job.train[whole]
    groups = trainee.groups(rows)
    codes = None if groups is None else np.unique(groups.astype(str), return_inverse=True)[1]
    return Library(letters[whole], next(iter(trainee.job.shapes.values())).sizes[0], codes), rows


def _letters(trainee: Trainee, index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which letter stands where, (records, positions), and which records have one at each position."""
    (encoded,) = trainee.job.inputs.values()
    resident, told, whole = encoded.on("cpu"), [], []
    for start in range(0, len(index), ROWS):
        x = resident.batch(torch.from_numpy(index[start : start + ROWS])).x
        highest, letter = x.max(dim=1)
        told.append(letter.numpy())
        whole.append((highest == 1).all(dim=1).numpy())
    return np.concatenate(told), np.concatenate(whole)


def _chart(
    trainee: Trainee, members: tuple[SequenceMap, ...], library: Library, rows: NDArray[np.int64], trait: int
) -> _Chart:
    job = trainee.job
    loss, truth = loss_of(job), torch.from_numpy(job.truth[rows]).double()
    weight = torch.from_numpy(job.weight[rows]).double()

    def losses(raw: Tensor) -> Tensor:
        return loss(raw, truth, ~truth.isnan(), weight)

    sign = 1.0
    # phi of bins may run either way: it rises with their numbers
    if len(trainee.learnable.targets.classes) > 2:
        sign = (
            float(np.sign(np.corrcoef(phi(members[0], library)[:, trait], job.truth[rows, 0])[0, 1])) or 1.0
        )
    unseen = trainee.split.index("test")
    unseen = unseen if len(unseen) else trainee.split.index("validation")
    letters, whole = _letters(trainee, unseen)
    found = standing(members, library, losses, trait, sign)
    names = next(iter(trainee.learnable.modalities.values())).channels
    part = Library(letters[whole], library.names)
    raw = phi(members[0], library)[:, trait]
    unit = sign * float(raw.std()) if varies(raw) else np.inf  # of what is the same everywhere all phi are 0
    along = (phi(members[0], part)[:, trait] - raw.mean()) / unit
    return _Chart(trainee, members, library, "".join(names), trait, found, (unseen[whole], along))


def _entry(chart: _Chart, folder: Path, stem: str) -> dict[str, Any]:
    """Write the table and the figures of one trait; its entry in `result.json`."""
    known = _information(chart)
    figures = [
        {"title": title, **_saved(figure, f"{stem}-{name}", folder)}
        for name, title, figure in _figures(chart)
    ]
    entry: dict[str, Any] = {
        "input": next(iter(chart.trainee.job.inputs)),
        "method": "effects",
        "title": "What the map adds up" if chart.standing else "What the black box measures",
        "output": chart.target,
        "effect": f"Effect on phi, in standard deviations of phi, which rises with {chart.target}",
        "reference": AGAINST[chart.gauge] if chart.standing else "",
        "records": 0,
        "delta": None,
        "settings": {
            "gauge": chart.gauge,
            "information": {name: each.to_json() for name, each in known.items()},
        },
        "text": " ".join(_sentences(chart, known)),
        "figures": figures,
    }
    if chart.standing is not None:
        file = f"explanations/{stem}.csv"
        table = pd.DataFrame(list(_rows(chart)), columns=pd.Index(COLUMNS))
        write_text(folder / file, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
        entry |= {"file": file, "files": [{"file": file, "title": "Every effect with its interval"}]}
    return entry


def _saved(figure: Any, name: str, folder: Path) -> dict[str, str]:
    file = f"figures/{name}.svg"
    style.save(figure, folder / file)
    return {"file": file, "alt": style.alt_text(figure)}


# ---- numbers ---------------------------------------------------------------------------------------------


def _fixed(chart: _Chart, gauge: str) -> tuple[Effects, Effects | None]:
    """Effects in a gauge, NaN for letters and pairs that no training record has, and their standard errors."""
    assert chart.standing is not None
    shares = shares_of(gauge, chart.library.seen)
    told = in_gauge(chart.standing.effects, shares)
    letters = np.where(chart.library.seen > 0, told.letters, np.nan)
    pairs = told.pairs
    if pairs is not None:
        near = np.zeros(pairs.shape, dtype=bool)
        for one, other in chart.standing.layout.near:
            near[:, one, :, other] = True
        pairs = np.where(near & (chart.library.pairs_seen() > 0), pairs, np.nan)
    return Effects(told.constant, letters, pairs), errors(chart.standing, shares)


def _rows(chart: _Chart) -> Iterator[tuple[Any, ...]]:
    """The rows of the table: for each gauge the constant, letters, and pairs that a training record has."""
    assert chart.standing is not None
    several = len(chart.standing.layout.near) * chart.library.names**2 <= PAIRS_WRITTEN
    for gauge in GAUGES:
        told, error = _fixed(chart, gauge)
        yield (
            chart.target,
            gauge,
            "",
            "",
            "",
            "",
            len(chart.library.letters),
            float(told.constant),
            np.nan,
            np.nan,
        )
        seen = np.round(chart.library.seen * len(chart.library.letters)).astype(np.int64)
        for letter, place in np.ndindex(told.letters.shape):
            where = (place + 1, chart.letters[letter], "", "", int(seen[letter, place]))
            off = None if error is None else float(error.letters[letter, place])
            yield chart.target, gauge, *where, *_interval(float(told.letters[letter, place]), off)
        if told.pairs is not None and (several or gauge == chart.gauge):
            yield from _pair_rows(chart, gauge, told.pairs, None if error is None else error.pairs)


def _pair_rows(chart: _Chart, gauge: str, pairs: Floats, error: Floats | None) -> Iterator[tuple[Any, ...]]:
    together = chart.library.pairs_seen()
    for a, one, b, other in np.argwhere(np.isfinite(pairs)).tolist():
        where = (one + 1, chart.letters[a], other + 1, chart.letters[b], int(together[a, one, b, other]))
        off = None if error is None else float(error[a, one, b, other])
        yield chart.target, gauge, *where, *_interval(float(pairs[a, one, b, other]), off)


def _interval(value: float, error: float | None) -> tuple[float, float, float]:
    reach = np.nan if error is None else REACH * error
    return float(value), float(value - reach), float(value + reach)


def _information(chart: _Chart) -> dict[str, Score]:
    """Bits that phi tells about the measurement of records that took no part, and bits by the network's account of the noise."""
    rows, along = chart.at
    trainee = chart.trainee
    groups, classes = trainee.groups(rows), bool(trainee.learnable.targets.classes)
    truth = trainee.job.truth[rows, 0 if classes else chart.trait].astype(np.float64)
    found = {"predictive": predictive_information(truth, along, groups, trainee.job.seed)}
    surprise = _surprise(chart, rows)
    if surprise is not None:
        found["variational"] = variational_information(surprise, truth, groups, classes)
    return found


def _surprise(chart: _Chart, rows: NDArray[np.int64]) -> Floats | None:
    """-log of the probability, or density, of each measurement by the network, in units of the standardised target."""
    trainee, trait = chart.trainee, chart.trait
    raw, truth = (
        torch.from_numpy(each[rows].astype(np.float64)) for each in (trainee.raw, trainee.job.truth)
    )
    if trainee.learnable.targets.classes:
        return np.array(
            [
                float(trainee.job.task.loss(*pair, None, None))
                for pair in zip(raw[:, None], truth[:, None], strict=True)
            ]
        )
    asked = trainee.job.plan.loss
    if asked in ("auto", "squared"):  # normal noise, as far off as validation records are
        held = trainee.job.validation
        off = (trainee.raw[held, trait] - trainee.job.truth[held, trait]).astype(np.float64)
        deviation = float(np.sqrt(np.nanmean(off**2))) if len(held) else float("nan")
        error = (raw[:, trait] - truth[:, trait]).numpy() / deviation
        return np.asarray(0.5 * error**2 + np.log(deviation) + 0.5 * np.log(2 * np.pi))
    head = HEADS.get(asked)
    if head is None or head.constant is None:
        return None
    return np.asarray(head.losses(raw, truth)[:, trait].numpy() + head.constant)


# ---- words and figures -----------------------------------------------------------------------------------


def _sentences(chart: _Chart, known: dict[str, Score]) -> Iterator[str]:
    """What is shown, how sure it is, and how much phi tells."""
    if chart.standing is None:
        yield "Dense layers make one number, phi, of a sequence; nothing can be read from them but how much phi tells."
    else:
        what = "each letter"
        if chart.standing.layout.near:
            what += (
                " and of each two letters side by side"
                if chart.side_by_side
                else " and of each pair of letters"
            )
        measured = (
            "how likely each class is" if chart.trainee.learnable.targets.classes else "the measurement"
        )
        yield f"The map gives each sequence one number, phi: an effect of {what}, added up. A curve of phi gives {measured}."
        yield f"An effect is compared with {AGAINST[chart.gauge]}; 1 is the standard deviation of phi among training records."
        yield _strongest(chart)
        unseen = int((chart.library.seen == 0).sum())
        if unseen:
            yield f"{counted(unseen, 'square')} of letter and position are grey: no training record has that letter there."
        if not chart.standing.sure:
            yield "The effects are too many for intervals."
    rows, _ = chart.at
    told = known["predictive"]
    if told.value is not None:
        sure = "" if told.low is None else f" ({told.low:.2f} to {told.high:.2f})"
        unseen_rows = counted(len(rows), "record")
        yield f"Of {unseen_rows} that it did not learn from, phi tells {told.value:.2f} bits{sure} about {chart.target}."
        if chart.standing and told.low == 0:
            yield "That may be nothing at all, so effects should not be read."
    own = known.get("variational")
    if own is not None and own.value is not None:
        yield (
            f"By the network's own account of the noise it tells {own.value:.2f} bits; the nearer to the number before, the "
            "better that account."
        )


def _strongest(chart: _Chart) -> str:
    told, error = _fixed(chart, chart.gauge)
    letter, place = np.unravel_index(int(np.nanargmax(np.abs(told.letters))), told.letters.shape)
    value = float(told.letters[letter, place])
    off = None if error is None else REACH * float(error.letters[letter, place])
    sure = "" if off is None else f" (95 % interval {value - off:+.2f} to {value + off:+.2f})"
    return f"The strongest letter is {chart.letters[letter]} at position {place + 1}: {value:+.2f}{sure}."


def _figures(chart: _Chart) -> Iterator[tuple[str, str, Any]]:
    """Name, title and figure."""
    if chart.standing is not None:
        told, _ = _fixed(chart, chart.gauge)
        ((name, modality),) = chart.trainee.learnable.modalities.items()
        regions = chart.trainee.prepared.recipe.data.inputs[name].regions
        axis = SequenceAxis(
            modality.unit, 1, tuple(Region(each.name, each.start, each.end) for each in regions)
        )
        parent = "".join(chart.letters[letter] for letter in chart.library.seen.argmax(axis=0))
        letters = heatmap(
            told.letters, chart.letters, observed=parent if chart.gauge == "consensus" else "", axis=axis,
            label="Effect on phi", title=f"Effects of letters against {AGAINST[chart.gauge]}",
        )  # fmt: skip
        letters.axes[0].set_facecolor(style.FAINT)  # unknown effects are empty
        yield "letters", "Effects of letters", letters
        if told.pairs is not None:
            strip = chart.side_by_side and len(chart.letters) ** 2 <= maps.ROWS_DRAWN
            drawn = maps.neighbours if strip else maps.pairs
            title = "Effects of two letters side by side" if strip else "Effects of pairs of letters"
            yield "pairs", title, drawn(told.pairs, chart.letters, label="Effect on phi", title=title)
    yield "measurement", "The measurement of phi", _measurement(chart)


def _measurement(chart: _Chart) -> Any:
    """The curve of the first network with records that it did not learn from, or the bins."""
    rows, along = chart.at
    trainee, network = chart.trainee, chart.members[0]
    raw = phi(network, chart.library)
    grid = np.linspace(float(np.quantile(along, 0.002)), float(np.quantile(along, 0.998)), 101)
    unit = chart.standing.unit if chart.standing else float(raw[:, chart.trait].std())
    at = np.tile(raw.mean(axis=0), (len(grid), 1))
    at[:, chart.trait] += grid * unit
    with torch.inference_mode():
        said = network.measured(torch.from_numpy(at).float()).numpy()
    targets = trainee.learnable.targets
    value = trainee.job.task.activate(said, targets)
    if targets.classes:
        shares = np.column_stack([1 - value[:, 0], value[:, 0]]) if len(targets.classes) == 2 else value
        return maps.bins(grid, shares, targets.classes)
    reach = trainee.job.task.reach(said, targets, trainee.job.plan.loss)
    told, middle = len(targets.names), value[:, chart.trait]
    spread = (
        None if reach is None else (middle - reach[:, chart.trait], middle + reach[:, told + chart.trait])
    )
    return maps.measurement(
        along, trainee.learnable.truth[rows, chart.trait], (grid, middle), target=chart.target, spread=spread
    )
