"""Effects of maps with their errors: against a linear regression of statsmodels' kind, and in simulations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from bioloom.explanation.effects import Layout, Library, errors, phi, standing
from bioloom.models.gauge import Effects, in_gauge, shares_of
from bioloom.models.sequence_map import AdditiveMap, MapSettings, PairwiseMap
from bioloom.training.job import Job
from bioloom.training.loop import fit
from simulated import STEADY, job, sequences


def test_effects_in_a_row_are_those_by_letter_and_position_and_count_where_the_letters_stand() -> None:
    random = np.random.default_rng(0)
    network = PairwiseMap((4, 5), 1, MapSettings())
    layout = Layout(4, 5, network.near)
    row = random.normal(size=layout.width)
    effects = layout.unfolded(row)
    np.testing.assert_array_equal(layout.folded(effects), row)
    library = Library(random.integers(0, 4, (30, 5)), 4)
    x = np.eye(4)[library.letters].transpose(0, 2, 1)
    np.testing.assert_allclose(layout.of(library) @ row, effects.phi(x))
    assert (
        library.pairs_seen()[2, 0, 1, 3]
        == ((library.letters[:, 0] == 2) & (library.letters[:, 3] == 1)).sum()
    )


def test_the_effects_of_a_network_give_its_phi() -> None:
    torch.manual_seed(0)
    library = Library(np.random.default_rng(0).integers(0, 4, (200, 6)), 4)
    for kind in (AdditiveMap, PairwiseMap):
        network = kind((4, 6), 2, MapSettings()).eval()
        with torch.no_grad():
            for weights in network.parameters():
                weights.normal_()
            network.centre.mean.uniform_(0, 0.5)
        raw = phi(network, library)[:, 1]
        found = standing([network], library, lambda x: x.sum(), 1, 1.0)
        assert found is not None
        x = np.eye(4)[library.letters].transpose(0, 2, 1)
        np.testing.assert_allclose(found.effects.phi(x), (raw - raw.mean()) / raw.std(), atol=1e-5)
        assert (found.zero, found.unit) == pytest.approx((raw.mean(), raw.std()))


def test_a_network_that_says_the_same_of_all_records_has_no_effects() -> None:
    """Such as one that weight decay has emptied: its phi has no unit to tell effects in."""
    library = Library(np.random.default_rng(0).integers(0, 4, (50, 6)), 4)
    network = AdditiveMap((4, 6), 1, MapSettings()).eval()
    with torch.no_grad():
        for weights in network.parameters():
            weights.fill_(0.1)
    assert standing([network], library, lambda x: x.sum(), 0, 1.0) is None


def test_errors_of_a_straight_line_are_the_robust_ones_of_linear_regression() -> None:
    """With the squared error and a straight curve, phi is linear regression: HC0 errors of each letter against the first."""
    random = np.random.default_rng(1)
    letters = random.integers(0, 3, (400, 4))
    truth = torch.from_numpy(random.normal(size=(400, 1)) * (1 + letters[:, :1]))
    network = AdditiveMap((3, 4), 1, MapSettings(steps=0)).eval().double()
    library = Library(letters, 3)
    design = np.column_stack([np.ones(400), *(letters == 1).T, *(letters == 2).T]).astype(np.float64)
    fitted = np.linalg.lstsq(design, truth.numpy()[:, 0], rcond=None)[0]
    with torch.no_grad():
        network.measurement.straight.fill_(np.log(np.e - 1))  # slope 1
        network.letters.weight.zero_()
        network.letters.weight[0, 4:] = torch.from_numpy(fitted[1:])
        network.letters.bias.fill_(fitted[0])

    found = standing([network.float()], library, lambda raw: (raw - truth).square().sum(), 0, 1.0)
    assert found is not None
    residual = truth.numpy()[:, 0] - design @ fitted
    bread = np.linalg.inv(design.T @ design)
    robust = np.sqrt(np.diag(bread @ (design.T * residual**2) @ design @ bread))
    first = np.zeros((3, 4))
    first[0] = 1.0  # each letter against the first one
    told = errors(found, first)
    assert told is not None
    np.testing.assert_allclose(told.letters[1:].ravel() * found.unit, robust[1:], rtol=1e-4)
    np.testing.assert_allclose(told.letters[0], 0, atol=1e-9)


def simulated(seed: int, records: int = 1500) -> tuple[Job, np.ndarray]:
    """An additive library with a sigmoid behind it, and its planted effects, phi having spread 1."""
    random = np.random.default_rng(seed)
    tokens = random.integers(0, 4, (records, 6)).astype(np.uint8)
    effects = random.normal(size=(4, 6))
    effects -= effects.mean(axis=0)
    at = effects[tokens, np.arange(6)].sum(axis=1)
    effects, at = effects / at.std(), at / at.std()
    truth = (np.tanh(1.5 * at) + 0.3 * random.normal(size=records)).astype(np.float32)
    edge = records * 4 // 5
    return job(
        "additive_map", inputs={"sequence": sequences(tokens)}, truth=truth[:, None], seed=seed,
        weight=np.ones(records, dtype=np.float32), train=np.arange(edge), validation=np.arange(edge, records),
        plan=replace(STEADY, epochs=20, patience=20, learning_rate=0.01, batch_size=64),
    ), effects  # fmt: skip


def test_intervals_hold_the_planted_effects_about_as_often_as_they_say() -> None:
    inside = []
    for seed in range(4):
        small, effects = simulated(seed)
        network = fit(small).network
        assert isinstance(network, AdditiveMap)
        tokens, truth = small.inputs["sequence"].tokens, torch.from_numpy(small.truth[small.train]).double()
        library = Library(tokens[small.train].astype(np.int64), 4)

        def losses(raw: Tensor, truth: Tensor = truth) -> Tensor:
            return (raw - truth).square().sum()

        found = standing([network], library, losses, 0, 1.0)
        assert found is not None
        shares = shares_of("uniform", library.seen)
        told, error = in_gauge(found.effects, shares), errors(found, shares)
        assert error is not None
        inside.append(np.abs(told.letters - effects) < 1.96 * error.letters)
    assert 0.86 <= np.mean(inside) <= 1.0


def test_records_that_come_twice_in_a_group_make_nothing_surer() -> None:
    small, _ = simulated(0, 600)
    network = fit(small).network
    assert isinstance(network, AdditiveMap)
    letters = small.inputs["sequence"].tokens.astype(np.int64)
    truth = torch.from_numpy(small.truth).double()
    shares = np.full((4, 6), 0.25)

    def errors_of(times: int, groups: np.ndarray | None) -> Effects:
        repeated = truth.repeat(times, 1)
        library = Library(np.tile(letters, (times, 1)), 4, groups)
        found = standing([network], library, lambda raw: (raw - repeated).square().sum(), 0, 1.0)
        assert found is not None
        told = errors(found, shares)
        assert told is not None
        return told

    once, alone, grouped = errors_of(1, None), errors_of(2, None), errors_of(2, np.tile(np.arange(600), 2))
    np.testing.assert_allclose(grouped.letters, once.letters, rtol=0.02)
    np.testing.assert_allclose(alone.letters * np.sqrt(2), once.letters, rtol=0.02)
