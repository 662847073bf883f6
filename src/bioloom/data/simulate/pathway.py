"""Counts of genes in two conditions: the genes of one pathway are higher in one of them, all others are not.

Counts are negative binomial around a mean that depends on the gene, the depth of the library and a batch, as in
Love, Huber, Anders (2014) doi:10.1186/s13059-014-0550-8: variance = mean + dispersion * mean^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bioloom.data.records import Records
from bioloom.data.simulate import Made, Simulator, simulators

DISPERSION = 0.15
"""Of counts around their mean: replicates of cultures have 0.05, samples of people 0.2 to 0.4."""

FOLD = 2.2
"""How many times as high the genes of the pathway are in the condition, on average over its records."""


@dataclass(frozen=True)
class Pathway:
    """Simulated counts: the names of all genes, those of the pathway, and the records with the input `expression`."""

    genes: tuple[str, ...]
    pathway: frozenset[str]
    records: Records
    batch: tuple[str, ...]


def simulate(n: int, seed: int, genes: int = 1_000, size: int = 8) -> Pathway:
    """Counts of some genes in n records, half of them treated; `size` genes answer to the treatment together."""
    random = np.random.default_rng(seed)
    names = tuple(f"gene_{number + 1}" for number in range(genes))
    usual = random.lognormal(4.0, 1.2, size=genes)
    chosen = random.choice(np.flatnonzero(usual > np.quantile(usual, 0.3)), size=size, replace=False)
    treated = random.permutation(np.arange(n) % 2).astype(bool)
    batch = random.integers(0, 3, size=n)
    shift = random.normal(0, 0.15, size=(3, genes))
    depth = random.lognormal(0.0, 0.4, size=n)
    effect = np.zeros((n, genes))
    activity = np.log(FOLD) * treated * random.normal(1.0, 0.25, size=n)  # the pathway moves as one
    effect[:, chosen] = activity[:, None] * random.uniform(0.6, 1.4, size=size)
    mean = depth[:, None] * usual * np.exp(effect + shift[batch])
    counts = random.poisson(mean * random.gamma(1 / DISPERSION, DISPERSION, size=mean.shape))
    records = Records(
        ids=np.array([f"sample{number + 1}" for number in range(n)], dtype=object),
        inputs={"expression": pd.DataFrame(counts.astype(np.float32), columns=list(names))},
        targets=pd.DataFrame({"condition": np.where(treated, "treated", "control")}),
        lines=np.arange(n, dtype=np.int64) + 2,
    )
    return Pathway(
        names, frozenset(names[place] for place in chosen), records, tuple(f"plate{b + 1}" for b in batch)
    )


def _make(records: int, seed: int) -> Made:
    made = simulate(records, seed)
    found = made.records
    frame = found.inputs["expression"].astype(np.int64)
    frame.insert(0, "id", found.ids)
    frame.insert(1, "condition", found.targets["condition"])
    frame.insert(2, "batch", list(made.batch))
    return Made(frame, {"pathway": sorted(made.pathway), "fold": FOLD})


simulators.register(
    Simulator(
        name="pathway",
        title="counts of 1,000 genes in two conditions; eight genes of one pathway answer to the treatment",
        target="condition",
        task="binary",
        make=_make,
        source="negative binomial counts, Love et al. (2014) doi:10.1186/s13059-014-0550-8",
    )
)
