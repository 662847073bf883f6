"""Slopes and ways: closed forms, brute force, and what the papers promise."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bioloom.errors import UserError
from bioloom.explanation import Explanation, Question, Scale, Target, explainers
from bioloom.explanation.gradients.expected_gradients import expected_gradients
from bioloom.explanation.gradients.guided_ig import Way, guided_ig
from bioloom.explanation.gradients.integrated_gradients import integrated_gradients
from bioloom.explanation.gradients.noise import Noise, OfNoise, SmoothGrad, VarGrad
from bioloom.explanation.gradients.saliency import input_x_gradient, saliency
from bioloom.explanation.letters.mutagenesis import mutagenesis
from bioloom.modalities import Signal
from toy_networks import Additive, Conv, Smooth, Toy, letters, shuffles, signal


class Quadratic(Toy):
    """f(x) = x0^2 + 3 x1 + x2 x3, in twice the usual precision where asked."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return (x[:, 0] ** 2 + 3 * x[:, 1] + x[:, 2] * x[:, 3])[:, None]


def noisy(explainer: type[OfNoise], question: Question, noise: Noise) -> Explanation:
    return explainer.explain(replace(question, settings=explainer.Settings(**asdict(noise))))


def smoothgrad(question: Question, noise: Noise) -> Explanation:
    return noisy(SmoothGrad, question, noise)


def vargrad(question: Question, noise: Noise) -> Explanation:
    return noisy(VarGrad, question, noise)


def table(*rows: list[float]) -> Question:
    x = torch.tensor(rows)
    return Question(Quadratic(), {"t": Signal(x)}, "t", 0, torch.zeros(len(x), 1, x.shape[1]))


def test_saliency_is_the_size_of_the_slope() -> None:
    question = table([2.0, 1.0, -1.0, 5.0], [-1.0, 0.0, 0.5, -2.0])
    np.testing.assert_allclose(saliency(question).attribution, [[4, 3, 5, 1], [2, 3, 2, 0.5]])
    np.testing.assert_allclose(
        saliency(question, absolute=False).attribution, [[4, 3, 5, -1], [-2, 3, -2, 0.5]]
    )


def test_input_times_gradient_counts_a_product_twice() -> None:
    found = input_x_gradient(table([2.0, 1.0, -1.0, 5.0])).attribution
    np.testing.assert_allclose(found, [[8, 3, -5, -5]])


def test_input_times_gradient_adds_up_for_rectified_networks_without_biases() -> None:
    network = Smooth(6)
    for name, weight in network.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.zeros_(weight)
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    found = input_x_gradient(Question(network, {"t": Signal(x)}, "t", 1)).attribution
    np.testing.assert_allclose(found.sum(axis=1), network(x)[:, 1].detach(), atol=1e-5)


def test_of_letters_the_mean_slope_of_a_position_is_subtracted() -> None:
    """For a model that is linear in letters the corrected slope is what mutagenesis finds."""
    x, weight = letters(3, 12), torch.randn(1, 4, 12, generator=torch.Generator().manual_seed(0))
    question = Question(Additive(weight), {"dna": Signal(x)}, "dna", 0)
    np.testing.assert_allclose(saliency(question).attribution, mutagenesis(question).attribution, atol=1e-5)
    shifted = replace(question, network=Additive(weight + torch.randn(1, 1, 12)))
    for name in ("saliency", "input_x_gradient", "smoothgrad"):
        found, other = (explainers[name].explain(each).attribution for each in (question, shifted))
        np.testing.assert_allclose(found, other, atol=1e-5)


def test_slopes_are_those_of_the_target() -> None:
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    network = Smooth(6)
    own = torch.tensor([1, 0, 0, 1])
    question = Question(network, {"t": Signal(x)}, "t", Target(own, Scale.PROBABILITY))
    y = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(network(y).softmax(dim=1)[torch.arange(4), own].sum(), y)
    np.testing.assert_allclose(saliency(question, absolute=False).attribution, expected, atol=1e-6)


def test_smoothgrad_and_vargrad_are_moments_of_slopes() -> None:
    """f = x0^2 + ...: the slope is 2 x0, so noise of spread s gives mean 2 x0 and variance 4 s^2."""
    question = table([2.0, 1.0, -1.0, 5.0])
    noise = Noise(samples=4000, spread=0.1)
    mean, variance = (each(question, noise).attribution[0] for each in (smoothgrad, vargrad))
    s = 0.1 * 6
    np.testing.assert_allclose(mean, [4, 3, 5, -1], atol=5 * 2 * s / np.sqrt(4000))
    np.testing.assert_allclose(variance, [4 * s**2, 0, s**2, s**2], rtol=0.1, atol=1e-6)


def test_running_moments_are_those_of_numpy() -> None:
    question = table([2.0, 1.0, -1.0, 5.0], [0.1, 0.2, 0.3, 0.4])
    noise = Noise(samples=7)
    generator = torch.Generator().manual_seed(0)
    x = question.batch["t"].x
    drawn = torch.stack([torch.randn(4, generator=generator) for _ in range(7)])
    points = (x + drawn[:, None] * (0.15 * torch.tensor([6.0, 0.3]))[:, None]).numpy()
    slopes = np.stack([2 * points[..., 0], 3 + 0 * points[..., 0], points[..., 3], points[..., 2]], axis=-1)
    np.testing.assert_allclose(smoothgrad(question, noise).attribution, slopes.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(vargrad(question, noise).attribution, slopes.var(axis=0, ddof=1), atol=1e-5)


class Watching(Conv):
    """Keeps what it was shown."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        vars(self).setdefault("seen", []).append(x.detach().clone())
        return super().forward(x, mask)


def test_noise_of_letters_replaces_letters_and_leaves_sequences() -> None:
    network, x = Watching(positions=200), signal(letters(4, 200), [200, 200, 150, 200])
    smoothgrad(Question(network, {"dna": x}, "dna", 0), Noise(samples=30, rate=0.1))
    seen = torch.cat(network.seen).view(30, 4, 4, 200)  # (samples, records, letters, positions)
    assert torch.equal(seen.sum(dim=2), x.x.sum(dim=1).expand(30, -1, -1))
    assert set(seen.unique().tolist()) == {0.0, 1.0}
    assert float((seen != x.x).any(dim=2)[:, 0].float().mean()) == pytest.approx(0.1, abs=0.02)


def test_an_even_record_has_no_range_and_gets_its_own_slope() -> None:
    found = smoothgrad(table([2.0, 2.0, 2.0, 2.0]), Noise(samples=3)).attribution
    np.testing.assert_allclose(found, [[4, 3, 2, 2]])


# ---- ways ------------------------------------------------------------------------------------------------


def smooth(records: int = 4) -> Question:
    x = torch.randn(records, 6, generator=torch.Generator().manual_seed(1))
    background = torch.randn(records, 2, 6, generator=torch.Generator().manual_seed(2))
    return Question(Smooth(6), {"t": Signal(x)}, "t", 0, background)


def riemann(question: Question, steps: int) -> np.ndarray:
    """The straight way with the slope at the beginning of each step, by a plain loop."""
    x, background = question.batch["t"].x, question.background
    total = torch.zeros_like(x)
    for number in range(background.shape[1]):
        way = x - background[:, number]
        for step in range(steps):
            y = (background[:, number] + step / steps * way).requires_grad_()
            (found,) = torch.autograd.grad(question.network(y)[:, 0].sum(), y)
            total += found * way / steps
    return (total / background.shape[1]).numpy()


def test_the_guided_way_without_freedom_is_the_straight_one() -> None:
    question = smooth()
    found = guided_ig(question, Way(steps=20, apart=0.0)).attribution
    np.testing.assert_allclose(found, riemann(question, 20), atol=1e-5)


def reference_guided(question: Question, way: Way) -> np.ndarray:
    """The algorithm of the paper for one record and background at a time, by a plain loop over single numbers."""
    x, background = question.batch["t"].x.double(), question.background.double()
    network = Smooth(x.shape[1]).double()
    total = np.zeros((len(x), x.shape[1]))
    for record in range(len(x)):
        for base in background[record]:
            to, point = x[record].numpy(), base.numpy().copy()
            start, length = base.numpy(), np.abs(x[record].numpy() - base.numpy()).sum()
            for step in range(1, way.steps + 1):
                y = torch.tensor(point[None], requires_grad=True)
                (slope,) = torch.autograd.grad(network(y)[0, 0], y)
                slope = slope[0].numpy()
                low, high = (np.clip(step / way.steps + d, 0, 1) for d in (-way.apart, way.apart))
                gone = np.maximum((point - start) / (to - start), low)
                while True:
                    surplus = (np.abs(to - start) * (1 - gone)).sum() - length * (1 - step / way.steps)
                    free = np.flatnonzero(gone < high - 1e-12)
                    if surplus < 1e-9 * length or not len(free):
                        break
                    limit = np.quantile(np.abs(slope[free]), way.fraction, method="lower")
                    some = free[np.abs(slope[free]) <= limit]
                    factor = min(1.0, surplus / (np.abs(to - start)[some] * (high - gone[some])).sum())
                    gone[some] += factor * (high - gone[some])
                moved = start + gone * (to - start)
                total[record] += slope * (moved - point)
                point = moved
    return total / background.shape[1]


def test_the_guided_way_is_that_of_the_paper() -> None:
    question = smooth(2)
    for way in (Way(steps=15, apart=0.1), Way(steps=10, apart=1.0, fraction=0.3)):
        np.testing.assert_allclose(
            guided_ig(question, way).attribution, reference_guided(question, way), atol=2e-4
        )


def test_shorter_steps_of_the_guided_way_add_up_better() -> None:
    """Numbers jump by up to twice the freedom that they have, so both have to become small."""
    ways = [Way(10, apart=0.1), Way(80, apart=0.02), Way(320, apart=0.003)]
    gaps = [guided_ig(smooth(), way).settings["largest_gap"] for way in ways]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[2] < 0.003


def test_every_way_is_right_for_a_linear_model() -> None:
    weight, x = torch.randn(1, 6), torch.randn(3, 6)
    background = torch.randn(3, 2, 6)
    question = Question(Additive(weight), {"t": Signal(x)}, "t", 0, background)
    expected = weight * (x - background.mean(dim=1))
    for method in (guided_ig, expected_gradients, integrated_gradients):
        np.testing.assert_allclose(method(question).attribution, expected, atol=1e-4)


def test_expected_gradients_come_near_integrated_gradients() -> None:
    question = smooth()
    expected = integrated_gradients(question).attribution
    few, many = (
        np.abs(expected_gradients(question, samples=samples).attribution - expected).max()
        for samples in (8, 4000)
    )
    assert many < 0.01
    assert many < few


def test_each_background_is_asked_about_at_least_once() -> None:
    x = torch.ones(1, 2)
    background = torch.stack([torch.zeros(1, 2), torch.full((1, 2), 3.0)], dim=1)
    question = Question(Additive(torch.tensor([[1.0, 2.0]])), {"t": Signal(x)}, "t", 0, background)
    np.testing.assert_allclose(expected_gradients(question, samples=1).attribution, [[-0.5, -1.0]], atol=1e-6)


def test_ways_of_letters_end_on_the_letters_that_stand_there() -> None:
    x = letters(3, 20)
    question = Question(Conv(), {"dna": Signal(x)}, "dna", 1, shuffles(x, 2))
    for method in (guided_ig, expected_gradients):
        found = method(question).attribution
        assert not found[x.numpy() == 0].any()
        assert found.any()


@pytest.mark.parametrize("method", [guided_ig, expected_gradients])
def test_without_a_background_the_question_is_refused(method) -> None:
    with pytest.raises(UserError, match="none was given"):
        method(replace(smooth(), background=None))


def test_pictures_and_volumes_have_slopes_too() -> None:
    weight = torch.randn(1, 2, 3, 4, 5)
    question = Question(Additive(weight), {"x": Signal(torch.randn(1, 2, 3, 4, 5))}, "x", 0)
    np.testing.assert_allclose(saliency(question).attribution, weight.abs().numpy(), rtol=1e-5)
    assert smoothgrad(question, Noise(samples=2)).attribution.shape == (1, 2, 3, 4, 5)


def test_probabilities_saturate_and_logits_do_not() -> None:
    x = torch.full((1, 4), 10.0)
    question = Question(Additive(torch.ones(2, 4) * torch.tensor([[1.0], [0.0]])), {"t": Signal(x)}, "t", 0)
    probable = replace(question, output=Target(0, Scale.PROBABILITY))
    assert float(F.softmax(torch.tensor([40.5, 0.5]), dim=0)[0]) == 1.0
    assert saliency(question).attribution.min() > 0.99
    assert saliency(probable).attribution.max() < 1e-6


def test_slopes_are_those_of_captum() -> None:
    captum = pytest.importorskip("captum.attr")
    x, network = torch.randn(4, 6, generator=torch.Generator().manual_seed(0)), Smooth(6)
    question = Question(network, {"t": Signal(x)}, "t", 1)
    oracle = captum.Saliency(network).attribute(x.clone().requires_grad_(), target=1)
    np.testing.assert_allclose(saliency(question).attribution, oracle, atol=1e-6)
    oracle = captum.InputXGradient(network).attribute(x.clone().requires_grad_(), target=1)
    np.testing.assert_allclose(input_x_gradient(question).attribution, oracle.detach(), atol=1e-6)
