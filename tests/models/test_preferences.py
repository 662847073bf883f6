"""Preferences: losses beside closed forms, their slopes beside finite differences, and what counts as the response."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from bioloom.modalities import Kind, Shape
from bioloom.models import build
from bioloom.models.language import LanguageNetwork
from bioloom.models.preferences import (
    Responses,
    Reward,
    bradley_terry,
    direct_preference,
    imitation,
    kept_apart,
    log_likelihood,
    read_once,
    rewarded,
)
from bioloom.models.writing import Manner, Page, write
from bioloom.training.lessons import Pace, learn

SHAPE = Shape(Kind.TOKENS, (8,), 5)


def fresh(seed: int = 0) -> LanguageNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build("rnn_language", {"x": SHAPE}, 3, {"width": 6, "hidden": 8})
    assert isinstance(network, LanguageNetwork)
    return network.eval()


def some(seed: int, records: int = 6) -> Responses:
    """Prompts of two or three tokens, and responses up to different ends."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randint(1, 5, (records, 8), generator=random).float()
    place = torch.arange(8)
    mask = place < torch.tensor([8, 6, 7, 5, 8, 4])[:records, None]
    asked = mask & (place >= torch.tensor([2, 3, 2, 2, 3, 2])[:records, None])
    return Responses(x * mask, mask, asked)


def test_the_likelihood_of_a_response_is_the_product_of_its_tokens() -> None:
    network, responses = fresh(), some(1)
    found = log_likelihood(network, responses).detach()
    for row in range(6):
        tokens = responses.x[row].long().tolist()
        first, last = (int(responses.asked[row].nonzero()[end]) for end in (0, -1))
        total = 0.0
        for place in range(first, last + 1):
            before = torch.tensor([[0.0, *tokens[:place]]])
            total += float(network.read(before)[0, -1].log_softmax(0)[tokens[place]].detach())
        assert float(found[row]) == pytest.approx(total, abs=1e-4)
    tokens_in_all = int(responses.asked.sum())
    assert float(imitation(network, responses).detach()) == pytest.approx(
        -float(found.sum()) / tokens_in_all, abs=1e-5
    )


def test_prompts_are_read_but_not_learned() -> None:
    network, responses = fresh(), some(2)
    other = Responses(responses.x.clone(), responses.mask, responses.asked)
    other.x[:, 0] = other.x[:, 0] % 4 + 1
    first = network.judge(responses.x, responses.mask).likelihood[:, 0]
    assert not torch.equal(first, network.judge(other.x, other.mask).likelihood[:, 0])
    # the prompt matters
    assert not torch.equal(log_likelihood(network, responses), log_likelihood(network, other))
    nothing = Responses(responses.x, responses.mask, torch.zeros_like(responses.asked))
    assert log_likelihood(network, nothing).tolist() == [0.0] * 6


def test_the_loss_of_bradley_and_terry_is_that_of_a_logistic_regression() -> None:
    chosen, rejected = torch.tensor([1.0, -0.5]), torch.tensor([0.0, 1.0])
    expected = (math.log1p(math.exp(-1.0)) + math.log1p(math.exp(1.5))) / 2
    assert float(bradley_terry(chosen, rejected)) == pytest.approx(expected)


def test_rewards_of_bradley_and_terry_become_the_odds_of_being_preferred() -> None:
    """Two responses of which one is preferred 3 times in 4: the best difference of rewards is log 3."""
    gap = torch.zeros(1, requires_grad=True)
    step = torch.optim.SGD([gap], 5.0)
    for _ in range(60):
        step.zero_grad()
        pairs = torch.cat([gap, gap, gap, -gap])
        bradley_terry(pairs, torch.zeros(4)).backward()
        step.step()
    assert float(gap.detach()) == pytest.approx(math.log(3), abs=1e-3)


def test_the_loss_of_direct_preference_follows_its_formula() -> None:
    policy, reference = (
        (torch.tensor([-3.0]), torch.tensor([-5.0])),
        (torch.tensor([-4.0]), torch.tensor([-4.5])),
    )
    gain = ((-3.0 + 4.0) - (-5.0 + 4.5)) * 0.2
    assert float(direct_preference(policy, reference, 0.2)) == pytest.approx(math.log1p(math.exp(-gain)))
    same = direct_preference(policy, policy, 0.7)
    assert float(same) == pytest.approx(math.log(2))  # nothing was learned yet


def test_the_slope_of_direct_preference_is_that_of_finite_differences() -> None:
    network = fresh().double()
    pairs = tuple(Responses(each.x.double(), each.mask, each.asked) for each in (some(3), some(4)))
    reference = kept_apart(network)
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(
                0.05 * torch.randn(weights.shape, generator=torch.Generator().manual_seed(1)).double()
            )
        fixed = tuple(log_likelihood(reference, each) for each in pairs)

    def loss() -> Tensor:
        now = tuple(log_likelihood(network, each) for each in pairs)
        return direct_preference((now[0], now[1]), (fixed[0], fixed[1]), 0.3)

    loss().backward()
    for weights in (network.head.weight, network.reading.embed.weight):
        assert weights.grad is not None
        for place in ((1, 2), (3, 4)):
            ends = []
            for way in (1e-3, -1e-3):
                with torch.no_grad():
                    weights[place] += way
                    ends.append(float(loss()))
                    weights[place] -= way
            slope = (ends[0] - ends[1]) / 2e-3
            assert float(weights.grad[place]) == pytest.approx(slope, rel=1e-2, abs=1e-5)


def test_the_reference_stays_and_the_best_weights_are_kept() -> None:
    network, chosen, rejected = fresh(), some(5), some(6)
    reference = kept_apart(network)
    fixed = read_once(reference, chosen), read_once(reference, rejected)
    before = {name: each.clone() for name, each in reference.state_dict().items()}

    def loss(rows: Tensor) -> Tensor:
        now = log_likelihood(network, chosen.take(rows)), log_likelihood(network, rejected.take(rows))
        return direct_preference(now, (fixed[0][rows], fixed[1][rows]), 0.5)

    rows = torch.arange(6)
    course = learn(network, loss, (rows, rows), Pace(epochs=12, learning_rate=1e-2, silenced=False))
    assert course.losses[0] == pytest.approx(math.log(2))
    assert course.losses[course.best] == min(course.losses) < 0.6
    assert float(loss(rows).detach()) == pytest.approx(course.losses[course.best], abs=1e-5)
    assert all(torch.equal(each, before[name]) for name, each in reference.state_dict().items())
    apart = read_once(network, chosen) - read_once(network, rejected)
    assert float((apart - fixed[0] + fixed[1]).mean()) > 0.1


def test_many_responses_are_read_in_parts_with_the_same_numbers() -> None:
    network, responses = fresh(), some(7)
    reward = Reward(network)
    torch.nn.init.normal_(reward.value.weight, generator=torch.Generator().manual_seed(2))
    seen: list[int] = []
    reward.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    torch.testing.assert_close(rewarded(reward, responses, 4), rewarded(reward, responses))
    assert seen == [4, 2, 6]
    torch.testing.assert_close(read_once(network, responses, 4), read_once(network, responses))


def test_a_reward_is_learned_from_pairs_alone() -> None:
    random = torch.Generator().manual_seed(0)
    x = torch.randint(1, 5, (64, 8), generator=random).float()
    mask = torch.ones(64, 8, dtype=torch.bool)
    responses = Responses(x, mask, torch.arange(8).expand(64, 8) >= 2)
    liked = (x[:, 2:] == 3).sum(dim=1)  # the judge likes token 3
    first, second = torch.arange(0, 64, 2), torch.arange(1, 64, 2)
    swap = liked[first] < liked[second]
    chosen, rejected = torch.where(swap, second, first), torch.where(swap, first, second)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        reward = Reward(fresh())

    def loss(rows: Tensor) -> Tensor:
        return bradley_terry(reward(responses.take(chosen[rows])), reward(responses.take(rejected[rows])))

    rows = torch.arange(32)
    learn(reward, loss, (rows, rows), Pace(epochs=25, learning_rate=2e-2, patience=25, silenced=False))
    with torch.inference_mode():
        found = reward(responses).numpy()
    assert np.corrcoef(found, liked.numpy())[0, 1] > 0.6


def test_responses_as_drawn_are_as_likely_as_writing_them_was() -> None:
    network, prompts = fresh(), [np.array([1, 2]), np.array([3])]
    written = [write(network, Page(prompt, 4), Manner(seed=5)) for prompt in prompts]
    tokens = np.concatenate([each.tokens for each in written])
    found = read_once(network, Responses.following(network, prompts, tokens, longest=8))
    np.testing.assert_allclose(found, [4 * each.likelihood[0] for each in written], atol=1e-5)
    cut = Responses.following(network, prompts, tokens, longest=5)
    assert cut.asked.sum(dim=1).tolist() == [3, 4]


def test_how_far_a_model_went_is_the_divergence_of_all_responses() -> None:
    policy, before, length = fresh(1), fresh(2), 2
    every = np.array([[a, b] for a in range(5) for b in range(5)])

    def log_p(network: LanguageNetwork, tokens: np.ndarray) -> np.ndarray:
        prompts = [np.array([2])] * len(tokens)
        return read_once(network, Responses.following(network, prompts, tokens, longest=8)).double().numpy()

    chance = np.exp(log_p(policy, every))
    assert chance.sum() == pytest.approx(1.0, abs=1e-5)
    exact = float(chance @ (log_p(policy, every) - log_p(before, every)))
    drawn = write(policy, Page(np.array([2]), length, texts=4_000), Manner(seed=0)).tokens
    apart = log_p(policy, drawn) - log_p(before, drawn)
    assert apart.mean() == pytest.approx(exact, abs=4 * apart.std() / 4_000**0.5)
