"""Which number of an answer is explained, against what scipy and plain arithmetic say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit, logit, softmax
from torch import Tensor

from bioloom.errors import UserError
from bioloom.explanation import Question, Scale, Target, explainers
from bioloom.explanation.engine import ask, ask_all, in_chunks, predicted
from bioloom.modalities import Signal
from toy_networks import Additive, Conv, Smooth, Toy, letters, shuffles


def asked(outputs: int, output: int | Target = 0, records: int = 5) -> Question:
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(outputs, 4, generator=generator)
    x = torch.randn(records, 4, generator=generator)
    return Question(Additive(weight), {"t": Signal(x)}, "t", output, background=torch.zeros(records, 1, 4))


def answer(question: Question) -> np.ndarray:
    x = question.batch["t"].x
    return ask(question, x, torch.arange(len(x))).detach().numpy()


def raw(question: Question) -> np.ndarray:
    return question.network(question.batch["t"].x).detach().numpy()


def test_a_number_asks_for_the_raw_output() -> None:
    question = asked(3, 2)
    assert (answer(question) == raw(question)[:, 2]).all()
    assert (answer(replace(question, output=Target(2))) == answer(question)).all()


def test_probabilities_are_softmax_over_several_outputs_and_sigmoid_of_one() -> None:
    several, single = asked(3, Target(1, Scale.PROBABILITY)), asked(1, Target(0, Scale.PROBABILITY))
    np.testing.assert_allclose(answer(several), softmax(raw(several), axis=1)[:, 1], rtol=1e-5)
    np.testing.assert_allclose(answer(single), expit(raw(single)[:, 0]), rtol=1e-5)


def test_log_odds_are_those_of_the_probability() -> None:
    several, single = asked(4, Target(1, Scale.LOG_ODDS)), asked(1, Target(0, Scale.LOG_ODDS))
    np.testing.assert_allclose(answer(several), logit(softmax(raw(several), axis=1)[:, 1]), rtol=1e-4)
    np.testing.assert_array_equal(answer(single), raw(single)[:, 0])


@pytest.mark.parametrize("scale", list(Scale))
def test_another_output_is_subtracted_on_the_same_scale(scale: Scale) -> None:
    both = answer(asked(3, Target(2, scale, against=0)))
    expected = answer(asked(3, Target(2, scale))) - answer(asked(3, Target(0, scale)))
    np.testing.assert_allclose(both, expected, atol=1e-6)


def test_each_record_may_have_its_own_output() -> None:
    own = torch.tensor([2, 0, 1, 1, 2])
    question = asked(3, Target(own, against=torch.tensor([0, 1, 2, 0, 1])))
    values = raw(question)
    rows = np.arange(5)
    np.testing.assert_allclose(answer(question), values[rows, own] - values[rows, [0, 1, 2, 0, 1]], rtol=1e-5)


def test_the_own_output_goes_with_the_record_and_not_with_the_row() -> None:
    question = asked(3, Target(torch.tensor([2, 0, 1, 1, 2])))
    x = question.batch["t"].x
    record = torch.tensor([4, 1, 1])
    expected = raw(question)[[4, 1, 1], [2, 0, 0]]
    np.testing.assert_allclose(ask(question, x[record], record).detach().numpy(), expected, rtol=1e-6)


def test_one_output_is_read_as_two_classes() -> None:
    question = asked(1, Target(torch.tensor([0, 1, 0, 1, 1]), classes=True))
    z = raw(question)[:, 0]
    np.testing.assert_allclose(answer(question), np.where([0, 1, 0, 1, 1], z, -z))
    probable = replace(question, output=Target(0, Scale.PROBABILITY, classes=True))
    np.testing.assert_allclose(answer(probable), 1 - expit(z), rtol=1e-5)


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_predicted_class_is_the_likeliest(outputs: int) -> None:
    question = asked(outputs)
    values = raw(question)
    expected = values.argmax(axis=1) if outputs > 1 else (values[:, 0] > 0).astype(int)
    assert predicted(question).tolist() == expected.tolist()


class Everywhere(Toy):
    """Two outputs at each of six positions."""

    everywhere = True

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return torch.stack([x[:, 0], x[:, 1] * 2], dim=1)


def test_answers_at_every_place_keep_their_targets() -> None:
    x = torch.randn(2, 2, 6, generator=torch.Generator().manual_seed(0))
    question = Question(Everywhere(), {"x": Signal(x)}, "x", Target(1, Scale.PROBABILITY), place=3)
    raw_ = np.stack([x[:, 0], x[:, 1] * 2], axis=1)
    record = torch.arange(2)
    np.testing.assert_allclose(ask(question, x, record), softmax(raw_, axis=1)[:, 1, 3], rtol=1e-5)
    mean = ask(replace(question, place=None), x, record)
    np.testing.assert_allclose(mean, softmax(raw_, axis=1)[:, 1].mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(
        ask(replace(question, output=Target(0, Scale.LOG_ODDS)), x, record),
        -logit(softmax(raw_, 1)[:, 1, 3]),
        rtol=1e-4,
    )
    assert predicted(question).tolist() == raw_[:, :, 3].argmax(axis=1).tolist()
    everywhere = replace(question, place=None)
    assert predicted(everywhere).tolist() == raw_.mean(axis=2).argmax(axis=1).tolist()
    x[0, 0, 2:], x[0, 1, 2:] = 100.0, -100.0  # where nothing is, nothing counts
    x[0, :, :2] = torch.tensor([[0.0], [1.0]])
    filled = torch.ones(2, 6, dtype=torch.bool)
    filled[0, 2:] = False
    assert predicted(replace(everywhere, batch={"x": Signal(x, filled)})).tolist()[0] == 1


def test_every_method_gets_targets_for_nothing() -> None:
    """A difference between two outputs of a linear model is one output of the model with the difference of weights."""
    x, weight = letters(3, 20), torch.randn(2, 4, 20, generator=torch.Generator().manual_seed(1))
    apart = Question(Additive(weight), {"dna": Signal(x)}, "dna", Target(1, against=0), shuffles(x, 2))
    one = replace(apart, network=Additive(weight[1:] - weight[:1]), output=0)
    for name in ("mutagenesis", "occlusion", "integrated_gradients"):
        found, expected = (explainers[name].explain(each).attribution for each in (apart, one))
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_probabilities_are_divided_completely() -> None:
    x = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    question = Question(Smooth(6), {"t": Signal(x)}, "t", Target(1, Scale.PROBABILITY), torch.zeros(3, 1, 6))
    found = explainers["integrated_gradients"].explain(question)
    at = ask(question, torch.cat([x, torch.zeros_like(x)]), torch.arange(3).repeat(2)).detach().numpy()
    np.testing.assert_allclose(found.attribution.sum(axis=1), at[:3] - at[3:], atol=0.01)


# ---- memory --------------------------------------------------------------------------------------------------


class Small(Conv):
    """Fits so many records at once, and says what a device says otherwise."""

    fits, message = 40, "CUDA out of memory"
    error: type[Exception] = torch.OutOfMemoryError

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if len(x) > self.fits:
            raise self.error(self.message)
        return super().forward(x, mask)


@pytest.mark.parametrize("name", ["mutagenesis", "occlusion", "integrated_gradients"])
def test_chunks_halve_where_memory_runs_out_and_nothing_is_lost(name: str) -> None:
    x = letters(3, 20)
    question = Question(Conv(), {"dna": Signal(x)}, "dna", 0, shuffles(x, 2))
    expected = explainers[name].explain(question).attribution
    found = explainers[name].explain(replace(question, network=Small())).attribution
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_processors_say_it_in_other_words() -> None:
    network = Small()
    network.error, network.message = RuntimeError, "DefaultCPUAllocator: can't allocate memory: you tried"
    x = letters(90, 20)
    question = Question(network, {"dna": Signal(x)}, "dna", 0)
    found = ask_all(question, 90, lambda part: (x[part], torch.arange(90)[part]))
    np.testing.assert_allclose(found, Conv()(x)[:, 0].detach(), atol=1e-6)


def test_a_record_that_does_not_fit_alone_is_said() -> None:
    network = Small()
    network.fits = 0
    with pytest.raises(UserError, match="not enough memory"):
        predicted(Question(network, {"dna": Signal(letters(4, 20))}, "dna", 0))


def test_other_errors_are_not_taken_for_lack_of_memory() -> None:
    def broken(part: slice) -> None:
        raise RuntimeError("broken on purpose")

    with pytest.raises(RuntimeError, match="broken on purpose"):
        in_chunks(4, 2, broken)


def test_slices_come_back_in_order_after_halving() -> None:
    seen = []

    def work(part: slice) -> tuple[int, int]:
        seen.append((part.start, part.stop))
        if part.stop - part.start > 3:
            raise MemoryError
        return part.start, part.stop

    assert in_chunks(10, 8, work) == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 10)]
    assert seen[:3] == [(0, 8), (0, 4), (0, 2)]
