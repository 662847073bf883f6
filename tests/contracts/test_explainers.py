"""What every registered explainer promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bioloom.errors import UserError
from bioloom.explanation import Explanation, Question, explainers
from bioloom.modalities import Kind, Shape, Signal
from bioloom.models import build, networks
from toy_networks import Additive, Conv, Smooth, Two, letters, shuffles, signal

CASES = [(name, kind) for name in explainers for kind in sorted(explainers[name].accepts)]

EFFORT = 0.05
"""Of the samples that a method usually takes: enough for what is promised here."""


def question(kind: Kind, name: str = "x", records: int = 3) -> Question:
    """A question about a small network for inputs of this kind, with backgrounds."""
    generator = torch.Generator().manual_seed(0)
    if kind is Kind.SEQUENCE:
        x = letters(records, 20)
        batch = {name: signal(x, [20, 15, 9][:records])}
        return Question(Conv(), batch, name, 0, shuffles(x, 2), effort=EFFORT)
    flat = kind in (Kind.VECTOR, Kind.TOKENS)
    shape = {Kind.GRAPH: (5, 8)}.get(kind, (6,) if flat else (3, 8, 8))
    x = torch.randn(records, *shape, generator=generator)
    background = torch.zeros(records, 1, *shape)
    network = Smooth(6) if flat else Additive(torch.randn(2, *shape, generator=generator))
    return Question(network, {name: Signal(x)}, name, 1, background, effort=EFFORT, kind=kind)


def may_be_empty(found: Explanation) -> bool:
    """Whether a method may find nothing: of a linear model, or where it leaves out what speaks against an output."""
    return explainers[found.method].bends_only or bool(found.settings.get("relu"))


def explain(name: str, asked: Question) -> Explanation:
    """An answer; where a method may refuse a network, it refuses in words that help."""
    try:
        return explainers[name].explain(asked)
    except UserError as refusal:
        if not explainers[name].refuses or not refusal.fix:
            raise
        pytest.skip("refused, with a reason and what to do")


def test_there_are_explainers_for_sequences_and_tables() -> None:
    kinds = [kind for name in explainers for kind in explainers[name].accepts]
    assert {Kind.SEQUENCE, Kind.VECTOR} <= set(kinds)


@pytest.mark.parametrize("name", list(explainers))
def test_an_explainer_says_what_it_is(name: str) -> None:
    explainer = explainers[name]
    assert explainer.name == name
    assert explainer.title
    assert explainer.accepts
    assert explainer.explain.__doc__


@pytest.mark.parametrize("name", list(explainers))
def test_an_explainer_says_what_it_costs_whose_it_is_and_when_not_to_use_it(name: str) -> None:
    """This is what `bioloom parts show` tells of it."""
    told = explainers[name].__doc__ or ""
    missing = [word for word in ("Cost", "Source", "ot ") if word not in told]
    assert not missing, f"{name} lacks {missing}"


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_attributions_have_the_shape_of_the_input_and_are_finite(name: str, kind: Kind) -> None:
    asked = question(kind)
    found = explain(name, asked)
    assert found.attribution.shape == tuple(asked.batch["x"].x.shape)
    assert found.attribution.dtype == np.float32
    assert np.isfinite(found.attribution).all()
    assert found.attribution.any() or may_be_empty(found)
    assert found.method == name
    assert found.input == "x"
    assert found.reference


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_same_question_has_the_same_answer(name: str, kind: Kind) -> None:
    assert (explain(name, question(kind)).attribution == explain(name, question(kind)).attribution).all()


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_record_is_explained_the_same_alone_and_in_company(name: str, kind: Kind) -> None:
    asked = question(kind)
    together = explain(name, asked).attribution
    x, mask = asked.batch["x"]
    for row in range(3):
        one = slice(row, row + 1)
        alone = replace(
            asked,
            batch={"x": Signal(x[one], None if mask is None else mask[one])},
            background=asked.background[one],
        )
        assert np.allclose(explain(name, alone).attribution[0], together[row], atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_progress_grows_to_one(name: str, kind: Kind) -> None:
    seen: list[float] = []
    explain(name, replace(question(kind), progress=seen.append))
    assert seen == sorted(seen)
    assert seen[0] >= 0
    assert seen[-1] == 1.0


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_where_completeness_is_promised_the_sum_is_right(name: str, kind: Kind) -> None:
    found = explain(name, question(kind))
    if found.delta is None:
        return
    sums = found.attribution.reshape(len(found.delta), -1).sum(axis=1)
    assert found.delta.shape == sums.shape
    assert np.all(np.abs(found.delta) <= 0.01 * np.abs(sums - found.delta) + 1e-3)


@pytest.mark.parametrize("name", [name for name, kind in CASES if kind is Kind.SEQUENCE])
def test_positions_outside_the_mask_get_nothing(name: str) -> None:
    found = explain(name, question(Kind.SEQUENCE)).attribution
    assert not found[1, :, 15:].any()
    assert not found[2, :, 9:].any()


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_what_the_network_ignores_gets_nothing(name: str, kind: Kind) -> None:
    if explainers[name].marks:
        pytest.skip("it marks regions, and a region may hold what is ignored")
    asked = question(kind)
    x = asked.batch["x"].x
    weight = torch.randn(2, *x.shape[1:], generator=torch.Generator().manual_seed(5))
    weight[..., -4:] = 0
    found = explain(name, replace(asked, network=Additive(weight), batch={"x": Signal(x)})).attribution
    # a window may reach from used places into ignored ones
    free = 2 if kind in (Kind.SEQUENCE, Kind.IMAGE) else 0
    assert np.abs(found[..., -4 + free :]).max() < 1e-5
    assert np.abs(found[..., :-4]).max() > 0.01 or explainers[name].bends_only


@pytest.mark.parametrize("name", [name for name, kind in CASES if kind is Kind.SEQUENCE])
def test_one_input_of_several_is_explained(name: str) -> None:
    x = letters(3, 20)
    batch = {"dna": Signal(x), "table": Signal(torch.ones(3, 3))}
    found = explain(name, Question(Two(), batch, "dna", 0, shuffles(x, 2), effort=EFFORT))
    assert found.attribution.shape == (3, 4, 20)
    assert found.input == "dna"


def shapes_of(kind: Kind) -> Shape | None:
    return {Kind.SEQUENCE: Shape(kind, (4, 40)), Kind.VECTOR: Shape(kind, (6,))}.get(kind)


PAIRS = [
    (name, network, kind)
    for name, kind in CASES
    for network in networks
    if kind in networks[network].accepts
    and shapes_of(kind) is not None
    and not networks[network].everywhere
    and not networks[network].only_for  # made for a task without labels, of which nothing is explained
]


@pytest.mark.parametrize(("name", "network", "kind"), PAIRS)
def test_every_explainer_explains_every_network(name: str, network: str, kind: Kind) -> None:
    torch.manual_seed(0)
    shape = shapes_of(kind)
    shapes = {"x": shape, "other": Shape(Kind.VECTOR, (3,))} if networks[network].several else {"x": shape}
    built = build(network, shapes, 1, {}).eval()
    for weight in built.parameters():  # some networks begin with an answer of 0 to everything
        torch.nn.init.normal_(weight, std=0.2)
    x = letters(2, 40) if kind is Kind.SEQUENCE else torch.randn(2, 6)
    background = shuffles(x, 2) if kind is Kind.SEQUENCE else torch.zeros(2, 1, 6)
    batch = {
        "x": signal(x, [40, 31]) if kind is Kind.SEQUENCE else Signal(x),
        "other": Signal(torch.ones(2, 3)),
    }
    asked = Question(built, {key: batch[key] for key in shapes}, "x", 0, background, effort=EFFORT)
    before = {key: value.clone() for key, value in built.state_dict().items()}
    found = explain(name, asked)
    assert np.isfinite(found.attribution).all()
    assert found.attribution.any() or may_be_empty(found)
    assert all(torch.equal(value, built.state_dict()[key]) for key, value in before.items())
    if found.delta is not None:
        sums = found.attribution.reshape(2, -1).sum(axis=1)
        assert np.all(np.abs(found.delta) <= 0.01 * np.abs(sums - found.delta) + 1e-3)
