"""Libra-CAM: identities that hold on paper, the whole by plain loops, and libraries that are what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from bioloom.errors import UserError
from bioloom.explanation import Question, Target, explainers
from bioloom.explanation.engine import untouched
from bioloom.explanation.maps.grad_cam import mean_gradients, own_gradients
from bioloom.explanation.maps.libra_cam import (
    Balance,
    by_probability,
    by_rise,
    contrasts,
    libra_cam,
    without_lowest,
)
from bioloom.explanation.maps.look import Seen, readings
from bioloom.explanation.maps.map_by_map import Ground
from bioloom.explanation.maps.references import Pool, ReferenceLibrary, Scan, fitted, hash_of
from bioloom.modalities import Kind, Shape, Signal
from bioloom.models import build
from bioloom.models.ensemble import Ensemble
from bioloom.models.strands import other_strand
from bioloom.trained.references import build_references
from toy_networks import SIZES, Additive, Averaging, letters, signal


def records(axes: int, count: int = 40, seed: int = 0) -> Tensor:
    return torch.randn(count, 3, *SIZES[axes], generator=torch.Generator().manual_seed(seed))


def pool_of(network: Averaging, x: Tensor, wrong: int = 5) -> Pool:
    """Training records of which all but the first few are classified rightly."""
    with torch.no_grad():
        raw = network(x)
    truth = raw.argmax(dim=1) if raw.shape[1] > 1 else (raw[:, 0] > 0).long()
    truth[:wrong] = (truth[:wrong] + 1) % max(2, raw.shape[1])
    return Pool(lambda rows: {"x": Signal(x[rows])}, truth)


def asked(axes: int, network: Averaging | None = None, scan: Scan | None = None) -> Question:
    network = network or Averaging(axes, flat=True)
    library = ReferenceLibrary.build(network, pool_of(network, records(axes)), "x", scan or Scan(half=False))
    return Question(network, {"x": Signal(records(axes, 3, seed=1))}, "x", 1, library=library)


def seen(question: Question, row: int = 0) -> Seen:
    """Maps of one record and their gradient, in twice the precision."""
    network, x = question.network.double(), question.batch["x"].x[row : row + 1].double()
    with torch.no_grad():
        network(x)
    maps = network.features.clone().requires_grad_()
    answer = network.head(maps)[:, question.target.output]
    (gradient,) = torch.autograd.grad(answer.sum(), maps)
    return Seen(maps.detach(), gradient, answer.detach())


# ---- identities ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_with_an_affine_head_places_add_up_to_the_difference_of_the_outputs(axes: int, flat: bool) -> None:
    question = Question(Averaging(axes, flat=flat), {"x": Signal(records(axes, 4))}, "x", 1)
    own, others = seen(question), torch.cat([seen(question, row).maps for row in (1, 2, 3)])
    expected = own.answer - torch.cat([seen(question, row).answer for row in (1, 2, 3)])
    assert torch.allclose(contrasts(own, others).flatten(1).sum(dim=1), expected, atol=1e-14)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_against_maps_of_zeros_it_is_hires_cam_and_with_averaged_maps_grad_cam(axes: int) -> None:
    for flat in (False, True):
        one = seen(Question(Averaging(axes, flat=flat), {"x": Signal(records(axes, 1))}, "x", 1))
        nothing = contrasts(one, torch.zeros_like(one.maps))
        assert torch.equal(nothing, own_gradients(one))
        assert flat or torch.allclose(nothing, mean_gradients(one), atol=1e-15)


def test_against_itself_a_record_shows_nothing() -> None:
    question = asked(2)
    with untouched(question.network, 0, torch.device("cpu")):
        (reading,) = readings(question, "")
        own = reading.sloped(slice(0, 1)).maps
    library = replace(question.library, maps=(own,), chosen={1: torch.tensor([0])})
    alone = {"x": Signal(question.batch["x"].x[:1])}
    assert not libra_cam(replace(question, batch=alone, library=library)).attribution.any()


def test_the_order_of_references_changes_nothing() -> None:
    question = asked(2)
    turned = {number: each.flip(0) for number, each in question.library.chosen.items()}
    found = libra_cam(question).attribution
    other = libra_cam(replace(question, library=replace(question.library, chosen=turned))).attribution
    np.testing.assert_allclose(other, found, atol=1e-6)


def test_a_map_that_is_the_same_for_all_records_changes_nothing() -> None:
    one = seen(Question(Averaging(2, flat=True), {"x": Signal(records(2, 1))}, "x", 1))
    others = torch.rand(4, *one.maps.shape[1:], dtype=torch.double)
    constant = torch.full_like(one.maps[:, :1], 7.0)
    gradient = torch.cat([one.gradient, torch.rand_like(constant)], dim=1)
    more = Seen(torch.cat([one.maps, constant], dim=1), gradient, one.answer)
    assert torch.equal(
        contrasts(more, torch.cat([others, constant.expand(4, -1, -1, -1)], dim=1)), contrasts(one, others)
    )


# ---- the whole -------------------------------------------------------------------------------------------


def by_loops(question: Question, row: int, balance: Balance) -> np.ndarray:
    """The authors' program as it is described, with numpy, for maps that have a place for each pixel."""
    network, library = question.network, question.library
    x = question.batch["x"].x[row : row + 1].numpy()

    def probability(shown: np.ndarray) -> float:
        raw = network(torch.from_numpy(shown.astype(np.float32)))[0].detach().numpy().astype(float)
        if len(raw) == 1:
            return float(1 / (1 + np.exp(-raw[0])))
        return float(np.exp(raw[1] - raw.max()) / np.exp(raw - raw.max()).sum())

    with torch.no_grad():
        network(torch.from_numpy(x))
    maps = network.features.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network.head(maps)[0, question.target.output], maps)
    compared, rises = [], []
    for reference in library.maps[0][library.chosen[1]][: balance.references].numpy():
        one = (gradient[0].numpy() * (maps[0].detach().numpy() - reference)).sum(axis=0)
        one = np.maximum(one, 0) if balance.relu else one
        one = (one - one.min()) / (one.max() - one.min())
        compared.append(one)
        rises.append(probability(one * x) - probability(x))
    rise = np.array(rises)
    if balance.gamma is not None:
        kept = rise + probability(x) > balance.gamma
        kept = kept if kept.any() else np.ones(len(rise), bool)
    elif (rise > 0).any():
        up = rise[rise > 0]
        kept = (rise > 0) & (rise >= up.mean() - up.std())
    else:
        kept = rise > rise.mean() + rise.std()
        kept = kept if kept.any() else np.ones(len(rise), bool)
    mean = np.array(compared)[kept].mean(axis=0)
    if not balance.calibrated:
        return mean
    tried = []
    for tenth in range(11):
        masked = mean.copy().ravel()
        masked[np.argsort(masked, kind="stable")[: round(tenth / 10 * masked.size)]] = 0
        tried.append(masked.reshape(mean.shape))
    better = [max(probability(each * x) - probability(x), 0.0) for each in tried[:10]]
    return tried[int(np.argmax(better)) + int(balance.legacy_off_by_one)]


WAYS = (
    Balance(),
    Balance(references=4),
    Balance(gamma=0.35),
    Balance(relu=True),
    Balance(calibrated=False),
    Balance(legacy_off_by_one=True),
)


@pytest.mark.parametrize("balance", WAYS, ids=["usual", "few", "gamma", "relu", "uncalibrated", "legacy"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_it_is_what_is_described(axes: int, balance: Balance) -> None:
    question = asked(axes)
    found = libra_cam(question, balance)
    expected = np.stack([by_loops(question, row, balance) for row in range(3)])
    np.testing.assert_allclose(found.attribution.sum(axis=1), expected, atol=2e-5)
    assert found.attribution.shape == question.batch["x"].x.shape
    assert len(found.settings["references_kept"]) == 3


def test_the_class_of_a_single_output_is_the_positive_one() -> None:
    network = Averaging(2, outputs=1, flat=True)
    question = replace(asked(2, network), output=0)
    expected = np.stack([by_loops(question, row, Balance()) for row in range(3)])
    np.testing.assert_allclose(libra_cam(question).attribution.sum(axis=1), expected, atol=2e-5)
    other = libra_cam(replace(question, output=Target(0, classes=True))).attribution
    assert np.abs(other - libra_cam(question).attribution).max() > 0.01


def test_each_record_may_be_asked_about_its_own_class() -> None:
    question = asked(2)
    own = torch.tensor([2, 0, 1])
    together = libra_cam(replace(question, output=Target(own))).attribution
    for row in range(3):
        alone = {"x": Signal(question.batch["x"].x[row : row + 1])}
        one = libra_cam(replace(question, batch=alone, output=int(own[row]))).attribution
        np.testing.assert_allclose(one[0], together[row], atol=1e-5)


def test_references_are_kept_by_how_much_they_raise_the_probability() -> None:
    rise = torch.tensor([0.1, 0.5, 0.6, -0.2, 0.4])  # of those above 0: mean 0.4, standard deviation 0.187
    assert by_rise(rise).tolist() == [False, True, True, False, True]
    assert by_rise(torch.tensor([-0.5, -0.5, -0.5, -0.1])).tolist() == [False, False, False, True]
    assert by_rise(torch.tensor([-0.3, -0.3])).tolist() == [True, True]
    assert by_rise(torch.tensor([0.2])).tolist() == [True]
    assert by_probability(torch.tensor([0.2, 0.7]), 0.5).tolist() == [False, True]
    assert by_probability(torch.tensor([0.2, 0.3]), 0.5).tolist() == [True, True]


def test_the_lowest_values_are_left_out_by_rank_among_those_that_are_there() -> None:
    share = torch.tensor([0.5, 0.1, 0.9, 0.3, 0.0])
    assert without_lowest(share, 0.4).tolist() == pytest.approx([0.5, 0.0, 0.9, 0.3, 0.0])
    mask = torch.tensor([[True, True, True, True, False]])
    assert without_lowest(share, 0.5, mask).tolist() == pytest.approx([0.5, 0.0, 0.9, 0.0, 0.0])
    assert without_lowest(share, 0.0).tolist() == share.tolist()


def test_where_nothing_raises_the_probability_nothing_is_left_out() -> None:
    """The authors' program leaves out a tenth all the same, which the switch brings back."""
    network = Additive(torch.zeros(2, 3, *SIZES[2]))  # every answer is the same

    class Same(Averaging):
        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            return super().forward(x) * 0 + network(x) + torch.tensor([0.0, 1.0])

    same = Same(2, outputs=2)
    pool = replace(pool_of(same, records(2)), truth=torch.zeros(40, dtype=torch.long))
    with pytest.raises(UserError, match="nothing to compare"):
        ReferenceLibrary.build(same, pool, "x")
    library = replace(asked(2).library, chosen={1: torch.arange(3)})
    library = replace(library, model=hash_of(same))
    question = Question(same, {"x": Signal(records(2, 2))}, "x", 1, library=library)
    assert libra_cam(question).settings["share_left_out"] == [0.0, 0.0]
    assert libra_cam(question, Balance(legacy_off_by_one=True)).settings["share_left_out"] == [0.1, 0.1]


# ---- sequences, strands, several networks ----------------------------------------------------------------


def sequences(network, x: Signal, **settings) -> Question:
    many = letters(30, x.x.shape[2], seed=5)
    with torch.no_grad():
        truth = (
            network(many, None).argmax(dim=1) if not network.several else torch.zeros(30, dtype=torch.long)
        )
    pool = Pool(lambda rows: {"x": signal(many[rows], [12 - int(row) % 5 for row in rows])}, truth)
    library = ReferenceLibrary.build(network, pool, "x", Scan(**settings))
    return Question(network, {"x": x}, "x", 1, library=library)


def test_sequences_carry_values_on_their_letters_and_nothing_behind_their_end() -> None:
    x = letters(3, 12)
    found = libra_cam(sequences(Averaging(1, channels=4, flat=True), signal(x, [12, 9, 5])))
    assert found.settings["asked_about_parts_of_letters"]
    assert not found.attribution[x.numpy() == 0].any()
    assert not found.attribution[1, :, 9:].any()
    assert found.attribution.min() >= 0
    assert found.attribution.max() <= 1


def test_hidden_letters_may_be_other_letters() -> None:
    x = letters(3, 12)
    question = sequences(Averaging(1, channels=4, flat=True), Signal(x))
    found = libra_cam(replace(question, background=x.flip(2)[:, None]), Balance(ground=Ground(blended=True)))
    assert not found.settings["asked_about_parts_of_letters"]
    assert found.attribution.any()


def test_networks_that_leave_out_empty_places_compare_places_with_their_like() -> None:
    torch.manual_seed(0)
    network = build("transformer", {"x": Shape(Kind.SEQUENCE, (4, 12))}, 3, {}).eval()
    x = signal(letters(3, 12), [12, 9, 5])
    question = sequences(network, x)
    together = libra_cam(question).attribution
    alone = libra_cam(replace(question, batch={"x": Signal(x.x[1:2], x.mask[1:2])})).attribution
    np.testing.assert_allclose(alone[0], together[1], atol=1e-4)
    assert not together[1, :, 9:].any()
    assert fitted(torch.ones(1, 1, 3), 5).tolist() == [[[1, 1, 1, 0, 0]]]


def test_each_strand_is_compared_with_its_own() -> None:
    network = Averaging(1, channels=4, flat=True)
    network.strands = ("x",)
    there = Signal(letters(2, 12))
    question = sequences(network, there, half=False)
    assert len(question.library.maps) == 2
    found = torch.from_numpy(libra_cam(question).attribution)
    turned = replace(question.library, maps=question.library.maps[::-1])
    other = libra_cam(replace(question, batch={"x": other_strand(there)}, library=turned)).attribution
    np.testing.assert_allclose(other_strand(Signal(torch.from_numpy(other))).x, found, atol=1e-5)


def test_each_network_of_a_mean_is_compared_with_its_own_maps() -> None:
    one = Averaging(2, flat=True)
    both = Ensemble([one, Averaging(2, flat=True)])
    alone, together = asked(2, one), asked(2, one)
    pool = pool_of(one, records(2))
    library = ReferenceLibrary.build(both, pool, "x", Scan(half=False))
    assert len(library.maps) == 2
    found = libra_cam(replace(together, network=both, library=library)).attribution
    np.testing.assert_allclose(found, libra_cam(alone).attribution, atol=1e-5)


# ---- libraries -------------------------------------------------------------------------------------------


def test_references_are_surely_of_another_class_and_rightly_classified() -> None:
    network, x = Averaging(2, flat=True), records(2, 60)
    pool = pool_of(network, x, wrong=12)
    library = ReferenceLibrary.build(network, pool, "x", Scan(per_class=7, half=False))
    with torch.no_grad():
        probability = network(x).softmax(dim=1)
        maps = (network(x), network.features)[1]
    called = probability.argmax(dim=1)
    for number in range(3):
        fits = [n for n in range(60) if called[n] == pool.truth[n] and pool.truth[n] != number]
        expected = sorted(fits, key=lambda n: float(probability[n, number]))[:7]
        kept = library.maps[0][library.chosen[number]]
        assert torch.allclose(kept, maps[expected], atol=1e-6)
        assert torch.allclose(library.probability[number], probability[expected, number])


def test_a_part_of_many_records_is_looked_at() -> None:
    seen: list[int] = []
    network, x = Averaging(2), records(2, 60)
    pool = pool_of(network, x)

    def take(rows: Tensor) -> dict[str, Signal]:
        seen.extend(rows.tolist())
        return pool.take(rows)

    ReferenceLibrary.build(network, replace(pool, take=take), "x", Scan(records=20, per_class=3))
    assert len(set(seen)) == 20


def test_a_library_is_read_as_it_was_written(tmp_path: Path) -> None:
    question = asked(2, scan=Scan())
    path = tmp_path / "references.safetensors"
    question.library.save(path)
    again = ReferenceLibrary.load(path)
    np.testing.assert_array_equal(
        libra_cam(replace(question, library=again)).attribution, libra_cam(question).attribution
    )
    assert path.stat().st_size < 2 * sum(maps.numel() for maps in again.maps) + 4000
    path.write_bytes(b"something else")
    with pytest.raises(UserError, match="no library"):
        ReferenceLibrary.load(path)


def test_maps_too_large_for_half_precision_are_kept_whole(tmp_path: Path) -> None:
    network = Averaging(2)
    with torch.no_grad():
        network.convolution.weight *= 1e6
    library = asked(2, network, Scan()).library
    assert library.maps[0].isfinite().all()
    library.save(tmp_path / "references.safetensors")
    assert torch.equal(ReferenceLibrary.load(tmp_path / "references.safetensors").maps[0], library.maps[0])


def test_a_library_of_something_else_is_refused() -> None:
    question = asked(2)
    with pytest.raises(UserError, match="another layer"):
        libra_cam(replace(question, layer="convolution"))
    with pytest.raises(UserError, match="another input"):
        libra_cam(replace(question, library=replace(question.library, input="y")))
    with pytest.raises(UserError, match="encoded differently"):
        question.library.refuse_encoding("abc")
    with torch.no_grad():
        question.network.dense.bias[0] += 1e-3
    with pytest.raises(UserError, match="another network"):
        libra_cam(question)


def test_without_a_library_the_question_is_refused() -> None:
    with pytest.raises(UserError, match="no library"):
        explainers["libra_cam"].explain(replace(asked(2), library=None))


def test_nothing_stays_on_the_network() -> None:
    question = asked(2)
    network = question.network
    network.features = None
    libra_cam(question)
    assert type(network) is Averaging
    assert network.features is None
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())


def test_for_a_network_that_classifies_nothing_rightly_any_records_of_other_classes_may_do() -> None:
    network, x = Averaging(2, flat=True), records(2, 30)
    pool = pool_of(network, x, wrong=30)
    with pytest.raises(UserError, match="nothing to compare"):
        ReferenceLibrary.build(network, pool, "x")
    library = ReferenceLibrary.build(network, pool, "x", Scan(rightly=False, per_class=30))
    for number in range(3):
        assert len(library.contrasted_with(number)) == int((pool.truth != number).sum())


def test_maps_of_a_named_layer_are_compared_with_maps_of_that_layer() -> None:
    question = asked(2, scan=Scan(half=False, layer="convolution"))
    found = libra_cam(question)
    assert found.settings["layer"] == "convolution"
    assert np.abs(found.attribution - libra_cam(asked(2)).attribution).max() > 0.01
    assert (libra_cam(replace(question, layer="convolution")).attribution == found.attribution).all()


def test_of_many_training_records_only_those_that_are_looked_at_are_encoded() -> None:
    x, network, encoded = records(1, 40), Averaging(1, flat=True), []
    pool = pool_of(network, x, wrong=0)

    def encode(frame: pd.DataFrame) -> Any:
        encoded.extend(frame["row"])
        own = x[frame["row"].tolist()]
        return SimpleNamespace(on=lambda _: SimpleNamespace(batch=lambda index: Signal(own[index])))

    shape = Shape(Kind.SEQUENCE, (3, *SIZES[1]))
    modality = SimpleNamespace(name="rows", shape=shape, encode=encode, state=dict)
    truth = pool.truth[:, None].numpy().astype(np.float32)
    truth[3] = np.nan  # nobody knows what it is
    targets = SimpleNamespace(classes=("a", "b", "c"), places=False, truth=lambda _: truth)
    model = SimpleNamespace(network=network, modalities={"x": modality}, targets=targets)
    rows = SimpleNamespace(inputs={"x": pd.DataFrame({"row": range(40)})}, targets=None)
    found = build_references(cast("Any", model), cast("Any", rows), "x", "cpu", Scan(records=25, seed=2))
    assert len(encoded) == 25
    assert 3 not in encoded
    known = np.delete(np.arange(40), 3)
    whole = Pool(lambda index: {"x": Signal(x[known[index]])}, pool.truth[known])
    expected = ReferenceLibrary.build(network, whole, "x", Scan(records=25, seed=2))
    for one, other in zip(found.maps, expected.maps, strict=True):
        assert torch.equal(one, other)
