"""Superpixels: areas of a picture that are near in place and alike in colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

ROUNDS = 8
COMPACT = 0.5
"""How much a distance of one square's width counts beside one standard deviation of colour."""


def superpixels(picture: Tensor, count: int) -> Tensor:
    """About so many areas of one picture, as the number of the area of each pixel, (height, width).

    picture: (channels, height, width)
    k-means of colour and place, begun on a grid of squares (Achanta et al. 2012, IEEE Transactions on Pattern Analysis and
    Machine Intelligence 34:2274, without its restriction to near centres and without joining what falls apart). An area
    may be in several pieces; one that loses all its pixels is left out.
    """
    channels, height, width = picture.shape
    side = max(1.0, (height * width / count) ** 0.5)
    down, across = torch.meshgrid(
        torch.arange(height, device=picture.device), torch.arange(width, device=picture.device), indexing="ij"
    )
    place = torch.stack([down, across], dim=2).reshape(-1, 2).double() * (COMPACT / side)
    colour = picture.reshape(channels, -1).T.double()
    colour = (colour - colour.mean(dim=0)) / colour.std(dim=0, correction=0).mean().clamp(min=1e-9)
    seen = torch.cat([colour, place], dim=1)  # (pixels, channels + 2)
    label = ((down / side).long() * (int(width / side) + 1) + (across / side).long()).reshape(-1)
    for _ in range(ROUNDS):
        _, label = torch.unique(label, return_inverse=True)
        size = torch.bincount(label)
        centre = seen.new_zeros(len(size), seen.shape[1]).index_add_(0, label, seen) / size[:, None]
        nearest = torch.cdist(seen, centre, compute_mode="donot_use_mm_for_euclid_dist").argmin(dim=1)
        if torch.equal(nearest, label):
            break
        label = nearest
    _, label = torch.unique(label, return_inverse=True)
    return torch.as_tensor(label).view(height, width)
