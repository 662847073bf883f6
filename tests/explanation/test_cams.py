"""Maps of networks: identities that hold on paper, brute force, and no trace left behind."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bioloom.errors import UserError
from bioloom.explanation import Explanation, Question, Scale, Target, explainers
from bioloom.explanation.engine import untouched
from bioloom.explanation.maps.look import Look, interpolated, readings, stretched
from bioloom.explanation.maps.map_by_map import replay
from bioloom.modalities import Kind, Shape, Signal
from bioloom.models import build, networks
from bioloom.models.ensemble import Ensemble
from bioloom.models.strands import other_strand
from toy_networks import SIZES, Additive, Averaging, letters, signal

Says = Callable[..., Explanation]


def method(name: str) -> Says:
    """A method as a function of a question, how maps are looked at, and its own settings."""

    def answer(question: Question, look: Look | None = None, **own: object) -> Explanation:
        explainer = explainers[name]
        words = {} if look is None else {"relu": look.relu, "normalised": look.normalised}
        layer = question.layer if look is None else look.layer
        return explainer.explain(replace(question, layer=layer, settings=explainer.Settings(**words, **own)))

    answer.__name__ = name
    return answer


cam, grad_cam, hires_cam = method("cam"), method("grad_cam"), method("hires_cam")
grad_cam_plus_plus, layer_cam = method("grad_cam_plus_plus"), method("layer_cam")
score_cam, ablation_cam = method("score_cam"), method("ablation_cam")

GRADIENT = (grad_cam, hires_cam, grad_cam_plus_plus, layer_cam)
ASKING = (score_cam, ablation_cam)
EVERY = (*GRADIENT, *ASKING)


def asked(axes: int, records: int = 3, flat: bool = False) -> Question:
    x = torch.randn(records, 3, *SIZES[axes], generator=torch.Generator().manual_seed(9))
    return Question(Averaging(axes, flat=flat), {"x": Signal(x)}, "x", 1)


def parts(question: Question) -> tuple[Tensor, Tensor, Tensor]:
    """Maps, their gradient and the answer, straight from the network."""
    network = question.network
    with torch.no_grad():
        network(question.batch["x"].x)
    maps, network.features = network.features.clone().requires_grad_(), None
    answer = network.head(maps)[:, 1]
    (gradient,) = torch.autograd.grad(answer.sum(), maps)
    return maps.detach(), gradient, answer.detach()


def summed(found: Explanation) -> np.ndarray:
    """What places say: the channels together."""
    return found.attribution.sum(axis=1)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_cam_is_the_output_less_its_bias_and_grad_cam_times_the_number_of_places(axes: int) -> None:
    question = asked(axes)
    found = cam(question).attribution
    places = np.prod(SIZES[axes])
    bias = question.network.dense.bias[1].item()
    _, _, answer = parts(question)
    np.testing.assert_allclose(found.reshape(3, -1).sum(axis=1) / places + bias, answer, rtol=1e-4)
    np.testing.assert_allclose(found, places * grad_cam(question).attribution, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_cam_uses_the_weights_of_the_last_layer(axes: int) -> None:
    question = asked(axes)
    maps, _, _ = parts(question)
    expected = torch.einsum("k,nk...->n...", question.network.dense.weight[1], maps).detach()
    np.testing.assert_allclose(summed(cam(question)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_with_one_weight_for_all_places_hires_cam_is_grad_cam(axes: int) -> None:
    question = asked(axes)
    np.testing.assert_allclose(hires_cam(question).attribution, grad_cam(question).attribution, atol=1e-6)


def test_hires_cam_adds_up_for_weighted_sums_of_places_and_grad_cam_does_not() -> None:
    question = asked(2, flat=True)
    _, _, answer = parts(question)
    expected = answer - question.network.dense.bias[1].detach()
    np.testing.assert_allclose(summed(hires_cam(question)).sum(axis=(1, 2)), expected, rtol=1e-4)
    assert np.abs(summed(grad_cam(question)).sum(axis=(1, 2)) - expected.numpy()).max() > 0.01


def test_cam_refuses_a_head_that_is_none_of_its_kind() -> None:
    with pytest.raises(UserError, match="average"):
        cam(asked(2, flat=True))
    with pytest.raises(UserError, match="average"):
        cam(replace(asked(2), output=Target(1, Scale.PROBABILITY)))


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_maps_are_weighed_as_the_papers_say(axes: int, flat: bool) -> None:
    """By loops over records, maps and places, in twice the precision."""
    question = asked(axes, flat=flat)
    maps, gradient = (each.double().numpy().reshape(3, 5, -1) for each in parts(question)[:2])
    expected = {each.__name__: np.zeros((3, maps.shape[2])) for each in GRADIENT}
    for n in range(3):
        for k in range(5):
            a, g = maps[n, k], gradient[n, k]
            expected["grad_cam"][n] += g.mean() * a
            expected["hires_cam"][n] += g * a
            expected["layer_cam"][n] += np.maximum(g, 0) * a
            weight = 0.0
            for place in range(len(a)):
                below = 2 * g[place] ** 2 + a.sum() * g[place] ** 3
                alpha = g[place] ** 2 / below if below != 0 else 0.0
                weight += alpha * max(g[place], 0)
            expected["grad_cam_plus_plus"][n] += weight * a
    for method in GRADIENT:
        found = summed(method(question)).reshape(3, -1)
        wanted = expected[method.__name__]
        signed = method in (grad_cam, hires_cam)
        np.testing.assert_allclose(found, wanted if signed else np.maximum(wanted, 0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_maps_are_taken_away_one_at_a_time(axes: int) -> None:
    question = asked(axes, flat=True)
    maps, _, answer = parts(question)
    expected = torch.zeros_like(maps[:, 0])
    for k in range(5):
        without = maps.clone()
        without[:, k] = 0
        lost = (answer - question.network.head(without)[:, 1].detach()) / answer.abs()
        expected += lost.view(-1, *[1] * axes) * maps[:, k]
    np.testing.assert_allclose(summed(ablation_cam(question)), expected.relu(), rtol=1e-3, atol=1e-5)
    turned = ablation_cam(question, Look(), divided="signed").attribution
    plain = ablation_cam(question, Look(), divided="abs").attribution
    sign = answer.sign().numpy().reshape(-1, *[1] * (axes + 1))
    np.testing.assert_allclose(turned, plain * sign, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scale", [Scale.RAW, Scale.PROBABILITY])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_maps_are_scored_by_what_they_show(axes: int, scale: Scale) -> None:
    question = replace(asked(axes), output=Target(1, scale))
    maps, _, _ = parts(question)
    x, network = question.batch["x"].x, question.network
    said = torch.zeros(3, 5)
    for n in range(3):
        for k in range(5):
            lit = maps[n, k]
            lit = (lit - lit.min()) / (lit.max() - lit.min())
            raw = torch.stack([network(lit * x[n : n + 1]), network(0 * x[n : n + 1])])[:, 0]
            value = raw.softmax(dim=1) if scale is Scale.PROBABILITY else raw
            said[n, k] = (value[0, 1] - value[1, 1]).detach()
    expected = torch.einsum("nk,nk...->n...", said.softmax(dim=1), maps)
    np.testing.assert_allclose(summed(score_cam(question)), expected, rtol=1e-3, atol=1e-5)


class Even(Averaging):
    """Its maps are the same at all places, whatever it is shown."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        self.features = (
            x.flatten(2).mean(dim=2)[:, :2].view(len(x), 2, *[1] * (x.dim() - 2)).expand(-1, -1, *x.shape[2:])
        )
        return self.features.flatten(2).mean(dim=2).sum(dim=1, keepdim=True)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("method", EVERY)
def test_maps_without_any_difference_give_zeros_and_never_not_a_number(method, axes: int) -> None:
    x = torch.ones(2, 3, *SIZES[axes])
    question = Question(Even(axes), {"x": Signal(x)}, "x", 0)
    found = method(question, Look(normalised=True)).attribution
    assert not found.any()
    assert np.isfinite(method(question).attribution).all()
    if method is score_cam:
        assert not method(question).attribution.any()


def test_an_even_map_gets_no_score_beside_others() -> None:
    class Half(Averaging):
        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            self.features = torch.cat([x[:, :1], torch.full_like(x[:, :1], 100.0)], dim=1)
            return self.features.flatten(2).mean(dim=2).sum(dim=1, keepdim=True)

    x = torch.rand(2, 3, 6, 8)
    found = summed(score_cam(Question(Half(2), {"x": Signal(x)}, "x", 0)))
    np.testing.assert_allclose(found, x[:, 0], rtol=1e-4)


def test_values_are_stretched_from_nothing_to_one() -> None:
    value = torch.tensor([[[2.0, 4.0, 3.0, 9.0]], [[5.0, 5.0, 5.0, -1.0]]])
    mask = torch.tensor([[True, True, True, False]] * 2)
    assert stretched(value, mask)[:, 0].tolist() == [[0.0, 1.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0]]
    assert stretched(value)[0, 0].tolist() == pytest.approx([0.0, 2 / 7, 1 / 7, 1.0])


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("method", EVERY)
def test_a_record_alone_is_told_as_in_company_and_follows_its_own_output(method, axes: int) -> None:
    own = torch.tensor([2, 0, 1])
    question = replace(asked(axes, flat=True), output=Target(own))
    together = method(question).attribution
    assert together.shape == (3, 3, *SIZES[axes])
    for row in range(3):
        one = {"x": Signal(question.batch["x"].x[row : row + 1])}
        alone = method(replace(question, batch=one, output=int(own[row]))).attribution
        np.testing.assert_allclose(alone[0], together[row], rtol=1e-4, atol=1e-5)


def test_sequences_carry_values_on_their_letters_and_nothing_behind_their_end() -> None:
    x = letters(3, 12)
    network = Averaging(1, channels=4)
    for method in EVERY:
        found = method(Question(network, {"x": signal(x, [12, 9, 5])}, "x", 0)).attribution
        assert not found[x.numpy() == 0].any()
        assert not found[1, :, 9:].any()
        assert not found[2, :, 5:].any()


def test_hidden_letters_may_be_other_letters() -> None:
    """With a background that is the record nothing is ever hidden, so every map that shows anything has one score."""
    x = letters(2, 12)
    question = Question(Averaging(1, channels=4), {"x": Signal(x)}, "x", 0, background=x[:, None])
    maps, _, _ = parts(question)
    some = maps.flatten(2).amax(dim=2) > maps.flatten(2).amin(dim=2)
    found = score_cam(question, blended=True)
    expected = torch.stack([maps[n][some[n]].mean(dim=0) for n in range(2)])
    np.testing.assert_allclose(found.attribution.sum(axis=1), expected, rtol=1e-4)
    assert found.reference == "the first background of each record"


@pytest.mark.parametrize("method", [*EVERY, cam])
def test_both_strands_are_read_and_turned_back(method) -> None:
    """A network that also reads the other strand says of a sequence what it says, turned, of its reverse complement."""
    network = Averaging(1, channels=4)
    network.strands = ("x",)
    there = signal(letters(3, 12), [12, 9, 12])
    back = other_strand(there)
    if method is cam:  # which is not defined for records that are shorter than the others
        there, back = (Signal(each.x[:1]) for each in (there, back))
    found, other = (
        torch.from_numpy(method(Question(network, {"x": each}, "x", 0)).attribution) for each in (there, back)
    )
    np.testing.assert_allclose(other_strand(Signal(other, there.mask)).x, found, rtol=1e-4, atol=1e-5)


def test_the_mean_of_networks_and_strands_is_taken() -> None:
    one, other = Averaging(1, channels=4), Averaging(1, channels=4)
    with torch.no_grad():
        other.dense.weight *= 3
    x = letters(2, 12)
    ask = Question(one, {"x": Signal(x)}, "x", 0)
    both = hires_cam(replace(ask, network=Ensemble([one, other]))).attribution
    np.testing.assert_allclose(both, 2 * hires_cam(ask).attribution, rtol=1e-4, atol=1e-6)


# ---- layers ----------------------------------------------------------------------------------------------


class Functional(Averaging):
    """Keeps no maps itself; its layers make them."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.head(F.relu(self.convolution(x), inplace=True))


def test_a_named_layer_is_looked_at_and_a_later_one_may_write_into_its_output() -> None:
    kept, layered = asked(2), asked(2)
    layered = replace(layered, network=Functional(2))
    found = grad_cam(layered, Look(layer="convolution"))
    assert found.settings["layer"] == "convolution"
    before = kept.network.convolution(kept.batch["x"].x).detach()  # the maps before the ReLU
    inner = before.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(kept.network.head(inner.relu())[:, 1].sum(), inner)
    expected = (gradient.mean(dim=(2, 3), keepdim=True) * before).sum(dim=1)
    np.testing.assert_allclose(summed(found), expected, rtol=1e-4, atol=1e-6)
    # found without being named
    np.testing.assert_array_equal(grad_cam(layered).attribution, found.attribution)
    for method in (hires_cam, *ASKING):
        named = method(replace(layered, layer="convolution"))
        assert named.attribution.any()
        assert named.settings["layer"] == "convolution"


def test_a_layer_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(UserError, match='no layer "convoluton"'):
        hires_cam(asked(2), Look(layer="convoluton"))
    with pytest.raises(UserError, match="no places"):
        hires_cam(asked(2), Look(layer="dense"))


def test_a_layer_that_is_used_twice_is_refused() -> None:
    class Twice(Averaging):
        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            return self.head(torch.relu(self.convolution(x)) + torch.relu(self.convolution(2 * x)))

    with pytest.raises(UserError, match="2 times"):
        hires_cam(replace(asked(2), network=Twice(2)), Look(layer="convolution"))


def test_a_network_without_maps_is_refused_in_words() -> None:
    question = Question(Additive(torch.randn(1, 3, 6, 8)), {"x": Signal(torch.randn(1, 3, 6, 8))}, "x", 0)
    for name in ("cam", "hires_cam", "grad_cam_plus_plus", "layer_cam", "score_cam", "ablation_cam"):
        with pytest.raises(UserError, match="keeps no maps"):
            explainers[name].explain(question)


def test_nothing_stays_on_the_network() -> None:
    for network in (Averaging(2), Functional(2)):
        question = replace(asked(2), network=network)
        for method in EVERY:
            method(question)
            assert type(network) in (Averaging, Functional)
            assert vars(network)["features"] is None
            assert not any(len(module._forward_hooks) for module in network.modules())
            assert all(weight.grad is None and weight.requires_grad for weight in network.parameters())


IMAGES = [
    name
    for name in networks
    if Kind.IMAGE in networks[name].accepts
    and not networks[name].everywhere
    and not networks[name].only_for
    and not networks[name].several
]


@pytest.mark.parametrize("name", IMAGES)
def test_other_maps_reach_the_head_of_every_network_of_pictures(name: str) -> None:
    """The head alone, asked with the maps of another record, says what it said of that record."""
    torch.manual_seed(0)
    network = build(name, {"x": Shape(Kind.IMAGE, (1, 28, 28))}, 2, {}).eval()
    x = torch.randn(2, 1, 28, 28)
    question = Question(network, {"x": Signal(x)}, "x", 0)
    with untouched(network, 0, torch.device("cpu")):
        try:
            (reading,) = readings(question, "")
        except UserError:
            pytest.skip("keeps no maps, as a dense network does")
        with torch.no_grad():
            answer, maps = reading.see(x, torch.arange(2))
            found = replay(reading, 0, maps[[1, 0, 1]])
    np.testing.assert_allclose(found, answer[[1, 0, 1]], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["positions", "rnn_everywhere", "transformer_everywhere", "unet"])
@pytest.mark.parametrize("place", [None, 5])
def test_networks_that_answer_everywhere_are_explained_at_a_place_or_on_average(
    name: str, place: int | None
) -> None:
    """Positions behind the end of all records are left out by these networks, and get nothing."""
    torch.manual_seed(0)
    image = Kind.IMAGE in networks[name].accepts
    shape = Shape(Kind.IMAGE, (1, 16, 16)) if image else Shape(Kind.SEQUENCE, (4, 64))
    network = build(name, {"x": shape}, 2, {}).eval()
    x = Signal(torch.randn(2, 1, 16, 16)) if image else signal(letters(2, 64), [30, 21])
    for method in EVERY:
        found = method(Question(network, {"x": x}, "x", 1, place=place)).attribution
        assert found.shape == tuple(x.x.shape)
        assert np.isfinite(found).all()
        if not image:
            assert not found[0, :, 30:].any()
            alone = Question(network, {"x": Signal(x.x[1:], x.mask[1:])}, "x", 1, place=place)
            np.testing.assert_allclose(method(alone).attribution[0], found[1], rtol=1e-3, atol=1e-5)


def test_maps_are_interpolated_between_their_centres() -> None:
    value = torch.tensor([[[0.0, 4.0]]])
    assert interpolated(value, [4])[0, 0].tolist() == [0.0, 1.0, 3.0, 4.0]


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_grad_cam_of_a_layer_is_that_of_captum(axes: int) -> None:
    captum = pytest.importorskip("captum.attr")
    question = replace(asked(axes, flat=True), network=Functional(axes, flat=True))
    found = grad_cam(question, Look(layer="convolution", relu=True))

    class Apart(Functional):
        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            return self.head(F.relu(self.convolution(x)))  # the oracle cannot look at what is written over

    network = Apart(axes, flat=True)
    oracle = captum.LayerGradCam(network, network.convolution)
    expected = oracle.attribute(question.batch["x"].x, target=1, relu_attributions=True)
    np.testing.assert_allclose(summed(found), expected[:, 0].detach(), atol=1e-6)


def test_maps_are_let_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without waiting for Python to look for cycles, because a graphics card is full long before it does."""
    gc.disable()
    try:
        seen: list[weakref.ref[Tensor]] = []
        head = Averaging.head

        def watched(network: Averaging, maps: Tensor) -> Tensor:
            seen.append(weakref.ref(maps))
            return head(network, maps)

        monkeypatch.setattr(Averaging, "head", watched)
        for method in EVERY:
            method(asked(2))
        assert len(seen) > 10
        assert not [each for each in seen if each() is not None]
    finally:
        gc.enable()
