"""Numbers that are also read as waves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from bioloom.modalities import Kind, Shape
from bioloom.modalities.encoded import ColumnEncoded
from bioloom.models import build
from bioloom.models.periodic import TOLD, Waves
from bioloom.tasks import TASKS
from bioloom.training.loop import fit, predict
from simulated import STEADY, job

SHAPES = {"x": Shape(Kind.VECTOR, (3,))}


def test_each_column_becomes_itself_and_weighted_sums_of_its_own_waves() -> None:
    torch.manual_seed(0)
    waves, x = Waves(2, 4).requires_grad_(False), torch.randn(5, 2)
    found = waves(x)
    assert found.shape == (5, 2 + 2 * TOLD)
    torch.testing.assert_close(found[:, :2], x)
    for record in range(5):
        for column in range(2):
            for told in range(TOLD):
                expected = sum(
                    float(waves.weight[column, f, told])
                    * math.cos(
                        2 * math.pi * float(waves.frequency[column, f]) * float(x[record, column])
                        + float(waves.phase[column, f])
                    )
                    for f in range(4)
                )
                got = float(found[record, 2 + column * TOLD + told])
                assert abs(got - expected) < 1e-5


def test_without_waves_it_has_the_layers_of_a_perceptron() -> None:
    plain, perceptron = (
        build(name, SHAPES, 1, told) for name, told in (("periodic", {"frequencies": 0}), ("mlp", {}))
    )
    sizes = [sorted(tuple(each.shape) for each in network.parameters()) for network in (plain, perceptron)]
    assert sizes[0] == sizes[1]


def test_it_learns_a_wave_from_few_records_that_a_perceptron_does_not() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 1)).astype(np.float32)
    truth = np.sin(4 * x).astype(np.float32)
    plan = replace(STEADY, epochs=40, patience=40, batch_size=32)
    changes = {
        "inputs": {"x": ColumnEncoded(x)},
        "truth": truth,
        "weight": np.ones(400, dtype=np.float32),
        "train": np.arange(150),
        "validation": np.arange(150, 200),
        "task": TASKS["regression"],
    }
    left = {}
    for name, rate in (("periodic", 3e-3), ("mlp", 1e-3)):
        told = job(name, plan=replace(plan, learning_rate=rate), **changes)
        answers = predict(fit(told).network, told.inputs)[200:]
        left[name] = float(np.mean((answers - truth[200:]) ** 2) / truth[200:].var())
    assert left["periodic"] < 0.4
    assert left["periodic"] < left["mlp"] / 2
