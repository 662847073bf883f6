"""Language models: likelihoods beside sums by hand, writing with kept states beside reading anew, counts beside a dictionary."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from bioloom.made import asked_of_all, surprise, tokens_themselves
from bioloom.modalities import Kind, Shape, Signal
from bioloom.models import TrainingData, apply, build, networks
from bioloom.models.kgram import KGram, TokenShares, _counted
from bioloom.models.language import LanguageNetwork, delayed
from bioloom.models.writing import Manner, Page, write
from bioloom.targets import Targets
from bioloom.tasks import TASKS

NAMES = ("gpt", "rnn_language")
SHAPES = (Shape(Kind.TOKENS, (14,), 6), Shape(Kind.SEQUENCE, (4, 14)))
TARGETS = Targets("language", TASKS["language"].names)
SMALL = {"gpt": {"width": 16, "blocks": 2, "heads": 2}, "rnn_language": {"width": 8, "hidden": 12}}


def fresh(name: str, shape: Shape) -> LanguageNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = build(name, {"x": shape}, 3, SMALL[name])
    assert isinstance(network, LanguageNetwork)
    return network.eval()


def records(shape: Shape, count: int = 3) -> Tensor:
    random = torch.Generator().manual_seed(2)
    if shape.kind is Kind.TOKENS:
        return torch.randint(1, shape.tokens, (count, 14), generator=random).float()
    return torch.eye(4)[torch.randint(0, 4, (count, 14), generator=random)].transpose(1, 2).contiguous()


CASES = [pytest.param(name, shape, id=f"{name}-{shape.kind}") for name in NAMES for shape in SHAPES]


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_reading_on_with_what_is_kept_is_the_same_as_reading_anew(name: str, shape: Shape) -> None:
    network, x = fresh(name, shape), delayed(records(shape))
    with torch.inference_mode():
        whole, state, parts = network.read(x), network.start(), []
        for first, last in pairwise((0, 5, *range(6, 15))):
            logits, state = network.step(x[..., first:last], state)
            parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_what_is_said_of_a_token_follows_from_those_before_it_alone(name: str, shape: Shape) -> None:
    network, x = fresh(name, shape), records(shape)
    changed = x.clone()
    changed[..., 9:] = x[..., 9:].flip(-1).roll(1, 0)
    torch.testing.assert_close(network.judge(x).likelihood[:, :9], network.judge(changed).likelihood[:, :9])


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_the_probabilities_of_the_next_token_add_up_to_one(name: str, shape: Shape) -> None:
    network, x = fresh(name, shape), records(shape, 1)
    total = torch.zeros(14)
    for token in range(shape.tokens or 4):
        other = x.clone()
        if shape.kind is Kind.TOKENS:
            other[:, 7] = token
        else:
            other[:, :, 7] = torch.eye(4)[token]
        total += network.judge(other).likelihood[0].detach().exp()
    assert float(total[7]) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_a_record_is_judged_as_if_it_were_alone(name: str, shape: Shape) -> None:
    network, x = fresh(name, shape), records(shape)
    mask = torch.arange(14) < torch.tensor([14, 6, 9])[:, None]
    together = network(x, mask)
    for row, length in enumerate((14, 6, 9)):
        torch.testing.assert_close(together[row], network(x[row : row + 1, ..., :length])[0])
    assert together[:, 2].tolist() == [14, 6, 9]


def test_the_loss_is_the_surprise_of_all_tokens_alike() -> None:
    raw = torch.tensor([[-2.0, 0.5, 10.0], [-1.0, 0.1, 30.0]])
    assert float(surprise(raw, raw, None, None)) == pytest.approx((20 + 30) / 40)
    assert float(surprise(raw, raw, None, torch.tensor([0.0, 1.0]))) == pytest.approx(1.0)


def test_mixtures_and_gaps_are_no_tokens() -> None:
    x = np.zeros((1, 4, 5), dtype=np.float32)
    x[0, 2, 0] = x[0, 0, 1] = 1
    x[0, :, 2] = 0.25
    np.testing.assert_array_equal(tokens_themselves(x, None), [[3, 1, 0, 0, 0]])
    np.testing.assert_array_equal(asked_of_all(x, None), [[0, 1, 2]])


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_a_network_with_labels_knows_what_the_language_model_knew(name: str, shape: Shape) -> None:
    network = fresh(name, shape)
    for follower in networks[name].with_labels:
        settings = networks[name].for_labels(SMALL[name])
        other = build(follower, {"x": shape}, 2, settings).eval()
        weights, learned = other.state_dict(), network.state_dict()
        taken = {key: learned[key] for key in weights if key in learned}
        assert set(learned) - set(taken) == {"head.weight", "head.bias"}
        other.load_state_dict(weights | taken)
        x = records(shape)
        apply(other, {"x": Signal(x)})
        read, first = (delayed(x), 1) if name == "gpt" else (x, 0)  # nothing stands before the first token
        expected = network.hidden(read)[:, first:]
        torch.testing.assert_close(other.features.transpose(1, 2)[:, : expected.shape[1]], expected)


# ---- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_greedy_writing_takes_the_likeliest_token_each_time(name: str, shape: Shape) -> None:
    network = fresh(name, shape)
    begin = np.array([1, 2, 3])
    written = write(network, Page(begin, 8), Manner(greedy=True))
    tokens = begin.tolist()
    for token in written.tokens[0].tolist():
        x = torch.tensor([tokens])
        x = x.float() if shape.kind is Kind.TOKENS else torch.eye(4)[x].transpose(1, 2)
        behind = network.read(torch.nn.functional.pad(x, (1, 0)))[0, -1]
        assert token == int(behind.argmax())
        tokens.append(token)


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_the_likelihood_of_what_was_written_is_that_of_reading_it(name: str, shape: Shape) -> None:
    network = fresh(name, shape)
    written = write(network, Page(np.zeros(0, dtype=np.int64), 14, texts=3), Manner(seed=4))
    tokens = torch.from_numpy(written.tokens)
    x = tokens.float() if shape.kind is Kind.TOKENS else torch.eye(4)[tokens].transpose(1, 2)
    np.testing.assert_allclose(network(x)[:, 0].detach(), written.likelihood, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_what_is_written(name: str) -> None:
    network, page = fresh(name, SHAPES[0]), Page(np.array([2]), 30, texts=2)
    first, same, other = (write(network, page, Manner(seed=seed)).tokens for seed in (1, 1, 2))
    assert (first == same).all()
    assert (first != other).any()
    assert (first[0] != first[1]).any()


def test_some_tokens_are_never_written_and_top_k_keeps_to_the_likeliest() -> None:
    network = fresh("rnn_language", SHAPES[0])
    page = Page(np.zeros(0, dtype=np.int64), 200, never=(0, 1))
    assert set(write(network, page, Manner(temperature=5)).tokens.ravel()) == {2, 3, 4, 5}
    sure = write(network, page, Manner(top_k=1, seed=3)).tokens
    assert (sure == write(network, page, Manner(greedy=True)).tokens).all()


def test_a_decoder_writes_on_beyond_its_longest_text() -> None:
    written = write(fresh("gpt", SHAPES[0]), Page(np.array([1] * 40), 60), Manner())
    assert written.tokens.shape == (1, 60)
    assert np.isfinite(written.likelihood).all()


def test_draws_follow_the_probabilities() -> None:
    network = fresh("rnn_language", SHAPES[0])
    drawn = write(network, Page(np.array([3]), 1, texts=20_000), Manner(seed=0)).tokens.ravel()
    expected = network.read(torch.tensor([[0.0, 3.0]]))[0, -1].softmax(dim=0).detach().numpy()
    np.testing.assert_allclose(np.bincount(drawn, minlength=6) / len(drawn), expected, atol=0.015)


# ---- counting --------------------------------------------------------------------------------------------------------


def data(tokens: np.ndarray) -> TrainingData:
    some = tokens.astype(np.float32)
    return TrainingData(
        some, np.ones((len(some), 3), np.float32), np.ones(len(some), np.float32), some[:5], some[:5]
    )


def of_order(order: int, tokens: np.ndarray) -> KGram:
    base = int(tokens.max()) + 2
    return KGram(_counted(tokens, base, order), base)


def kneser_ney(rows: list[list[int]], order: int, kinds: int) -> object:
    """The formula of the docstring with dictionaries."""
    runs = {
        size: Counter(tuple(row[end - size : end]) for row in rows for end in range(size, len(row) + 1))
        for size in range(1, order + 2)
    }
    counts: dict[int, Counter[tuple[int, ...]]] = {order: runs[order]}
    for size in range(order - 1, 0, -1):
        counts[size] = Counter(run[1:] for run in runs[size + 1])
    discount = {}
    for size, counted in counts.items():
        once, twice = (sum(count == number for count in counted.values()) for number in (1, 2))
        discount[size] = once / (once + 2 * twice) if once and twice else 0.5

    def probability(context: tuple[int, ...], token: int) -> float:
        size = len(context) + 1
        lower = probability(context[1:], token) if context else 1 / kinds
        behind = {run[-1]: count for run, count in counts[size].items() if run[:-1] == context}
        if not behind:
            return lower
        given = max(behind.get(token, 0) - discount[size], 0) + discount[size] * len(behind) * lower
        return given / sum(behind.values())

    return probability


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_counts_follow_the_formula_of_kneser_and_ney(order: int) -> None:
    random = np.random.default_rng(0)
    rows = [random.choice(4, p=[0.5, 0.3, 0.1, 0.1], size=12).tolist() for _ in range(6)]
    rows = [[token + 1 for token in row] for row in rows]
    model = of_order(order, np.array(rows))
    probability = kneser_ney(rows, order, 4)
    new = [1, 2, 1, 1, 4, 3, 2, 1]
    total = 0.0
    for end in range(len(new)):
        context = tuple(new[max(0, end - order + 1) : end])
        total -= np.log(probability(context, new[end]))
    assert model.predict(np.array([new], dtype=np.float32))[0, 0] == pytest.approx(total / len(new), rel=1e-5)


def test_probabilities_of_counts_add_up_to_one() -> None:
    random = np.random.default_rng(1)
    model = of_order(3, random.integers(1, 5, size=(20, 15)))
    for context in ([1, 2], [3, 3], [4, 1]):
        first = float(model.predict(np.array([context], dtype=np.float32))[0, 0]) * 2
        each = [
            model.predict(np.array([[*context, token]], dtype=np.float32))[0, 0] * 3 for token in range(1, 5)
        ]
        assert sum(np.exp(first - np.array(each))) == pytest.approx(1.0, abs=1e-4)


def test_frequencies_are_the_entropy_of_single_tokens() -> None:
    tokens = np.array([[1, 1, 2, 3] * 50])
    found = TokenShares.fit(data(np.repeat(tokens, 20, axis=0)), TARGETS, 0).predict(
        tokens.astype(np.float32)
    )
    assert found[0, 0] == pytest.approx(1.5 * np.log(2), abs=0.01)
    assert found[0, 1] == pytest.approx(0.5)


def test_the_order_is_chosen_on_validation_records() -> None:
    tokens = np.tile([1, 2, 3, 1, 2, 4], (40, 4))  # what follows 1 2 depends on what stood before it
    model = KGram.fit(data(tokens), TARGETS, 0)
    assert len(model.levels) >= 4
    assert model.predict(tokens.astype(np.float32))[0, 1] > 0.85


def test_what_is_likeliest_is_what_followed_most_often() -> None:
    follows: dict[int, Counter[int]] = defaultdict(Counter)
    tokens = np.random.default_rng(3).integers(1, 4, size=(30, 20))
    for row in tokens:
        for one, other in pairwise(row.tolist()):
            follows[one][other] += 1
    model, right = of_order(2, tokens), 0
    for one, other in pairwise(tokens[0].tolist()):
        right += other == max(follows[one], key=lambda token: (follows[one][token], -token))
    first = tokens[0, 0] == model.levels[0].likeliest[0]
    assert model.predict(tokens[:1].astype(np.float32))[0, 1] == pytest.approx((right + first) / 20)
