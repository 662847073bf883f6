"""Grad-CAM and its kin: which places of the maps of a network speak for an output, told from one gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from bioloom.explanation import Explanation, Question, explainers
from bioloom.explanation.engine import between_letters, where_filled
from bioloom.explanation.gradients.saliency import slopes
from bioloom.explanation.maps.look import (
    NoMapsError,
    Reading,
    RectifiedLookSettings,
    Seen,
    interpolated,
)
from bioloom.explanation.maps.weighing import WeighsMaps

if TYPE_CHECKING:
    from torch import Tensor


@explainers.register
class GradCam(WeighsMaps):
    """Weigh each of the last maps by the mean gradient of the output with respect to it, and add them up.

    value(place) = sum over maps of map(place) x mean over all places of d output / d map. Where a network averages
    its maps and weighs the means, as a residual network does, these values add up to the output less its bias: the
    contribution of each place. They are spread over the pixels or positions that a place stands for, smoothly. Other than
    in the paper negative values are kept: they speak against the output (`relu` leaves them out). Of several
    networks the mean is taken. A network that keeps no maps is looked at where it takes the record in: input x gradient.

    Cost: one evaluation and its gradient for each record. It is as coarse as the last maps are (7 x 7 places of a
    picture of 28 x 28), and says nothing of what the layers below them looked at. Not where the head of the network tells
    places apart, as one that flattens does: their mean gradient then says nothing of any of them; `hires_cam` does.
    Source: Selvaraju et al. 2017, ICCV, arXiv:1610.02391; that it is faithful after averaging, Draelos & Carin 2020,
    arXiv:2011.08891.
    """

    name = "grad_cam"
    title = "Grad-CAM (where the last maps speak for it)"
    refuses = False
    compared = True

    @classmethod
    def says(cls, reading: Reading, part: slice, told: Any) -> Tensor:
        """Maps weighed by the mean of their gradients, (records, *places)."""
        return mean_gradients(reading.sloped(part))

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to places, or to the input itself where there are no maps and no layer is named."""
        try:
            return super().explain(question)
        except NoMapsError:
            if question.layer:
                raise
        x, mask = question.batch[question.input]
        value = where_filled(between_letters(slopes(question), x) * x, mask)
        return Explanation(
            attribution=value.float().cpu().numpy(),
            method=cls.name,
            input=question.input,
            reference="an input that is zero",
            settings={"layer": "the input", "places": int(x[0, 0].numel())},
        )


@explainers.register
class HiResCam(WeighsMaps):
    """Multiply each map by its gradient, place by place, and add the maps up.

    value(place) = sum over maps of map(place) x d output / d map(place), negative values kept. Where the head of a network
    is a weighted sum of all places of all maps, these values add up to the output less its bias.

    Cost: one evaluation and its gradient for each record. Not for finer detail than the maps have.
    Source: Draelos & Carin 2020, arXiv:2011.08891.
    """

    name = "hires_cam"
    title = "HiResCAM (what each place of the last maps contributes)"

    @classmethod
    def says(cls, reading: Reading, part: slice, told: Any) -> Tensor:
        """Maps weighed place by place, (records, *places)."""
        return own_gradients(reading.sloped(part))


@explainers.register
class GradCamPlusPlus(WeighsMaps):
    """Grad-CAM with weights that do not shrink where a map answers at few places, or at several alike.

    weight of a map = sum over places of a(place) x ReLU(g(place)); g = d output / d map, a = g^2 / (2 g^2 + S g^3), S the
    sum of the map over all places; a = 0 where g or the divisor is 0. value = ReLU(sum of weight x map). (The paper takes
    the exponential of the output, which multiplies all values of a record by one number.)

    Cost: one evaluation and its gradient for each record. Not for what speaks against an output, and not for adding up.
    Source: Chattopadhay et al. 2018, WACV, arXiv:1710.11063, equation 19.
    """

    name = "grad_cam_plus_plus"
    title = "Grad-CAM++ (Grad-CAM that counts several places of one kind)"

    class Settings(RectifiedLookSettings):
        """How what maps say is told."""

    @classmethod
    def says(cls, reading: Reading, part: slice, told: Any) -> Tensor:
        """Maps with these weights, (records, *places); g^2 is cancelled, because it is 0 in floating point long before g is."""
        seen = reading.sloped(part)
        divisor = 2 + seen.maps.sum(dim=seen.axes, keepdim=True) * seen.gradient
        some = (seen.gradient != 0) & (divisor != 0)
        share = torch.where(some, 1 / torch.where(some, divisor, 1.0), 0.0)
        weight = (share * seen.gradient.relu()).sum(dim=seen.axes, keepdim=True)
        return (weight * seen.maps).sum(dim=1)


@explainers.register
class LayerCam(WeighsMaps):
    """Multiply each map by its gradient where that is positive, and add the maps up; also for layers before the last.

    value(place) = ReLU(sum over maps of ReLU(d output / d map(place)) x map(place)).

    Cost: one evaluation and its gradient for each record. Not for what speaks against an output: it is left out place by
    place, so that much of what is shown may cancel in the network.
    Source: Jiang et al. 2021, IEEE Transactions on Image Processing 30:5875.
    """

    name = "layer_cam"
    title = "Layer-CAM (what speaks for it at each place, finer than Grad-CAM)"

    class Settings(RectifiedLookSettings):
        """How what maps say is told."""

    @classmethod
    def says(cls, reading: Reading, part: slice, told: Any) -> Tensor:
        """Maps weighed place by place where this speaks for the output, (records, *places)."""
        seen = reading.sloped(part)
        return (seen.gradient.relu() * seen.maps).sum(dim=1)


def mean_gradients(seen: Seen) -> Tensor:
    """Maps weighed by the mean of their gradients, (records, *places)."""
    weight = seen.gradient.mean(dim=seen.axes, keepdim=True)
    return (weight * seen.maps).sum(dim=1)


def own_gradients(seen: Seen) -> Tensor:
    """Maps weighed place by place, (records, *places)."""
    return (seen.gradient * seen.maps).sum(dim=1)


def on_pixels(value: Tensor, size: tuple[int, int]) -> Tensor:
    """Values of places spread smoothly over the pixels that they stand for, (records, 1, *size).

    The sum of a record stays the same where places are squares of whole pixels.
    """
    return interpolated(value, size) * (value.shape[2] * value.shape[3] / (size[0] * size[1]))
