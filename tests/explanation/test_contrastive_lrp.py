"""Contrastive relevance: symmetric between two classes, nothing between equal ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from bioloom.explanation import Question, Target
from bioloom.explanation.propagation.contrastive_lrp import contrastive_lrp
from bioloom.modalities import Signal
from rule_networks import Made, network
from toy_networks import Additive, letters


def asked(made: nn.Module, output: int | Target = 0, records: int = 3) -> Question:
    return Question(made, {"dna": Signal(letters(records, 20).double())}, "dna", output)


def classes(count: int, *, same: bool = False) -> Made:
    torch.manual_seed(1)
    look, last = nn.Conv1d(4, 6, 3), nn.Linear(6, count)
    if same:
        with torch.no_grad():
            last.weight[:] = last.weight[:1]
            last.bias[:] = last.bias[:1]
    return Made(look, last, body=lambda x, a, b: b(a(x).relu().mean(2))).double()


@pytest.mark.parametrize("dual", ["uniform", "logits"])
def test_of_two_classes_the_other_one_has_the_negative_map(dual) -> None:
    """In units of each class's own score."""
    made = classes(2)
    one, two = (
        contrastive_lrp(asked(made, number), dual=dual, rectify=False).attribution for number in (0, 1)
    )
    scores = made(letters(3, 20).double()).abs().detach().numpy()[:, :, None, None]
    assert np.allclose(one / scores[:, 0], -two / scores[:, 1], atol=1e-6)


@pytest.mark.parametrize("dual", ["uniform", "logits"])
def test_between_equal_classes_there_is_nothing_to_tell(dual) -> None:
    found = contrastive_lrp(asked(classes(3, same=True)), dual=dual, rectify=False).attribution
    assert np.abs(found).max() < 1e-7


@pytest.mark.parametrize("dual", ["uniform", "logits", "negated"])
def test_only_what_speaks_for_the_class_is_left(dual) -> None:
    made = classes(3)
    full = contrastive_lrp(asked(made), dual=dual, rectify=False)
    found = contrastive_lrp(asked(made), dual=dual)
    assert np.allclose(found.attribution, full.attribution.clip(min=0))
    assert found.attribution.any()
    assert found.delta is None
    assert found.settings["dual"] == dual


def test_normalised_maps_have_equal_sums() -> None:
    full = contrastive_lrp(asked(classes(3)), rectify=False).attribution
    assert np.abs(full.sum(axis=(1, 2))).max() < 1e-6


def test_negated_weights_of_a_linear_network_show_the_negative_ones() -> None:
    """R: positive products over their sum; dual: the size of the negative ones over theirs; both times |f|."""
    weight = torch.tensor([[1.0, 2.0, -3.0, -1.0]]).double()
    x = torch.tensor([[3.0, 1.0, 1.0, 1.0]]).double()  # f = 1 + 0.5, positive sum 5, negative sum 4
    question = Question(Additive(weight), {"t": Signal(x)}, "t", 0)
    found = contrastive_lrp(question, dual="negated", rectify=False).attribution[0]
    assert np.allclose(found, 1.5 * np.array([0.6, 0.4, -0.75, -0.25]))
    assert np.allclose(contrastive_lrp(question, rectify=False).attribution[0], found)  # a single output


def test_of_one_output_that_tells_two_classes_apart_either_can_be_asked_about() -> None:
    made = classes(1)
    maps = [
        contrastive_lrp(asked(made, Target(number, classes=True)), rectify=False).attribution
        for number in (0, 1)
    ]
    assert np.allclose(maps[0], -maps[1])
    assert np.allclose(maps[1], contrastive_lrp(asked(made), rectify=False).attribution)


def test_of_one_output_each_record_can_be_asked_about_its_own_class() -> None:
    made = classes(1)
    found = contrastive_lrp(asked(made, Target(torch.tensor([1, 0, 1]), classes=True))).attribution
    for row, number in enumerate((1, 0, 1)):
        alone = contrastive_lrp(asked(made, Target(number, classes=True))).attribution
        assert np.allclose(found[row], alone[row])


def test_each_record_can_be_asked_about_its_own_class() -> None:
    made = classes(3)
    found = contrastive_lrp(asked(made, Target(torch.tensor([2, 0, 1])))).attribution
    for row, number in enumerate((2, 0, 1)):
        assert np.allclose(found[row], contrastive_lrp(asked(made, number)).attribution[row])


def test_another_class_with_a_score_of_zero_gets_nothing_and_spoils_nothing() -> None:
    made = Made(nn.Linear(2, 3, bias=False), body=lambda x, layer: layer(x))
    with torch.no_grad():
        made.layers[0].weight[:] = torch.tensor([[9.0, -1.0], [1.0, -2.0], [1.0, 1.0]])
    x = torch.tensor([[2.0, 1.0]])  # scores 17, 0 and 3
    found = contrastive_lrp(Question(made, {"t": Signal(x)}, "t", 0), rectify=False).attribution
    assert np.isfinite(found).all()


@pytest.mark.parametrize("kind", ["residual", "attending", "recurrent", "normed"])
def test_other_kinds_of_networks_are_explained_too(kind: str) -> None:
    assert np.isfinite(contrastive_lrp(asked(network(kind))).attribution).all()


def test_pictures_are_read_between_their_own_bounds() -> None:
    torch.manual_seed(0)
    made = Made(nn.Conv2d(3, 4, 3), nn.Linear(4, 2), body=lambda x, a, b: b(a(x).relu().mean((2, 3))))
    x = torch.randn(2, 3, 8, 8)
    x[0, :, 0, 0] = 0.0
    found = contrastive_lrp(Question(made, {"p": Signal(x)}, "p", 0), rectify=False).attribution
    assert np.isfinite(found).all()
    assert np.abs(found[0, :, 0, 0]).max() > 0  # a pixel of 0 is no absent one
