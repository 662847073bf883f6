"""Pictures out of focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def blurred(x: Tensor, width: float) -> Tensor:
    """Each picture seen through a Gaussian of this standard deviation in pixels, (records, channels, height, width).

    At the edges the picture goes on as its last row and column.
    """
    import torch
    import torch.nn.functional as F

    reach = max(1, min(round(3 * width), min(x.shape[-2:]) * 2))
    steps = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    weight = torch.exp(-(steps**2) / (2 * width**2))
    weight = weight / weight.sum()
    flat = x.reshape(-1, 1, *x.shape[-2:])
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode="replicate"), weight.view(1, 1, 1, -1))
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), mode="replicate"), weight.view(1, 1, -1, 1))
    return flat.view_as(x)
