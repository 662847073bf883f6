"""Grad-CAM: which places of the last maps of a network speak for an output, and how strongly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from bioloom.explanation import Explainer, Explanation, Question, explainers
from bioloom.explanation.engine import chosen, in_chunks, rows_per_chunk, untouched
from bioloom.modalities import Kind, Signal
from bioloom.models import Network, apply
from bioloom.models.ensemble import members_of

if TYPE_CHECKING:
    from torch import Tensor


@explainers.register
class GradCam(Explainer):
    """Grad-CAM; see `grad_cam`."""

    name = "grad_cam"
    title = "Grad-CAM (where the last maps speak for it)"
    accepts = frozenset({Kind.IMAGE})

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to places; see `grad_cam`."""
        return grad_cam(question)


def grad_cam(question: Question) -> Explanation:
    """Weigh each of the last maps by the mean gradient of the output with respect to it, and add them up.

    value(place) = sum over maps of map(place) x mean over all places of d output / d map. Where a network averages
    its maps and weighs the means, as a residual network does, these values add up to the output less its bias: the
    contribution of each place. They are spread over the pixels that a place stands for, smoothly, and evenly over the
    channels. Other than in the paper negative values are kept: they speak against the output. Of several networks the
    mean is taken. A network that keeps no maps is looked at where it takes the picture in: pixel times gradient.

    Cost: one evaluation and its gradient for each record. It is as coarse as the last maps are (7 x 7 places of a
    picture of 28 x 28), and says nothing of what the layers below them looked at.
    Source: Selvaraju et al. 2017, ICCV, arXiv:1610.02391; that it is faithful after averaging, Draelos & Carin 2020,
    arXiv:2011.08891.
    """
    x, _ = question.batch[question.input]

    def contributed(part: slice) -> Tensor:
        maps = [_contributions(member, question, part) for member in members_of(question.network)]
        question.progress(part.stop / len(x))
        return torch.stack(maps).mean(dim=0)

    with untouched(question.network, question.seed, x.device), torch.enable_grad():
        value = torch.cat(in_chunks(len(x), rows_per_chunk(x), contributed))
    question.progress(1.0)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=GradCam.name,
        input=question.input,
        reference="maps that are zero",
        settings={"places": int(value[0, 0].numel())},
    )


def _contributions(network: Network, question: Question, part: slice) -> Tensor:
    """What each pixel contributes to the output of one network, (records, channels, height, width)."""
    batch = {name: _some(signal, part) for name, signal in question.batch.items()}
    x = batch[question.input].x.detach().requires_grad_()
    batch[question.input] = Signal(x, batch[question.input].mask)
    rows = torch.arange(part.start, part.stop, device=x.device)
    output = chosen(question, apply(network, batch), batch, rows).sum()
    maps = _maps(network)
    if maps is None:
        (gradient,) = torch.autograd.grad(output, x)
        return (gradient * x).detach()
    (gradient,) = torch.autograd.grad(output, maps)
    weight = gradient.mean(dim=(2, 3), keepdim=True)
    value = (weight * maps).sum(dim=1, keepdim=True).detach()  # (records, 1, rows, columns)
    return on_pixels(value, (x.shape[2], x.shape[3])).expand_as(x) / x.shape[1]


def _some(signal: Signal, part: slice) -> Signal:
    return Signal(signal.x[part], None if signal.mask is None else signal.mask[part])


def _maps(network: Network) -> Tensor | None:
    """The last maps of places that a network keeps, (records, maps, rows, columns)."""
    maps = getattr(network, "features", None)
    return maps if isinstance(maps, torch.Tensor) and maps.dim() == 4 and maps.requires_grad else None


def on_pixels(value: Tensor, size: tuple[int, int]) -> Tensor:
    """Values of places spread smoothly over the pixels that they stand for, (records, 1, *size).

    The sum of a record stays the same where places are squares of whole pixels.
    """
    smooth = F.interpolate(value, size=size, mode="bilinear", align_corners=False)
    return smooth * (value.shape[2] * value.shape[3] / (size[0] * size[1]))
