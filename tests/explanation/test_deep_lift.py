"""DeepLIFT and DeepSHAP: closed forms, brute force, completeness on many kinds of networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bioloom.errors import UserError
from bioloom.explanation import Question, Scale, Target
from bioloom.explanation.propagation.deep_lift import deep_lift, deep_shap
from bioloom.explanation.summary import at_observed
from bioloom.modalities import Kind, Shape, Signal
from bioloom.models import build, networks
from rule_networks import KINDS, Made, network
from toy_networks import Additive, Product, Toy, Two, letters, shuffles, signal


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


class Of(Toy):
    """A function as a network."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x, mask=None):
        return self.function(x)[:, None]


def shares(function, x: torch.Tensor, reference: torch.Tensor) -> np.ndarray:
    question = Question(Of(function), {"t": Signal(x)}, "t", 0, reference[:, None])
    found = deep_shap(question)
    assert np.abs(found.delta).max() < 1e-6 * (1 + np.abs(found.attribution).sum())
    return found.attribution


def relative(found) -> float:
    return float(np.abs(found.delta).max() / np.abs(found.attribution).sum())


@pytest.mark.parametrize("kind", list(KINDS))
def test_attributions_add_up_on_every_kind_of_network(kind: str) -> None:
    x = letters(3, 20).double()
    question = Question(network(kind), {"dna": Signal(x)}, "dna", 1, shuffles(x, 3))
    for method in (deep_lift, deep_shap):
        found = method(question)
        assert found.attribution.any()
        assert relative(found) < 1e-6


@pytest.mark.parametrize("kind", list(KINDS))
def test_attributions_add_up_on_numbers_too(kind: str) -> None:
    x, background = randn(2, 4, 20), randn(2, 2, 4, 20, seed=1)
    found = deep_shap(Question(network(kind), {"trace": Signal(x)}, "trace", 0, background))
    assert relative(found) < 1e-6


@pytest.mark.parametrize("scale", list(Scale))
def test_probabilities_and_contrasts_add_up(scale: Scale) -> None:
    x = letters(3, 20).double()
    target = Target(torch.tensor([0, 1, 0]), scale, against=torch.tensor([1, 0, 1]))
    made = network("pooled")
    found = deep_shap(Question(made, {"dna": Signal(x)}, "dna", target, shuffles(x, 2)))
    assert relative(found) < 1e-6


HIDDEN = torch.tensor([False, True, False, False, True, False])

SINGLE = {
    "softmax by hand, with a mask": lambda t: (
        (weight := t.masked_fill(HIDDEN, -torch.inf).exp()) / weight.sum(1, keepdim=True) * t
    ).sum(1),
    "softmax with a mask": lambda t: (t.masked_fill(HIDDEN, -torch.inf).softmax(1) * t).sum(1),
    "special functions": lambda t: torch.special.expit(t).sum(1) + torch.special.log_softmax(t, 1)[:, 0],
    "clamp by a tensor": lambda t: torch.clamp(t, min=torch.tensor(0.1)).sum(1),
    "quotients": lambda t: (1 - t).sum(1) / (t.square().sum(1) + 1) + (2 / (1 + t.exp())).sum(1),
    "powers": lambda t: (t**3).sum(1) + t.square().sum(1).sqrt(),
    "smallest": lambda t: t.min(dim=1).values + t.amin(1) + torch.minimum(t[:, 0], t[:, 1]),
    "spread": lambda t: t.std(1) + t.var(1, unbiased=False) + t.norm(dim=1),
    "transposed": lambda t: t.T.tanh()[0] + t.mT[1],
    "products": lambda t: (
        torch.einsum("bi,bj->b", t, t.tanh()) + torch.bmm(t[:, None], t.relu()[:, :, None])[:, 0, 0]
    ),
    "in place": lambda t: (
        (t * 2).sigmoid_().sum(1) + F.relu(t * 2, True).sum(1) + nn.ELU(inplace=True)(t * 2).sum(1)
    ),
    "many bends": lambda t: sum(
        bend()(t).sum(1)
        for bend in (
            nn.Hardtanh,
            nn.Hardswish,
            nn.Mish,
            nn.Softshrink,
            nn.LogSigmoid,
            nn.CELU,
            nn.SELU,
            nn.SiLU,
        )
    ),
    "softmin": lambda t: nn.Softmin(1)(t)[:, 0] + F.normalize(t, dim=1)[:, 0],
    "its own weights": lambda t: torch.stack([F.linear(a, a.view(1, 6), a[:1]) for a in t]).flatten(),
    "soft maxima": lambda t: torch.logsumexp(t, (1,)) + torch.logaddexp(t[:, 0], t[:, 1]),
    "running sums": lambda t: t.cumsum(1).sin().sum(1),
    "pools in two axes": lambda t: (
        nn.MaxPool2d(2, 1)(t.view(-1, 1, 2, 3)).flatten(1).sum(1)
        + nn.AdaptiveMaxPool2d(1)(t.view(-1, 1, 2, 3)).flatten()
    ),
    "pools in three axes": lambda t: nn.MaxPool3d((1, 2, 2), 1)(t.view(-1, 1, 1, 2, 3)).flatten(1).sum(1),
    "pools with places": lambda t: F.max_pool1d(t[:, None], 2, return_indices=True)[0].flatten(1).sum(1),
    "pools of torch": lambda t: torch.adaptive_max_pool1d(t[:, None], 2)[0].flatten(1).sum(1),
}


@pytest.mark.parametrize("name", list(SINGLE))
def test_attributions_add_up_through_single_operations(name: str) -> None:
    x, background = randn(2, 6), randn(2, 3, 6, seed=1)
    found = deep_shap(Question(Of(SINGLE[name]), {"t": Signal(x)}, "t", 0, background))
    assert relative(found) < 1e-12


SEQUENCES = [name for name in networks if Kind.SEQUENCE in networks[name].accepts]


@pytest.mark.parametrize("name", SEQUENCES)
def test_attributions_add_up_on_every_network_for_sequences(name: str) -> None:
    torch.manual_seed(0)
    shapes = {"x": Shape(Kind.SEQUENCE, (4, 24))}
    if networks[name].several:
        shapes["other"] = Shape(Kind.VECTOR, (3,))
    built = build(name, shapes, 1, {}).eval().double()
    for weight in built.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    x = letters(2, 24).double()
    batch = {"x": signal(x, [24, 19]), "other": Signal(torch.ones(2, 3).double())}
    question = Question(built, {key: batch[key] for key in shapes}, "x", 0, shuffles(x, 2))
    # it asks for the token that stands there, which is no number to be shared out
    if name == "transformer_masked":
        with pytest.raises(UserError, match="gather"):
            deep_shap(question)
        return
    allowed = 1e-4 if networks[name].only_for else 1e-6  # likelihoods are computed in float32
    assert relative(deep_shap(question)) < allowed


def test_a_linear_network_has_a_closed_form() -> None:
    weight, x, background = randn(1, 5), randn(3, 5, seed=1), randn(3, 4, 5, seed=2)
    found = deep_shap(Question(Additive(weight), {"t": Signal(x)}, "t", 0, background))
    assert np.allclose(found.attribution, (weight * (x - background.mean(dim=1))).numpy(), atol=1e-6)


def test_a_product_is_shared_equally() -> None:
    """x0 x1 from zero: half each, as Shapley values and Integrated Gradients have it."""
    x = torch.tensor([[2.0, 3.0, 7.0]])
    found = deep_shap(Question(Product(), {"t": Signal(x)}, "t", 0, torch.zeros(1, 1, 3)))
    assert found.attribution[0].tolist() == pytest.approx([3.0, 3.0, 0.0])


def test_a_saturated_unit_still_passes_on_what_it_gained() -> None:
    """1 - relu(1 - x0 - x1) at (1, 1): the slope is 0, and each input made half of the difference."""
    x = torch.ones(1, 2).double()
    found = shares(lambda t: 1 - (1 - t.sum(1)).relu(), x, torch.zeros(1, 2).double())
    assert found[0].tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("write", ["max_pool", "amax", "max", "maximum"])
def test_a_maximum_goes_to_the_places_of_both_maxima(write: str) -> None:
    """x = (3, 1), r = (0, 2): c = 3, so place 0 gets 3 - 2 and place 1, where r was largest, gets 3 - 3."""
    ways = {
        "max_pool": lambda t: torch.nn.functional.max_pool1d(t[:, None], 2).flatten(),
        "amax": lambda t: t.amax(1),
        "max": lambda t: t.max(dim=1).values,
        "maximum": lambda t: torch.maximum(t[:, 1], t[:, 0]),
    }
    x, r = torch.tensor([[3.0, 1.0], [1.0, 3.0]]).double(), torch.tensor([[0.0, 2.0], [4.0, 0.0]]).double()
    found = shares(ways[write], x, r)
    if write == "maximum":  # b + relu(a - b) shares what changes on both sides
        assert found.sum(axis=1).tolist() == pytest.approx([1.0, -1.0])
    else:
        assert found.tolist() == [pytest.approx([1.0, 0.0]), pytest.approx([-1.0, 0.0])]


def test_near_ties_of_a_maximum_neither_explode_nor_lose_anything() -> None:
    for gap in (0.0, 1e-12, 1e-9, 1e-7, 1e-5):
        x = torch.tensor([[1.0 + gap, 1.0]]).double()
        found = shares(lambda t: t.amax(1), x, torch.tensor([[1.0, 1.0 + 2 * gap]]).double())
        assert np.abs(found).max() <= 4 * gap + 1e-12


def test_overlapping_windows_are_what_brute_force_says() -> None:
    x, r = randn(1, 9), randn(1, 9, seed=1)
    expected = np.zeros(9)
    for start in range(0, 7, 2):
        here, there = x[0, start : start + 3], r[0, start : start + 3]
        common = torch.maximum(here.max(), there.max())
        expected[start + int(here.argmax())] += float(common - there.max())
        expected[start + int(there.argmax())] += float(here.max() - common)
    found = shares(lambda t: torch.nn.functional.max_pool1d(t[:, None], 3, 2).flatten(1).sum(1), x, r)
    assert np.allclose(found[0], expected, atol=1e-7)


def test_softmax_is_exponents_over_their_sum() -> None:
    x, r = randn(1, 3), randn(1, 3, seed=1)
    e_x, e_r = x.exp()[0], r.exp()[0]
    s_x, s_r = e_x.sum(), e_r.sum()
    own = (e_x - e_r)[0] * (1 / s_x + 1 / s_r) / 2
    expected = -(e_x[0] + e_r[0]) / 2 * (e_x - e_r) / (s_x * s_r)
    expected[0] += own
    found = shares(lambda t: t.softmax(1)[:, 0], x, r)
    assert np.allclose(found[0], expected.numpy(), atol=1e-7)
    by_hand = shares(lambda t: (t.exp() / t.exp().sum(1, keepdim=True))[:, 0], x, r)
    assert np.allclose(by_hand, found, atol=1e-7)


@pytest.mark.parametrize("size", [1.0, 100.0])
def test_large_logits_overflow_nothing(size: float) -> None:
    x, r = size * randn(2, 3), size * randn(2, 3, seed=1)
    assert np.isfinite(shares(lambda t: t.softmax(1)[:, 0], x, r)).all()
    assert np.isfinite(shares(lambda t: t.logsumexp(1), x, r)).all()
    assert np.isfinite(shares(lambda t: t.log_softmax(1)[:, 0], x, r)).all()


def test_what_is_written_down_survives_changes_in_place() -> None:
    """A bent tensor is added to afterwards; the numbers that it had before must be compared."""

    def changed(t: torch.Tensor) -> torch.Tensor:
        y = 3.0 * t
        z = y.tanh()
        y += t
        y.mul_(2.0)
        return (z + y.relu_()).sum(1)

    def unchanged(t: torch.Tensor) -> torch.Tensor:
        return ((3.0 * t).tanh() + (8.0 * t).relu()).sum(1)

    x, r = randn(3, 5), randn(3, 5, seed=1)
    assert np.allclose(shares(changed, x, r), shares(unchanged, x, r), atol=1e-7)


def test_records_and_references_read_together_or_apart_give_the_same() -> None:
    x = letters(5, 20).double()
    question = Question(network("normed"), {"dna": Signal(x)}, "dna", 0, shuffles(x, 6))
    together = deep_shap(question).attribution
    each = [
        deep_shap(replace(question, background=question.background[:, [number]])).attribution
        for number in range(6)
    ]
    assert np.allclose(together, np.mean(each, axis=0), atol=1e-7)
    for row in range(5):
        alone = replace(question, batch={"dna": Signal(x[[row]])}, background=question.background[[row]])
        assert np.allclose(deep_shap(alone).attribution[0], together[row], atol=1e-7)


def test_hypothetical_contributions_are_those_of_exchanged_letters() -> None:
    """Of a linear network: each letter's weight, less that of the reference on average."""
    weight, x = randn(1, 4, 9), letters(2, 9).double()
    background = shuffles(x, 3)
    question = Question(Additive(weight), {"dna": Signal(x)}, "dna", 0, background)
    found = deep_shap(question, hypothetical=True)
    expected = weight - (weight[:, None] * background).sum(dim=2, keepdim=True).mean(dim=1)
    assert np.allclose(found.attribution, expected.numpy(), atol=1e-6)
    assert found.delta is None
    observed = deep_shap(question).attribution
    assert np.allclose(found.attribution[x.numpy() == 1], observed[x.numpy() == 1], atol=1e-6)


def test_of_numbers_there_is_nothing_hypothetical() -> None:
    x = randn(2, 4, 20)
    with pytest.raises(UserError, match="made of letters"):
        deep_shap(Question(network("plain"), {"t": Signal(x)}, "t", 0, x[:, None]), hypothetical=True)


def test_at_the_letter_that_stands_there_hypothetical_and_real_agree() -> None:
    x = letters(2, 20).double()
    question = Question(network("pooled"), {"dna": Signal(x)}, "dna", 0, shuffles(x, 3))
    real, other = deep_shap(question), deep_shap(question, hypothetical=True)
    assert np.allclose(
        at_observed(real.attribution, x.numpy()), (other.attribution * x.numpy()).sum(1), atol=1e-6
    )


def test_deep_lift_compares_with_the_mean_background() -> None:
    x, background = randn(2, 4, 20), randn(2, 3, 4, 20, seed=1)
    question = Question(network("plain"), {"trace": Signal(x)}, "trace", 0, background)
    mean = replace(question, background=background.mean(dim=1, keepdim=True))
    assert np.allclose(deep_lift(question).attribution, deep_shap(mean).attribution)


def test_other_inputs_stay_as_they_are() -> None:
    dna, table = letters(3, 20), torch.randn(3, 3, generator=torch.Generator().manual_seed(1))
    question = Question(Two(), {"dna": Signal(dna), "table": Signal(table)}, "dna", 0, shuffles(dna, 2))
    assert relative(deep_shap(question)) < 1e-5


def test_without_a_background_the_question_is_refused() -> None:
    with pytest.raises(UserError, match="none was given"):
        deep_shap(Question(network("plain"), {"dna": Signal(letters(2, 20).double())}, "dna", 0))


def test_the_numbers_are_those_of_tangermeme() -> None:
    """Without max pools: where their inputs are equal in record and reference, the two fill in another slope."""
    oracle = pytest.importorskip("tangermeme.deep_lift_shap", exc_type=ImportError)
    torch.manual_seed(0)
    body = nn.Sequential(
        *(nn.Conv1d(4, 6, 3, padding=1), nn.ReLU(), nn.AvgPool1d(2), nn.Conv1d(6, 6, 3), nn.ELU()),
        *(nn.Flatten(), nn.Linear(48, 5), nn.Tanh(), nn.Linear(5, 1)),
    ).double()
    x = letters(3, 20).double()
    background = shuffles(x, 4)
    expected = oracle.deep_lift_shap(
        body, x, references=background, device="cpu", hypothetical=True, dtype=x.dtype
    )
    question = Question(Made(body, body=lambda t, own: own(t)), {"dna": Signal(x)}, "dna", 0, background)
    found = deep_shap(question, hypothetical=True)
    assert np.allclose(found.attribution, expected.detach().numpy(), atol=1e-6)


def counted(t: torch.Tensor) -> torch.Tensor:
    """A network that numbers the records of a batch."""
    return t.tanh()[torch.arange(len(t)), torch.arange(len(t)) * 0 + 1] * 2


def turned(t: torch.Tensor) -> torch.Tensor:
    """Records along the second axis, and weights along the first."""
    return (t.T.softmax(0) * t.T).sum(0) + torch.logsumexp(t.T, 0) + t.T.amax(0)


@pytest.mark.parametrize("function", [counted, turned])
def test_records_may_stand_along_any_axis_and_be_numbered(function) -> None:
    x, background = randn(3, 4), randn(3, 5, 4, seed=1)
    found = deep_shap(Question(Of(function), {"t": Signal(x)}, "t", 0, background))
    each = [shares(function, x, background[:, number]) for number in range(5)]
    assert np.allclose(found.attribution, np.mean(each, axis=0), atol=1e-7)
    assert relative(found) < 1e-10


def test_a_rectifier_near_and_at_zero_passes_what_its_quotient_says() -> None:
    """(relu(x) - relu(r)) / (x - r): 1 above zero, 0 below, the share above zero between."""
    x = torch.tensor([[2.0, -2.0, 3.0, -1.0, 0.0, 1.0, 1.0]]).double()
    r = torch.tensor([[1.0, -1.0, -1.0, 3.0, 0.0, 1.0, 1.0 + 1e-13]]).double()
    found = shares(lambda t: t.relu().sum(1), x, r)
    assert found[0].tolist() == pytest.approx([1.0, 0.0, 3.0, -3.0, 0.0, 0.0, 0.0])
