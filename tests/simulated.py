"""Small simulated data for tests of networks and training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bioloom.data.simulate.motif import PERCENT
from bioloom.modalities import Encoded, Kind
from bioloom.modalities.encoded import ColumnEncoded, NumberedEncoded, TokenEncoded
from bioloom.modalities.graphs import Graph, GraphEncoded, Layout
from bioloom.modalities.raster import PictureEncoded
from bioloom.models import networks
from bioloom.tasks import TASKS
from bioloom.training.job import Job
from bioloom.training.plan import Plan

STEADY = Plan(
    epochs=4, batch_size=32, learning_rate=3e-3, weight_decay=0.01, patience=4, clip=1.0, precision="float32"
)


def sequences(tokens: NDArray[np.uint8], lengths: NDArray[np.int32] | None = None) -> TokenEncoded:
    """Tokens 0 to 3 as one-hot letters."""
    full = np.full(len(tokens), tokens.shape[1], dtype=np.int32)
    return TokenEncoded(tokens, full if lengths is None else lengths, np.eye(4, dtype=np.float32))


def course(seed: int, count: int = 1000) -> tuple[TokenEncoded, NDArray[np.float32]]:
    """The course's data in random order: `count` sequences of 20 nt with the motif at 7, `count` without."""
    random = np.random.default_rng(seed)
    tokens = random.integers(0, 4, (2 * count, 20)).astype(np.uint8)
    for offset, shares in enumerate((PERCENT / PERCENT.sum(axis=0)).T):
        tokens[:count, 7 + offset] = random.choice(4, count, p=shares)
    labels = np.repeat([1.0, 0.0], count).astype(np.float32)
    order = random.permutation(2 * count)
    return sequences(tokens[order]), labels[order, None]


def regression(seed: int, count: int = 240) -> tuple[dict[str, Encoded], NDArray[np.float32]]:
    """A sequence of 16 nt and a table of 3 columns; the target is the share of A plus the first column."""
    random = np.random.default_rng(seed)
    tokens = random.integers(0, 4, (count, 16)).astype(np.uint8)
    columns = random.normal(size=(count, 3)).astype(np.float32)
    target = 8 * ((tokens == 0).mean(axis=1) - 0.25) + columns[:, 0] + 0.1 * random.normal(size=count)
    truth = ((target - target.mean()) / target.std()).astype(np.float32)
    return {"sequence": sequences(tokens), "table": ColumnEncoded(columns)}, truth[:, None]


def job(network: str = "mlp", **changes: object) -> Job:
    """A small regression: 160 training and 60 validation records of `regression(0)`."""
    inputs, truth = regression(0)
    if network != "fusion":
        inputs = {"sequence": inputs["sequence"]}
    small = Job(
        network=network,
        settings={},
        outputs=1,
        inputs=inputs,
        truth=truth,
        weight=np.ones(len(truth), dtype=np.float32),
        train=np.arange(160),
        validation=np.arange(160, 220),
        task=TASKS["regression"],
        plan=STEADY,
        threads=1,
    )
    return replace(small, **changes)  # type: ignore[arg-type]


def other_input(kind: Kind, count: int = 24) -> Encoded:
    """Records of another kind than sequences, of random content: pictures of 16 x 16, texts, graphs of 8 nodes, columns."""
    random = np.random.default_rng(3)
    if kind is Kind.IMAGE:
        pixels = random.integers(0, 256, (count, 1, 16, 16)).astype(np.uint8)
        return PictureEncoded(pixels, np.full(1, 128, np.float32), np.full(1, 64, np.float32))
    if kind is Kind.TOKENS:
        tokens = random.integers(1, 6, (count, 12)).astype(np.int16)
        return NumberedEncoded(tokens, np.full(count, 12, dtype=np.int32), 6)
    if kind is Kind.GRAPH:
        layout = Layout(nodes=8, features=4, neighbours=2, numbers=1)
        ring = np.stack([np.roll(np.arange(8), 1), np.roll(np.arange(8), -1)], axis=1) + 1
        made = [
            Graph(random.random((8, 4)).astype(np.float32), ring, random.random((8, 2, 1)).astype(np.float32))
            for _ in range(count)
        ]
        return GraphEncoded.of(made, layout)
    return ColumnEncoded(random.normal(size=(count, 5)).astype(np.float32))


def other_job(network: str, kind: Kind, **changes: object) -> Job:
    """A small regression on `other_input`: 16 training and 8 validation records."""
    truth = np.random.default_rng(4).normal(size=(24, 1)).astype(np.float32)
    small = job(network)
    return replace(
        small,
        inputs={"input": other_input(kind)},
        truth=truth,
        weight=np.ones(24, dtype=np.float32),
        train=np.arange(16),
        validation=np.arange(16, 24),
        **changes,  # type: ignore[arg-type]
    )


SUITED = [
    name
    for name, network in networks.items()
    if Kind.SEQUENCE in network.accepts and not network.everywhere and not network.only_for
]
"""Networks that give one answer for a sequence."""

OTHERS = [
    (name, kind)
    for name, network in networks.items()
    for kind in (Kind.IMAGE, Kind.TOKENS, Kind.GRAPH, Kind.VECTOR)
    if kind in network.accepts and not (network.everywhere or network.only_for or network.several)
]
"""Networks that give one answer for a record, with each kind of input but sequences that they take."""
