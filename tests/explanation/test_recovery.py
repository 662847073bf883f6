"""Default methods find the signal that each modality's small data has planted at a known place."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import average_precision_score

from bioloom.explanation import Question, explainers
from bioloom.explanation.quality.masking import Ground, by_part
from bioloom.explanation.quality.recovery import recovery
from bioloom.modalities import Demo, Modality, modalities
from bioloom.models import Network, apply, build

SMALL: dict[str, dict[str, Any]] = {"residual": {"width": 32, "blocks": 1, "dropout": 0.0}}
"""Settings that make networks learn in seconds."""

CASES = {"dna": 400, "rna": 400, "protein": 400, "table": 300, "omics": 300, "image": 200, "signal": 300}
"""Modalities and how many records of their demo are learned from."""

EPOCHS = 12

EXPLAINED = 8

PAIRS = [
    (name, method)
    for name in CASES
    for method in modalities[name].explainers
    if method != "libra_cam"  # needs references from training records
]


@cache
def learned(name: str) -> tuple[Network, Modality, Demo]:
    """A small network that has learned the demo of a modality."""
    torch.manual_seed(0)
    demo = modalities[name].demo(CASES[name], 0)
    frame = demo.records.inputs[demo.input]
    modality = modalities[name].fit(frame)
    network = build(
        modality.default_network, {"x": modality.shape}, 1, SMALL.get(modality.default_network, {})
    )
    resident, truth = modality.encode(frame).on("cpu"), numbers(demo.records.targets.iloc[:, 0])
    optimiser = torch.optim.Adam(network.parameters(), network.learning_rate)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(truth)).split(20):
            raw = apply(network, {"x": resident.batch(rows)})[:, 0]
            loss = (
                torch.nn.functional.binary_cross_entropy_with_logits(raw, truth[rows])
                if demo.task == "binary"
                else torch.nn.functional.mse_loss(raw, truth[rows])
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval(), modality, demo


def numbers(target: pd.Series[Any]) -> torch.Tensor:
    """Labels as numbers: standardised, or 0 and 1."""
    if pd.api.types.is_numeric_dtype(target):
        return torch.tensor(((target - target.mean()) / target.std()).to_numpy(), dtype=torch.float32)
    return torch.tensor((target == sorted(target.unique())[-1]).to_numpy(), dtype=torch.float32)


@pytest.mark.parametrize(("name", "method"), PAIRS)
def test_a_default_method_finds_what_was_planted(name: str, method: str) -> None:
    network, modality, demo = learned(name)
    planted = demo.parts.reshape(len(demo.parts), -1)
    rows = np.flatnonzero(planted.any(axis=1))[:EXPLAINED]
    frame = demo.records.inputs[demo.input].iloc[rows].reset_index(drop=True)
    signal = modality.encode(frame).on("cpu").batch(torch.arange(len(rows)))
    background = modality.background(signal, 0, 4)
    question = Question(network, {"x": signal}, "x", 0, background)
    ground = Ground(question, background)
    found = explainers[method].explain(question).attribution
    reached = recovery(by_part(found, signal.x.numpy(), ground.letters), planted[rows], ground.filled)
    assert reached.records
    assert reached.auprc > 1.3 * reached.chance
    assert reached.auprc > reached.chance + 0.1


def test_recovery_is_the_mean_average_precision_of_records_that_can_tell() -> None:
    generator = np.random.default_rng(0)
    values, planted = generator.normal(size=(4, 9)), generator.random((4, 9)) < 0.4
    planted[3] = False
    found = recovery(values, planted)
    expected = [average_precision_score(planted[row], np.abs(values[row])) for row in range(3)]
    assert found.auprc == pytest.approx(np.mean(expected))
    assert found.chance == pytest.approx(planted[:3].mean())
    assert found.records == 3
    assert np.isnan(recovery(values[3:], planted[3:]).auprc)


def test_a_map_of_what_was_planted_is_perfect_and_parts_that_are_not_there_do_not_count() -> None:
    planted = np.array([[True, False, False, True]])
    filled = np.array([[True, True, True, False]])
    assert recovery(planted.astype(float), planted, filled).auprc == 1
    assert recovery(planted.astype(float), planted, filled).chance == pytest.approx(1 / 3)
