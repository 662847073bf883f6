"""RISE: show random parts of a record, and see which places were shown when the model said more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.engine import ask_all, chunks, spells_letters, untouched
from bioloom.explanation.hiding.segments import backgrounds, filled_places, on_places
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from torch import Tensor

MASKS = {1: 1000, 2: 2000}
"""Masks of a record by default, along a sequence and over a picture."""

CELLS = 7
"""Cells of a mask along the longer side of a picture."""

GROUPS = 10
"""Masks are told apart in so many groups, whose answers differ by chance: that is the error."""

_NUMBERS_PER_BLOCK = 2**22


@explainers.register
class Rise(Explainer):
    """Mean output where a place is shown, less the mean output over all masks.

    value(place) = sum of f(x shown through M) M(place) / sum of M(place) - mean of f

    A mask M is a coarse grid of cells, each shown with probability 1/2, brought to full size with soft edges and shifted
    at random; what is not shown comes from the backgrounds in turn. Letters are not mixed: of a soft edge that part is
    shown which exceeds one random height for each mask, so that the network sees letters only. The paper does not
    subtract the mean of f and so needs outputs that are probabilities; the order of places is the same. Dividing by the
    shown share of each place, and not by its expectation, takes away part of the chance.

    `error` is the standard error by the draw of masks, from ten groups of them; in the settings `running_error` says how
    it fell from two groups to all ten: the mean error of places over the largest value of a record, its mean over
    records. Above about 0.3 the map is mostly chance, and more masks are needed.

    Cost: one evaluation for each mask. Values are blurred by the cells and are no contributions: they add up to nothing,
    and a place beside an important one gets some of its value. Do not use it for single letters, nor where cheaper
    occlusion says the same; it is better than that where several places must be shown together to matter.
    Source: Petsiuk, Das & Saenko 2018, BMVC, https://arxiv.org/abs/1806.07421.
    """

    name = "rise"
    title = "RISE (which places were shown when the output was high)"
    accepts = frozenset({Kind.SEQUENCE, Kind.IMAGE})
    needs_background = True
    marks = True
    compared = True

    class Settings(ExplainerSettings):
        """How many masks, and how coarse they are."""

        masks: int | None = Field(
            default=None,
            ge=2 * GROUPS,
            description=f"for each record; empty: {MASKS[1]} along a sequence, {MASKS[2]} over a picture",
        )
        cell: int | None = Field(default=None, ge=1, description="places of a cell of a mask; empty: by size")

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Mark the places that raise an output when they are shown; see `rise`."""
        told = cls.told(question)
        return rise(question, masks=told.masks, cell=told.cell)


def rise(question: Question, *, masks: int | None = None, cell: int | None = None) -> Explanation:
    """Mean output where a place is shown, less the mean output over all masks.

    `Rise` says how, at what cost, and by whom.

    masks: for each record; 1000 along a sequence, 2000 over a picture (the paper takes 4000 to 8000)
    cell:  places of a cell: an eighth of a sequence, 4 to 15; a seventh of a picture by default
    """
    x = question.batch[question.input].x
    usual = round(question.effort * MASKS[x.dim() - 2])
    drawn = _draw(question, _cells(x, cell), max(masks or usual, 2 * GROUPS))
    with untouched(question.network, question.seed, x.device):
        said = _said(question, drawn)
    groups = _by_group(drawn, said.double(), tuple(x.shape[2:]))
    value, error = _estimate(groups)
    question.progress(1.0)
    nothing = backgrounds(question).shape[1]
    return Explanation(
        attribution=on_places(question, value),
        method=Rise.name,
        input=question.input,
        reference=f"{drawn.count} masks, what they hide from {nothing} background{'s' * (nothing > 1)} of each record",
        settings={"masks": drawn.count, "cell": drawn.cell, "running_error": _running(question, groups)},
        error=on_places(question, error),
    )


@dataclass(frozen=True)
class Masks:
    """Random masks, made at full size when they are needed.

    grid:  (masks, *cells + 1) 0 or 1
    shift: (masks, axes) places by which a mask is cut off at its beginning
    level: (masks,) from where on a soft edge is shown; empty where edges stay soft
    cell:  places of a cell
    """

    grid: Tensor
    shift: Tensor
    level: Tensor
    cell: int

    @property
    def count(self) -> int:
        """How many masks."""
        return len(self.grid)

    def at(self, number: Tensor, size: tuple[int, ...]) -> Tensor:
        """Some masks at full size, (masks, *size), 0 hidden to 1 shown."""
        grid = self.grid[number][:, None]
        large = [self.cell * cells for cells in grid.shape[2:]]
        soft = F.interpolate(
            grid, large, mode="linear" if len(size) == 1 else "bilinear", align_corners=False
        )[:, 0]
        for axis, length in enumerate(size):
            place = self.shift[number, axis, None] + torch.arange(length, device=grid.device)
            index = place.view(-1, *(length if other == axis else 1 for other in range(len(size))))
            soft = soft.gather(axis + 1, index.expand(-1, *(
                length if other == axis else soft.shape[other + 1] for other in range(len(size))
            )))  # fmt: skip
        if not len(self.level):
            return soft
        return (soft > self.level[number].view(-1, *[1] * len(size))).to(soft.dtype)


def _cells(x: Tensor, cell: int | None) -> int:
    if cell is not None:
        return cell
    if x.dim() == 3:
        return min(15, max(4, x.shape[2] // 8))
    return max(1, -(-max(x.shape[2:]) // CELLS))


def _draw(question: Question, cell: int, count: int) -> Masks:
    """Masks for all records alike."""
    x = question.batch[question.input].x
    generator = torch.Generator().manual_seed(question.seed)
    cells = [-(-length // cell) + 1 for length in x.shape[2:]]
    grid = (torch.rand(count, *cells, generator=generator) < 0.5).to(x.dtype)
    shift = torch.randint(cell, (count, len(cells)), generator=generator)
    level = torch.rand(count if spells_letters(x) else 0, generator=generator).to(x.dtype)
    return Masks(grid.to(x.device), shift.to(x.device), level.to(x.device), cell)


def _said(question: Question, masks: Masks) -> Tensor:
    """What the network says of each record through each mask, (records, masks)."""
    x, nothing, filled = question.batch[question.input].x, backgrounds(question), filled_places(question)
    total = len(x) * masks.count

    def seen(part: slice) -> tuple[Tensor, Tensor]:
        number = torch.arange(part.start, part.stop, device=x.device)
        record, which = number // masks.count, number % masks.count
        shown = masks.at(which, tuple(x.shape[2:]))[:, None]
        other = nothing[record, which % nothing.shape[1]]
        question.progress(part.start / total)
        return torch.where(filled[record], shown * x[record] + (1 - shown) * other, x[record]), record

    return ask_all(question, total, seen).view(len(x), masks.count)


@dataclass(frozen=True)
class _Groups:
    """Sums over the masks of each group.

    said:  (groups, records) outputs
    both:  (groups, records, places) outputs times masks
    shown: (groups, places) masks
    count: (groups,) how many masks
    """

    said: Tensor
    both: Tensor
    shown: Tensor
    count: Tensor

    def first(self, groups: int) -> _Groups:
        """The first of them."""
        return _Groups(self.said[:groups], self.both[:groups], self.shown[:groups], self.count[:groups])


def _by_group(masks: Masks, said: Tensor, size: tuple[int, ...]) -> _Groups:
    places = torch.Size(size).numel()
    both = said.new_zeros(GROUPS, len(said), places)
    shown = said.new_zeros(GROUPS, places)
    numbers = torch.arange(masks.count, device=said.device).tensor_split(GROUPS)  # each with all backgrounds
    for group, own in enumerate(numbers):
        for block in chunks(len(own), max(1, _NUMBERS_PER_BLOCK // places)):
            mask = masks.at(own[block], size).flatten(1).to(said.dtype)
            both[group] += said[:, own[block]] @ mask
            shown[group] += mask.sum(dim=0)
    outputs = torch.stack([said[:, own].sum(dim=1) for own in numbers])
    count = torch.tensor([len(own) for own in numbers], device=said.device)
    return _Groups(outputs, both, shown, count)


def _estimate(groups: _Groups) -> tuple[Tensor, Tensor]:
    """The value of each place and its standard error (jackknife over groups), both (records, places)."""
    count = len(groups.count)
    said, both, shown, masks = (
        each.sum(dim=0, keepdim=True) for each in (groups.said, groups.both, groups.shown, groups.count)
    )
    value = _value(said, both, shown, masks)[0]
    without = _value(said - groups.said, both - groups.both, shown - groups.shown, masks - groups.count)
    spread = ((without - without.mean(dim=0)) ** 2).sum(dim=0)
    return value, (spread * (count - 1) / count).sqrt()


def _value(said: Tensor, both: Tensor, shown: Tensor, masks: Tensor) -> Tensor:
    mean = said / masks[:, None]  # (groups, records)
    return both / shown[:, None].clamp(min=1e-9) - mean[..., None]


def _running(question: Question, groups: _Groups) -> list[float]:
    """How large the error is beside the largest value, with two groups of masks and more, up to all."""
    filled = filled_places(question)[:, 0].flatten(1)
    found = []
    for count in range(2, GROUPS + 1):
        value, error = (each * filled for each in _estimate(groups.first(count)))
        largest = value.abs().amax(dim=1).clamp(min=1e-12)
        share = error.sum(dim=1) / filled.sum(dim=1).clamp(min=1) / largest
        found.append(round(float(share.mean()), 4))
    return found
