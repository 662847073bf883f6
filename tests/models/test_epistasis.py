"""The network of letters, pairs and one curve: against sums written out, and on data with a known answer."""

from __future__ import annotations

from itertools import combinations

import torch

from bioloom.modalities import Kind, Shape, Signal
from bioloom.models import apply, build
from bioloom.models.epistasis import Bend, Centre, Pairs

SHAPES = {"variant": Shape(Kind.SEQUENCE, (4, 5))}


def test_pairs_are_the_sum_over_all_pairs_written_out() -> None:
    torch.manual_seed(0)
    pairs, x = Pairs(6, 3, 2), torch.rand(4, 6)
    expected = torch.zeros(4, 2)
    for i, j in combinations(range(6), 2):
        strength = pairs.signs @ (pairs.vectors[:, i] * pairs.vectors[:, j])  # (outputs,)
        expected += (x[:, i] * x[:, j])[:, None] * strength
    torch.testing.assert_close(pairs(x), expected)


def test_the_curve_never_falls_whatever_its_weights() -> None:
    torch.manual_seed(0)
    bend = Bend(3, 8)
    with torch.no_grad():
        for weights in bend.parameters():
            weights.add_(3 * torch.randn_like(weights))
    latent = torch.linspace(-5, 5, 400)[:, None].expand(-1, 3)
    assert (bend(latent).diff(dim=0) >= -1e-6).all()


def test_the_curve_begins_gently_and_passes_through_0() -> None:
    latent = torch.linspace(-2, 2, 51)[:, None]
    slope = Bend(1, 8)(latent).diff(dim=0) / latent.diff(dim=0)
    assert slope.min() > 0.4
    assert slope.max() < 1.2
    torch.testing.assert_close(Bend(1, 8)(torch.zeros(1, 1)), torch.zeros(1, 1))


def test_letters_that_no_record_taught_change_little() -> None:
    torch.manual_seed(0)
    network = build("epistasis", SHAPES, 1, {}).eval()
    x = torch.zeros(2, 4, 5)
    x[:, 0] = 1.0
    x[1, :, 2] = torch.tensor([0.0, 1.0, 0.0, 0.0])
    raw = apply(network, {"variant": Signal(x)})
    assert (raw[0] - raw[1]).abs().item() < 0.2


def test_letters_that_stand_in_every_record_change_no_effect() -> None:
    torch.manual_seed(0)
    network = build("epistasis", SHAPES, 1, {"interactions": 4})
    x = torch.nn.functional.one_hot(torch.randint(0, 4, (50, 5)), 4).transpose(1, 2).float()
    x[:, :, 3] = torch.tensor([0.0, 0.0, 1.0, 0.0])  # always the same letter
    apply(network, {"variant": Signal(x)}).square().sum().backward()
    assert isinstance(network.effects, torch.nn.Linear)
    gradient = network.effects.weight.grad
    assert gradient is not None
    assert gradient.view(4, 5)[:, 3].abs().max() < 1e-5
    assert gradient.view(4, 5)[:, 0].abs().max() > 1e-3


def test_the_mean_is_that_of_the_batches_and_stays_when_predicting() -> None:
    centre = Centre(3)
    first, second = torch.rand(8, 3), torch.rand(8, 3)
    centre(first)
    centre(second)
    torch.testing.assert_close(centre.mean, torch.cat([first, second]).mean(dim=0))
    before = centre.mean.clone()
    centre.eval()(torch.rand(8, 3))
    assert torch.equal(centre.mean, before)


def test_it_learns_a_bent_sum_that_a_linear_model_cannot() -> None:
    torch.manual_seed(0)
    letters = torch.randint(0, 4, (600, 5))
    x = torch.nn.functional.one_hot(letters, 4).transpose(1, 2).float()
    latent = (x * torch.randn(4, 5)).sum((1, 2))
    truth = torch.sigmoid(3 * (latent - latent.mean()))[:, None]
    truth = (truth - truth.mean()) / truth.std()
    losses = {}
    for name, settings in {"bent": {"hidden": 0}, "straight": {"hidden": 0, "steps": 0}}.items():
        network = build("epistasis", SHAPES, 1, settings)
        optimiser = torch.optim.Adam(network.parameters(), lr=0.03)
        for _ in range(400):
            loss = (apply(network, {"variant": Signal(x)}) - truth).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        losses[name] = float(loss.detach())
    assert losses["bent"] < 0.1 * losses["straight"]
