from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from bioloom.training.optimisers import Optimiser, OptimiserSettings, optimisers

NAMES = ("adadelta", "adagrad", "adam", "adamw", "momentum", "nag", "rmsprop", "sgd")

Groups = list[dict[str, object]]

TORCH: dict[str, Callable[[Groups], torch.optim.Optimizer]] = {
    "adadelta": lambda groups: torch.optim.Adadelta(groups, rho=0.9, eps=1e-6),
    "adagrad": lambda groups: torch.optim.Adagrad(groups, eps=1e-10),
    "adam": lambda groups: torch.optim.Adam(groups, betas=(0.9, 0.999)),
    "adamw": lambda groups: torch.optim.AdamW(groups, betas=(0.9, 0.99)),
    "momentum": lambda groups: torch.optim.SGD(groups, momentum=0.9),
    "nag": lambda groups: torch.optim.SGD(groups, momentum=0.9, nesterov=True),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups, alpha=0.9, eps=1e-8),
    "sgd": torch.optim.SGD,
}


def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv1d(4, 6, 3), nn.Flatten(), nn.LayerNorm(48), nn.Linear(48, 2))


def losses(net: nn.Module, steps: int) -> Iterator[Tensor]:
    random = torch.Generator().manual_seed(1)
    for _ in range(steps):
        yield net(torch.randn(8, 4, 10, generator=random)).square().sum()  # gradients well above the clip


def steps(optimiser: Optimiser, net: nn.Module, count: int, rate: float = 1e-2) -> None:
    for loss in losses(net, count):
        optimiser.add(loss)
        optimiser.step(rate)


def close(first: nn.Module, second: nn.Module) -> None:
    for weights, expected in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(weights, expected, rtol=1e-4, atol=1e-6)


class Weight(nn.Module):
    """One weight, 1 at first."""

    def __init__(self) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.ones(1, 1))


def test_the_optimisers_of_the_course_are_there() -> None:
    assert tuple(optimisers) == NAMES == tuple(TORCH)


@pytest.mark.parametrize("penalty", [0.0, 0.1])
@pytest.mark.parametrize("name", NAMES)
def test_it_takes_the_steps_of_torch_with_clipped_gradients_and_penalised_weights(
    name: str, penalty: float
) -> None:
    """What torch calls weight decay is decoupled for AdamW and an L2 penalty for all others."""
    ours, theirs = network(), network()
    settings = {"decay": penalty} if name == "adamw" else {"l2": penalty}
    optimiser = optimisers[name](ours, OptimiserSettings(clip=0.5, **settings))
    large = [weights for weights in theirs.parameters() if weights.ndim >= 2]
    others = [weights for weights in theirs.parameters() if weights.ndim < 2]
    groups: Groups = [
        {"params": large, "weight_decay": penalty},
        {"params": others, "weight_decay": 0.0},
    ]
    oracle = TORCH[name](groups)
    for number, (loss, same) in enumerate(zip(losses(ours, 20), losses(theirs, 20), strict=True)):
        rate = 1e-2 / (1 + number)
        optimiser.add(loss)
        optimiser.step(rate)
        for group in oracle.param_groups:
            group["lr"] = rate
        oracle.zero_grad()
        same.backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        oracle.step()
    close(ours, theirs)


def test_gradient_descent_on_a_square_takes_the_steps_of_the_course() -> None:
    """x <- x - 0.1 * 2x from 1."""
    square = Weight()
    optimiser = optimisers["sgd"](square, OptimiserSettings(clip=100.0))
    seen = []
    for _ in range(3):
        optimiser.add(square.x.square().sum())
        optimiser.step(0.1)
        seen.append(square.x.item())
    assert seen == pytest.approx([0.8, 0.64, 0.512])


def test_too_large_a_rate_leaves_the_square_for_good() -> None:
    """Above 1, each step is longer than the last: x <- (1 - 2a) x."""
    square = Weight()
    optimiser = optimisers["sgd"](square, OptimiserSettings(clip=1e9))
    for _ in range(5):
        optimiser.add(square.x.square().sum())
        optimiser.step(1.1)
    assert square.x.item() == pytest.approx((1 - 2.2) ** 5)


def test_the_l1_penalty_sets_weights_to_exactly_nothing_where_the_lasso_does() -> None:
    """Orthonormal inputs: the lasso thresholds the least-squares weights softly."""
    random = torch.Generator().manual_seed(0)
    x = torch.linalg.qr(torch.randn(40, 6, generator=random))[0]  # (records, columns)
    least_squares = torch.tensor([2.0, -1.5, 0.3, -0.1, 0.6, 0.05])
    y = x @ least_squares
    net = nn.Linear(6, 1, bias=False)
    optimiser = optimisers["sgd"](net, OptimiserSettings(l1=0.4, clip=1e9))
    for _ in range(300):
        optimiser.add((net(x)[:, 0] - y).square().sum() / 2)
        optimiser.step(0.3)
    expected = least_squares.sign() * (least_squares.abs() - 0.4).clamp(min=0)
    torch.testing.assert_close(net.weight[0].detach(), expected, rtol=1e-4, atol=1e-5)
    assert (net.weight[0] == 0).tolist() == [False, False, True, True, False, True]


def test_the_l2_penalty_gives_ridge_regression() -> None:
    random = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 5, generator=random), torch.randn(40, generator=random)
    net = nn.Linear(5, 1, bias=False)
    optimiser = optimisers["sgd"](net, OptimiserSettings(l2=7.0, clip=1e9))
    for _ in range(400):
        optimiser.add((net(x)[:, 0] - y).square().sum() / 2)
        optimiser.step(0.01)
    ridge = torch.linalg.solve(x.T @ x + 7 * torch.eye(5), x.T @ y)
    torch.testing.assert_close(net.weight[0].detach(), ridge, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("settings", [{"l1": 0.5}, {"l2": 0.5}, {"decay": 0.5}])
def test_penalties_spare_biases_and_norms(settings: dict[str, float]) -> None:
    free, held = network(), network()
    for net, each in ((free, OptimiserSettings()), (held, OptimiserSettings(**settings))):
        optimiser = optimisers["sgd"](net, each)
        optimiser.add(0 * next(losses(net, 1)))
        optimiser.step(0.1)
    for before, after in zip(free.parameters(), held.parameters(), strict=True):
        assert torch.equal(before, after) == (before.ndim < 2)


def test_added_gradients_count_as_one_batch_of_them_all() -> None:
    parts, whole = network(), network()
    batch = torch.randn(12, 4, 10, generator=torch.Generator().manual_seed(3))
    for net, size in ((parts, 4), (whole, 12)):
        optimiser = optimisers["adam"](net, OptimiserSettings(clip=0.5))
        for _ in range(3):
            for part in batch.split(size):
                optimiser.add(net(part).square().sum(1).mean())
            optimiser.step(1e-2)
    close(parts, whole)


def test_the_average_follows_the_weights_and_can_be_lent() -> None:
    net = network()
    optimiser = optimisers["adamw"](net, OptimiserSettings())
    average = [weights.detach().clone() for weights in net.parameters()]
    for number, loss in enumerate(losses(net, 100), start=1):
        optimiser.add(loss)
        optimiser.step(1e-2)
        kept = min(0.99, (1 + number) / (10 + number))
        average = [
            kept * old + (1 - kept) * new.detach() for old, new in zip(average, net.parameters(), strict=True)
        ]
    current = [weights.detach().clone() for weights in net.parameters()]
    with optimiser.averaged():
        for weights, expected in zip(net.parameters(), average, strict=True):
            torch.testing.assert_close(weights.detach(), expected, rtol=1e-4, atol=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), current, strict=True))


def test_swa_is_the_plain_mean_of_the_last_quarter() -> None:
    net = network()
    optimiser = optimisers["sgd"](net, OptimiserSettings(average="swa", steps=20))
    seen = []
    for number, loss in enumerate(losses(net, 20), start=1):
        optimiser.add(loss)
        optimiser.step(1e-2)
        seen.append(optimiser.weights.clone())
        if number <= 16:
            assert torch.equal(optimiser.average, optimiser.weights)
    torch.testing.assert_close(optimiser.average, torch.stack(seen[15:]).mean(0), rtol=1e-4, atol=1e-6)


def test_without_an_average_the_weights_themselves_are_lent() -> None:
    net = network()
    optimiser = optimisers["sgd"](net, OptimiserSettings(average="none"))
    steps(optimiser, net, 3)
    assert torch.equal(optimiser.average, optimiser.weights)


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_state_goes_on_bit_for_bit(name: str) -> None:
    first, second = network(), network()
    one, other = (optimisers[name](net, OptimiserSettings()) for net in (first, second))
    steps(one, first, 5)
    other.load(one.state(), one.steps)
    for net, optimiser in ((first, one), (second, other)):
        steps(optimiser, net, 5)
    assert all(torch.equal(one.state()[key], other.state()[key]) for key in one.state())


def test_released_parameters_own_their_memory() -> None:
    net = network()
    optimiser = optimisers["adamw"](net, OptimiserSettings())
    pointers = {weights.untyped_storage().data_ptr() for weights in net.parameters()}
    assert len(pointers) == 1
    optimiser.release()
    assert len({weights.untyped_storage().data_ptr() for weights in net.parameters()}) == 6
    assert all(weights.grad is None for weights in net.parameters())


def test_frozen_parameters_stay() -> None:
    net = network()
    net[0].weight.requires_grad_(False)
    before = net[0].weight.clone()
    steps(optimisers["adamw"](net, OptimiserSettings(decay=0.5, l1=0.1, l2=0.1)), net, 3, rate=0.1)
    assert torch.equal(net[0].weight, before)
