"""XRAI: what its definition says of sums, partitions and disjoint regions."""

from __future__ import annotations

import numpy as np
import torch

from bioloom.explanation import Question
from bioloom.explanation.gradients.integrated_gradients import integrated_gradients
from bioloom.explanation.hiding.superpixels import superpixels
from bioloom.explanation.hiding.xrai import grown, xrai
from bioloom.explanation.summary import at_observed
from bioloom.modalities import Signal
from toy_networks import Additive, Conv, letters, shuffles, signal


def plainly(attribution: np.ndarray, regions: np.ndarray, filled: np.ndarray, least: int) -> np.ndarray:
    """The definition, written as slowly as it reads."""
    value, left, candidates = np.zeros(len(attribution)), filled.copy(), [each & filled for each in regions]
    while True:
        open_ones = [each & left for each in candidates if (each & left).sum() >= least]
        if not open_ones:
            break
        best = max(open_ones, key=lambda each: attribution[each].mean())
        value[best] = attribution[best].mean()
        left &= ~best
    if left.any():
        value[left] = attribution[left].mean()
    return value


def test_growing_equals_its_definition() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        attribution, regions = random.normal(size=40), random.random((25, 40)) < 0.2
        filled = random.random(40) < 0.9
        regions &= filled
        assert np.allclose(grown(attribution, regions, filled, 3), plainly(attribution, regions, filled, 3))


def test_a_constant_stays_constant_and_sums_stay() -> None:
    random = np.random.default_rng(0)
    regions, everywhere = random.random((25, 40)) < 0.2, np.ones(40, dtype=bool)
    assert np.allclose(grown(np.full(40, 2.0), regions, everywhere, 2), 2.0)
    attribution = random.normal(size=40)
    assert np.isclose(grown(attribution, regions, everywhere, 2).sum(), attribution.sum())


def test_disjoint_regions_get_their_own_means() -> None:
    regions = np.repeat(np.eye(4, dtype=bool), 5, axis=1)
    attribution = np.random.default_rng(0).normal(size=20)
    found = grown(attribution, regions, np.ones(20, dtype=bool), 1)
    assert np.allclose(found, attribution.reshape(4, 5).mean(axis=1).repeat(5))


def test_the_map_of_a_sequence_adds_up_to_integrated_gradients() -> None:
    short = signal(letters(3, 40), [40, 31, 12])
    question = Question(Conv(positions=40), {"dna": short}, "dna", 0, shuffles(short.x, 2))
    found, gradients = xrai(question), integrated_gradients(question)
    assert np.allclose(found.attribution.sum(axis=(1, 2)), gradients.attribution.sum(axis=(1, 2)), atol=1e-5)
    assert not found.attribution[1, :, 31:].any()
    assert np.array_equal(found.delta, gradients.delta)


def test_a_planted_window_is_the_first_region() -> None:
    weight, x = torch.zeros(1, 4, 60), letters(1, 60)
    weight[:, :, 20:30] = x[:, :, 20:30] * 3
    weight += 0.1 * torch.randn(1, 4, 60, generator=torch.Generator().manual_seed(0))
    found = xrai(Question(Additive(weight), {"dna": Signal(x)}, "dna", 0, torch.zeros(1, 1, 4, 60)))
    per_position = at_observed(found.attribution, x.numpy())[0]
    assert set(np.argsort(-per_position)[:10]) == set(range(20, 30))


def test_a_planted_square_of_a_picture_is_the_first_region() -> None:
    x = torch.zeros(1, 3, 24, 24)
    x[:, :, 10:16, 3:9] = 1
    found = (
        xrai(Question(Additive(torch.ones(1, 3, 24, 24)), {"p": Signal(x)}, "p", 0))
        .attribution[0]
        .sum(axis=0)
    )
    assert np.allclose(found[10:16, 3:9], found.max(), atol=1e-5)
    assert found[:9].max() < 0.5 * found.max()


def test_superpixels_follow_colours_and_number_about_as_asked() -> None:
    picture = torch.zeros(3, 32, 32)
    picture[:, :, 13:] = 1
    label = superpixels(picture, 16)
    assert 8 <= int(label.max()) + 1 <= 25
    assert not set(label[:, :13].unique().tolist()) & set(label[:, 13:].unique().tolist())
    assert torch.equal(label, superpixels(picture, 16))
