"""The masked language model: which positions are asked for, what may be seen of them, and counts beside a dictionary."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from bioloom.modalities import Kind, Shape
from bioloom.models import TrainingData, build
from bioloom.models.kgram import AROUND, KGramAround, _counted, _runs
from bioloom.models.masked import TransformerMasked, hidden_at
from bioloom.targets import Targets
from bioloom.tasks import TASKS

SHAPES = (Shape(Kind.TOKENS, (20,), 6), Shape(Kind.SEQUENCE, (4, 20)))
CASES = [pytest.param(shape, id=str(shape.kind)) for shape in SHAPES]
SMALL = {"width": 16, "blocks": 1, "heads": 2}


def fresh(shape: Shape) -> TransformerMasked:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = build("transformer_masked", {"x": shape}, 3, SMALL)
    assert isinstance(network, TransformerMasked)
    return network.eval()


def records(shape: Shape, count: int = 3) -> Tensor:
    random = torch.Generator().manual_seed(2)
    if shape.kind is Kind.TOKENS:
        return torch.randint(1, shape.tokens, (count, 20), generator=random).float()
    return torch.eye(4)[torch.randint(0, 4, (count, 20), generator=random)].transpose(1, 2).contiguous()


@pytest.mark.parametrize("shape", CASES)
def test_each_position_is_judged_once_while_it_is_hidden(shape: Shape) -> None:
    network, x = fresh(shape), records(shape, 2)
    token = x.long() if shape.kind is Kind.TOKENS else x.argmax(dim=1)
    with torch.inference_mode():
        found = network(x)
        total = torch.zeros(2)
        for turn in range(7):
            asked = (torch.arange(20) % 7 == turn).expand(2, 20)
            log_p = network.head(network._encoded(hidden_at(x, asked), None)).log_softmax(2)
            total += (log_p.gather(2, token[..., None])[..., 0] * asked).sum(1)
    assert found[:, 2].tolist() == [20, 20]
    torch.testing.assert_close(found[:, 0], total / 20)


@pytest.mark.parametrize("shape", CASES)
def test_a_hidden_token_is_never_seen(shape: Shape) -> None:
    network, x = fresh(shape), records(shape, 1)
    with torch.inference_mode():
        for place in (0, 9, 19):
            asked = torch.arange(20)[None] == place
            other = x.clone()
            other[..., place] = x.flip(0).roll(1, -1)[..., place] if shape.kind is Kind.TOKENS else 0.25
            first, second = (network._encoded(hidden_at(each, asked), None) for each in (x, other))
            assert torch.equal(first, second)


@pytest.mark.parametrize("shape", CASES)
def test_the_shares_of_hidden_random_and_unchanged_positions_are_those_of_the_paper(shape: Shape) -> None:
    network, x = fresh(shape).train(), records(shape, 400)
    torch.manual_seed(0)
    counts = network(x)[:, 2].detach()
    assert float(counts.mean()) / 20 == pytest.approx(0.15, abs=0.01)
    asked = torch.rand(400, 20) < 0.5
    changed = network.disguised(x, asked)
    if shape.kind is Kind.TOKENS:
        nothing, same = changed == 0, changed == x
    else:
        nothing, same = changed.sum(1) == 0, (changed == x).all(dim=1)
    assert same[~asked].all()
    kinds = 5 if shape.kind is Kind.TOKENS else 4
    assert float(nothing[asked].float().mean()) == pytest.approx(0.8, abs=0.02)
    assert float(same[asked].float().mean()) == pytest.approx(0.1 + 0.1 / kinds, abs=0.02)


def test_mixtures_of_letters_and_empty_positions_are_not_asked_for() -> None:
    network, x = fresh(SHAPES[1]), records(SHAPES[1], 2)
    x[0, :, 3] = 0.25
    mask = torch.arange(20) < torch.tensor([20, 12])[:, None]
    assert network(x, mask)[:, 2].tolist() == [19, 12]


def test_a_pattern_is_learned_that_only_both_sides_tell() -> None:
    pairs = torch.tensor(list(product((1, 2), repeat=2)))
    rows = torch.stack([pairs[:, 0], 3 + (pairs[:, 0] != pairs[:, 1]).long(), pairs[:, 1]], 1).float()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("transformer_masked", {"x": Shape(Kind.TOKENS, (3,), 5)}, 3, SMALL | {"dropout": 0.0})
        step = torch.optim.AdamW(network.parameters(), 1e-2)
        for _ in range(80):
            raw = network.train()(rows.repeat(16, 1))
            loss = -(raw[:, 0] * raw[:, 2]).sum() / raw[:, 2].sum().clamp(min=1)
            step.zero_grad()
            loss.backward()
            step.step()
    assert network.eval()(rows)[:, 1].detach().tolist() == [1, 1, 1, 1]


# ---- counting ------------------------------------------------------------------------------------------------------------


def data(tokens: np.ndarray) -> TrainingData:
    some = tokens.astype(np.float32)
    return TrainingData(
        some, np.ones((len(some), 3), np.float32), np.ones(len(some), np.float32), some[:9], some[:9]
    )


def test_runs_grow_from_the_nearest_neighbours_outwards() -> None:
    tokens = np.array([[1, 2, 3, 4, 5]])
    runs, whole = _runs(tokens, 10, AROUND[:4])  # two before, one behind, one before, the token
    assert runs[0, 2] == 1423
    assert whole[0].tolist() == [False, False, True, True, False]


def test_counts_of_three_follow_the_formula_of_kneser_and_ney() -> None:
    random = np.random.default_rng(0)
    rows = random.choice(3, p=[0.5, 0.3, 0.2], size=(8, 9)) + 1
    model = KGramAround(_counted(rows, 5, 3, AROUND), 5)
    triples = Counter(tuple(map(int, row[at - 1 : at + 2])) for row in rows for at in range(1, 8))

    def discount(counts: Counter[tuple[int, ...]]) -> float:
        once, twice = (sum(count == number for count in counts.values()) for number in (1, 2))
        return once / (once + 2 * twice) if once and twice else 0.5

    pairs = Counter((left, middle) for left, middle, _ in triples)
    # runs of two reach to the last token
    before = {(int(row[at - 1]), int(row[at])) for row in rows for at in range(1, 9)}
    singles = Counter(middle for _, middle in before)
    new = np.array([[2, 1, 3]])
    one = {
        middle: (
            max(singles[middle] - discount(Counter({(key,): count for key, count in singles.items()})), 0)
            + discount(Counter({(key,): count for key, count in singles.items()})) * len(singles) / 3
        )
        / sum(singles.values())
        for middle in (1, 2, 3)
    }

    def two(left: int, middle: int) -> float:
        behind = {key[1]: count for key, count in pairs.items() if key[0] == left}
        taken = discount(pairs)
        return (max(behind.get(middle, 0) - taken, 0) + taken * len(behind) * one[middle]) / sum(
            behind.values()
        )

    def three(left: int, middle: int, right: int) -> float:
        around = {key[1]: count for key, count in triples.items() if (key[0], key[2]) == (left, right)}
        taken = discount(triples)
        if not around:
            return two(left, middle)
        given = max(around.get(middle, 0) - taken, 0) + taken * len(around) * two(left, middle)
        return given / sum(around.values())

    expected = -np.log([one[2], three(2, 1, 3), two(1, 3)]).mean()
    assert model.predict(new.astype(np.float32))[0, 0] == pytest.approx(expected, rel=1e-5)


def test_neighbours_on_both_sides_tell_more_than_those_before() -> None:
    random = np.random.default_rng(0)
    left, right = (random.integers(1, 4, 400) for _ in range(2))
    rows = np.stack([left, (left + right) % 3 + 1, right], 1)
    model = KGramAround.fit(data(rows), Targets("masked", TASKS["masked"].names), 0)
    certain = [[a, (a + b) % 3 + 1, b] for a, b in product((1, 2, 3), repeat=2)]
    wrong = [[a, (a + b + 1) % 3 + 1, b] for a, b in product((1, 2, 3), repeat=2)]
    right_ones, wrong_ones = (
        model.predict(np.array(each, dtype=np.float32))[:, 0] for each in (certain, wrong)
    )
    assert right_ones.max() < wrong_ones.min()
