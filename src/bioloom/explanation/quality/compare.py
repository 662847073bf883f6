"""Several methods beside each other on the same records, and which of them to trust there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bioloom.errors import UserError
from bioloom.explanation import Explainer, ExplainerSettings, Question, explainers
from bioloom.explanation.quality.masking import Ground, by_part
from bioloom.explanation.quality.measures import (
    THRESHOLDS,
    Kept,
    Quality,
    agreement,
    better,
    measured,
    random_map,
)
from bioloom.explanation.quality.randomise import randomised
from bioloom.modalities import Signal
from bioloom.models.ensemble import members_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.modalities import Kind

    Floats = NDArray[np.float64]

KNOWS_NOTHING = ("keeps all", "same everywhere", "random")
"""Maps that know nothing, beside which every method stands."""

CLOSE = 0.5
"""Above this correlation with the map of a network with random weights a map shows the record rather than the network."""

MATTERS = 0.02
"""A lead of less than this in insertion less deletion is none."""

FIFTH = 2
"""Which of the shares of parts, 0 to 1 by 0.1, the sentence tells about."""

MEMBERS = 3
"""Networks of a mean that are explained one by one, at most."""

NUDGES = 2
"""Slightly changed records with which sensitivity is measured."""


@dataclass(frozen=True)
class Comparison:
    """One table over methods.

    rows:     the methods that could be used, best first, and then the maps that know nothing
    trust:    one sentence that says which to trust on these records, and why
    trusted:  the name of that method; empty where none is better than a random map
    refused:  methods that could not be used, with the reason
    """

    rows: tuple[Row, ...]
    trust: str
    trusted: str
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Row:
    """What was measured of one method.

    ahead:       how much its insertion less deletion is above that of the random map: mean, and 95 % interval over records
    alike:       Spearman's correlation of its map with that of the network with random weights; lower is better
    entropy:     relative rise of the entropy of the map with random weights; higher is better
    seeds, members: Spearman's correlation of its maps between two seeds, and between networks of the mean
    sensitivity: how far the map moves at worst when records change slightly, as a share of its size
    delta:       worst gap of completeness, where it is promised
    values:      its map, (records, parts)
    NaN where a number is not defined, or not measured
    """

    method: str
    title: str
    quality: Quality
    ahead: tuple[float, float, float]
    alike: float = float("nan")
    entropy: float = float("nan")
    seeds: float = float("nan")
    members: float = float("nan")
    sensitivity: float = float("nan")
    delta: float = float("nan")
    values: Floats = field(default_factory=lambda: np.empty((0, 0)), repr=False)

    @property
    def holds(self) -> bool:
        """Whether it is a method that is better than a random map beyond chance, and depends on what was learned."""
        return self.method_of_its_own and self.ahead[1] > 0 and not self.alike > CLOSE

    @property
    def method_of_its_own(self) -> bool:
        """Whether it is a method, and not a map that knows nothing."""
        return self.method not in KNOWS_NOTHING

    def numbers(self) -> dict[str, Any]:
        """Everything for a file; None where a number is not defined."""
        plain = {
            "insertion": float(self.quality.insertion.mean()),
            "deletion": float(self.quality.deletion.mean()),
            "ahead_of_random": self.ahead[0],
            "ahead_low": self.ahead[1],
            "ahead_high": self.ahead[2],
            "infidelity": self.quality.infidelity,
            "like_random_weights": self.alike,
            "entropy_rise": self.entropy,
            "like_other_seed": self.seeds,
            "like_other_members": self.members,
            "sensitivity": self.sensitivity,
            "completeness_gap": self.delta,
        }
        found: dict[str, Any] = {"method": self.method, "title": self.title}
        found |= {name: value if np.isfinite(value) else None for name, value in plain.items()}
        found |= _over_thresholds("value", self.quality.value) | _over_thresholds("rank", self.quality.rank)
        curves = {"inserted": self.quality.inserted, "deleted": self.quality.deleted}
        return found | {name: curve.tolist() for name, curve in curves.items()}


def _over_thresholds(reading: str, kept: Kept) -> dict[str, Any]:
    """API and APD (means and medians), IR, DR and the area kept at each threshold."""
    return {f"{each.name}_{reading}": getattr(kept, each.name).tolist() for each in fields(kept)}


@dataclass(frozen=True)
class Contest:
    """What is compared.

    pose:    the question with all that is random drawn with a seed
    ground:  what maps are judged on
    methods: names of explainers
    seed:    of everything random
    told:    called with the share done and the name of the method
    checks:  whether maps are also made for random weights, other seeds and slightly changed records
    settings: of methods, by their names, where they are not the usual ones
    """

    pose: Callable[[int], Question]
    ground: Ground
    methods: Sequence[str]
    seed: int = 0
    told: Callable[[float, str], None] = field(default=lambda _share, _name: None)
    checks: bool = True
    settings: Mapping[str, ExplainerSettings] = field(default_factory=dict)

    def posed(self, method: str, seed: int) -> Question:
        """The question as a method is asked it."""
        return replace(self.pose(seed), settings=self.settings.get(method))


def suited(kind: Kind, named: Sequence[str] = ()) -> list[str]:
    """Methods for an input of this kind: those named, or one of each family; "all" names every one."""
    wanted = (
        list(explainers)
        if "all" in named
        else [*named] or [name for name in explainers if explainers[name].compared]
    )
    return [name for name in wanted if kind in explainers[name].accepts]


def compare(contest: Contest) -> Comparison:
    """Explain the same records by each method, measure each map, and say which to trust there.

    Methods are ordered by how much better than a random map they tell which parts matter (insertion less deletion). One is
    trusted where it is better than random beyond chance and changes when the weights are random.

    Raises UserError where the network answers no record otherwise than its backgrounds.
    """
    ground = contest.ground
    if not ground.judged.any():
        raise UserError(
            "The network answers each of these records as it answers their backgrounds, so there is nothing to explain.",
            where=f'input "{ground.question.input}"',
            fix="compare methods on other records, or with a model that has learned something",
        )
    nothing = _knowing_nothing(ground, contest.seed)
    chance = nothing[-1].quality.gap
    rows, refused = [], []
    for number, name in enumerate(contest.methods):
        contest.told(number / len(contest.methods), name)
        try:
            rows.append(_row(contest, explainers[name], chance))
        except UserError as error:
            refused.append((name, error.what))
    rows.sort(key=lambda row: -row.ahead[0])
    trusted = next((row for row in rows if row.holds), None)
    sentence = _sentence(rows, trusted, nothing[-1], ground.probability)
    return Comparison((*rows, *nothing), sentence, trusted.method if trusted else "", tuple(refused))


def _knowing_nothing(ground: Ground, seed: int) -> list[Row]:
    """The rows of maps that know nothing."""
    drawn = random_map(ground.filled, seed)
    flat = np.ones_like(drawn)
    maps = {KNOWS_NOTHING[0]: (flat, True), KNOWS_NOTHING[1]: (flat, False), KNOWS_NOTHING[2]: (drawn, False)}
    found = {
        name: measured(ground, values, seed=seed + number, keeps_all=keeps)
        for number, (name, (values, keeps)) in enumerate(maps.items())
    }
    chance = found[KNOWS_NOTHING[2]].gap
    titles = ("A map that keeps everything", "A map that is the same everywhere", "A map drawn at random")
    return [
        Row(name, title, quality, better(quality.gap, chance, seed=seed))
        for (name, quality), title in zip(found.items(), titles, strict=True)
    ]


def _row(contest: Contest, explainer: type[Explainer], chance: Floats) -> Row:
    ground, seed = contest.ground, contest.seed
    question = contest.posed(explainer.name, seed)
    explained = explainer.explain(question)
    own = _map(ground, explained.attribution)
    quality = measured(ground, own, seed=seed)
    row = Row(
        explainer.name,
        explainer.title,
        quality,
        better(quality.gap, chance, seed=seed),
        delta=float("nan") if explained.delta is None else float(np.abs(explained.delta).max()),
        values=own,
    )
    if not contest.checks:
        return row
    weights = randomised(explainer, question, ground, stages=1)
    other = _map(ground, explainer.explain(contest.posed(explainer.name, seed + 1)).attribution)
    return replace(
        row,
        alike=weights.alike[-1] if weights.alike else float("nan"),
        entropy=weights.entropy,
        seeds=agreement(own, other, ground.filled),
        members=_between_members(explainer, question, ground),
        sensitivity=sensitivity(explainer, question, ground, own),
    )


def _map(ground: Ground, attribution: NDArray[np.float32]) -> Floats:
    return by_part(attribution, ground.x.cpu().numpy(), ground.letters)


def _between_members(explainer: type[Explainer], question: Question, ground: Ground) -> float:
    """How alike the maps of the networks of a mean are, each explained by itself; NaN where there is one network."""
    members = members_of(question.network)[:MEMBERS]
    if len(members) < 2:
        return float("nan")
    maps = [
        _map(ground, explainer.explain(replace(question, network=member)).attribution) for member in members
    ]
    return float(np.mean([agreement(one, other, ground.filled) for one, other in combinations(maps, 2)]))


def sensitivity(explainer: type[Explainer], question: Question, ground: Ground, own: Floats) -> float:
    """How far a map moves at worst when records change slightly: max |map' - map| / |map|, mean over records.

    Of letters, one in fifty is replaced; numbers get noise of a fiftieth of their range. Source: max-sensitivity, Yeh et
    al. 2019, NeurIPS, arXiv:1901.09392. NaN where a map is zero.
    """
    size = np.linalg.norm(own, axis=1)
    worst = np.zeros(len(own))
    for number in range(NUDGES):
        batch = dict(question.batch)
        x, mask = batch[question.input]
        batch[question.input] = Signal(nudged(x, ground, question.seed + number), mask)
        near = replace(ground, question=replace(ground.question, batch=batch))
        found = explainer.explain(replace(question, batch=batch))
        moved = np.linalg.norm(_map(near, found.attribution) - own, axis=1)
        worst = np.maximum(worst, moved)
    known = size > 0
    return float(np.mean(worst[known] / size[known])) if known.any() else float("nan")


def nudged(x: Tensor, ground: Ground, seed: int) -> Tensor:
    """Records that differ slightly from these, with what is empty left alone; tokens stay as they are."""
    generator = np.random.default_rng([seed, 2])
    if ground.letters:
        changed = x.clone()
        for record, filled in enumerate(ground.filled):
            there = np.flatnonzero(filled)
            places = generator.choice(there, size=max(1, len(there) // 50), replace=False)
            for place in places.tolist():
                changed[record, :, place] = x[record, :, place].roll(int(generator.integers(1, x.shape[1])))
        return changed
    if bool((x == x.round()).all()) and x.dim() == 2:
        return x
    noise = torch.from_numpy(generator.uniform(-1, 1, tuple(x.shape)).astype(np.float32)).to(x)
    return x + 0.02 * (x.amax() - x.amin()) * noise


def _sentence(rows: Sequence[Row], trusted: Row | None, chance: Row, probability: bool) -> str:
    """Which method to trust on these records, and why, for somebody who has not met any of these measures."""
    if not rows:
        return "No method could be used on these records."
    if trusted is None:
        return (
            "Trust none of these pictures: no method points at the parts that matter better than a random map does and "
            "also depends on what the network has learned."
        )
    words = [f"Trust {trusted.method} here: {_reached(trusted, chance, probability)}"]
    if np.isfinite(trusted.alike):
        words.append("and its map changes when the weights are random")
    ahead = [row.method for row in rows[: rows.index(trusted)]]
    if ahead:
        words.append(f"which that of {' and '.join(ahead)} does not do enough")
    text = ", ".join(words)
    near = [row.method for row in rows if row is not trusted and row.holds and _equal(row, trusted)]
    return f"{text}. " + (
        f"Not told apart from it: {', '.join(near)}." if near else "It is ahead of all others."
    )


@dataclass(frozen=True)
class Agreed:
    """What the methods that can be trusted agree on, over records whose parts can be compared.

    methods: their names
    sizes:   mean size of what each part contributes, (methods, parts)
    enough:  so many methods are most of them: three of four
    parts:   those among the strongest fifth of so many methods
    """

    methods: tuple[str, ...]
    sizes: Floats
    enough: int
    parts: tuple[int, ...]


NOTHING_AGREED = Agreed((), np.empty((0, 0)), 0, ())


def agreed(found: Comparison) -> Agreed:
    """The parts that most methods which hold name among their strongest fifth, on average over records."""
    rows = [row for row in found.rows if row.holds]
    if not rows:
        return NOTHING_AGREED
    sizes = np.stack([np.abs(row.values).mean(axis=0) for row in rows])
    most = max(1, round(sizes.shape[1] * THRESHOLDS[FIFTH]))
    named = np.zeros(sizes.shape[1], dtype=int)
    for each in sizes:
        named[np.argsort(-each, kind="stable")[:most]] += 1
    enough = ceil(0.75 * len(rows))
    parts = tuple(np.flatnonzero(named >= enough).tolist())
    return Agreed(tuple(row.method for row in rows), sizes, enough, parts)


def _equal(row: Row, best: Row) -> bool:
    """Whether the best is not ahead of another one beyond chance, or by too little to matter."""
    return not better(best.quality.gap, row.quality.gap)[1] > MATTERS


def _reached(row: Row, chance: Row, probability: bool) -> str:
    """What the fifth of the parts that a map names first does by itself."""
    assert THRESHOLDS[FIFTH] == 0.2
    fifth, whole, drawn = (
        f"{each:.2f}"
        for each in (row.quality.inserted[FIFTH], row.quality.inserted[-1], chance.quality.inserted[FIFTH])
    )
    if probability:
        return (
            f"with only the fifth of the parts that it names first, the probability is {fifth} "
            f"({whole} with all, {drawn} with a fifth drawn at random)"
        )
    return (
        f"the fifth of the parts that it names first moves the prediction {fifth} times as far as whole records do "
        f"(a fifth drawn at random: {drawn} times)"
    )
