"""The variational autoencoder: its divergence against sampling, its loss against the evidence lower bound."""

from __future__ import annotations

import math

import pytest
import torch

from bioloom.modalities import Kind, Shape
from bioloom.models import build
from bioloom.models.variational import VariationalAutoencoder, divergence

SHAPES = {"input": Shape(Kind.VECTOR, (6,))}


def variational(**settings: object) -> VariationalAutoencoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build("variational", SHAPES, 6, settings)
    assert isinstance(network, VariationalAutoencoder)
    return network


def test_the_divergence_is_what_sampling_says() -> None:
    mean, log_variance = torch.tensor([[0.7, -1.2]]), torch.tensor([[0.5, -0.9]])
    cloud = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drawn = cloud.sample(torch.Size([400_000]))
    standard = torch.distributions.Normal(0.0, 1.0)
    sampled = (cloud.log_prob(drawn) - standard.log_prob(drawn)).sum(dim=-1).mean()
    assert float(divergence(mean, log_variance)) == pytest.approx(float(sampled), abs=0.01)
    assert float(divergence(torch.zeros(1, 3), torch.zeros(1, 3))) == 0.0


def test_loss_and_penalty_are_the_negative_lower_bound_but_for_a_factor_and_a_constant() -> None:
    network, x = variational(rest=0.4).eval(), torch.randn(5, 6, generator=torch.Generator().manual_seed(1))
    restored = network(x)
    assert network.penalty is not None
    loss = (restored - x).square().mean() + network.penalty
    log_variance = network.log_variance(network.encoder(x))
    normal = torch.distributions.Normal(restored, 0.4)
    bound = normal.log_prob(x).sum(dim=1) - divergence(network.mean(network.encoder(x)), log_variance)
    constant = 6 * (math.log(0.4) + 0.5 * math.log(2 * math.pi))
    assert float(loss.detach()) == pytest.approx(
        float(-(bound.mean() + constant).detach() * 2 * 0.4**2 / 6), rel=1e-5
    )


def test_a_code_is_drawn_while_learning_and_is_its_mean_afterwards() -> None:
    network, x = variational(), torch.ones(4, 6)
    assert torch.equal(network.eval()(x), network(x))
    assert not torch.equal(network.train()(x), network(x))
