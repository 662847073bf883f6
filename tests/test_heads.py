from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import cauchy, jf_skew_t, norm
from sklearn.metrics import mean_pinball_loss

from bioloom.errors import UserError
from bioloom.heads import HEADS, QUANTILES
from bioloom.losses import LossOptions
from bioloom.modalities.encoded import ColumnEncoded
from bioloom.targets import Targets
from bioloom.tasks import TASKS
from bioloom.training.augment import Augmentation, Mixture
from bioloom.training.loop import fit, predict
from bioloom.training.loss import loss_of
from simulated import STEADY, job

RANDOM = torch.Generator().manual_seed(0)
RAW = {
    name: 1.5 * torch.randn(50, 2 * head.per_target, generator=RANDOM, dtype=torch.float64)
    for name, head in HEADS.items()
}
TRUTH = torch.randn(50, 2, generator=RANDOM, dtype=torch.float64)
WEIGHT = torch.rand(50, generator=RANDOM, dtype=torch.float64)
KNOWN = torch.rand(50, 2, generator=RANDOM) < 0.7


def loss(name: str, raw: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor = WEIGHT) -> torch.Tensor:
    return TASKS["regression"].loss_with(LossOptions(loss=name))(raw, truth, ~truth.isnan(), weight)


def quantiles(raw: torch.Tensor, target: int) -> list[np.ndarray]:
    middle, below, above = (raw[:, target + 2 * part].numpy() for part in range(3))
    return [middle - np.log1p(np.exp(below)), middle, middle + np.log1p(np.exp(above))]


def test_the_quantile_loss_is_the_mean_pinball_loss_of_scikit_learn() -> None:
    expected = [
        mean_pinball_loss(TRUTH[:, target], each, sample_weight=WEIGHT, alpha=level)
        for target in range(2)
        for each, level in zip(quantiles(RAW["quantile"], target), QUANTILES, strict=True)
    ]
    assert float(loss("quantile", RAW["quantile"], TRUTH)) == pytest.approx(np.mean(expected))


def test_the_heteroscedastic_loss_is_that_of_torch_and_of_the_normal_density() -> None:
    mean, variance = RAW["heteroscedastic"][:, :2], RAW["heteroscedastic"][:, 2:].exp() + 1e-4
    told = F.gaussian_nll_loss(mean, TRUTH, variance, reduction="none", eps=1e-12).mean(1)
    found = float(loss("heteroscedastic", RAW["heteroscedastic"], TRUTH))
    assert found == pytest.approx(float((told * WEIGHT).sum() / WEIGHT.sum()))
    density = -norm.logpdf(TRUTH, mean, variance.sqrt()).mean(axis=1) - 0.5 * np.log(2 * np.pi)
    assert found == pytest.approx(float(np.average(density, weights=WEIGHT)))


def test_the_cauchy_loss_and_its_reach_are_those_of_scipy() -> None:
    raw = RAW["cauchy"]
    scale = (raw[:, 2:].exp() + 1e-4).sqrt().numpy()
    density = -cauchy.logpdf(TRUTH, raw[:, :2], scale).mean(axis=1) - np.log(np.pi)
    assert float(loss("cauchy", raw, TRUTH)) == pytest.approx(np.average(density, weights=WEIGHT))
    below, above = HEADS["cauchy"].reach(raw.numpy(), 2)
    np.testing.assert_allclose(above, scale * cauchy.ppf(norm.cdf(1)))
    np.testing.assert_allclose(below, above)


def test_the_skewed_loss_and_its_reach_are_those_of_scipy_and_its_prediction_is_the_mode() -> None:
    raw = RAW["skewed_t"].numpy()
    mode, scale = raw[:, :2], np.sqrt(np.exp(raw[:, 2:4]) + 1e-4)
    a, b = (np.exp(1 + 3 * np.tanh(raw[:, 2 * part : 2 * part + 2] / 3)) for part in (2, 3))
    at = (a - b) * np.sqrt(a + b) / np.sqrt((2 * a + 1) * (2 * b + 1))
    spread = jf_skew_t(a, b, mode - scale * at, scale)
    density = -spread.logpdf(TRUTH.numpy()).mean(axis=1)
    assert float(loss("skewed_t", RAW["skewed_t"], TRUTH)) == pytest.approx(
        np.average(density, weights=WEIGHT)
    )
    near = 1e-3 * scale
    assert (spread.pdf(mode) >= np.maximum(spread.pdf(mode - near), spread.pdf(mode + near))).all()
    below, above = HEADS["skewed_t"].reach(raw, 2)
    np.testing.assert_allclose(below, (mode - spread.ppf(norm.cdf(-1))).clip(1e-3 * scale), rtol=1e-6)
    np.testing.assert_allclose(above, (spread.ppf(norm.cdf(1)) - mode).clip(1e-3 * scale), rtol=1e-6)


@pytest.mark.parametrize("name", list(HEADS))
def test_unknown_targets_and_records_without_weight_count_nothing(name: str) -> None:
    raw, holes, light = RAW[name], TRUTH.clone(), WEIGHT.clone()
    expected = loss(name, raw[:30], TRUTH[:30], WEIGHT[:30])
    light[30:], holes[30:] = 0.0, torch.nan
    torch.testing.assert_close(loss(name, raw, TRUTH, light), expected)
    torch.testing.assert_close(loss(name, raw, holes), expected)
    assert loss(name, raw, torch.full_like(TRUTH, torch.nan)) == 0
    twice = torch.cat([raw, raw[:5]]), torch.cat([TRUTH, TRUTH[:5]])
    double = WEIGHT.clone()
    double[:5] *= 2
    torch.testing.assert_close(
        loss(name, raw, TRUTH, double), loss(name, *twice, torch.cat([WEIGHT, WEIGHT[:5]]))
    )


@pytest.mark.parametrize("name", list(HEADS))
def test_each_target_is_scored_by_its_own_outputs(name: str) -> None:
    """With one target unknown everywhere, its outputs neither count nor get a gradient."""
    raw, truth = RAW[name].clone().requires_grad_(), TRUTH.clone()
    truth[:, 1] = torch.nan
    found = loss(name, raw, truth)
    torch.testing.assert_close(found, loss(name, RAW[name][:, ::2], TRUTH[:, :1]))
    found.backward()
    assert (raw.grad[:, 1::2] == 0).all()
    assert (raw.grad[:, ::2] != 0).any()


@pytest.mark.parametrize("name", list(HEADS))
def test_gradients_are_right_also_with_holes_and_in_mixtures(name: str) -> None:
    raw, holes = RAW[name].clone().requires_grad_(), TRUTH.clone()
    holes[~KNOWN] = torch.nan
    assert torch.autograd.gradcheck(lambda x: loss(name, x, holes), raw)
    mixture = Mixture(0.7, torch.randperm(50, generator=RANDOM))
    told = TASKS["regression"].loss_with(LossOptions(loss=name))
    assert torch.autograd.gradcheck(lambda x: mixture.loss(told, x, holes, WEIGHT), raw)


@pytest.mark.parametrize("name", list(HEADS))
def test_extreme_outputs_stay_finite(name: str) -> None:
    extreme = (RAW[name] * 1e4).float().requires_grad_()
    value = loss(name, extreme, TRUTH.float(), WEIGHT.float())
    value.backward()
    assert value.isfinite()
    assert extreme.grad.isfinite().all()
    below, above = HEADS[name].reach(extreme.detach().numpy().clip(-100, 100), 2)
    assert (below >= 0).all()
    assert (above >= 0).all()


def test_reaches_are_where_the_losses_say() -> None:
    below, above = HEADS["quantile"].reach(RAW["quantile"].numpy(), 2)
    low, middle, high = quantiles(RAW["quantile"], 1)
    np.testing.assert_allclose(below[:, 1], middle - low)
    np.testing.assert_allclose(above[:, 1], high - middle)
    below, above = HEADS["heteroscedastic"].reach(RAW["heteroscedastic"].numpy(), 2)
    np.testing.assert_allclose(below, (RAW["heteroscedastic"][:, 2:].exp() + 1e-4).sqrt())
    assert below is above


@pytest.mark.parametrize("name", list(HEADS))
def test_predictions_are_those_of_the_first_outputs_in_the_units_of_the_target(name: str) -> None:
    task, targets = TASKS["regression"], Targets("regression", ("a", "b"), mean=(1.0, -2.0), scale=(2.0, 5.0))
    value = task.activate(RAW[name].float().numpy(), targets)
    np.testing.assert_allclose(
        value, RAW[name][:, :2] * torch.tensor([2.0, 5.0]) + torch.tensor([1.0, -2.0]), 1e-5
    )
    assert task.raw_outputs(targets, name) == RAW[name].shape[1]
    assert task.raw_outputs(targets, "huber") == 2
    classes = Targets("multiclass", ("c",), classes=("x", "y", "z"))
    assert TASKS["multiclass"].raw_outputs(classes, name) == 3


@pytest.mark.parametrize("name", ["quantile", "heteroscedastic", "skewed_t"])
def test_the_loss_is_lowest_at_the_truth(name: str) -> None:
    """The normal distribution itself: its mean and variance, or its quantiles, in closed form."""
    draws = torch.from_numpy(norm.ppf((np.arange(4000) + 0.5) / 4000, 0.3, 0.7)[:, None])
    raw = torch.zeros(1, HEADS[name].per_target, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([raw], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss(name, raw.expand(4000, -1), draws, torch.ones(4000, dtype=torch.float64))
        value.backward()
        return value

    optimiser.step(closure)
    below, above = HEADS[name].reach(raw.detach().numpy(), 1)
    assert raw[0, 0].item() == pytest.approx(0.3, abs=0.01)
    expected = 0.7 if name != "quantile" else 0.7 * norm.ppf(0.95)
    assert float(below[0, 0]) == pytest.approx(expected, rel=0.02) == float(above[0, 0])


@pytest.mark.parametrize("name", list(HEADS))
def test_a_network_learns_where_the_noise_is(name: str) -> None:
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (1200, 1)).astype(np.float32)
    noise = np.where(x > 0, 1.0, 0.2)
    truth = (0.5 * x + noise * random.normal(size=x.shape)).astype(np.float32)
    small = job(
        inputs={"table": ColumnEncoded(x)}, truth=truth, weight=np.ones(1200, dtype=np.float32),
        train=np.arange(800), validation=np.arange(800, 1200), outputs=HEADS[name].per_target,
        settings={"hidden": (16,), "dropout": 0.0},
        plan=replace(STEADY, epochs=60, patience=60, learning_rate=0.02, loss=name),
    )  # fmt: skip
    assert small.predicted == 1
    raw = predict(fit(small).network, small.inputs)
    below, _ = HEADS[name].reach(raw, 1)
    # narrower in the middle than a normal one
    wide = {"quantile": norm.ppf(0.95), "cauchy": 1.1}.get(name, 1.0)
    assert below[x[:, 0] > 0.2].mean() == pytest.approx(wide, rel=0.2)
    assert below[x[:, 0] < -0.2].mean() == pytest.approx(0.2 * wide, rel=0.35)


@pytest.mark.parametrize("name", list(HEADS))
def test_missing_targets_and_weights_hold_in_a_training(name: str) -> None:
    """A record without weight, or with an unknown truth, teaches nothing; also where records are mixed."""
    for augmentation in (Augmentation(), Augmentation(mixing=0.5)):
        small = job(
            plan=replace(STEADY, loss=name), outputs=HEADS[name].per_target, augmentation=augmentation
        )
        weight, holes = small.weight.copy(), small.truth.copy()
        weight[10:60], holes[10:60] = 0.0, np.nan
        wrong = small.truth.copy()
        wrong[10:60] = 7.0
        one, two, three = (
            fit(replace(small, **changed)).network.state_dict()
            for changed in ({"weight": weight}, {"weight": weight, "truth": wrong}, {"truth": holes})
        )
        assert all(torch.equal(one[key], two[key]) and torch.equal(one[key], three[key]) for key in one)


@pytest.mark.parametrize("name", list(HEADS))
def test_a_training_that_breaks_down_is_told_what_helps(name: str) -> None:
    truth = job().truth.copy()
    truth[3] = np.float32(3e38)
    told = {"plan": replace(STEADY, loss=name), "outputs": HEADS[name].per_target}
    with pytest.raises(UserError, match="not a finite number") as caught:
        fit(job(truth=truth, **told))
    assert "training.learning_rate=0.0003" in caught.value.fix
    assert "training.loss=auto" in caught.value.fix


def test_constant_predictions_are_found_also_where_their_spread_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = job("linear", plan=replace(STEADY, loss="heteroscedastic"), outputs=2)

    def flat(*given: object) -> torch.Tensor:
        return torch.stack([torch.zeros(60), torch.randn(60)], dim=1)

    monkeypatch.setattr("bioloom.training.loop.outputs", flat)
    with pytest.raises(UserError, match="every validation record the same prediction") as caught:
        fit(small)
    assert "training.loss=auto" in caught.value.fix


@pytest.mark.parametrize("name", list(HEADS))
def test_classes_have_no_such_loss(name: str) -> None:
    with pytest.raises(UserError, match=r"training\.loss does not go with"):
        loss_of(job(task=TASKS["binary"], plan=replace(STEADY, loss=name)))
