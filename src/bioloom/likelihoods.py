"""How likely counts are, for networks that restore counts of molecules: negative binomial with further zeros.

A count x of gene g in cell c has the mean mu = (molecules of the cell) * (share of the gene), and

    P(x) = pi [x = 0] + (1 - pi) NB(x; mu, theta),  variance of NB = mu + mu^2 / theta

Sources: Eraslan et al. (2019) doi:10.1038/s41467-018-07931-2; Lopez et al. (2018) doi:10.1038/s41592-018-0229-2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.losses import LossOptions
from bioloom.targets import Targets
from bioloom.tasks import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

PARTS = 3
"""Numbers that a network gives for each gene: of its share, of its dispersion, of further zeros."""

LEAST, MOST = 1e-3, 1e4
"""The dispersion theta stays within these; above, counts are Poisson."""


def zinb_loss(raw: Tensor, counts: Tensor, mask: Tensor | None, weight: Tensor | None) -> Tensor:
    """Mean negative log-likelihood of counts, per gene and cell.

    raw:    (cells, 3 x genes) scores of the shares (a softmax makes them add up to 1), log theta, logits of pi
    counts: (cells, genes) whole numbers
    """
    import torch
    import torch.nn.functional as F

    del mask  # every count is known

    share, spread, zero = raw.chunk(PARTS, dim=1)
    total = counts.sum(dim=1, keepdim=True)
    log_mu = (share.log_softmax(dim=1) + total.clamp(min=1).log()).clamp(min=-20)
    theta = F.softplus(spread + 2).clamp(LEAST, MOST)  # begins near 2, where shares are not yet known
    log_both = torch.logaddexp(theta.log(), log_mu)
    log_nb = (
        torch.lgamma(counts + theta) - torch.lgamma(theta) - torch.lgamma(counts + 1)
        + theta * (theta.log() - log_both) + counts * (log_mu - log_both)
    )  # fmt: skip
    zero = zero - 3  # begins at 5 % further zeros
    log_zero = torch.logaddexp(F.logsigmoid(zero), F.logsigmoid(-zero) + log_nb)
    likely = torch.where(counts < 0.5, log_zero, F.logsigmoid(-zero) + log_nb)
    cells = -likely.mean(dim=1)
    return cells.mean() if weight is None else (cells * weight).sum() / weight.sum()


def shares_of(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """The share of each gene in the molecules of a cell, (cells, genes), from (cells, 3 x genes)."""
    score = raw[:, : raw.shape[1] // PARTS]
    high = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray(high / high.sum(axis=1, keepdims=True), dtype=np.float32)


def _shares(raw: NDArray[np.float32], targets: Targets) -> NDArray[np.float32]:
    del targets
    return shares_of(raw)


def _unchanged(
    options: LossOptions, raw: Tensor, counts: Tensor, mask: Tensor | None, weight: Tensor | None
) -> Tensor:
    del options
    return zinb_loss(raw, counts, mask, weight)


COUNTS = Task(
    name="counts",
    title="restoration of counts (learn which genes rise and fall together)",
    loss=zinb_loss,
    options=(),
    changed=_unchanged,
    activate=_shares,
    metrics=("log_loss",),
    simple="pca",
    rivals=("trivial", "simple"),
    network="autoencoder",
)
"""Counts from counts: used by `bioloom denoise`, which splits molecules and not records, so it is no task of `train`."""
