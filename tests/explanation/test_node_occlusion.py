"""Occlusion of nodes on networks whose answers are known."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bioloom.explanation import Question
from bioloom.explanation.hiding.node_occlusion import node_occlusion
from bioloom.explanation.overview import Explained, nodes
from bioloom.modalities import Kind, Signal
from bioloom.models import Network


class Products(Network):
    """The sum over nodes of the product of their first two channels."""

    name = "products"
    title = "products"
    accepts = frozenset({Kind.GRAPH})

    @classmethod
    def build(cls, shapes, n_outputs, settings):
        return cls()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        value = x[:, 0] * x[:, 1]
        return (value if mask is None else value * mask).sum(dim=1, keepdim=True)


def asked(background: Tensor | None) -> Question:
    x = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 7.0, 7.0]]]).expand(2, -1, -1).clone()
    mask = torch.tensor([[True, True, True], [True, True, False]])
    return Question(Products(), {"x": Signal(x, mask)}, "x", 0, background)


def test_an_effect_is_what_the_answer_loses() -> None:
    found = node_occlusion(asked(None)).attribution
    np.testing.assert_allclose(found.sum(axis=1), [[4, 10, 18], [4, 10, 0]], rtol=1e-5)


def test_it_is_shared_by_how_far_features_are_from_the_background() -> None:
    question = asked(None)
    background = question.batch["x"].x.clone()[:, None]
    background[:, :, 0] = 0.5
    found = node_occlusion(asked(background)).attribution
    np.testing.assert_allclose(found[0, 0], [0.5 * 4, 1.5 * 5, 2.5 * 6], rtol=1e-5)
    assert not found[:, 1:].any()


def test_several_backgrounds_are_averaged() -> None:
    question = asked(None)
    x = question.batch["x"].x
    background = torch.stack([torch.zeros_like(x), x], dim=1)
    found = node_occlusion(asked(background)).attribution
    np.testing.assert_allclose(found.sum(axis=1), [[2, 5, 9], [2, 5, 0]], rtol=1e-5)


def test_kinds_of_nodes_are_averaged_where_they_stand() -> None:
    x = np.zeros((2, 3, 3), dtype=np.float32)
    x[:, 0, 0] = x[:, 1, 1] = x[0, 1, 2] = x[1, 0, 2] = 1
    attribution = np.zeros_like(x)
    attribution[:, 2, 0], attribution[:, 2, 1] = 0.5, -1.0
    told = nodes(Explained(x, None, attribution, ("A", "B", "rest"), "Change of y", unit="atom"))
    assert "B (lowers it), A (raises it)" in told.text
    assert told.pictures[0].name == "kinds"
