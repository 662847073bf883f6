"""Occlusion against captum and closed forms."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from bioloom.explanation import Question
from bioloom.explanation.hiding.occlusion import occlusion
from bioloom.explanation.summary import at_observed
from bioloom.modalities import Signal
from toy_networks import Additive, Conv, Product, Smooth, Two, letters, shuffles, signal

captum = pytest.importorskip("captum.attr")


def quiet(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (5, 1), (5, 3), (4, 2)])
def test_windows_over_letters_equal_captum(window: int, stride: int) -> None:
    x, network = letters(3, 20), Conv()
    found = occlusion(Question(network, {"dna": Signal(x)}, "dna", 1), window=window, stride=stride)
    oracle = quiet(
        captum.Occlusion(network).attribute, x, (4, window), strides=(4, stride), target=1, baselines=0.0
    )
    value = at_observed(found.attribution, x.numpy())
    assert np.allclose(value, oracle[:, 0].numpy(), atol=1e-5)


def test_channels_of_a_signal_are_hidden_one_at_a_time_like_captum() -> None:
    x, network = torch.randn(2, 4, 20, generator=torch.Generator().manual_seed(0)), Conv()
    found = occlusion(Question(network, {"trace": Signal(x)}, "trace", 0), window=3)
    oracle = quiet(captum.Occlusion(network).attribute, x, (1, 3), target=0)
    assert np.allclose(found.attribution, oracle.numpy(), atol=1e-5)


def test_columns_equal_captum_feature_ablation_averaged_over_backgrounds() -> None:
    generator = torch.Generator().manual_seed(0)
    x, background = torch.randn(4, 6, generator=generator), torch.randn(4, 3, 6, generator=generator)
    network = Smooth(6)
    found = occlusion(Question(network, {"table": Signal(x)}, "table", 0, background=background))
    oracles = [
        quiet(captum.FeatureAblation(network).attribute, x, target=0, baselines=background[:, k])
        for k in range(3)
    ]
    assert np.allclose(found.attribution, torch.stack(oracles).mean(dim=0).detach().numpy(), atol=1e-5)


def test_an_additive_network_has_a_closed_form() -> None:
    """Hiding column j of a sum costs w_j (x_j - b_j), averaged over backgrounds."""
    generator = torch.Generator().manual_seed(0)
    weight, x = torch.randn(1, 5, generator=generator), torch.randn(3, 5, generator=generator)
    background = torch.randn(3, 4, 5, generator=generator)
    found = occlusion(Question(Additive(weight), {"t": Signal(x)}, "t", 0, background=background))
    assert np.allclose(found.attribution, (weight * (x - background.mean(dim=1))).numpy(), atol=1e-5)


def test_both_factors_of_a_product_get_all_of_it() -> None:
    x = torch.tensor([[2.0, 3.0, 7.0]])
    found = occlusion(Question(Product(), {"t": Signal(x)}, "t", 0)).attribution
    assert found.tolist() == [[6.0, 6.0, 0.0]]


def test_a_window_is_filled_from_the_background() -> None:
    x, network = letters(2, 20), Conv()
    background = shuffles(x, 3)
    found = occlusion(Question(network, {"dna": Signal(x)}, "dna", 0, background=background), window=20)
    with torch.no_grad():
        lost = network(x)[:, 0] - network(background.flatten(0, 1))[:, 0].view(2, 3).mean(dim=1)
    value = at_observed(found.attribution, x.numpy())
    assert np.allclose(value, lost[:, None].expand(-1, 20).numpy(), atol=1e-5)


def test_positions_outside_a_short_record_are_left_alone() -> None:
    x, network = letters(2, 20), Conv()
    short = signal(x, [20, 9])
    background = shuffles(x, 2)
    found = occlusion(Question(network, {"dna": short}, "dna", 0, background=background), window=4)
    assert not found.attribution[1, :, 9:].any()
    alone = occlusion(
        Question(network, {"dna": Signal(short.x[1:], short.mask[1:])}, "dna", 0, background=background[1:]),
        window=4,
    )
    assert np.allclose(found.attribution[1], alone.attribution[0], atol=1e-6)


def test_what_the_network_ignores_gets_nothing() -> None:
    weight = torch.randn(1, 4, 20, generator=torch.Generator().manual_seed(0))
    weight[:, :, 10:] = 0
    found = occlusion(Question(Additive(weight), {"dna": Signal(letters(2, 20))}, "dna", 0), window=3)
    assert np.abs(found.attribution[:, :, 12:]).max() < 1e-6


@pytest.mark.parametrize(
    ("positions", "window", "stride"), [(2, 2, 1), (20, 3, 1), (75, 6, 1), (1200, 10, 2)]
)
def test_windows_suit_the_length(positions: int, window: int, stride: int) -> None:
    network = Additive(torch.ones(1, 4, positions))
    settings = occlusion(Question(network, {"dna": Signal(letters(1, positions))}, "dna", 0)).settings
    assert (settings["window"], settings["stride"]) == (window, stride)


def test_a_table_beside_a_sequence_is_explained_column_by_column() -> None:
    batch = {"dna": Signal(letters(2, 20)), "table": Signal(torch.ones(2, 3))}
    assert occlusion(Question(Two(), batch, "table", 0)).attribution.shape == (2, 3)


def test_many_records_in_blocks_equal_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x, network = letters(7, 20), Conv()
    question = Question(network, {"dna": Signal(x)}, "dna", 0, background=shuffles(x, 2))
    whole = occlusion(question).attribution
    monkeypatch.setattr("bioloom.explanation.hiding.occlusion._NUMBERS_PER_BLOCK", 80)
    assert np.allclose(whole, occlusion(question).attribution, atol=1e-6)
