"""The encoder and decoder: attention that adds up to one, teacher forcing beside writing, and beams beside all answers."""

from __future__ import annotations

from copy import deepcopy
from itertools import product

import pytest
import torch
from torch import Tensor

from bioloom.data.answers import ANSWER, END, OTHER, SAID
from bioloom.errors import UserError
from bioloom.modalities import Batch, Kind, Shape, Signal
from bioloom.models import apply, build
from bioloom.models.beams import searched
from bioloom.models.encoder_decoder import EncoderDecoder

SMALL = {"width": 16, "blocks": 1, "heads": 2, "dropout": 0.0}
SHAPES = {"gene": Shape(Kind.SEQUENCE, (4, 9)), "view": Shape(Kind.IMAGE, (1, 12, 12))}
TOLD = SHAPES | {ANSWER: Shape(Kind.TOKENS, (4,), 5)}


def fresh(beams: int = 1) -> EncoderDecoder:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = build("encoder_decoder", TOLD, SAID + 4, SMALL | {"beams": beams})
        for weights in network.parameters():  # far from even, so that beams and greedy differ
            torch.nn.init.normal_(weights, std=0.5)
    assert isinstance(network, EncoderDecoder)
    return network.eval()


def batch(records: int = 3) -> Batch:
    random = torch.Generator().manual_seed(1)
    mask = torch.arange(9) < torch.tensor([9, 4, 6])[:records, None]
    return {
        "gene": Signal(torch.rand(records, 4, 9, generator=random), mask),
        "view": Signal(torch.rand(records, 1, 12, 12, generator=random)),
    }


def total(network: EncoderDecoder, memory: Tensor, seen: Tensor, answer: Tensor) -> Tensor:
    """The log-likelihood of whole answers."""
    return network.judge(memory, seen, answer).likelihood.sum(dim=1)


def test_empty_positions_are_not_looked_at() -> None:
    network, signals = fresh(), batch()
    other = signals["gene"].x.clone()
    other[1, :, 4:] = 7.0
    with torch.inference_mode():
        one = network(signals)
        two = network(signals | {"gene": Signal(other, signals["gene"].mask)})
    torch.testing.assert_close(one, two)


def test_a_network_in_training_can_be_copied() -> None:
    network, signals = fresh().train(), batch()
    network(signals | {ANSWER: Signal(torch.tensor([[2.0, 3.0, 1.0, 0.0]]).repeat(3, 1))})
    deepcopy(network)


def test_writing_with_what_is_kept_is_the_same_as_reading_all_tokens_anew() -> None:
    network, signals = fresh(), batch()
    before = torch.tensor([[0, 2, 3, 4], [0, 4, 4, 2], [0, 3, 1, 0]])
    with torch.inference_mode():
        memory, seen = network.read(signals)
        state, found = network.start(memory, seen), []
        for token in before.T:
            log_p, state = network.step(token, state)
            found.append(log_p)
        torch.testing.assert_close(torch.stack(found, dim=1), network.says(memory, seen, before))


def test_the_next_token_is_told_from_those_before_it_alone() -> None:
    network, signals = fresh(), batch()
    memory, seen = network.read(signals)
    one, other = torch.tensor([[2, 3, 4, 1]]).repeat(3, 1), torch.tensor([[2, 3, 2, 2]]).repeat(3, 1)
    first, second = (network.judge(memory, seen, each).likelihood for each in (one, other))
    torch.testing.assert_close(first[:, :2], second[:, :2])
    assert network.says(memory, seen, one).exp().sum(dim=2).detach().numpy() == pytest.approx(1, abs=1e-5)
    # the empty token is never told
    assert float(network.says(memory, seen, one)[..., 0].detach().max()) < -1e6


def test_an_answer_that_is_known_is_judged_and_not_read_while_writing() -> None:
    network, signals = fresh(), batch()
    answers = torch.tensor([[2, 3, 1, 0], [4, 1, 0, 0], [2, 2, 2, 1]]).float()
    with torch.inference_mode():
        alone, told = network(signals), network(signals | {ANSWER: Signal(answers)})
        memory, seen = network.read(signals)
        likelihood = network.judge(memory, seen, answers.long()).likelihood.sum(1) / torch.tensor([3, 2, 4])
    assert torch.equal(alone[:, SAID:], told[:, SAID:])
    assert told[:, 2].tolist() == [3, 2, 4]
    torch.testing.assert_close(told[:, 0], likelihood)


def test_greedy_writing_takes_the_likeliest_token_each_time() -> None:
    network, signals = fresh(), batch()
    with torch.inference_mode():
        memory, seen = network.read(signals)
        written, each = network.write(memory, seen)
        for row in range(3):
            said: list[int] = []
            for place in range(4):
                before = torch.tensor([[0, *said]])
                log_p = network.says(memory[row : row + 1], seen[row : row + 1], before)[0, -1]
                assert int(written[row, place]) == int(log_p.argmax())
                assert float(each[row, place]) == pytest.approx(float(log_p.max()), abs=1e-5)
                said.append(int(log_p.argmax()))
                if said[-1] == END:
                    break


def every_answer(longest: int, kinds: int) -> Tensor:
    """All answers that end, and all of full length that do not."""
    found = []
    for length in range(longest + 1):
        for row in product(range(2, kinds), repeat=length):
            end = [END] if length < longest else []
            found.append([*row, *end, *[0] * (longest - length - len(end))])
    return torch.tensor(found)


def test_many_beams_find_the_likeliest_answer_of_all() -> None:
    network, signals = fresh(), batch()
    answers = every_answer(4, 5)
    with torch.inference_mode():
        memory, seen = network.read(signals)
        state, nothing = network.start(memory, seen), torch.zeros(3, dtype=torch.long)
        found, each = searched(network.step, state, nothing, (200, 4))
        greedy, _ = network.write(memory, seen)
        for row in range(3):
            many = len(answers)
            likely = total(network, memory[row].expand(many, -1, -1), seen[row].expand(many, -1), answers)
            assert torch.equal(found[row], answers[int(likely.argmax())])
            assert float(each[row].sum()) == pytest.approx(float(likely.max()), abs=1e-4)
        few, _ = searched(network.step, state, nothing, (1, 4))
        assert torch.equal(few, greedy)
        best = total(network, memory, seen, searched(network.step, state, nothing, (3, 4))[0])
        assert (best >= total(network, memory, seen, greedy) - 1e-5).all()


def test_what_no_token_is_for_is_not_judged_and_never_written() -> None:
    network, signals = fresh(), batch()
    answers = torch.tensor([[2.0, OTHER, 1.0, 0.0], [2.0, 3.0, 4.0, OTHER], [2.0, 2.0, 2.0, 1.0]])
    with torch.inference_mode():
        raw = network(signals | {ANSWER: Signal(answers)})
    assert raw[:, 2].tolist() == [2, 3, 4]
    assert torch.isfinite(raw).all()
    assert (raw[:, SAID:] >= 0).all()


def test_an_answer_that_could_not_be_written_is_refused() -> None:
    with pytest.raises(UserError, match="4 tokens with its end, and 3 could be written"):
        build("encoder_decoder", TOLD, SAID + 4, SMALL | {"longest": 3})


def test_a_picture_and_a_sequence_together_answer() -> None:
    network, signals = fresh(beams=2), batch()
    with torch.inference_mode():
        raw = network(signals)
    assert raw.shape == (3, SAID + 4)
    assert network.code is not None
    assert network.code.shape == (3, 16)


def test_in_question_is_the_likelihood_of_what_was_written() -> None:
    network, signals = fresh(), batch()
    asked, told = network.in_question(signals)
    with torch.inference_mode():
        written, each = network.write(*network.read(signals))
        likelihood = apply(asked, told)
        changed = apply(asked, told | {"gene": Signal(torch.zeros(3, 4, 9), signals["gene"].mask)})
    assert torch.equal(told[ANSWER].x.long(), written)
    torch.testing.assert_close(likelihood[:, 0], each.sum(dim=1))
    assert (changed != likelihood).all()
