"""Windows around substitutions against whole sequences, on networks made at random."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bioloom.explanation import Question
from bioloom.explanation.engine import untouched
from bioloom.explanation.letters.mutagenesis import Mutagenesis, mutagenesis
from bioloom.explanation.locality import windowed
from bioloom.explanation.locality.local import Local, Work
from bioloom.explanation.locality.windowed import Substitutions, way
from bioloom.modalities import Batch, Kind, Shape, Signal
from bioloom.models import Network, apply, build, networks
from bioloom.models.ensemble import Ensemble
from toy_networks import Toy, Two, letters, signal

NETWORKS = [
    name for name in networks if Kind.SEQUENCE in networks[name].accepts and not networks[name].several
]


def every_substitution(x: Tensor) -> Substitutions:
    return Substitutions(*torch.nonzero(x < 1, as_tuple=True))


def gap(question: Question, some: Substitutions | None = None) -> float:
    """How far answers by windows lie from those about whole sequences, at worst."""
    x = question.batch[question.input].x
    some = some or every_substitution(x)
    with untouched(question.network, 0, x.device), torch.no_grad():
        batch = windowed.posed(question, windowed.mutants(question, some), some.record)
        plain = apply(question.network, batch)
        found = apply(question.network, windowed._shown(question, some, Work()))
        found = found.whole() if isinstance(found, Local) else found
    return float((found - plain).abs().max())


def asked(network: nn.Module, batch: Batch) -> Question:
    doubled = {key: Signal(each.x.double(), each.mask) for key, each in batch.items()}
    return Question(network.double().eval(), doubled, next(iter(batch)), 0)  # type: ignore[arg-type]


class Random(Toy):
    """A chain of layers drawn at random: convolutions, pools, norms, residual branches; then some way to an answer."""

    def __init__(self, seed: int, positions: int) -> None:
        super().__init__()
        draw = random.Random(seed)
        torch.manual_seed(seed)
        self.steps, self.kinds, channels = nn.ModuleList(), [], 4
        for _ in range(draw.randint(1, 4)):
            kind = draw.choice(["conv", "conv", "residual", "max", "mean", "norm", "pad"])
            if kind == "conv":
                kernel = draw.randint(1, 8)
                where: Any = draw.choice(["same", draw.randint(0, kernel - 1)])
                stride = 1 if where == "same" else draw.randint(1, 3)
                width, dilation = draw.choice([3, 6]), draw.randint(1, 3)
                mode = draw.choice(["zeros", "zeros", "zeros", "circular"])
                step: nn.Module = nn.Conv1d(
                    channels, width, kernel, stride, where, dilation, padding_mode=mode
                )
                channels = width
            elif kind == "residual":
                step = nn.Conv1d(
                    channels, channels, draw.choice([3, 4, 5]), padding="same", dilation=draw.randint(1, 4)
                )
            elif kind == "max":
                kernel = draw.randint(2, 4)
                padding, dilation, ceil = (
                    draw.randint(0, kernel // 2),
                    draw.randint(1, 2),
                    draw.random() < 0.5,
                )
                step = nn.MaxPool1d(kernel, draw.randint(1, kernel), padding, dilation, ceil_mode=ceil)
            elif kind == "mean":
                step = nn.AvgPool1d(draw.randint(2, 4), draw.randint(1, 3), ceil_mode=draw.random() < 0.3)
            elif kind == "norm":
                step = nn.BatchNorm1d(channels)
                step.running_mean.uniform_(-1, 1)
            else:
                step = nn.ConstantPad1d((draw.randint(0, 3), draw.randint(0, 3)), 0.3)
            self.steps.append(step)
            self.kinds.append(kind)
        self.bend = draw.choice([nn.ReLU(), nn.ReLU(inplace=True), nn.GELU(), nn.Sigmoid(), nn.ELU()])
        self.end = draw.choice(["dense", "mean", "max", "attention", "sum", "best", "turned", "positions"])
        self.place: Tensor | None = torch.randn(channels, 1) if draw.random() < 0.5 else None
        with torch.no_grad():
            length = self.body(torch.zeros(1, 4, positions)).shape[2]
        self.score = nn.Linear(channels, 1)
        self.dense = nn.Linear(channels * length, 5)
        self.last = nn.Linear({"dense": 5}.get(self.end, channels), 2)

    def body(self, x: Tensor) -> Tensor:
        for step, kind in zip(self.steps, self.kinds, strict=True):
            x = x + self.bend(step(x)) if kind == "residual" else self.bend(step(x))
        return x

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.body(x if mask is None else x * mask[:, None])
        if self.place is not None:
            x = x * self.place.to(x.dtype)
        if self.end == "dense":
            return self.last(torch.tanh(self.dense(x.flatten(1))))
        if self.end == "mean":
            return self.last(F.adaptive_avg_pool1d(x, 1).flatten(1))
        if self.end == "max":
            return self.last(x.amax(dim=-1))
        if self.end == "best":
            return self.last(F.adaptive_max_pool1d(x, 1).squeeze(-1))
        if self.end == "attention":
            weight = self.score(x.transpose(1, 2)).softmax(dim=1).transpose(1, 2)
            return self.last((weight @ x.transpose(1, 2)).squeeze(1))
        if self.end == "turned":
            return self.last(torch.cat([x, x.flip(2)], dim=0).sum(dim=2)[: len(x)])
        return self.last(x.sum(dim=2)) if self.end == "sum" else self.last(x.permute(0, 2, 1)).mean(dim=1)


def drawn(seed: int, positions: int) -> Random:
    """The first network at random that fits sequences of this length."""
    for number in range(seed * 100, seed * 100 + 100):
        try:
            return Random(number, positions)
        except RuntimeError:
            continue
    raise AssertionError("no network fits")


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("seed", range(40))
def test_windows_equal_whole_sequences_on_networks_drawn_at_random(seed: int) -> None:
    positions = 17 + seed % 23
    batch = {
        "x": signal(letters(3, positions, seed), [positions, positions - 5, 9] if seed % 3 == 0 else None)
    }
    assert gap(asked(drawn(seed, positions), batch)) < 1e-10


@pytest.mark.parametrize("name", NETWORKS)
def test_windows_equal_whole_sequences_on_the_networks_of_the_package(name: str) -> None:
    torch.manual_seed(0)
    built = build(name, {"x": Shape(Kind.SEQUENCE, (4, 40))}, 2, {})
    for weight in built.parameters():
        nn.init.normal_(weight, std=0.2)
    for lengths in (None, [40, 31]):
        question = asked(built, {"x": signal(letters(2, 40), lengths)})
        some = every_substitution(question.batch["x"].x)[torch.arange(0, 240, 7)]
        assert gap(question, some) < 1e-10


def test_means_of_networks_both_strands_and_several_inputs_are_followed() -> None:
    shapes = {"x": Shape(Kind.SEQUENCE, (4, 30))}
    members = [build("residual", shapes, 1, {"blocks": 1}) for _ in range(2)]
    for member in members:
        for weight in member.parameters():
            nn.init.normal_(weight, std=0.2)
        member.strands = ("x",)
    for lengths in (None, [30, 12]):
        assert gap(asked(Ensemble(members), {"x": signal(letters(2, 30), lengths)})) < 1e-10
    batch = {"dna": Signal(letters(2, 20)), "table": Signal(torch.ones(2, 3))}
    assert gap(asked(Two(), batch)) < 1e-10


def test_single_precision_differs_by_rounding_only() -> None:
    question = asked(drawn(7, 40), {"x": Signal(letters(2, 40))})
    single = Question(question.network.float(), {"x": Signal(letters(2, 40))}, "x", 0)
    assert gap(single) < 1e-5


class Deep(Toy):
    """Large enough for windows to pay."""

    def __init__(self, positions: int, careless: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv1d(4, 64, 7, padding=3), nn.Conv1d(64, 64, 7, padding=3)
        self.last, self.careless = nn.Linear(64, 3), careless
        self.eval()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = torch.relu(self.first(x))
        if self.careless:
            x[:, 0] += 1  # writes into a part
        return self.last(torch.relu(self.second(x)).mean(dim=2))


def test_windows_are_taken_where_they_pay_and_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(Deep(120), {"dna": Signal(letters(2, 120))}, "dna", 1)
    found = mutagenesis(question)
    assert found.settings["worked out"] == "windows around each substitution"
    monkeypatch.setattr(windowed, "WORTH", float("inf"))
    whole = mutagenesis(question)
    assert whole.settings["worked out"] == "whole sequences"
    assert abs(found.attribution - whole.attribution).max() < 1e-6


def test_what_cannot_be_followed_is_worked_out_whole_with_a_note() -> None:
    found = mutagenesis(Question(Deep(120, careless=True), {"dna": Signal(letters(2, 120))}, "dna", 1))
    assert "windows cannot be followed" in found.settings["worked out"]


def test_a_wrong_rule_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windowed, "_all_of", lambda raw: raw + 0.5)
    question = Question(Deep(120), {"dna": Signal(letters(1, 120))}, "dna", 1)
    with untouched(question.network, 0, torch.device("cpu")), torch.no_grad():
        taken = way(question, every_substitution(question.batch["dna"].x), 360)
    assert "gave other numbers" in taken.note


def test_small_questions_take_the_ordinary_way() -> None:
    network: Network = build("cnn", {"x": Shape(Kind.SEQUENCE, (4, 20))}, 1, {}).eval()
    found = mutagenesis(Question(network, {"x": Signal(letters(2, 20))}, "x", 0))
    assert found.settings["worked out"] == "whole sequences"


def test_several_outputs_asked_at_once_are_those_asked_one_by_one_to_the_bit() -> None:
    for network, positions in ((Deep(120), 120), (drawn(3, 30), 30)):
        questions = [Question(network, {"x": Signal(letters(3, positions))}, "x", n) for n in range(2)]
        together = Mutagenesis.explain_each(questions)
        for question, found in zip(questions, together, strict=True):
            assert (found.attribution == Mutagenesis.explain(question).attribution).all()


class Tight(Deep):
    """Fits five sequences at once."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if len(x) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().forward(x, mask)


def test_the_sample_is_asked_in_smaller_parts_where_memory_runs_out() -> None:
    batch = {"dna": Signal(letters(1, 120))}
    found = mutagenesis(Question(Tight(120), batch, "dna", 1))
    assert "windows cannot be followed" in found.settings["worked out"]
    expected = mutagenesis(Question(Deep(120), batch, "dna", 1)).attribution
    assert abs(found.attribution - expected).max() < 1e-5
