"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from typing import ClassVar

from bioloom.training.optimisers import optimisers
from bioloom.training.optimisers.adam import Adam


@optimisers.register
class AdamW(Adam):
    """Adam whose weights decay by a share of their own: the default.

    m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;
    w <- w - a decay w - a (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon), with b1 = 0.9, b2 = 0.99.
    Source: Loshchilov, Hutter (2019) arXiv:1711.05101.
    """

    name = "adamw"
    title = "AdamW"
    decay = 0.01
    betas: ClassVar[tuple[float, float]] = (0.9, 0.99)
