"""Recurrent networks, beside a loop over the equations and torch's cells."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from bioloom.modalities import Kind, Shape
from bioloom.models import build
from bioloom.models.rnn import RNN, Recurrence

TOKENS = Shape(Kind.TOKENS, (9,), 6)
CELLS = ("rnn", "lstm", "gru")


def recurrence(cell: str, bidirectional: bool = False, layers: int = 1) -> Recurrence:
    torch.manual_seed(0)
    settings = RNN.Settings(cell=cell, width=3, hidden=4, bidirectional=bidirectional, layers=layers)
    return Recurrence(settings).eval()


def by_hand(cells: nn.RNNBase, cell: str, x: Tensor) -> Tensor:
    """The equations of the docstring, one record, one position after the other; torch orders gates i, f, g, o and r, z, n."""
    weights, hidden = dict(cells.named_parameters()), cells.hidden_size
    h, c, found = torch.zeros(hidden), torch.zeros(hidden), []
    for position in x:
        given = weights["weight_ih_l0"] @ position + weights["bias_ih_l0"]
        kept = weights["weight_hh_l0"] @ h + weights["bias_hh_l0"]
        if cell == "rnn":
            h = torch.tanh(given + kept)
        elif cell == "lstm":
            i, f, g, o = (given + kept).chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        else:
            (r, z, n), (kept_r, kept_z, kept_n) = given.chunk(3), kept.chunk(3)
            r, z = (r + kept_r).sigmoid(), (z + kept_z).sigmoid()
            h = z * h + (1 - z) * torch.tanh(n + r * kept_n)
        found.append(h)
    return torch.stack(found)


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_follows_its_equations(cell: str) -> None:
    layer, x = recurrence(cell), torch.randn(1, 7, 3)
    each, last = layer(x, None)
    expected = by_hand(layer.cells, cell, x[0])
    torch.testing.assert_close(each[0], expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(last[0], expected[-1], atol=1e-6, rtol=1e-5)


def test_a_step_of_a_plain_recurrence_worked_out_on_paper() -> None:
    layer = recurrence("rnn")
    with torch.no_grad():
        for weights in layer.cells.parameters():
            weights.fill_(0.5 if weights.ndim > 1 else 0.0)
    each, _ = layer(torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]), None)
    first = math.tanh(0.5)
    assert each[0, 0].tolist() == pytest.approx([first] * 4)
    assert each[0, 1].tolist() == pytest.approx([math.tanh(0.5 * 4 * first)] * 4)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_padding_changes_nothing_in_either_direction(cell: str, layers: int) -> None:
    layer, x = recurrence(cell, bidirectional=True, layers=layers), torch.randn(3, 9, 3)
    lengths = [9, 4, 1]
    mask = torch.arange(9) < torch.tensor(lengths)[:, None]
    each, last = layer(x, mask)
    for row, length in enumerate(lengths):
        alone, alone_last = layer(x[row : row + 1, :length], None)
        torch.testing.assert_close(each[row, :length], alone[0])
        torch.testing.assert_close(last[row], alone_last[0])
    assert not each[~mask].any()


def test_forget_gates_of_a_fresh_lstm_are_open() -> None:
    bias = recurrence("lstm").cells.bias_ih_l0
    assert (bias[4:8] == 1).all()
    assert not (bias[:4] == 1).any()


def test_the_last_state_of_each_direction_is_where_it_ends() -> None:
    each, last = recurrence("gru", bidirectional=True)(torch.randn(2, 5, 3), None)
    torch.testing.assert_close(last, torch.cat([each[:, -1, :4], each[:, 0, 4:]], dim=1))


@pytest.mark.parametrize("cell", CELLS)
def test_one_answer_for_a_record_or_one_for_each_position(cell: str) -> None:
    x = torch.randint(1, 6, (2, 9)).float()
    assert build("rnn", {"x": TOKENS}, 3, {"cell": cell})(x).shape == (2, 3)
    assert build("rnn_everywhere", {"x": TOKENS}, 3, {"cell": cell})(x).shape == (2, 3, 9)


def test_gradients_vanish_in_a_plain_recurrence_and_last_in_an_lstm() -> None:
    """Small weights shrink the gradient at each step by about their size; large ones let it grow."""

    def reach(scale: float) -> float:
        layer = recurrence("rnn")
        with torch.no_grad():
            layer.cells.weight_hh_l0.copy_(scale * torch.eye(4))
            layer.cells.weight_ih_l0.mul_(0.01)
            layer.cells.bias_ih_l0.zero_()
            layer.cells.bias_hh_l0.zero_()
        x = torch.zeros(1, 30, 3, requires_grad=True)
        layer(x, None)[0][0, -1].sum().backward()
        assert x.grad is not None
        return float(x.grad[0, 0].abs().sum() / x.grad[0, -1].abs().sum())

    assert reach(0.5) == pytest.approx(0.5**29, rel=1e-3)
    assert reach(1.5) == pytest.approx(1.5**29, rel=1e-3)
