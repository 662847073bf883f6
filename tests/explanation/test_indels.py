"""Deletions and insertions against edits made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bioloom.errors import UserError
from bioloom.explanation import Question
from bioloom.explanation.letters.indels import deletion, insertion
from bioloom.explanation.summary import at_observed
from bioloom.modalities import Signal
from toy_networks import Conv, letters, signal


def answer(network: torch.nn.Module, x: torch.Tensor, length: int | None) -> float:
    """The first output for one record, of which so many positions are filled."""
    mask = None if length is None else (torch.arange(x.shape[1]) < length)[None]
    with torch.no_grad():
        return float(network(x[None] if mask is None else x[None] * mask[:, None], mask)[0, 0])


@pytest.mark.parametrize("lengths", [None, [20, 13, 2]])
def test_every_deletion_equals_one_made_by_hand(lengths: list[int] | None) -> None:
    batch, network = signal(letters(3, 20), lengths), Conv()
    found = at_observed(deletion(Question(network, {"x": batch}, "x", 0)).attribution, batch.x.numpy())
    for row in range(3):
        length = 20 if lengths is None else lengths[row]
        own = batch.x[row, :, :length]
        for place in range(length):
            left = torch.cat([own[:, :place], own[:, place + 1 :]], dim=1)
            filler = torch.full((4, 21 - length), 0.25)
            made = torch.cat([left, filler], dim=1)
            short = None if lengths is None else length - 1
            lost = answer(network, batch.x[row], None if lengths is None else length) - answer(
                network, made, short
            )
            assert found[row, place] == pytest.approx(lost, abs=1e-5)


@pytest.mark.parametrize("lengths", [None, [20, 13, 2]])
def test_every_insertion_equals_one_made_by_hand(lengths: list[int] | None) -> None:
    batch, network = signal(letters(3, 20), lengths), Conv()
    found = insertion(Question(network, {"x": batch}, "x", 0)).attribution
    for row in range(3):
        length = 20 if lengths is None else lengths[row]
        own = batch.x[row]
        for place in range(length):
            for letter in range(4):
                new = torch.eye(4)[:, letter : letter + 1]
                made = torch.cat([own[:, :place], new, own[:, place:]], dim=1)[:, :20]
                longer = None if lengths is None else min(20, length + 1)
                change = answer(network, made, longer) - answer(
                    network, own, None if lengths is None else length
                )
                assert found[row, letter, place] == pytest.approx(change, abs=1e-5)
        assert not found[row, :, length:].any()


def test_equal_neighbours_share_what_a_deletion_does() -> None:
    x = letters(1, 12)
    x[0, :, 4:7] = torch.eye(4)[:, 2:3]
    found = at_observed(deletion(Question(Conv(4, 12), {"x": Signal(x)}, "x", 0)).attribution, x.numpy())
    assert np.ptp(found[0, 4:7]) < 1e-6


def test_what_is_not_made_of_letters_is_refused() -> None:
    with pytest.raises(UserError, match="not made of letters"):
        deletion(Question(Conv(), {"trace": Signal(torch.randn(2, 4, 20))}, "trace", 0))
