"""Score-CAM and Ablation-CAM: how much each of the last maps matters, by asking the network about one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from bioloom.explanation import ExplainerSettings, explainers
from bioloom.explanation.engine import in_chunks, rows_per_chunk
from bioloom.explanation.maps.look import Reading, RectifiedLookSettings, over_places, stretched
from bioloom.explanation.maps.weighing import WeighsMaps

Divided = Literal["abs", "signed", "none"]
"""By what the loss of Ablation-CAM is divided: the size of the answer, the answer, or nothing."""


@explainers.register
class ScoreCam(WeighsMaps):
    """Show the network only what each map lights up, and weigh the map by what it says then.

    H = the map, laid over the input and stretched from 0 to 1; weight = softmax over maps of f(H * x) - f(nothing); value =
    ReLU(sum of weight x map). Maps that are the same everywhere show nothing and get weight 0; where all are, the values
    are 0. f is the raw output if nothing else is asked for; the paper does not say whether it was a probability, which
    gives softer weights (`Target`). The softmax makes weights depend on the scale of f: with large logits one map takes all.

    Cost: maps + 1 evaluations for each record. Not for letters without care: letters that are half hidden are none, so
    the network is asked about inputs that it never saw, unless `blended` puts a background's letters there.
    Source: Wang et al. 2020, CVPR Workshops, arXiv:1910.01279.
    """

    name = "score_cam"
    title = "Score-CAM (maps weighed by what the network says of the parts that they show)"
    in_units = False
    at_once = 1

    class Settings(RectifiedLookSettings):
        """How what maps say is told, and what shows where they hide the input."""

        blended: bool = Field(
            default=False, description="the record's first background shows there, instead of zeros"
        )

    @classmethod
    def compares(cls, settings: ExplainerSettings | None) -> bool:
        """Only where a background is to show."""
        return isinstance(settings, cls.Settings) and settings.blended

    @classmethod
    def against(cls, told: Any) -> str:
        """What shows where the input is hidden."""
        return "the first background of each record" if told.blended else "an input of zeros"

    @classmethod
    def says(cls, reading: Reading, part: slice, told: Any) -> Tensor:
        """Maps weighed by what the network says of what they show, (1, *places)."""
        return _scored(reading, part, Ground(told.blended))


@explainers.register
class AblationCam(WeighsMaps):
    """Take away one map at a time, and weigh it by how much of the output is lost.

    weight of a map = (f(maps) - f(maps without it)) / |f(maps)|; value = ReLU(sum of weight x map). The paper divides by
    f(maps), which turns all signs round where the output is below zero (`divided="signed"`); the divisor only scales the
    values of a record, and where the output is 0 nothing is divided.

    Cost: one evaluation, and one of the layers behind the maps for each map. Not where maps stand in for each other: what
    one loses the other makes up, and both weigh little.
    Source: Desai & Ramaswamy 2020, WACV (Ablation-CAM: visual explanations ... via gradient-free localization).
    """

    name = "ablation_cam"
    title = "Ablation-CAM (maps weighed by what is lost without them)"
    in_units = False
    at_once = 1

    class Settings(RectifiedLookSettings):
        """How what maps say is told, and by what losses are divided."""

        divided: Divided = Field(
            default="abs", description="by the size of the answer, by the answer, or by nothing"
        )

    @classmethod
    def says(cls, reading: Reading, part: slice, told: Any) -> Tensor:
        """Maps weighed by what is lost without them, (1, *places)."""
        return _ablated(reading, part, told.divided)


@dataclass(frozen=True)
class Ground:
    """What shows where a map hides the input.

    blended: whether the record's first background does, instead of zeros, so that hidden letters are other letters
    """

    blended: bool = False


def _scored(reading: Reading, row: slice, ground: Ground) -> Tensor:
    """What places of one record say by Score-CAM, (1, *places)."""
    x, mask = reading.question.batch[reading.question.input]
    behind = background_of(reading, row.start, ground)
    with torch.no_grad():
        _, maps = reading.see(x[row], torch.tensor([row.start], device=x.device))

        def said(part: slice) -> tuple[Tensor, Tensor]:
            shown = over_places(maps[0, part], reading, row)  # (some maps, 1, *sizes)
            share = stretched(shown, None if mask is None else mask[row])[:, 0]
            return shares_seen(reading, row.start, share, behind), share.flatten(1).any(dim=1)

        answers, shows = zip(*in_chunks(maps.shape[1], rows_per_chunk(x), said), strict=True)
    score, some = torch.cat(answers), torch.cat(shows)
    weight = score.masked_fill(~some, -torch.inf).softmax(dim=0) if some.any() else torch.zeros_like(score)
    return torch.einsum("k,k...->...", weight, maps[0])[None]


def background_of(reading: Reading, record: int, ground: Ground) -> Tensor | None:
    """What shows where a record is hidden, (*shape); None for zeros."""
    background = reading.question.background
    if not ground.blended or background is None:
        return None
    x = reading.question.batch[reading.question.input].x
    return background[record, 0].to(x.dtype).clone()


def shares_seen(reading: Reading, record: int, share: Tensor, ground: Tensor | None = None) -> Tensor:
    """What the network says of a record of which only so much is shown at each place, (variants,).

    share:  (variants, *sizes) from 0 to 1, by which the input is multiplied in all channels
    ground: what shows for the rest, (*shape); None for zeros
    """
    x = reading.question.batch[reading.question.input].x[record]

    def of(part: slice) -> Tensor:
        kept = share[part, None] * x
        shown = kept if ground is None else kept + (1 - share[part, None]) * ground
        return reading.see(shown, torch.full((len(shown),), record, device=x.device))[0]

    return torch.cat(in_chunks(len(share), rows_per_chunk(x[None]), of))


def _ablated(reading: Reading, row: slice, divided: Divided) -> Tensor:
    """What places of one record say by Ablation-CAM, (1, *places)."""
    x = reading.question.batch[reading.question.input].x
    record = torch.tensor([row.start], device=x.device)
    with torch.no_grad():
        answer, maps = reading.see(x[row], record)
        number = maps.shape[1]

        def without(part: slice) -> Tensor:
            kept = maps.repeat(part.stop - part.start, *[1] * (maps.dim() - 1))
            kept[torch.arange(len(kept)), torch.arange(part.start, part.stop)] = 0
            return replay(reading, row.start, kept)

        lost = answer - torch.cat(in_chunks(number, rows_per_chunk(maps), without))
    size = {"abs": answer.abs(), "signed": answer, "none": torch.ones_like(answer)}[divided]
    weight = lost / torch.where(size == 0, 1.0, size)
    return torch.einsum("k,k...->...", weight, maps[0])[None]


def replay(reading: Reading, record: int, maps: Tensor) -> Tensor:
    """What the network says of a record with other maps, (variants,).

    maps: (variants, maps, *places). The layers before the maps are asked about the record once where nothing but its
    input reaches those behind them, and as often as there are variants elsewhere.
    """
    signals = reading.question.batch
    x = signals[reading.question.input].x[record : record + 1]
    records = torch.full((len(maps),), record, device=x.device)
    alone = len(signals) == 1 and signals[reading.question.input].mask is None
    repeated = x.expand(len(maps), *x.shape[1:])
    answer, _ = reading.see(x if alone else repeated, records, maps)
    return answer if len(answer) == len(maps) else reading.see(repeated, records, maps)[0]
