"""The engine of rules: exact on many kinds of networks, the same however they are written, gone without a trace."""

from __future__ import annotations

import gc
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import average_precision_score
from torch import nn

from bioloom.errors import UserError
from bioloom.explanation import Question, explainers
from bioloom.explanation.propagation.deep_lift import deep_shap
from bioloom.explanation.rules import RuleMode, Rules, composed, following, recurrent
from bioloom.explanation.rules.kinds import KINDS as OF_FUNCTIONS
from bioloom.modalities import Signal
from rule_networks import KINDS, Made, network
from toy_networks import Smooth, Toy, letters, shuffles

METHODS = ("deep_lift", "deep_shap", "guided_backprop", "deconvnet", "lrp", "contrastive_lrp", "rap")


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def asked(made: Toy, records: int = 2) -> Question:
    x = letters(records, 20).double()
    return Question(made, {"dna": Signal(x)}, "dna", 0, shuffles(x, 2))


@pytest.mark.parametrize("kind", list(KINDS))
def test_rules_change_no_answer(kind: str) -> None:
    made, x = network(kind), letters(3, 20).double()
    expected = made(x)
    seen = x.clone().requires_grad_()
    with following(Rules(), made.requires_grad_(False)):
        found = made(seen)
    assert torch.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("kind", list(KINDS))
def test_without_rules_of_a_method_gradients_are_the_ordinary_ones(kind: str) -> None:
    made, x = network(kind), letters(3, 20).double() + 0.1 * randn(3, 4, 20)
    plain = torch.autograd.grad(made(x.requires_grad_()).sum(), x)[0]
    with following(Rules(), made.requires_grad_(False)):
        answer = made(x).sum()
    assert torch.allclose(torch.autograd.grad(answer, x)[0], plain, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_the_way_a_network_is_written_changes_nothing(method: str) -> None:
    """Functional, with modules, and with one module used twice."""
    x = randn(3, 6).float()
    maps = [
        explainers[method]
        .explain(Question(Smooth(6, style), {"t": Signal(x)}, "t", 0, torch.zeros(3, 1, 6)))
        .attribution
        for style in ("module", "functional", "reused")
    ]
    assert (maps[0] == maps[1]).all()
    assert (maps[0] == maps[2]).all()


@pytest.mark.parametrize("method", METHODS)
def test_an_operation_without_a_rule_is_refused_by_name_and_all_is_as_before(method: str) -> None:
    made = Made(nn.Linear(20, 2), body=lambda x, last: last(torch.special.i0(x.sum(1)))).double()
    made.train()
    fused = torch.backends.mha.get_fastpath_enabled()
    if explainers[method].name in ("guided_backprop", "deconvnet"):  # every operation has a gradient
        assert np.isfinite(explainers[method].explain(asked(made)).attribution).all()
    else:
        with pytest.raises(UserError, match="special_i0"):
            explainers[method].explain(asked(made))
    assert made.training
    assert torch.backends.mha.get_fastpath_enabled() == fused
    assert torch.overrides._get_current_function_mode() is None
    assert all(weight.requires_grad and weight.grad is None for weight in made.parameters())
    assert not any(each._forward_hooks or each._backward_hooks for each in made.modules())


def test_an_operation_without_a_rule_is_no_matter_where_nothing_depends_on_it() -> None:
    def body(x: torch.Tensor, last: nn.Module) -> torch.Tensor:
        return torch.stack([last(x.sum(1))[:, 0], torch.special.i0(x).sum((1, 2))], dim=1)

    made = Made(nn.Linear(20, 1), body=body).double()
    assert np.abs(deep_shap(asked(made)).delta).max() < 1e-12


@pytest.mark.parametrize(
    "choose",
    [
        lambda x: x * (x > 0.2),
        lambda x: torch.where(x > 0.2, x, 0.0),
        lambda x: x - x.detach().amax(dim=2, keepdim=True),
        lambda x: x.gather(2, x.argmax(dim=2, keepdim=True)).expand(-1, -1, 20),
    ],
)
def test_a_choice_that_depends_on_the_record_is_refused_rather_than_wrong(choose) -> None:
    made = Made(_look(), body=lambda x, look: F.pad(choose(look(x)).sum((1, 2))[:, None], (0, 1))).double()
    with pytest.raises(UserError, match="depends on the record"):
        deep_shap(asked(made))


def _look() -> nn.Conv1d:
    torch.manual_seed(0)
    return nn.Conv1d(4, 3, 3, padding="same")


def test_a_network_that_takes_another_way_for_its_reference_is_refused() -> None:
    def body(x: torch.Tensor, last: nn.Module) -> torch.Tensor:
        y = last(x.sum(1))
        return y.relu() if bool(x[0, 0, 0] > 0) else y.tanh()

    made = Made(nn.Linear(20, 2), body=body).double()
    x = torch.zeros(1, 4, 20, dtype=torch.double)
    x[:, 0] = 1
    background = x.roll(1, dims=1)[:, None]
    with pytest.raises(UserError, match="another way"):
        deep_shap(Question(made, {"dna": Signal(x)}, "dna", 0, background))


def test_a_script_is_refused() -> None:
    class Scripted(Toy):
        def __init__(self) -> None:
            super().__init__()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.inner = torch.jit.script(nn.Linear(20, 2))

        def forward(self, x, mask=None):
            return self.inner(x.sum(1))

    with pytest.raises(UserError, match="compiled"):
        deep_shap(asked(Scripted().double()))


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("lengths", [None, [7, 3, 5]])
def test_recurrent_steps_are_those_of_torch(cell: str, lengths: list[int] | None) -> None:
    torch.manual_seed(0)
    cells = getattr(nn, cell)(4, 3, num_layers=2, batch_first=True, bidirectional=True).double()
    x = randn(3, 7, 4)
    given = x if lengths is None else nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), True, False)
    expected, ends = cells(given)
    with RuleMode(Rules()):
        found, own_ends = cells(
            nn.utils.rnn.PackedSequence(given.data.requires_grad_(), *given[1:])
            if lengths
            else x.requires_grad_()
        )
    if lengths:
        expected, found = expected.data, found.data
    assert torch.allclose(found, expected, atol=1e-12)
    for one, two in zip(
        [*ends] if cell == "LSTM" else [ends], [*own_ends] if cell == "LSTM" else [own_ends], strict=True
    ):
        assert torch.allclose(one, two, atol=1e-12)


@pytest.mark.parametrize("cell", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_single_steps_are_those_of_torch(cell: type[nn.RNNCellBase]) -> None:
    torch.manual_seed(0)
    one, x, h = cell(4, 3).double(), randn(2, 4), randn(2, 3)
    state = (h, 2 * h) if cell is nn.LSTMCell else h
    weights = (one.weight_ih, one.weight_hh, one.bias_ih, one.bias_hh)
    function = {"LSTMCell": "lstm_cell", "GRUCell": "gru_cell", "RNNCell": "rnn_tanh_cell"}[cell.__name__]
    found, expected = getattr(recurrent, function)(x, state, *weights), one(x, state)
    assert torch.allclose(torch.stack([*found]), torch.stack([*expected]), atol=1e-12)


def _mask(seed: int) -> torch.Tensor:
    mask = torch.rand(2, 1, 5, 6, generator=torch.Generator().manual_seed(seed)) > 0.4
    mask[0, 0, 2] = False  # a position that may see nothing
    return mask


@pytest.mark.parametrize(
    "options", [{}, {"attn_mask": _mask(0)}, {"attn_mask": _mask(1) * -2.0}, {"is_causal": True}]
)
def test_attention_is_that_of_torch(options: dict) -> None:
    options = {k: v.double() if k == "attn_mask" and v.is_floating_point() else v for k, v in options.items()}
    q, k, v = randn(2, 3, 5, 4), randn(2, 3, 6, 4, seed=1), randn(2, 3, 6, 4, seed=2)
    expected = F.scaled_dot_product_attention(q, k, v, **options)
    assert torch.allclose(composed.scaled_dot_product_attention(q, k, v, **options), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("layer_norm", ((4, 6),)),
        ("rms_norm", ((6,),)),
        ("group_norm", (2, torch.arange(4.0).double(), torch.ones(4).double())),
        ("instance_norm", ()),
        ("local_response_norm", (3, 1e-2, 0.6, 2.0)),
        ("glu", (1,)),
        ("prelu", (torch.arange(4.0).double(),)),
        ("normalize", ()),
        ("softmin", (1,)),
    ],
)
def test_what_is_taken_apart_stays_the_same(function: str, arguments: tuple) -> None:
    x = randn(3, 4, 6)
    assert torch.allclose(
        getattr(composed, function)(x, *arguments), getattr(F, function)(x, *arguments), atol=1e-12
    )


@pytest.mark.parametrize("function", ["maximum", "minimum", "logaddexp"])
def test_pairs_that_are_taken_apart_stay_the_same(function: str) -> None:
    a, b = randn(3, 4), randn(3, 4, seed=1)
    assert torch.allclose(getattr(composed, function)(a, b), getattr(torch, function)(a, b), atol=1e-12)


def test_products_that_are_taken_apart_stay_the_same() -> None:
    a, b, c = randn(3, 4), randn(4, 5, seed=1), randn(3, 5, seed=2)
    assert torch.allclose(composed.addmm(c, a, b, beta=0.5, alpha=2), torch.addmm(c, a, b, beta=0.5, alpha=2))
    weight, bias = randn(2, 4, 5, seed=3), randn(2, seed=4)
    assert torch.allclose(composed.bilinear(a, c, weight, bias), F.bilinear(a, c, weight, bias))
    assert torch.allclose(composed.var(a, 1), a.var(1))
    assert torch.allclose(composed.std(a, 1, correction=0), a.std(1, correction=0))
    assert torch.allclose(composed.var(a, 1, False, True), a.var(1, False, True))
    assert torch.allclose(composed.lerp(a, 2 * a, 0.3), torch.lerp(a, 2 * a, 0.3))
    assert torch.allclose(composed.addcmul(c, c, c, value=2.0), torch.addcmul(c, c, c, value=2.0))
    assert torch.allclose(composed.norm(a, dim=1), a.norm(dim=1))


def test_every_function_that_is_taken_apart_has_its_parts() -> None:
    for name, kind in OF_FUNCTIONS.items():
        if kind == "composed" and name not in ("softmax", "log_softmax"):
            assert hasattr(composed, name) or hasattr(recurrent, name), name


@pytest.mark.parametrize("need_weights", [True, False])
def test_multi_head_attention_is_that_of_torch(need_weights: bool) -> None:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(6, 2, batch_first=True).double()
    x = randn(2, 5, 6)
    padding = torch.tensor([[False] * 5, [False, False, False, True, True]])
    expected = layer(x, x, x, key_padding_mask=padding, need_weights=need_weights)
    with following(Rules(), layer):
        found = layer(*[x.requires_grad_()] * 3, key_padding_mask=padding, need_weights=need_weights)
    assert torch.allclose(found[0], expected[0], atol=1e-12)
    assert (found[1] is None) == (expected[1] is None)
    if need_weights:
        assert torch.allclose(found[1], expected[1], atol=1e-12)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_signals_pictures_and_volumes_are_explained(axes: int, method: str) -> None:
    torch.manual_seed(0)
    look, norm = getattr(nn, f"Conv{axes}d")(2, 4, 3), getattr(nn, f"BatchNorm{axes}d")(4)
    pool = getattr(nn, f"MaxPool{axes}d")(2, 1)

    def body(x: torch.Tensor, *layers: nn.Module) -> torch.Tensor:
        first, then, best, last = layers
        return last(best(then(first(x)).relu()).flatten(2).mean(2))

    made = Made(look, norm, pool, nn.Linear(4, 2), body=body).double().eval()
    x = randn(3, *[6] * axes, 2).movedim(-1, 1)  # as memory has it, channels come last
    question = Question(made, {"x": Signal(x)}, "x", 0, torch.zeros_like(x)[:, None])
    found = explainers[method].explain(question)
    assert found.attribution.shape == x.shape
    assert np.isfinite(found.attribution).all()
    if found.delta is not None:
        assert np.abs(found.delta).max() < 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_numbers_of_low_precision_give_about_the_same(method: str) -> None:
    made, x = network("plain"), letters(2, 20)
    exact = explainers[method].explain(asked(made)).attribution
    question = Question(made.bfloat16(), {"dna": Signal(x.bfloat16())}, "dna", 0, shuffles(x, 2))
    found = explainers[method].explain(question).attribution
    assert np.isfinite(found).all()
    assert np.corrcoef(found.ravel(), exact.ravel())[0, 1] > 0.9


def test_many_calls_leave_nothing_behind() -> None:
    question = asked(network("residual"))
    for method in ("deep_shap", "lrp"):
        explainers[method].explain(question)
        before = len(gc.get_objects())
        for _ in range(10):
            explainers[method].explain(question)
        gc.collect()
        assert len(gc.get_objects()) < before + 100


MOTIF = torch.tensor([3, 2, 0, 1, 3, 1])


@pytest.fixture(scope="module")
def planted() -> tuple[Made, torch.Tensor, np.ndarray]:
    """A network that learned to tell sequences with a motif from others; records that hold it, and where it lies."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(4, (200, 40), generator=generator)
    start = torch.randint(34, (200,), generator=generator)
    holds = torch.arange(200) % 2 == 0
    where = (torch.arange(40) - start[:, None]).clamp(-1, 6)
    inside = (where >= 0) & (where < 6) & holds[:, None]
    tokens = torch.where(inside, MOTIF[where.clamp(0, 5)], tokens)
    x = F.one_hot(tokens, 4).movedim(2, 1).float()
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        layers = nn.Conv1d(4, 8, 8), nn.Linear(8, 8), nn.Linear(8, 1)
        made = Made(*layers, body=lambda t, look, then, last: last(then(look(t).relu().amax(2)).relu()))
        optimiser = torch.optim.Adam(made.parameters(), 0.02)
        for _ in range(100):
            optimiser.zero_grad()
            F.binary_cross_entropy_with_logits(made(x)[:, 0], holds.float()).backward()
            optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return made, x[holds][:40], inside[holds][:40].numpy()


@pytest.mark.parametrize(
    ("method", "at_least"),
    [("deep_shap", 0.9), ("deep_lift", 0.9), ("lrp", 0.5), ("rap", 0.5), ("contrastive_lrp", 0.5)],
)
def test_a_planted_motif_is_found(
    planted: tuple[Made, torch.Tensor, np.ndarray], method: str, at_least: float
) -> None:
    """Average precision of the size of contributions against the known places; by chance it is 0.15."""
    made, x, inside = planted
    found = explainers[method].explain(Question(made, {"dna": Signal(x)}, "dna", 0, shuffles(x, 4)))
    size = np.abs(found.attribution).sum(axis=1)
    assert average_precision_score(inside.ravel(), size.ravel()) > at_least
