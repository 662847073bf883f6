"""XRAI: which regions hold the most attribution for their size, taken one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from bioloom.explanation import Explainer, Explanation, Question, explainers
from bioloom.explanation.gradients.integrated_gradients import integrated_gradients
from bioloom.explanation.hiding.segments import filled_places, on_places
from bioloom.explanation.hiding.superpixels import superpixels
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

WIDTHS = (6, 10, 15, 25)
"""Windows along a sequence; those wider than half of it are left out."""

AREAS = (8, 16, 32, 64, 128, 256)
"""Superpixels of a picture, from coarse to fine; not more than one for each twelve pixels."""

FINEST_STEPS = 500
"""Windows begin at every position of sequences up to this length, and are further apart on longer ones."""


@explainers.register
class Xrai(Explainer):
    """Add up Integrated Gradients over overlapping regions, and take the densest regions one after the other.

    again and again: take the region whose places not taken yet have the highest mean of a; these places get that mean

    a is the sum over channels of Integrated Gradients, of pictures from two even backgrounds (the lowest and the highest
    number of the picture), of sequences from the question's backgrounds. Regions are windows of 6, 10, 15 and 25 positions,
    or superpixels of a picture from 8 to 256. One that would add few places (half of the narrowest window; 4 pixels, or a
    three-hundredth of a picture) is left out; what no region takes at last gets its own mean. So the map is constant on
    regions, and it adds up to what Integrated Gradients adds up to; `delta` is theirs. (The paper takes the largest channel
    instead of the sum, which adds up to nothing, and segments pictures by Felzenszwalb's graph in place of superpixels.)

    Cost: that of Integrated Gradients, 32 to 512 gradients for each background, and seconds for a large picture. Do not
    use it to read single letters or pixels, nor where Integrated Gradients is wrong: it draws the same numbers larger.
    Source: Kapishnikov et al. 2019, ICCV, https://arxiv.org/abs/1906.02825.
    """

    name = "xrai"
    title = "XRAI (regions that hold the most for their size)"
    accepts = frozenset({Kind.SEQUENCE, Kind.IMAGE})
    needs_background = True
    marks = True

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Rank regions of a record by what they contribute; see `xrai`."""
        return xrai(question)


def xrai(question: Question) -> Explanation:
    """Add up Integrated Gradients over overlapping regions, and take the densest regions one after the other.

    `Xrai` says how, at what cost, and by whom.
    """
    x = question.batch[question.input].x
    asked = replace(question, progress=lambda share: question.progress(0.9 * share))
    if x.dim() == 4:
        asked = replace(asked, background=_even(x))
    found = integrated_gradients(asked)
    filled = filled_places(question)[:, 0].flatten(1).cpu().numpy()
    summed = torch.from_numpy(found.attribution).sum(dim=1).flatten(1).double().numpy()
    shared = _windows(x.shape[2]) if x.dim() == 3 else None
    least = max(1, min(WIDTHS) // 2) if x.dim() == 3 else max(4, summed.shape[1] // 300)
    value = np.zeros_like(summed)
    for row, own in enumerate(summed):
        regions = shared if shared is not None else _areas(x[row])
        value[row] = grown(own, regions & filled[row], filled[row], least)
        question.progress(0.9 + 0.1 * (row + 1) / len(summed))
    question.progress(1.0)
    return Explanation(
        attribution=on_places(question, torch.from_numpy(value)),
        method=Xrai.name,
        input=question.input,
        reference="the lowest and the highest number of each picture" if x.dim() == 4 else found.reference,
        delta=found.delta,
        settings=found.settings
        | {"regions": "superpixels" if x.dim() == 4 else "windows", "least_added": least},
    )


def grown(
    attribution: NDArray[np.float64], regions: NDArray[np.bool_], filled: NDArray[np.bool_], least: int
) -> NDArray[np.float64]:
    """The mean of each region over the places that it adds, the densest first, (places,); the sum stays.

    attribution: (places,), regions: (regions, places), filled: (places,) which places there are
    least:       places that a region must add
    """
    value, left = np.zeros(len(attribution)), filled.copy()
    size = regions.sum(axis=1)
    total = np.where(regions, attribution, 0).sum(axis=1)
    while True:
        density = np.where(size >= least, total / np.maximum(size, 1), -np.inf)
        best = int(density.argmax())
        if not np.isfinite(density[best]):
            break
        added = np.flatnonzero(regions[best] & left)
        value[added] = attribution[added].mean()
        left[added] = False
        size = size - regions[:, added].sum(axis=1)
        total = total - regions[:, added] @ attribution[added]
    if left.any():
        value[left] = attribution[left].mean()
    return value


def _even(x: Tensor) -> Tensor:
    """Two even pictures for each, of its lowest and of its highest number, (records, 2, channels, height, width)."""
    low, high = x.flatten(1).amin(dim=1), x.flatten(1).amax(dim=1)
    return torch.stack([low, high], dim=1).view(len(x), 2, 1, 1, 1).expand(-1, -1, *x.shape[1:])


def _windows(positions: int) -> NDArray[np.bool_]:
    """Windows along a sequence, (windows, positions)."""
    step = max(1, -(-positions // FINEST_STEPS))
    place, rows = np.arange(positions), []
    for width in WIDTHS:
        if 2 * width <= positions or width == min(WIDTHS):
            starts = np.arange(0, max(1, positions - width + 1), step)[:, None]
            rows.append((place >= starts) & (place < starts + width))
    return np.concatenate(rows)


def _areas(picture: Tensor) -> NDArray[np.bool_]:
    """Superpixels of a picture at all scales, (areas, pixels)."""
    pixels = picture.shape[1] * picture.shape[2]
    rows = []
    for count in AREAS:
        if 12 * count <= pixels or count == min(AREAS):
            label = superpixels(picture, count).reshape(-1).cpu().numpy()
            rows.append(label == np.arange(label.max() + 1)[:, None])
    return np.concatenate(rows)
