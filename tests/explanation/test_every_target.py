"""Every method on small networks of three kinds of input, about every kind of number: classes, differences, each record's own
class, probabilities, and several targets of a regression."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.explanation import Explanation, Question, Scale, Target, explainers
from bioloom.explanation.maps.references import Pool, ReferenceLibrary, Scan
from bioloom.modalities import Kind, Signal
from bioloom.models import Network
from toy_networks import letters, shuffles

EFFORT = 0.05
RECORDS = 4


class Small(Network):
    """A convolution (or a dense layer), a rectifier, a mean over places, and a dense layer."""

    name, title, accepts = "small", "a small network", frozenset(Kind)

    def __init__(self, kind: Kind, outputs: int) -> None:
        super().__init__()
        torch.manual_seed(3)
        first = {
            Kind.SEQUENCE: nn.Conv1d(4, 6, 5, padding=2),
            Kind.IMAGE: nn.Conv2d(3, 6, 3, padding=1),
            Kind.VECTOR: nn.Linear(6, 6),
        }
        self.first, self.last = first[kind], nn.Linear(6, outputs)
        self.features: Tensor | None = None

    @classmethod
    def build(cls, shapes: object, n_outputs: int, settings: object) -> Small:
        raise NotImplementedError

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        del mask
        found = torch.relu(self.first(x))
        if found.dim() == 2:
            return self.last(found)
        self.features = found
        return self.last(self.features.flatten(2).mean(dim=2))


def question(kind: Kind, outputs: int) -> Question:
    """Four records with two backgrounds each, and a library of other records for methods that compare with them."""
    generator = torch.Generator().manual_seed(1)
    network = Small(kind, outputs).eval()
    count = 24
    if kind is Kind.SEQUENCE:
        x = letters(count, 18)
        background = shuffles(x, 2)[:RECORDS]
    else:
        x = torch.randn(count, *{Kind.IMAGE: (3, 8, 8), Kind.VECTOR: (6,)}[kind], generator=generator)
        background = torch.randn(RECORDS, 2, *x.shape[1:], generator=generator)
    library = None
    if kind is not Kind.VECTOR:
        truth = torch.arange(count) % max(2, outputs)
        pool = Pool(lambda index: {"x": Signal(x[index])}, truth)
        library = ReferenceLibrary.build(network, pool, "x", Scan(per_class=4, rightly=False))
    batch = {"x": Signal(x[:RECORDS])}
    return Question(network, batch, "x", 0, background, effort=EFFORT, library=library, kind=kind)


CASES = [
    (name, kind)
    for name in explainers
    for kind in (Kind.SEQUENCE, Kind.VECTOR, Kind.IMAGE)
    if kind in explainers[name].accepts
]

OWN = torch.tensor([2, 0, 1, 1])
AGAINST = torch.tensor([0, 1, 2, 0])


def looks_right(found: Explanation, asked: Question) -> None:
    assert found.attribution.shape == tuple(asked.batch["x"].x.shape)
    assert np.isfinite(found.attribution).all()


@cache
def alone(name: str, kind: Kind, number: int) -> Explanation:
    """What a method says of one class of three, asked about nothing else."""
    return explainers[name].explain(replace(question(kind, 3), output=number))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_class_of_three_is_explained_together_as_one_by_one(name: str, kind: Kind) -> None:
    asked = question(kind, 3)
    together = explainers[name].explain_each([replace(asked, output=number) for number in range(3)])
    for number, found in enumerate(together):
        looks_right(found, asked)
        assert np.allclose(found.attribution, alone(name, kind, number).attribution, atol=1e-6)
    maps = [found.attribution for found in together]
    assert any(one.any() for one in maps)
    assert not np.allclose(maps[0], maps[1], atol=1e-7) or not np.allclose(maps[1], maps[2], atol=1e-7)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_each_record_may_be_asked_about_a_class_of_its_own(name: str, kind: Kind) -> None:
    found = explainers[name].explain(replace(question(kind, 3), output=Target(OWN)))
    for row, number in enumerate(OWN.tolist()):
        same = alone(name, kind, number).attribution[row]
        assert np.allclose(found.attribution[row], same, atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_differences_between_probabilities_are_explained(name: str, kind: Kind) -> None:
    asked = replace(question(kind, 3), output=Target(OWN, Scale.PROBABILITY, AGAINST))
    try:
        looks_right(explainers[name].explain(asked), asked)
    except UserError:  # CAM refuses what is no weighted sum of means
        if not explainers[name].refuses:
            raise


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_second_target_of_a_regression_is_explained(name: str, kind: Kind) -> None:
    asked = replace(question(kind, 2), output=1)
    looks_right(explainers[name].explain(asked), asked)
