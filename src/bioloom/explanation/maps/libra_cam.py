"""Libra-CAM: what a record's maps have that those of records of other classes have not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from bioloom.errors import UserError
from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, Scale, explainers
from bioloom.explanation.engine import spells_letters
from bioloom.explanation.maps.look import Look, Reading, Seen, laid, over_places, stretched
from bioloom.explanation.maps.map_by_map import Ground, background_of, shares_seen
from bioloom.explanation.maps.references import ReferenceLibrary, fitted
from bioloom.explanation.maps.weighing import MAPPED

THRESHOLDS = tuple(number / 10 for number in range(10))
"""Shares of the input, those with the lowest values, that are tried to be left out."""


@dataclass(frozen=True)
class Balance:
    """How references are chosen and the map is finished.

    references: how many, at most
    gamma:      keep the maps with which the probability is above this, as in the paper; None: those that raise it as
                most others do, as in the authors' program (see `LibraCam`)
    relu:       leave out of each map what speaks against the class
    calibrated: leave out the share of the input, lowest values first, without which the probability is highest
    legacy_off_by_one: leave out a tenth more than that, as the authors' program does; for published numbers
    ground:     what shows where the input is hidden
    """

    references: int = 30
    gamma: float | None = None
    relu: bool = False
    calibrated: bool = True
    legacy_off_by_one: bool = False
    ground: Ground = field(default_factory=Ground)


@explainers.register
class LibraCam(Explainer):
    """Compare a record's maps with those of records that are surely something else, and keep the comparisons that help.

    For each reference r of the class: M_r = sum over maps of g x (maps of the record - maps of r), place by place, g the
    gradient of the output with respect to the maps at the record; stretched from 0 to 1 and laid over the input. Shown
    only M_r x input, the network gives the class another probability, d_r more than for the whole. Of the references that
    raise it those are kept with d_r >= mean - standard deviation of these; where none raises it, those with d_r > mean +
    standard deviation of all; where there are none, all. The mean of their maps is the answer, less the share of its
    lowest values (0, 10, ... 90 %) without which the probability rises most, the smallest such share if several.

    Values are from 0 to 1 for each record, and say nothing about how large the effect of a place is. They tell places
    apart within a record, not records from each other, and promise no sum.
    Cost: one evaluation and its gradient, and at most 41 evaluations for each record; references are found in one pass
    over training records. Not for regression, not where hardly any record is classified rightly, and with care for
    letters: letters that are hidden by a share are none, and the settings say so (`blended` puts other letters there).
    Source: Lee & Han 2022, IJCAI (Libra-CAM: an activation-based attribution based on the linear approximation of deep
    neural nets and threshold calibration), and the authors' program, whose last step left out a tenth more than it found
    best (`legacy_off_by_one`); references as by Contrast-CAT of the same laboratory.
    """

    name = "libra_cam"
    title = "Libra-CAM (what tells the record's last maps from those of other classes)"
    accepts = MAPPED
    refuses = True
    looks = True
    compared = True

    class Settings(ExplainerSettings):
        """How references are chosen and the map is finished."""

        references: int = Field(default=Balance.references, ge=1, description="training records, at most")
        gamma: float | None = Field(
            default=None,
            ge=0,
            lt=1,
            description="keep references that leave the class more than this probability, as in the paper; empty: those "
            "that raise it as most others do",
        )
        relu: bool = Field(default=False, description="leave out of each map what speaks against the class")
        calibrated: bool = Field(
            default=True, description="leave out the lowest values without which the probability is highest"
        )
        legacy_off_by_one: bool = Field(
            default=False, description="leave out a tenth more than that, as the authors' program does"
        )
        blended: bool = Field(
            default=False,
            description="the record's first background shows where it is hidden, instead of zeros",
        )

    @classmethod
    def compares(cls, settings: ExplainerSettings | None) -> bool:
        """Only where a background is to show."""
        return isinstance(settings, cls.Settings) and settings.blended

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute a class to places; see `libra_cam`."""
        told = cls.told(question)
        balance = {name: getattr(told, name) for name in cls.Settings.model_fields if name != "blended"}
        return libra_cam(question, Balance(**balance, ground=Ground(told.blended)))


def libra_cam(question: Question, balance: Balance | None = None) -> Explanation:
    """Compare a record's maps with those of records that are surely something else, and keep the comparisons that help.

    `LibraCam` says how, at what cost, and by whom.

    Raises UserError where the question holds no library of references, or that of another network, layer or input.
    """
    balance = balance or Balance()
    library = _library_of(question)
    told: dict[str, list[Any]] = {"kept": [], "left_out": []}

    def weigh(reading: Reading, part: slice) -> Tensor:
        share, kept, threshold = _balanced(reading, part, library, balance)
        told["kept"].append(kept)
        told["left_out"].append(threshold)
        return share

    value, settings = laid(question, Look(layer=library.layer), weigh, rows=1)
    letters = spells_letters(question.batch[question.input].x)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=LibraCam.name,
        input=question.input,
        reference=f"up to {balance.references} training records that are surely of another class",
        settings={
            "layer": settings["layer"],
            "gamma": "auto" if balance.gamma is None else balance.gamma,
            "references_kept": told["kept"],
            "share_left_out": told["left_out"],
            "legacy_off_by_one": balance.legacy_off_by_one,
            "asked_about_parts_of_letters": letters and not balance.ground.blended,
        },
        effect="Evidence for {} (0 to 1)",
    )


def _library_of(question: Question) -> ReferenceLibrary:
    if question.library is None:
        raise UserError(
            "Libra-CAM compares with training records of other classes, and no library of them was given.",
            where=f'input "{question.input}"',
            fix="explain a run with bioloom explain, which builds one, or build a ReferenceLibrary",
        )
    library = question.library.of(question.network, question.layer)
    library.refuse_other(question.network, question.layer or library.layer, question.input)
    return library


def _balanced(
    reading: Reading, row: slice, library: ReferenceLibrary, balance: Balance
) -> tuple[Tensor, int, float]:
    """What places of a record say, (1, *sizes of the input), how many references it is from, and the share left out."""
    record, seen = row.start, reading.sloped(row)
    likely = _of_probability(reading)
    chosen = library.contrasted_with(_class_of(reading.question, library, record))[: balance.references]
    maps = library.maps[reading.number][chosen.to(library.maps[reading.number].device)].to(seen.maps)
    x, mask = reading.question.batch[reading.question.input]
    own = None if mask is None else mask[row]
    compared = contrasts(seen, fitted(maps, seen.maps.shape[-1]))
    compared = compared.relu() if balance.relu else compared
    shares = torch.cat([_laid_out(one[None], reading, row, own) for one in compared])  # (references, *sizes)
    ground = background_of(reading, record, balance.ground)
    with torch.no_grad():
        plain = likely.see(x[row], torch.tensor([record], device=x.device))[0]
        shown = shares_seen(likely, record, shares, ground)
        kept = by_probability(shown, balance.gamma) if balance.gamma is not None else by_rise(shown - plain)
        mean = shares[kept].mean(dim=0)
        if not balance.calibrated:
            return mean[None], int(kept.sum()), 0.0
        tried = torch.stack([without_lowest(mean, share, own) for share in THRESHOLDS])
        rise = (shares_seen(likely, record, tried, ground) - plain).clamp(min=0)
    best = int(rise.argmax())  # the first of the largest: leave out as little as possible
    threshold = (best + int(balance.legacy_off_by_one)) / len(THRESHOLDS)
    return without_lowest(mean, threshold, own)[None], int(kept.sum()), threshold


def _of_probability(reading: Reading) -> Reading:
    """The same, asked about the probability of the class."""
    target = reading.question.target
    return replace(
        reading,
        question=replace(
            reading.question,
            output=replace(target, scale=Scale.PROBABILITY, against=None),
        ),
    )


def _class_of(question: Question, library: ReferenceLibrary, record: int) -> int:
    """The number of the class that a record is asked about."""
    target = question.target
    number = target.output if isinstance(target.output, int) else int(target.output[record])
    return 1 if library.outputs == 1 and not target.classes else number


def contrasts(seen: Seen, references: Tensor) -> Tensor:
    """How a record's maps differ from those of each reference, weighed by their gradient, (references, *places).

    seen:       of one record
    references: (references, maps, *places)
    """
    return (seen.gradient * (seen.maps - references)).sum(dim=1)


def _laid_out(said: Tensor, reading: Reading, row: slice, mask: Tensor | None) -> Tensor:
    """What places say, stretched from 0 to 1 and laid over the input, (1, *sizes); 0 where nothing is."""
    as_wide = mask is not None and said.shape[1:] == mask.shape[1:]
    value = over_places(stretched(said[:, None], mask if as_wide else None)[:, 0], reading, row)
    return value[:, 0] if mask is None else value[:, 0] * mask


def by_rise(rise: Tensor) -> Tensor:
    """Which references are kept by how much they raise the probability, (references,) bool; see `LibraCam`."""
    up = rise > 0
    if up.any():
        some = rise[up]
        return up & (rise >= some.mean() - some.std(correction=0))
    out = rise > rise.mean() + rise.std(correction=0)
    return out if out.any() else torch.ones_like(up)


def by_probability(shown: Tensor, gamma: float) -> Tensor:
    """Which references are kept by the probability that they leave, as in the paper; all where none leaves that much."""
    kept = shown > gamma
    return kept if kept.any() else torch.ones_like(kept)


def without_lowest(share: Tensor, threshold: float, mask: Tensor | None = None) -> Tensor:
    """Zeros in place of the lowest values, so many as this share of all that are there, (*sizes).

    share: (*sizes); mask: (1, sizes), where there is something
    """
    flat = share.flatten()
    there = torch.ones_like(flat, dtype=torch.bool) if mask is None else mask.flatten()
    order = flat.masked_fill(~there, torch.inf).argsort(stable=True)
    out = order[: round(threshold * int(there.sum()))]
    return flat.index_fill(0, out, 0.0).view_as(share)
