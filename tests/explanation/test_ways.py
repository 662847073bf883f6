"""Slopes on the way to a record: the same whether first layers are asked about at each point or once for all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bioloom.explanation import Question
from bioloom.explanation.engine import untouched
from bioloom.explanation.gradients import ways
from bioloom.explanation.gradients.first_layers import first_layers
from bioloom.modalities import Signal
from toy_networks import Conv, Product, Smooth, Toy, Two, letters, signal


class Made(Toy):
    """What a function says of an input, with two convolutions and two dense layers to use."""

    def __init__(self, says: Callable[[Made, Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.says = says
        self.first, self.second = nn.Conv1d(4, 6, 5, padding=2), nn.Conv1d(4, 6, 3, stride=2)
        self.dense, self.last = nn.Linear(80, 7), nn.Linear(6, 1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x if mask is None else x * mask[:, None]
        return self.says(self, x)


def mean_of(maps: Tensor, network: Made) -> Tensor:
    return network.last(maps.mean(dim=2))


STRAIGHT = {
    "one convolution": lambda n, x: mean_of(n.first(x).relu(), n),
    "overwritten": lambda n, x: mean_of(F.relu(n.first(x), inplace=True), n),
    "two side by side, overwritten": lambda n, x: (
        mean_of(F.relu(n.first(x), inplace=True), n) * mean_of(F.relu(n.second(x), inplace=True), n)
    ),
    "two side by side": lambda n, x: mean_of(n.first(x).relu(), n) * mean_of(n.second(x).tanh(), n),
    "shifted, turned and scaled first": lambda n, x: mean_of(n.first((x.flip(2) * 3 + 1) / 2).sigmoid(), n),
    "as a picture": lambda n, x: mean_of(
        F.conv2d(x.unsqueeze(2), n.first.weight.unsqueeze(2), padding=(0, 2)).squeeze(2).relu(), n
    ),
    "dense": lambda n, x: n.dense(x.flatten(1)).tanh()[:, :1],
    "both strands as one batch": lambda n, x: (
        mean_of(n.first(torch.cat([x, x.flip(1, 2)])).relu(), n).view(2, -1, 1).mean(dim=0)
    ),
}
CROOKED = {
    "the input again behind the layer": lambda n, x: (
        mean_of(n.first(x).relu(), n) + x.mean(dim=(1, 2))[:, None]
    ),
    "squared first": lambda n, x: mean_of(n.first(x * x).relu(), n),
    "its numbers are looked at": lambda n, x: mean_of(n.first(x).relu(), n) * (x > 0.5).any(dim=1).sum(),
    "looked at aside": lambda n, x: mean_of(n.first(x).relu(), n) * x.detach().amax(),
    "no layer": lambda n, x: x.sum(dim=(1, 2))[:, None] ** 2,
}


def asked(network: Toy, x: Tensor, lengths: list[int] | None = None) -> Question:
    return Question(network.eval(), {"x": Signal(x) if lengths is None else signal(x, lengths)}, "x", 0)


def some_ways(x: Tensor, points: int = 9) -> ways.Ways:
    generator = torch.Generator().manual_seed(1)
    record = torch.arange(len(x)).repeat_interleave(2)
    start = torch.rand(len(record), *x.shape[1:], generator=generator).to(x)
    times = torch.rand(len(record), points, generator=generator).to(x)
    return ways.Ways(record, start, times, torch.rand(len(record), points, generator=generator).to(x))


def both(question: Question, there: ways.Ways, monkeypatch: pytest.MonkeyPatch) -> tuple[Tensor, Tensor]:
    """Worked out with first layers once, and point by point."""
    x = question.batch[question.input].x
    with untouched(question.network, 0, x.device):
        led = ways.added_up(question, there, lambda _: None)
        monkeypatch.setattr(ways, "WORTH", 10**9)
        return led, ways.added_up(question, there, lambda _: None)


def leads(question: Question) -> bool:
    x = question.batch["x"].x
    with untouched(question.network, 0, x.device):
        return first_layers(question, x[:1]) is not None


def count_single_points(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points are asked about from the input on, as they come."""
    rows: list[int] = []
    slope = ways.slope
    monkeypatch.setattr(
        ways, "slope", lambda question, x, record: rows.append(len(x)) or slope(question, x, record)
    )
    return rows


@pytest.mark.parametrize("name", list(STRAIGHT))
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_first_layers_once_give_what_each_point_gives(
    name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = asked(Made(STRAIGHT[name]).to(dtype), letters(3, 20).to(dtype))
    assert leads(question)
    rows = count_single_points(monkeypatch)
    led, plain = both(question, some_ways(question.batch["x"].x), monkeypatch)
    assert rows == [2, 54]  # a sample, and then all points of six ways
    torch.testing.assert_close(led, plain, rtol=1e-4, atol=1e-10 if dtype == torch.float64 else 1e-5)


@pytest.mark.parametrize("name", list(CROOKED))
def test_other_networks_are_asked_point_by_point(name: str) -> None:
    assert not leads(asked(Made(CROOKED[name]), letters(3, 20)))


@pytest.mark.parametrize("network", [Conv(), Smooth(6), Smooth(6, "functional"), Smooth(6, "reused")])
def test_networks_of_layers_have_first_ones(network: Toy) -> None:
    assert leads(asked(network, letters(2, 20) if isinstance(network, Conv) else torch.rand(2, 6)))


def test_a_product_of_columns_has_none() -> None:
    assert not leads(asked(Product(), torch.rand(2, 3)))


def test_records_of_several_lengths_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that leaves out the end of all records sees another form of input in each batch."""

    class Cutting(Made):
        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            assert mask is not None
            return mean_of(self.first(x[:, :, : int(mask.sum(dim=1).max())]).relu(), self)

    question = asked(Cutting(lambda n, x: x), letters(3, 20), [20, 11, 5])
    led, plain = both(question, some_ways(question.batch["x"].x), monkeypatch)
    torch.testing.assert_close(led, plain, rtol=1e-4, atol=1e-5)


def test_what_only_looks_straight_is_found_out_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that nobody sees, here behind numpy, may make of the input what they will."""

    class Hidden(Made):
        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            with torch._C.DisableTorchFunction():  # as a compiled extension
                size = x.abs().sum(dim=(1, 2))
            return mean_of(self.first(x).relu(), self) * size[:, None]

    question = asked(Hidden(lambda n, x: x), letters(3, 20))
    led, plain = both(question, some_ways(question.batch["x"].x), monkeypatch)
    torch.testing.assert_close(led, plain)


def test_one_of_several_inputs_is_explained_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x = letters(3, 20)
    question = Question(Two().eval(), {"dna": Signal(x), "table": Signal(torch.rand(3, 3))}, "dna", 0)
    led, plain = both(question, some_ways(x), monkeypatch)
    torch.testing.assert_close(led, plain, rtol=1e-4, atol=1e-6)
