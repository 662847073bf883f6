"""Asking a network leaves no trace, whatever happens."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import replace

import pytest
import torch

from bioloom.errors import UserError
from bioloom.explanation import Question, Scale, Target, explainers
from bioloom.explanation.engine import ask, chunks, on_letters, rows_per_chunk, spells_letters
from bioloom.modalities import Kind, Signal
from toy_networks import Conv, Failing, Two, letters, shuffles


def snapshot(network: torch.nn.Module) -> dict[str, object]:
    return {
        "weights": {name: value.clone() for name, value in network.state_dict().items()},
        "modes": [module.training for module in network.modules()],
        "wanted": [weight.requires_grad for weight in network.parameters()],
        "gradients": [weight.grad for weight in network.parameters()],
        "kept": [vars(module).get("features", "none") for module in network.modules()],
        "hooks": [len(m._forward_hooks) + len(m._backward_hooks) for m in network.modules()],
        "random": torch.random.get_rng_state().clone(),
    }


def assert_same(before: dict[str, object], after: dict[str, object]) -> None:
    assert before["weights"].keys() == after["weights"].keys()
    assert all(torch.equal(value, after["weights"][name]) for name, value in before["weights"].items())
    assert before["modes"] == after["modes"]
    assert before["wanted"] == after["wanted"]
    assert all(a is b for a, b in zip(before["gradients"], after["gradients"], strict=True))
    assert all(a is b for a, b in zip(before["kept"], after["kept"], strict=True))
    assert before["hooks"] == after["hooks"]
    assert torch.equal(before["random"], after["random"])


def _explain(name: str, question: Question) -> None:
    """Explain, or refuse where the method may: both leave no trace."""
    with suppress(UserError) if explainers[name].refuses else nullcontext():
        explainers[name].explain(question)


def in_an_unusual_state(network: Conv) -> Conv:
    """Half training, one weight frozen, one with a gradient, maps kept from before."""
    network.train()
    network.norm.eval()
    network.convolution.weight.requires_grad_(False)
    network.dense.weight.grad = torch.ones_like(network.dense.weight)
    network.features = torch.zeros(1)
    return network


@pytest.mark.parametrize("name", list(explainers))
def test_the_network_is_left_exactly_as_it_was(name: str) -> None:
    network, x = in_an_unusual_state(Conv()), letters(3, 20)
    before = snapshot(network)
    _explain(name, Question(network, {"dna": Signal(x)}, "dna", 1, background=shuffles(x, 2)))
    assert_same(before, snapshot(network))


@pytest.mark.parametrize("breaks_at", [1, 2])
@pytest.mark.parametrize("name", [name for name in explainers if Kind.SEQUENCE in explainers[name].accepts])
def test_the_network_is_left_exactly_as_it_was_after_an_error(name: str, breaks_at: int) -> None:
    network, x = in_an_unusual_state(Failing()), letters(3, 20)
    network.breaks_at = breaks_at
    before = snapshot(network)
    failed = False
    try:
        explainers[name].explain(Question(network, {"dna": Signal(x)}, "dna", 0, background=shuffles(x, 2)))
    except (RuntimeError, UserError):
        failed = True
    assert failed or network.asked < breaks_at
    assert_same(before, snapshot(network))


@pytest.mark.parametrize("name", list(explainers))
def test_the_records_are_left_as_they_were(name: str) -> None:
    x = letters(3, 20)
    background, copy = shuffles(x, 2), x.clone()
    kept = background.clone()
    _explain(name, Question(Conv(), {"dna": Signal(x)}, "dna", 0, background=background))
    assert torch.equal(x, copy)
    assert torch.equal(background, kept)
    assert not x.requires_grad


def test_dropout_is_off_even_if_the_network_was_training() -> None:
    x, network = letters(2, 20), Conv()
    question = Question(network, {"dna": Signal(x)}, "dna", 0)
    calm = explainers["mutagenesis"].explain(question).attribution
    network.train()
    assert (explainers["mutagenesis"].explain(question).attribution == calm).all()


def test_explaining_works_inside_inference_mode() -> None:
    x = letters(2, 20)
    question = Question(Conv(), {"dna": Signal(x)}, "dna", 0, background=shuffles(x, 2))
    expected = explainers["integrated_gradients"].explain(question).attribution
    with torch.inference_mode():
        inside = replace(question, batch={"dna": Signal(x.clone())}, background=shuffles(x, 2))
        assert (explainers["integrated_gradients"].explain(inside).attribution == expected).all()


def test_other_inputs_follow_their_record() -> None:
    """The output is a product, so a wrong pairing of records would show in every number."""
    dna, table = letters(3, 20), torch.randn(3, 3, generator=torch.Generator().manual_seed(1))
    question = Question(Two(), {"dna": Signal(dna), "table": Signal(table)}, "dna", 0)
    together = explainers["mutagenesis"].explain(question).attribution
    for row in range(3):
        one = {"dna": Signal(dna[row : row + 1]), "table": Signal(table[row : row + 1])}
        alone = explainers["mutagenesis"].explain(replace(question, batch=one)).attribution
        assert abs(alone[0] - together[row]).max() < 1e-6


def test_chunks_cover_everything_once() -> None:
    assert [(part.start, part.stop) for part in chunks(70, 32)] == [(0, 32), (32, 64), (64, 70)]
    assert list(chunks(0, 32)) == []


@pytest.mark.parametrize(("positions", "rows"), [(20, 256), (250, 64), (1000, 16), (100_000, 16)])
def test_chunks_are_small_enough_for_a_cache(positions: int, rows: int) -> None:
    assert rows_per_chunk(torch.zeros(2, 4, positions)) == rows


def test_letters_are_told_from_other_signals() -> None:
    x = letters(2, 10)
    assert spells_letters(x)
    x[0, :, 3], x[1, :, 4] = 0.25, 0.0  # N and a gap
    assert spells_letters(x)
    assert not spells_letters(torch.randn(2, 4, 10))
    assert not spells_letters(torch.ones(2, 1, 10))
    assert not spells_letters(torch.ones(2, 10))
    assert not spells_letters(x[:0])


def test_a_position_gives_its_number_to_its_letter_and_nothing_is_lost() -> None:
    x = letters(1, 4)
    x[0, :, 1] = torch.tensor([0.5, 0.5, 0.0, 0.0])
    x[0, :, 2] = 0.0
    value = torch.tensor([[3.0, 2.0, 8.0, -1.0]])
    placed = on_letters(value, x)
    assert torch.equal(placed.sum(dim=1), value)
    assert torch.equal(placed[0, :, 0], 3 * x[0, :, 0])
    assert placed[0, :, 1].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert placed[0, :, 2].tolist() == [2.0, 2.0, 2.0, 2.0]


def test_what_was_asked_before_is_remembered_and_not_asked_again() -> None:
    network, x = Conv(), letters(4, 20)
    asked = Question(network, {"x": Signal(x)}, "x", 0, memory={})
    calls = []
    network.register_forward_hook(lambda *_: calls.append(1))
    rows = torch.arange(4)
    with torch.no_grad():
        first, again = ask(asked, x, rows), ask(asked, x.clone(), rows)
        other = ask(replace(asked, output=Target(0, Scale.PROBABILITY)), x, rows)
        assert len(calls) == 1
        ask(asked, x.roll(1, 2), rows)
        assert len(calls) == 2
    assert torch.equal(first, again)
    ask(asked, x.clone().requires_grad_(), rows).sum().backward()  # with gradients nothing is remembered
    assert len(calls) == 3
    assert torch.allclose(other, network(x).softmax(dim=1)[:, 0])
