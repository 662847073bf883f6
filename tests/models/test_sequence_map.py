"""Maps from sequence to function: against sums written out, and planted truths are found again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bioloom.modalities import Kind, Shape
from bioloom.models import Outputs, build, networks
from bioloom.models.sequence_map import Curve, Pairs, SequenceMap, Spread
from bioloom.tasks import TASKS
from bioloom.training.job import Job
from bioloom.training.loop import fit
from simulated import STEADY, job, sequences

SHAPES = {"variant": Shape(Kind.SEQUENCE, (3, 5))}


@pytest.mark.parametrize("reach", [1, 2, 9])
def test_pairs_are_the_sum_over_pairs_that_lie_near_written_out(reach: int) -> None:
    torch.manual_seed(0)
    pairs, x = Pairs(3, 5, 2, reach), torch.rand(4, 15)
    with torch.no_grad():
        pairs.weight.normal_()
    letters, expected = x.reshape(4, 3, 5), torch.zeros(4, 2)
    for number, (i, j) in enumerate(pairs.places.T.tolist()):
        assert 0 < j - i <= reach
        effects = pairs.weight[:, number]  # (traits, letters, letters)
        expected += torch.einsum("rc,tcd,rd->rt", letters[:, :, i], effects, letters[:, :, j])
    torch.testing.assert_close(pairs(x), expected)
    assert pairs.places.shape[1] == sum(max(0, 5 - apart) for apart in range(1, reach + 1))


def test_the_curve_never_falls_whatever_its_weights() -> None:
    torch.manual_seed(0)
    curve = Curve(3, 8)
    with torch.no_grad():
        for weights in curve.parameters():
            weights.add_(3 * torch.randn_like(weights))
    phi = torch.linspace(-5, 5, 400)[:, None].expand(-1, 3)
    assert (curve(phi).diff(dim=0) >= -1e-6).all()


def test_the_spread_is_a_polynomial_of_the_prediction_behind_it() -> None:
    torch.manual_seed(0)
    spread, prediction = Spread(2, 3, 2), torch.randn(6, 2)
    with torch.no_grad():
        spread.weight.normal_()
    raw = spread(prediction)
    torch.testing.assert_close(raw[:, :2], prediction)
    for number in range(3):
        for target in range(2):
            a, b, c = spread.weight[:, number, target]
            said = raw[:, 2 + 2 * number + target]
            torch.testing.assert_close(said, a + b * prediction[:, target] + c * prediction[:, target] ** 2)


def test_classes_share_one_latent_number_and_each_target_has_its_own() -> None:
    for name in ("additive_map", "blackbox_map"):
        settings = networks[name].Settings().model_dump()
        classes = build(name, SHAPES, 4, networks[name].for_outputs(settings, Outputs(classes=4)))
        numbers = build(name, SHAPES, 8, networks[name].for_outputs(settings, Outputs(beside=3)))
        assert isinstance(classes, SequenceMap)
        assert isinstance(numbers, SequenceMap)
        assert (classes.traits, numbers.traits) == (1, 2)
        assert numbers(torch.rand(2, 3, 5)).shape == (2, 8)


def library(records: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random letters, (records, 8), planted effects, (4, 8), and phi with mean 0 and spread 1."""
    random = np.random.default_rng(seed)
    tokens = random.integers(0, 4, (records, 8)).astype(np.uint8)
    effects = random.normal(size=(4, 8))
    effects -= effects.mean(axis=0)
    phi = effects[tokens, np.arange(8)].sum(axis=1)
    return tokens, effects / phi.std(), (phi - phi.mean()) / phi.std()


def mapped(tokens: np.ndarray, truth: np.ndarray, **changes: object) -> Job:
    """A training of the additive map on all but the last fifth."""
    edge = len(tokens) * 4 // 5
    return job(
        "additive_map", inputs={"sequence": sequences(tokens)}, truth=truth.astype(np.float32)[:, None],
        weight=np.ones(len(tokens), dtype=np.float32), train=np.arange(edge),
        validation=np.arange(edge, len(tokens)),
        plan=replace(STEADY, epochs=25, patience=25, learning_rate=0.01, batch_size=64), **changes,
    )  # fmt: skip


def learned(network: object) -> tuple[np.ndarray, SequenceMap]:
    """Effects of letters around the mean of each position."""
    assert isinstance(network, SequenceMap)
    effects = network.letters.weight.detach().numpy().reshape(4, 8)
    return effects - effects.mean(axis=0), network


def test_the_additive_map_recovers_planted_effects_and_a_planted_sigmoid() -> None:
    tokens, effects, phi = library()
    measured = 1 / (1 + np.exp(-3 * phi)) - 0.5
    noisy = measured + 0.03 * np.random.default_rng(1).normal(size=len(phi))
    found, network = learned(fit(mapped(tokens, noisy / noisy.std())).network)
    slope = float((found * effects).sum() / (effects**2).sum())
    np.testing.assert_allclose(found / slope, effects, atol=0.06)
    x = torch.eye(4)[torch.from_numpy(tokens).long()].transpose(1, 2)
    with torch.inference_mode():
        told = network(x).numpy()[:, 0] * noisy.std()
    assert np.sqrt(np.mean((told - measured) ** 2)) < 0.02, "the curve is the planted sigmoid"
    assert np.corrcoef(phi, network.latent(x).detach().numpy()[:, 0])[0, 1] > 0.998


def test_counts_in_sorted_bins_are_enough_to_recover_planted_effects() -> None:
    tokens, effects, phi = library()
    random = np.random.default_rng(2)
    bins = np.digitize(phi + 0.5 * random.normal(size=len(phi)), [-1.0, -0.3, 0.3, 1.0]).astype(np.float64)
    settings = networks["additive_map"].for_outputs(
        networks["additive_map"].Settings().model_dump(), Outputs(classes=5)
    )
    found, _ = learned(
        fit(mapped(tokens, bins, outputs=5, settings=settings, task=TASKS["multiclass"])).network
    )
    slope = float((found * effects).sum() / (effects**2).sum())  # the sign of phi is free here
    np.testing.assert_allclose(found / slope, effects, atol=0.1)


@pytest.mark.parametrize("loss", ["heteroscedastic", "cauchy", "skewed_t"])
def test_wild_measurements_do_little_harm_where_the_noise_is_learned(loss: str) -> None:
    tokens, effects, phi = library()
    random = np.random.default_rng(3)
    wild = random.random(len(phi)) < 0.05
    noisy = np.tanh(phi) + np.where(wild, 4.0, 0.1) * random.normal(size=len(phi))
    small = mapped(tokens, noisy / noisy.std())
    head = small.task.head(loss)
    assert head is not None
    settings = networks["additive_map"].for_outputs(
        networks["additive_map"].Settings().model_dump(), Outputs(beside=head.per_target - 1)
    )
    told = fit(
        replace(small, settings=settings, outputs=head.per_target, plan=replace(small.plan, loss=loss))
    )
    found, _ = learned(told.network)
    slope = float((found * effects).sum() / (effects**2).sum())
    np.testing.assert_allclose(found / slope, effects, atol=0.25 if loss == "heteroscedastic" else 0.08)
