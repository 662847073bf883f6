"""Learned masks: the smallest part to delete, or the best part of a given size to keep, found by gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import torch
import torch.nn.functional as F
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.engine import ask, in_chunks, rows_per_chunk, untouched
from bioloom.explanation.hiding.segments import backgrounds, filled_places, on_places
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

DELETING_ROUNDS = 300
KEEPING_ROUNDS = 300
DELETING_RATE = 0.1
KEEPING_RATE = 0.05

AREAS = (0.05, 0.1, 0.2, 0.4)
"""Shares of a record that are kept, one mask for each."""

COLDNESS = 20.0
"""How nearly the smooth maximum is the maximum."""

REACH = 3.0
"""Width of the bump that one cell of a mask becomes, in cells."""

FIRST_WEIGHT, LAST_WEIGHT = 1.0, 300.0
"""How much the size of a mask counts at the beginning and at the end, beside an output scaled to 1."""

_TINY = 1e-6


@dataclass(frozen=True)
class Sparseness:
    """What a mask that deletes pays.

    area:   for deleting everything; with 1 a place is worth deleting that holds more of the output than of the area
    rough:  for steps between neighbouring cells, to the power `power`
    """

    area: float = 1.0
    rough: float = 0.2
    power: float = 3.0


@explainers.register
class MeaningfulPerturbation(Explainer):
    """Learn a smooth mask that deletes as little as possible and takes away as much of the output as possible.

    minimise over m: s(m x + (1 - m) background) + area mean(1 - m) + rough mean |step of m|^3

    s is the output scaled so that it is 1 for the record and 0 for its backgrounds, whichever is higher (where these
    differ among themselves by more than that, one is their standard deviation); backgrounds take turns. The mask is a
    grid of cells brought to full size with soft
    edges, learned by Adam (300 rounds, rate 0.1).
    (The paper takes a probability for s, adds noise to the grid and shifts pictures by up to 4 of 224 pixels.)
    What the output loses when 1 - m is taken away is shared among places in proportion to 1 - m: this is the attribution.

    Cost: 300 evaluations and gradients of a record. The mask depends on the two penalties, and on letters it passes
    through mixtures of letters. Do not use it to rank places outside of what it deletes, nor for outputs that are nearly
    those of the backgrounds: there is nothing to delete then.
    Source: Fong & Vedaldi 2017, ICCV, https://arxiv.org/abs/1704.03296.
    """

    name = "meaningful_perturbation"
    title = "Meaningful Perturbation (the smallest part whose loss costs the most)"
    accepts = frozenset({Kind.SEQUENCE, Kind.IMAGE})
    needs_background = True
    marks = True

    class Settings(ExplainerSettings):
        """What a mask pays, and how long it is learned."""

        area: float = Field(default=Sparseness.area, ge=0, description="cost of deleting everything")
        rough: float = Field(
            default=Sparseness.rough, ge=0, description="cost of steps between neighbouring cells"
        )
        rounds: int | None = Field(
            default=None, ge=1, description=f"steps of learning; empty: {DELETING_ROUNDS}"
        )

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Mark the smallest part that carries an output; see `meaningful_perturbation`."""
        told = cls.told(question)
        costs = Sparseness(told.area, told.rough)
        return meaningful_perturbation(question, sparseness=costs, rounds=told.rounds)


@explainers.register
class ExtremalPerturbation(Explainer):
    """Learn for each of some sizes the mask of that size that keeps the most of the output.

    maximise over m: s(m x + (1 - m) background) - weight mean (sorted m - r)^2, r being 0 for the smallest 1 - area and 1
    for the largest area of all places

    s is the output scaled as for Meaningful Perturbation. The mask is the smooth maximum (coldness 20) over cells of a bump
    exp(-2 max(d / 3 - 1/2, 0)^2), d in cells, times the number of the cell, and between cells by interpolation; so it has
    no edges sharper than the bump. Adam, 300 rounds; the weight of the size grows from 1 to 300. (The paper learns by
    gradient descent with momentum and a weight from 300, which suits its logits, and blurs pictures by mask value; here
    what is not kept fades into the background.)

    What each mask keeps of the output beyond the backgrounds is shared among places in proportion to the mask; the
    attribution is the mean over areas. A place in the masks of all sizes matters most.

    Cost: 4 areas x 300 evaluations and gradients of a record. Do not use it where several small places matter that are
    smaller than a bump, nor where the kept part alone is unlike any record the network has seen.
    Source: Fong, Patrick & Vedaldi 2019, ICCV, https://arxiv.org/abs/1910.08485.
    """

    name = "extremal_perturbation"
    title = "Extremal Perturbation (the part of a given size that keeps the most)"
    accepts = frozenset({Kind.SEQUENCE, Kind.IMAGE})
    needs_background = True
    marks = True

    class Settings(ExplainerSettings):
        """How much masks keep, and how long they are learned."""

        areas: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
            default=AREAS, min_length=1, description="shares of a record that are kept, one mask for each"
        )
        rounds: int | None = Field(
            default=None, ge=1, description=f"steps of learning; empty: {KEEPING_ROUNDS}"
        )

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Mark parts of given sizes that keep an output best; see `extremal_perturbation`."""
        told = cls.told(question)
        return extremal_perturbation(question, areas=told.areas, rounds=told.rounds)


def meaningful_perturbation(
    question: Question, *, sparseness: Sparseness | None = None, rounds: int | None = None
) -> Explanation:
    """Learn a smooth mask that deletes as little as possible and takes away as much of the output as possible.

    `MeaningfulPerturbation` says how, at what cost, and by whom.
    """
    costs = sparseness or Sparseness()
    count = rounds or max(1, round(DELETING_ROUNDS * question.effort))

    def learn(game: _Game) -> Tensor:
        start = game.grid(len(game.rows))
        how = (count, DELETING_RATE)
        return _learned(start, how, lambda mask, number: _deleted(game, mask, number, costs))

    masks = _each_chunk(question, learn, shares=1)
    return _explanation(MeaningfulPerturbation.name, question, 1 - masks, {"rounds": count, "keeps": False})


def extremal_perturbation(
    question: Question, *, areas: tuple[float, ...] = AREAS, rounds: int | None = None
) -> Explanation:
    """Learn for each of some sizes the mask of that size that keeps the most of the output.

    `ExtremalPerturbation` says how, at what cost, and by whom.

    areas:  shares of a record, above 0 and below 1
    """
    count = rounds or max(1, round(KEEPING_ROUNDS * question.effort))

    def learn(game: _Game) -> Tensor:
        own = game.x.new_tensor(areas).repeat(len(game.rows) // len(areas))
        start = game.grid(len(game.rows)) / 2
        how = (count, KEEPING_RATE)
        cells = _learned(start, how, lambda mask, number: _kept(game, mask, own, (number, count)))
        return _bumps(cells)

    masks = _each_chunk(question, learn, shares=len(areas))
    told = {"rounds": count, "keeps": True, "areas": list(areas)}
    return _explanation(ExtremalPerturbation.name, question, masks, told)


# ---- the game: what a mask does to the output ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Game:
    """Some records that masks are learned for.

    rows:   (masks,) the record of each mask
    x:      (masks, *shape), nothing: (masks, backgrounds, *shape), filled: (masks, 1, *places) bool
    low:    (masks,) mean output of the backgrounds
    width:  (masks,) output of the record less that, or by how much backgrounds differ (standard deviation), if that is more
    above:  (masks,) output of the record less that of the backgrounds
    step:   places of a cell
    """

    question: Question
    rows: Tensor
    x: Tensor
    nothing: Tensor
    filled: Tensor
    low: Tensor
    width: Tensor
    above: Tensor
    step: int

    def grid(self, count: int) -> Tensor:
        """Cells of masks that keep everything, (masks, 1, *cells)."""
        return self.x.new_ones(count, 1, *(-(-length // self.step) for length in self.x.shape[2:]))

    def full(self, cells: Tensor) -> Tensor:
        """Masks at full size, (masks, 1, *places), between cells by interpolation."""
        if self.step == 1:
            return cells
        size, mode = list(self.x.shape[2:]), "linear" if self.x.dim() == 3 else "bilinear"
        return F.interpolate(cells, size, mode=mode, align_corners=False)

    def output(self, mask: Tensor, which: int) -> Tensor:
        """The output of each record through its mask, with one of the backgrounds, (masks,)."""
        other = self.nothing[:, which % self.nothing.shape[1]]
        return ask(
            self.question, torch.where(self.filled, mask * self.x + (1 - mask) * other, self.x), self.rows
        )

    def share(self, mask: Tensor, which: int) -> Tensor:
        """The same, scaled to 1 for the record and 0 for its backgrounds."""
        return (self.output(mask, which) - self.low) / self.width


def _game(question: Question, rows: Tensor) -> _Game:
    x = question.batch[question.input].x.detach()[rows].clone()
    nothing, filled = backgrounds(question)[rows], filled_places(question)[rows]
    largest = max(x.shape[2:])
    step = max(1, min(5, largest // 60)) if x.dim() == 3 else max(1, largest // 32)
    with torch.no_grad():
        count = nothing.shape[1]
        each = torch.where(filled[:, None], nothing, x[:, None]).flatten(0, 1)
        without = ask(question, each, rows.repeat_interleave(count)).view(-1, count)
        low = without.mean(dim=1)
        above = ask(question, x, rows) - low
    width = torch.maximum(above.abs(), without.std(dim=1, correction=0)).clamp(min=_TINY)
    return _Game(question, rows, x, nothing, filled, low, torch.where(above < 0, -width, width), above, step)


def _each_chunk(question: Question, learn: Callable[[_Game], Tensor], shares: int) -> Tensor:
    """Masks of all records at full size, (records, shares, *places); what `learn` gives are their cells."""
    x = question.batch[question.input].x
    made: list[Tensor] = []

    def work(part: slice) -> None:
        rows = torch.arange(part.start, part.stop, device=x.device).repeat_interleave(shares)
        game = _game(question, rows)
        made.append(game.full(learn(game)).detach().view(-1, shares, *x.shape[2:]))
        question.progress(0.95 * part.stop / len(x))

    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):
        in_chunks(len(x), max(1, rows_per_chunk(x) // shares), work)
    return torch.cat(made)


def _learned(start: Tensor, how: tuple[int, float], loss: Callable[[Tensor, int], Tensor]) -> Tensor:
    """Cells between 0 and 1 at the lowest loss that Adam finds.

    how:  rounds, and the learning rate
    loss: (masks,) of cells in some round
    """
    rounds, rate = how
    cells, first, second = start.clone(), torch.zeros_like(start), torch.zeros_like(start)
    for number in range(rounds):
        with torch.enable_grad():
            cells.requires_grad_(True)
            (slope,) = torch.autograd.grad(loss(cells, number).sum(), cells)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        move = first / (1 - 0.9 ** (number + 1)) / ((second / (1 - 0.999 ** (number + 1))).sqrt() + 1e-8)
        cells = (cells.detach() - rate * move).clamp(0, 1)
    return cells


def _deleted(game: _Game, cells: Tensor, number: int, costs: Sparseness) -> Tensor:
    """What Meaningful Perturbation minimises, (masks,)."""
    mask = game.full(cells)
    filled = game.filled.to(mask.dtype)
    area = ((1 - mask) * filled).flatten(1).sum(dim=1) / filled.flatten(1).sum(dim=1).clamp(min=1)
    steps = [cells.diff(dim=axis).abs() ** costs.power for axis in range(2, cells.dim())]
    rough = torch.stack([each.flatten(1).sum(dim=1) for each in steps]).sum(dim=0) / cells[0].numel()
    return game.share(mask, number) + costs.area * area + costs.rough * rough


def _kept(game: _Game, cells: Tensor, areas: Tensor, time: tuple[int, int]) -> Tensor:
    """What Extremal Perturbation minimises, (masks,); time: which round of how many."""
    mask = game.full(_bumps(cells))
    flat = torch.where(game.filled, mask, 0.0).flatten(1)
    count = game.filled.flatten(1).sum(dim=1)
    rank = torch.arange(flat.shape[1], device=flat.device)
    wanted = (rank >= flat.shape[1] - (areas * count).round().clamp(min=1)[:, None]).to(flat.dtype)
    off = ((flat.sort(dim=1).values - wanted) ** 2).sum(dim=1) / count.clamp(min=1)
    weight = FIRST_WEIGHT * (LAST_WEIGHT / FIRST_WEIGHT) ** (time[0] / time[1])
    loss: Tensor = weight * off - game.share(mask, time[0])
    return loss


def _bumps(cells: Tensor) -> Tensor:
    """The smooth maximum over bumps at all cells, each as high as the number of its cell, (masks, 1, *cells)."""
    reach = int(2 * REACH)
    axes = cells.dim() - 2
    offset = torch.arange(-reach, reach + 1, device=cells.device, dtype=cells.dtype)
    grids = torch.meshgrid(*[offset] * axes, indexing="ij")
    far = torch.stack(grids).square().sum(dim=0).sqrt().reshape(-1)
    bump = torch.exp(-2 * (far / REACH - 0.5).clamp(min=0) ** 2)  # (neighbours,)
    if axes == 1:
        near = F.unfold(cells[:, :, None], (1, 2 * reach + 1), padding=(0, reach))
    else:
        near = F.unfold(cells, 2 * reach + 1, padding=reach)
    height = near * bump[:, None]  # (masks, neighbours, cells)
    largest: Tensor = (height * (COLDNESS * height).softmax(dim=1)).sum(dim=1)
    return largest.view(cells.shape)


# ---- from masks to attributions -----------------------------------------------------------------------------------


def _explanation(name: str, question: Question, masks: Tensor, told: dict[str, object]) -> Explanation:
    """Share what masks carry of the output among their places; masks: (records, shares, *places), 1 where they mark."""
    filled = filled_places(question)
    marked = masks * filled  # (records, shares, *places)
    worth = _worth(question, marked, keeps=bool(told["keeps"]))
    size = marked.flatten(2).sum(dim=2).clamp(min=_TINY)
    value = (marked.flatten(2) * (worth / size)[..., None]).mean(dim=1)
    question.progress(1.0)
    count = backgrounds(question).shape[1]
    area = size / filled.flatten(1).sum(dim=1, keepdim=True).clamp(min=1)
    return Explanation(
        attribution=on_places(question, value),
        method=name,
        input=question.input,
        reference=f"{count} background{'s' * (count > 1)} of each record, faded in where the mask says",
        settings={**told, "area_found": [round(float(each), 4) for each in area.mean(dim=0)]},
    )


def _worth(question: Question, marked: Tensor, *, keeps: bool) -> Tensor:
    """What the output loses without the marked places, or keeps with them alone, (records, shares)."""
    x, shares = question.batch[question.input].x, marked.shape[1]
    found: list[Tensor] = []

    def work(part: slice) -> None:
        rows = torch.arange(part.start, part.stop, device=x.device).repeat_interleave(shares)
        game = _game(question, rows)
        mark = marked[part].flatten(0, 1)[:, None]
        mask = mark if keeps else 1 - mark
        with torch.no_grad():
            told = torch.stack([game.output(mask, which) for which in range(game.nothing.shape[1])]).mean(
                dim=0
            )
        found.append((told - game.low if keeps else game.low + game.above - told).view(-1, shares))

    with untouched(question.network, question.seed, x.device):
        in_chunks(len(x), max(1, rows_per_chunk(x) // shares), work)
    return torch.cat(found)
