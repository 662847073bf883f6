"""Autoencoders against principal components, and what hiding part of the input does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles

from bioloom.modalities import Kind, Shape
from bioloom.models import build
from bioloom.models.autoencoder import Autoencoder, CodeSettings, code_size, corrupted
from bioloom.models.embed import code_size as numbers_of

SHAPES = {"input": Shape(Kind.VECTOR, (8,))}


def autoencoder(**settings: object) -> Autoencoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build("autoencoder", SHAPES, 8, settings)
    assert isinstance(network, Autoencoder)
    return network


def test_without_hidden_layers_it_finds_the_space_of_the_principal_components() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(150, 2)) @ random.normal(size=(2, 8)) + 0.3 * random.normal(size=(150, 8))
    x = torch.tensor(x - x.mean(axis=0), dtype=torch.float64)
    network = autoencoder(hidden=(), code=2).double()
    optimiser = torch.optim.LBFGS(network.parameters(), max_iter=400, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = (network(x) - x).square().mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    _, sizes, axes = np.linalg.svd(x.numpy(), full_matrices=False)
    best = (sizes[2:] ** 2).sum() / x.numel()
    with torch.no_grad():
        reached = float((network(x) - x).square().mean())
    assert reached == pytest.approx(best, rel=1e-4)
    decoder = network.last.weight.detach().numpy()  # (features, code)
    assert np.rad2deg(subspace_angles(decoder, axes[:2].T)).max() < 1.0


def test_the_code_has_the_numbers_that_were_asked_for_or_the_root_of_the_input() -> None:
    assert numbers_of(autoencoder(code=5), SHAPES) == 5
    assert [code_size(inputs, CodeSettings()) for inputs in (3, 11, 400, 6_000)] == [2, 3, 20, 32]


def test_part_of_the_input_is_hidden_while_learning_and_never_afterwards() -> None:
    network, x = autoencoder(hide=0.5, noise=0.1), torch.ones(64, 8)
    assert torch.equal(network.eval()(x), network(x))
    assert not torch.equal(network.train()(x), network(x))
    hidden = corrupted(torch.ones(4000, 5), hide=0.3, noise=0.0)
    assert float((hidden == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert set(hidden.unique().tolist()) == {0.0, 1.0}


def test_with_labels_the_last_layer_reads_the_code_and_nothing_is_hidden() -> None:
    settings = Autoencoder.for_labels({"hidden": (16,), "code": 4, "hide": 0.5})
    network = autoencoder(**settings).train()
    assert network.last.in_features == 4
    assert torch.equal(network(torch.ones(3, 8)), network(torch.ones(3, 8)))
    assert Autoencoder.for_labels(settings, labels=False)["decode"] is True
