"""Is a restored profile nearer to the truth? Asked of molecules that were held out of each cell.

Every molecule goes to one of two halves by chance, 9 of 10 to the first: a model reads the first and says which genes
the others belong to. These are fresh draws from the same cell, so whatever says them better is nearer to what the cell
holds. Source: Batson, Royer, Webber (2019) Molecular cross-validation for single-cell RNA-seq, doi:10.1101/786269.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

READ = 0.9
"""Share of the molecules that a model reads."""

DRAWS = 1_000

COMPONENTS = (2, 5, 10, 20, 40)
"""Numbers of principal components that are tried."""

BLENDS = (0.02, 0.1, 0.3, 0.6)
"""Shares of the mean profile that are mixed in, so that no gene is impossible."""


def thin(counts: Floats, seed: int, read: float = READ) -> tuple[Floats, Floats]:
    """The molecules of each cell in two parts, by chance: those that are read, and those that are asked for."""
    kept = np.random.default_rng(seed).binomial(counts.astype(np.int64), read).astype(np.float32)
    return kept, counts - kept


def mean_profile(counts: Floats) -> NDArray[np.float64]:
    """The share of each gene in all molecules, (genes,); one molecule is added to each, so that none is 0."""
    total = counts.sum(axis=0, dtype=np.float64) + 1
    return np.asarray(total / total.sum())


def own_profile(counts: Floats, mean: NDArray[np.float64], weight: float) -> Floats:
    """What a cell counted itself, with some molecules of the mean profile, (cells, genes)."""
    both = counts + weight * mean
    return np.asarray(both / both.sum(axis=1, keepdims=True), dtype=np.float32)


def low_rank(counts: Floats, new: Floats, mean: NDArray[np.float64], settings: tuple[int, float]) -> Floats:
    """Profiles restored from a few principal components of the logarithms, (new cells, genes).

    counts: (cells, genes) what is learned from; new: what is restored; settings: components, and share of the mean
    """
    from sklearn.utils.extmath import randomized_svd

    components, blend = settings
    usual = float(np.median(counts.sum(axis=1)))
    logs, asked = _logs(counts, usual), _logs(new, usual)
    centre = logs.mean(axis=0)
    _, _, rows = randomized_svd(
        logs - centre, n_components=min(components, min(logs.shape) - 1), random_state=0
    )
    found = np.expm1(np.maximum(centre + (asked - centre) @ rows.T @ rows, 0))
    total = found.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, found / np.where(total > 0, total, 1), mean)
    return np.asarray((1 - blend) * shares + blend * mean, dtype=np.float32)


def _logs(counts: Floats, usual: float) -> Floats:
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.log1p(counts / np.maximum(total, 1) * usual), dtype=np.float32)


@dataclass(frozen=True)
class Told:
    """How well profiles say held-out molecules.

    gain:      (cells,) bits that each cell's held-out molecules become likelier than under the mean profile
    molecules: (cells,) held-out molecules
    """

    gain: NDArray[np.float64]
    molecules: NDArray[np.float64]

    @property
    def value(self) -> float:
        """Bits per held-out molecule."""
        return float(self.gain.sum() / max(1.0, self.molecules.sum()))

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """95 % interval of the bits per molecule, from bootstrap samples of cells."""
        return _interval(self.gain, self.molecules, seed)

    def beside(self, other: Told, seed: int = 0) -> tuple[float, float, float]:
        """How many more bits per molecule than another model, with a 95 % interval of the difference."""
        low, high = _interval(self.gain - other.gain, self.molecules, seed)
        return self.value - other.value, low, high


def told(profiles: NDArray[np.floating], held: Floats, mean: NDArray[np.float64]) -> Told:
    """Score profiles, (cells, genes), on held-out counts."""
    likely = np.log2(np.maximum(profiles, 1e-12)) - np.log2(mean)
    return Told((held * likely).sum(axis=1, dtype=np.float64), held.sum(axis=1, dtype=np.float64))


def _interval(gain: NDArray[np.float64], molecules: NDArray[np.float64], seed: int) -> tuple[float, float]:
    random = np.random.default_rng(seed)
    drawn = random.integers(0, len(gain), (DRAWS, len(gain)))
    values = gain[drawn].sum(axis=1) / np.maximum(molecules[drawn].sum(axis=1), 1)
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def choose_low_rank(counts: Floats, seed: int) -> tuple[int, float]:
    """Components and share of the mean that say molecules best which are held out of those that may be read."""
    read, asked = thin(counts, seed)
    mean = mean_profile(read)
    tried = [
        (components, blend) for components in COMPONENTS if components < min(counts.shape) for blend in BLENDS
    ]
    pure = {components: low_rank(read, read, mean, (components, 0.0)) for components, _ in tried}
    scores = [
        told((1 - blend) * pure[components] + blend * mean, asked, mean).value for components, blend in tried
    ]
    return tried[int(np.argmax(scores))]


def choose_own(counts: Floats, seed: int) -> float:
    """How many molecules of the mean profile to add to a cell's own counts, chosen in the same way."""
    read, asked = thin(counts, seed)
    mean = mean_profile(read)
    tried = [10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0]
    scores = [told(own_profile(read, mean, weight), asked, mean).value for weight in tried]
    return tried[int(np.argmax(scores))]
