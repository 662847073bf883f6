"""Sequences with motifs planted in them by rules that are known: where, how far apart, which way round, with what effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.similarity.copies import reverse_complement
from bioloom.errors import UserError
from bioloom.motifs.motif import Motif
from bioloom.motifs.pwm import LETTERS


@dataclass(frozen=True)
class Planted:
    """One motif and how it is planted.

    share:    of the sequences that carry it
    start:    0-based position; None: anywhere that is free
    turned:   share of the copies on the reverse complement
    effect:   what a copy adds to the measured number
    after:    name of a motif planted before, to whose end it keeps a distance; it is planted only where that one is
    spacing:  letters between the two, lowest and highest
    """

    motif: Motif
    share: float = 0.5
    start: int | None = None
    turned: float = 0.0
    effect: float = 1.0
    after: str = ""
    spacing: tuple[int, int] = (5, 5)


@dataclass(frozen=True)
class Design:
    """What the sequences are like besides.

    length:      letters
    gc:          share of G and C between motifs
    interaction: by two motif names, what both together add to the measured number
    noise:       standard deviation of the measured number
    """

    length: int = 200
    gc: float = 0.5
    interaction: Mapping[tuple[str, str], float] = field(default_factory=dict)
    noise: float = 0.3


COLUMNS = ("id", "sequence", "activity")


def plant(
    records: int, planted: Sequence[Planted], design: Design | None = None, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make sequences, and tell where which motif lies.

    Returns the records (id, sequence, activity: the sum of the effects of what a sequence carries, and noise) and
    the sites (id, motif, start, end, strand), 0-based and half-open.
    Raises UserError where a motif does not fit, or stands after one that is not planted before it.
    """
    design = design or Design()
    _refuse(planted, design)
    random = np.random.default_rng(seed)
    weights = np.array([1 - design.gc, design.gc, design.gc, 1 - design.gc]) / 2
    letters = random.choice(4, size=(records, design.length), p=weights)
    activity = design.noise * random.normal(size=records)
    sites: list[tuple[str, str, int, int, str]] = []
    for record in range(records):
        held: dict[str, tuple[int, int]] = {}
        for each in planted:
            site = _place(each, held, design.length, random)
            if site is None:
                continue
            held[each.motif.name] = site
            turned = bool(random.random() < each.turned)
            word = _draw(each.motif, random)
            word = reverse_complement(word) if turned else word
            letters[record, site[0] : site[1]] = [LETTERS.index(letter) for letter in word]
            sites.append((f"seq{record + 1}", each.motif.name, *site, "-" if turned else "+"))
            activity[record] += each.effect
        activity[record] += sum(
            effect for pair, effect in design.interaction.items() if set(pair) <= set(held)
        )
    texts = np.array(list(LETTERS))[letters]
    ids = [f"seq{number + 1}" for number in range(records)]
    frame = pd.DataFrame(
        {"id": ids, "sequence": ["".join(row) for row in texts], "activity": activity}, columns=list(COLUMNS)
    )
    return frame, pd.DataFrame(sites, columns=["id", "motif", "start", "end", "strand"])


def _draw(motif: Motif, random: np.random.Generator) -> str:
    """One site of a motif, letter by letter."""
    chances = motif.probabilities(pseudocount=0.0)
    return "".join(LETTERS[random.choice(4, p=column)] for column in chances.T)


def _place(
    each: Planted, held: Mapping[str, tuple[int, int]], length: int, random: np.random.Generator
) -> tuple[int, int] | None:
    """Where a motif is planted in one sequence; None where it is not."""
    width = len(each.motif)
    if each.after and each.after not in held:
        return None
    if random.random() >= each.share:
        return None
    if each.after:
        low, high = each.spacing
        starts = held[each.after][1] + np.arange(low, high + 1)
    elif each.start is not None:
        starts = np.array([each.start])
    else:
        starts = np.arange(length - width + 1)
    free = _free(starts, width, held, length)
    if not len(free):
        return None
    start = int(random.choice(free))
    return start, start + width


def _free(
    starts: NDArray[np.int64], width: int, held: Mapping[str, tuple[int, int]], length: int
) -> NDArray[np.int64]:
    """Those starts where a site lies inside of the sequence and over no other."""
    good = (starts >= 0) & (starts + width <= length)
    for first, end in held.values():
        good &= (starts >= end) | (starts + width <= first)
    return starts[good]


def _refuse(planted: Sequence[Planted], design: Design) -> None:
    if not planted:
        raise UserError("There is no motif to plant.", fix="give at least one")
    if not 0 < design.gc < 1:
        raise UserError(
            f"A share of G and C of {design.gc} is not possible.", fix="choose one between 0 and 1"
        )
    before: set[str] = set()
    for each in planted:
        name, end = each.motif.name, (each.start or 0) + len(each.motif)
        if name in before:
            raise UserError(f'The motif "{name}" is planted twice.', fix="give the second one another name")
        if end > design.length or (each.start is not None and each.start < 0):
            raise UserError(
                f'The motif "{name}" of {len(each.motif)} letters does not fit at position {each.start or 0} of '
                f"{design.length} letters.",
                fix="choose longer sequences or an earlier start",
            )
        if each.after and each.after not in before:
            raise UserError(
                f'The motif "{name}" stands after "{each.after}", which is not planted before it.',
                fix="change the order",
            )
        if not (0 <= each.share <= 1 and 0 <= each.turned <= 1):
            raise UserError(
                f'The shares of the motif "{name}" are not between 0 and 1.', fix="choose shares from 0 to 1"
            )
        before.add(name)
