"""Effects of letters and pairs in a fixed gauge, so that they can be read and compared.

phi = theta_0 + sum theta_lc x_lc + sum over l < l' of theta_lcl'c' x_lc x_l'c' has many sets of effects that give the same
phi of every sequence, because one letter stands at each position: what is added to all letters of a position may be taken
from the constant, and what pairs share with a letter may move into its own effect. A gauge chooses one set, by the shares p
of letters that effects are compared with: the mean effect at each position over p is 0, and so is that of a pair over either
of its letters. Then theta_0 is the mean phi of sequences drawn from p, and letters say as much as they can by themselves.

Source: Posfai, McCandlish, Kinney (2025) doi:10.1371/journal.pcbi.1012818 (hierarchical gauges; with shares that are 0 or 1
the wild-type gauge, with equal ones the zero-sum gauge).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GAUGES = ("uniform", "consensus", "empirical")
"""Compared with: all letters that occur alike, the commonest letter, or letters as often as training records have them."""


@dataclass(frozen=True)
class Effects:
    """What letters and pairs add to phi; any further axes come first.

    constant: (...,)
    letters:  (..., letters, positions)
    pairs:    (..., letters, positions, letters, positions), 0 where the first position is not before the second;
              None where there are none
    """

    constant: Floats
    letters: Floats
    pairs: Floats | None = None

    def phi(self, x: Floats) -> Floats:
        """phi of sequences as letters, (records, letters, positions) -> (records,); for effects without further axes."""
        phi = self.constant + np.einsum("rcl,cl->r", x, self.letters)
        if self.pairs is None:
            return np.asarray(phi)
        flat = x.reshape(len(x), -1)
        table = self.pairs.reshape(flat.shape[1], flat.shape[1])
        return np.asarray(phi + ((flat @ table) * flat).sum(axis=1))

    def scaled(self, factor: float) -> Effects:
        """The same times a number."""
        pairs = None if self.pairs is None else self.pairs * factor
        return Effects(self.constant * factor, self.letters * factor, pairs)


def around(effects: Effects, centre: Floats) -> Effects:
    """Effects on letters themselves, from effects on letters minus a centre, (letters, positions)."""
    constant = effects.constant - np.einsum("...cl,cl->...", effects.letters, centre)
    if effects.pairs is None:
        return Effects(constant, effects.letters, None)
    ahead = np.einsum("...clem,em->...cl", effects.pairs, centre)
    behind = np.einsum("...clem,cl->...em", effects.pairs, centre)
    constant = constant + np.einsum("...cl,cl->...", ahead, centre)
    return Effects(constant, effects.letters - ahead - behind, effects.pairs)


def shares_of(gauge: str, seen: Floats) -> Floats:
    """The shares of letters, (letters, positions), that a gauge compares with.

    seen: how often training records have each letter at each position, adding up to 1 at each
    """
    if gauge == "uniform":  # of letters that nobody has seen nothing is known
        return np.asarray((seen > 0) / (seen > 0).sum(axis=0))
    if gauge == "consensus":
        return np.asarray(np.arange(len(seen))[:, None] == seen.argmax(axis=0), dtype=np.float64)
    return seen


def in_gauge(effects: Effects, shares: Floats) -> Effects:
    """The same phi for every sequence with one letter at each position, by effects whose means over `shares` are 0.

    shares: (letters, positions), adding up to 1 at each position
    """
    letters, constant, pairs = effects.letters, effects.constant, effects.pairs
    if pairs is not None:
        ahead = np.einsum("...clem,em->...clm", pairs, shares)  # mean over the later letter
        behind = np.einsum("...clem,cl->...lem", pairs, shares)  # mean over the earlier letter
        both = np.einsum("...clm,cl->...lm", ahead, shares)
        later = np.triu(np.ones((shares.shape[1], shares.shape[1])), 1)
        pairs = pairs - ahead[..., :, :, None, :] - behind[..., None, :, :, :] + both[..., None, :, None, :]
        pairs = pairs * later[:, None, :]
        letters = letters + ahead.sum(axis=-1) + behind.sum(axis=-3)
        letters = letters - (both.sum(axis=-1) + both.sum(axis=-2))[..., None, :]
        constant = constant + both.sum(axis=(-2, -1))
    mean = (letters * shares).sum(axis=-2)
    return Effects(constant + mean.sum(axis=-1), letters - mean[..., None, :], pairs)
