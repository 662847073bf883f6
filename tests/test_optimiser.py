import pytest
import torch
from torch import nn

from bioloom.training.optimiser import AdamW, AdamWSettings
from bioloom.training.schedule import one_cycle


def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv1d(4, 6, 3), nn.Flatten(), nn.LayerNorm(48), nn.Linear(48, 2))


def losses(net: nn.Module, steps: int):
    random = torch.Generator().manual_seed(1)
    for _ in range(steps):
        yield net(torch.randn(8, 4, 10, generator=random)).square().sum()  # gradients well above the clip


def test_it_takes_the_steps_of_torch_adamw_with_clipped_gradients() -> None:
    ours, theirs = network(), network()
    optimiser = AdamW(ours, AdamWSettings(decay=0.1, clip=0.5))
    decayed = [weights for weights in theirs.parameters() if weights.ndim >= 2]
    others = [weights for weights in theirs.parameters() if weights.ndim < 2]
    oracle = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        betas=(0.9, 0.99),
    )
    for number, (loss, same) in enumerate(zip(losses(ours, 20), losses(theirs, 20), strict=True)):
        rate = 1e-2 / (1 + number)
        optimiser.step(loss, rate)
        for group in oracle.param_groups:
            group["lr"] = rate
        oracle.zero_grad()
        same.backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        oracle.step()
    for weights, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(weights, expected, rtol=1e-4, atol=1e-6)


def test_the_average_follows_the_weights_and_can_be_lent() -> None:
    net = network()
    optimiser = AdamW(net, AdamWSettings(average=0.9))
    average = [weights.detach().clone() for weights in net.parameters()]
    for number, loss in enumerate(losses(net, 100), start=1):
        optimiser.step(loss, 1e-2)
        kept = min(0.9, (1 + number) / (10 + number))
        average = [
            kept * old + (1 - kept) * new.detach() for old, new in zip(average, net.parameters(), strict=True)
        ]
    current = [weights.detach().clone() for weights in net.parameters()]
    with optimiser.averaged():
        for weights, expected in zip(net.parameters(), average, strict=True):
            torch.testing.assert_close(weights.detach(), expected, rtol=1e-4, atol=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), current, strict=True))


def test_a_loaded_state_goes_on_bit_for_bit() -> None:
    first, second = network(), network()
    one, other = (AdamW(net, AdamWSettings()) for net in (first, second))
    for loss in losses(first, 5):
        one.step(loss, 1e-2)
    other.load(one.state(), one.steps)
    for net, optimiser in ((first, one), (second, other)):
        for loss in losses(net, 5):
            optimiser.step(loss, 1e-2)
    assert all(torch.equal(one.state()[name], other.state()[name]) for name in one.state())


def test_released_parameters_own_their_memory() -> None:
    net = network()
    optimiser = AdamW(net, AdamWSettings())
    pointers = {weights.untyped_storage().data_ptr() for weights in net.parameters()}
    assert len(pointers) == 1
    optimiser.release()
    assert len({weights.untyped_storage().data_ptr() for weights in net.parameters()}) == 6
    assert all(weights.grad is None for weights in net.parameters())


def test_frozen_parameters_stay() -> None:
    net = network()
    net[0].weight.requires_grad_(False)
    before = net[0].weight.clone()
    optimiser = AdamW(net, AdamWSettings(decay=0.5))
    for loss in losses(net, 3):
        optimiser.step(loss, 0.1)
    assert torch.equal(net[0].weight, before)


def test_one_cycle_rises_to_its_peak_at_30_percent_and_falls_to_almost_nothing() -> None:
    rates = [one_cycle(step / 1000) for step in range(1001)]
    assert (rates[0], rates[300], rates[1000]) == pytest.approx((0.04, 1.0, 1e-4))
    assert rates[:301] == sorted(rates[:301])
    assert rates[300:] == sorted(rates[300:], reverse=True)
    assert one_cycle(0.15) == pytest.approx(0.52), "half way up"
    assert one_cycle(0.65) == pytest.approx(0.50005), "half way down"
