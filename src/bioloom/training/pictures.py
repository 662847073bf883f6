"""Pictures changed at random while they are learned from: mirrored, turned, cropped, moved, bent, recoloured.

Each record of a batch is changed in its own way, on the device, in one pass of interpolation whatever is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

BENDS = 5
"""Points along each side of a picture that are moved by themselves; what lies between follows smoothly."""


@dataclass(frozen=True)
class Moves:
    """How the places of a picture may move.

    rotation: degrees by which it is turned at most, to either side
    crop:     share of height and width that is cut away at most; the rest is stretched to the whole
    shift:    pixels by which it is moved at most, to any side
    elastic:  pixels by which its parts are moved against each other, as a standard deviation
    """

    rotation: float = 0.0
    crop: float = 0.0
    shift: int = 0
    elastic: float = 0.0


def mirrored(x: Tensor, *, sideways: bool, upside_down: bool) -> Tensor:
    """Half of the pictures mirrored left to right, half (by another draw) top to bottom, (records, channels, h, w)."""
    for wanted, axis in ((sideways, 3), (upside_down, 2)):
        if wanted:
            hit = torch.rand(len(x), device=x.device) < 0.5
            x = torch.where(hit[:, None, None, None], x.flip(axis), x)
    return x


def moved_about(x: Tensor, moves: Moves) -> Tensor:
    """Each picture turned, cropped, moved and bent by its own draw, (records, channels, height, width).

    What comes in from outside is the picture reflected at its edge. Bending as in Simard, Steinkraus, Platt (2003)
    doi:10.1109/ICDAR.2003.1227801, with few bends that are large.
    """
    grid = F.affine_grid(_affine(x, moves), list(x.shape), align_corners=False)  # (records, height, width, 2)
    if moves.elastic:
        grid = grid + _bends(x, moves.elastic)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _affine(x: Tensor, moves: Moves) -> Tensor:
    """Where each new place looks in the old picture, (records, 2, 3), in halves of width and height."""
    records, _, height, width = x.shape
    angle = _even(x, records) * math.radians(moves.rotation)
    scale = 1 - torch.rand(records, device=x.device) * moves.crop
    aspect = height / width
    across = torch.stack([angle.cos() * scale, -angle.sin() * scale * aspect], dim=1)
    down = torch.stack([angle.sin() * scale / aspect, angle.cos() * scale], dim=1)
    room = (1 - scale)[:, None] * _even(x, records, 2)  # the crop lies anywhere
    pixels = torch.round(_even(x, records, 2) * (moves.shift + 0.5) * 0.999999)
    place = room + 2 * pixels / x.new_tensor([width, height])
    return torch.cat([torch.stack([across, down], dim=1), place[:, :, None]], dim=2)


def _bends(x: Tensor, size: float) -> Tensor:
    """How far each place is moved, (records, height, width, 2), in halves of width and height."""
    coarse = torch.randn(len(x), 2, BENDS, BENDS, device=x.device) * size
    smooth = F.interpolate(coarse, size=x.shape[2:], mode="bicubic", align_corners=True)
    return smooth.permute(0, 2, 3, 1) * 2 / x.new_tensor([x.shape[3], x.shape[2]])


def recoloured(x: Tensor, strength: float) -> Tensor:
    """Each picture brighter or darker, and richer or poorer in contrast; colours shift against each other by half.

    x: (records, channels, height, width) in standard deviations of the training pictures; strength: by so many of them,
    and by a factor of up to e to that power
    """
    records, channels = x.shape[:2]
    contrast = torch.exp(_even(x, records, 1) * strength)
    light = _even(x, records, 1) * strength
    if channels > 1:
        contrast = contrast * torch.exp(_even(x, records, channels) * strength / 2)
        light = light + _even(x, records, channels) * strength / 2
    mean = x.mean(dim=(2, 3), keepdim=True)
    return (x - mean) * contrast[:, :, None, None] + mean + light[:, :, None, None]


def _even(x: Tensor, *size: int) -> Tensor:
    """Numbers drawn evenly from -1 to 1."""
    return torch.rand(*size, device=x.device) * 2 - 1
