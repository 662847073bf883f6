"""Class activation maps: the weights of the last layer, laid over the maps that it reads the means of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from bioloom.errors import UserError
from bioloom.explanation import explainers
from bioloom.explanation.maps.look import Reading, Seen
from bioloom.explanation.maps.weighing import WeighsMaps

if TYPE_CHECKING:
    from torch import Tensor

_SHARE = 1e-3
"""How far, as a share of the answer's size, a head may be from a weighted sum of means for it to count as one."""


@explainers.register
class ClassActivationMap(WeighsMaps):
    """Weigh the last maps by the weights with which the network weighs their means.

    value(place) = sum over maps of W[output, map] x map(place), negative values kept as in the paper. The mean over the
    places of the maps is the output less its bias. Defined only where the maps are averaged over all places and the means
    are added up with weights; that is tried on each record, by asking about other maps, and not taken from the names of
    layers. With `Grad-CAM` there is no such condition: it equals CAM divided by the number of places where CAM is defined.

    Cost: one evaluation and its gradient for each record, and three evaluations of the head. Not for networks with
    another head, which are refused.
    Source: Zhou et al. 2016, CVPR, arXiv:1512.04150.
    """

    name = "cam"
    title = "CAM (maps weighed as the last layer weighs their means)"
    in_units = False

    @classmethod
    def says(cls, reading: Reading, part: slice, told: Any) -> Tensor:
        """Maps weighed as the last layer weighs their means; UserError where the head is another one."""
        seen = reading.sloped(part)
        if not _weighs_means(reading, part, seen):
            raise UserError(
                "CAM is defined for networks that average their maps and add up the means with weights, and this is none.",
                where=f'network "{reading.question.network.name}"',
                fix="use grad_cam or hires_cam, which need no such network",
            )
        places = seen.maps[0, 0].numel()
        return places * (seen.gradient.mean(dim=seen.axes, keepdim=True) * seen.maps).sum(dim=1)


def _weighs_means(reading: Reading, part: slice, seen: Seen) -> bool:
    """Whether the head adds up the means of maps with weights: it says so of maps far from those that it got.

    Tried are no maps at all, the maps turned around along all places and made twice as large, and other records' maps.
    """
    x = reading.question.batch[reading.question.input].x[part]
    record = torch.arange(part.start, part.stop, device=x.device)
    # (records, maps); alike at all places, if it is what it should be
    weight = seen.gradient.sum(dim=seen.axes)

    def of_means(maps: Tensor) -> Tensor:
        return (weight * (maps - seen.maps).mean(dim=seen.axes)).sum(dim=1) + seen.answer

    tried = [torch.zeros_like(seen.maps), 2 * seen.maps.flip(seen.axes), seen.maps.roll(1, 0).flip(1)]
    with torch.no_grad():
        said = torch.stack([reading.see(x, record, maps)[0] for maps in tried])
    expected = torch.stack([of_means(maps) for maps in tried])
    size = torch.stack([said, expected, seen.answer.expand_as(said)]).abs().amax()
    return bool((said - expected).abs().amax() <= _SHARE * size)
