"""Controls that learn little on purpose."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from bioloom.evaluation.untrained import How, Parts, property_model, untrained, untrained_features
from bioloom.modalities import modalities
from bioloom.models import Network, build, networks
from bioloom.targets import Targets
from bioloom.tasks import TASKS

NUMBER = Targets("regression", ("a",), mean=(0.0,), scale=(1.0,))
HOW = How(TASKS["regression"], 0)


def parts(truth: np.ndarray) -> Parts:
    n = len(truth)
    index = np.arange(n)
    return Parts(
        index[: n // 2],
        index[n // 2 : 3 * n // 4],
        index[3 * n // 4 :],
        truth.astype(np.float32),
        np.ones(n, np.float32),
    )


@pytest.fixture(scope="module")
def dna():
    demo = modalities["dna"].demo(200, 0)
    values = demo.records.inputs[demo.input]
    fitted = modalities["dna"].fit(values)
    return values, {"input": fitted.encode(values)}, {"input": fitted.shape}


@pytest.mark.parametrize("name", [each for each in networks if not networks[each].several])
def test_every_network_for_sequences_gives_its_last_features(name: str, dna) -> None:
    _, encoded, shapes = dna
    if "sequence" not in networks[name].accepts or networks[name].everywhere or networks[name].only_for:
        pytest.skip("other kinds of input, or no target to control for")
    torch.manual_seed(0)
    network = build(name, shapes, 1, {})
    before = {key: value.clone() for key, value in network.state_dict().items()}
    index = np.array([5, 3, 3, 150])
    found = untrained_features(network, encoded, index)
    assert found.shape[0] == 4
    assert found.shape[1] <= 1024
    assert np.isfinite(found).all()
    assert found[1] == pytest.approx(found[2], abs=1e-5)
    assert not np.allclose(found[0], found[1])
    assert not any(module._forward_pre_hooks for module in network.modules())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_what_enters_the_last_layer_is_what_it_is_applied_to(dna) -> None:
    _, encoded, shapes = dna
    torch.manual_seed(0)
    network = build("cnn", shapes, 2, {})
    index = np.arange(20)
    from bioloom.models.predict import predict

    last = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
    raw = predict(network, {"input": encoded["input"].take(index)})
    found = last(torch.from_numpy(untrained_features(network, encoded, index))).detach().numpy()
    assert found == pytest.approx(raw, abs=1e-5)


def test_a_random_network_still_sees_composition(dna) -> None:
    values, encoded, shapes = dna
    share = (
        values.iloc[:, 0].str.count("[GC]").to_numpy(float)[:, None]
        / values.iloc[:, 0].str.len().to_numpy()[:, None]
    )
    torch.manual_seed(0)
    found = untrained(build("cnn", shapes, 1, {}), encoded, parts(share * 10), NUMBER, HOW)
    assert found.value.shape == (50, 1)
    assert np.corrcoef(found.value[:, 0], share[150:, 0])[0, 1] > 0.5
    assert found.description.startswith("ridge regression")


def test_a_network_without_a_linear_layer_has_no_such_control(dna) -> None:
    _, encoded, shapes = dna
    network = build("cnn", shapes, 1, {})

    class Bare(nn.Module):
        name = "bare"

    bare: Network = Bare()  # type: ignore[assignment]
    found = untrained(bare, encoded, parts(np.zeros((200, 1))), NUMBER, HOW)
    assert found.value is None
    assert "no linear layer" in found.reason
    assert untrained_features(network, encoded, np.arange(3)) is not None


def test_a_network_that_reads_positions_one_by_one_has_no_such_control_and_ends_no_run(dna) -> None:
    _, encoded, shapes = dna
    network = build("cnn", shapes, 1, {})

    class ByPosition(nn.Module):
        name, several, strands, everywhere = "by position", False, (), False

        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(4, 1)

        def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
            rows = x.transpose(1, 2).reshape(-1, x.shape[1])  # (records x positions, channels)
            return self.last(rows).reshape(len(x), -1).mean(dim=1, keepdim=True)

    positions: Network = ByPosition()  # type: ignore[assignment]
    assert untrained_features(positions, encoded, np.arange(3)) is None
    found = untrained(positions, encoded, parts(np.zeros((200, 1))), NUMBER, HOW)
    assert found.value is None
    assert "one row for each record" in found.reason
    assert untrained_features(network, encoded, np.arange(3)) is not None


def test_properties_that_decide_the_target_are_found_and_constant_ones_say_nothing() -> None:
    random = np.random.default_rng(0)
    length = random.integers(50, 100, 400)[:, None].astype(float)
    given = parts(length * 2 + 5)
    found = property_model(np.column_stack([length, np.ones(400)]), given, NUMBER, HOW)
    assert found.value[:, 0] == pytest.approx(given.truth[given.test, 0], rel=0.01)
    assert property_model(np.ones((400, 2)), given, NUMBER, HOW).value is None
    assert property_model(np.empty((400, 0)), given, NUMBER, HOW).value is None


def test_large_data_are_cut() -> None:
    fewer = parts(np.zeros((400, 1))).fewer(How(TASKS["regression"], seed=0, records=40))
    assert (len(fewer.train), len(fewer.validation), len(fewer.test)) == (40, 10, 100)
