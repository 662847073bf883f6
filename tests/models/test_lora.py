"""Low-rank changes: nothing at first, few numbers to learn, and nothing left of them when stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bioloom.errors import UserError
from bioloom.journey.prepare import Request, prepare
from bioloom.modalities import Kind, Shape
from bioloom.modalities.encoded import ColumnEncoded
from bioloom.models import Network, build
from bioloom.models.lora import adapted, merged
from bioloom.recipe import TrainingRecipe
from bioloom.tasks import TASKS
from bioloom.training.loop import Job, fit
from bioloom.training.plan import plan

SHAPES = {"input": Shape(Kind.VECTOR, (12,))}
X = torch.randn(7, 12, generator=torch.Generator().manual_seed(1))


def fresh(seed: int = 0) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build("mlp", SHAPES, 1, {"hidden": (20, 16), "dropout": 0.0}).eval()


def body() -> dict[str, torch.Tensor]:
    """All weights but those of the last layer."""
    state = fresh(5).state_dict()
    last = list(state)[-2:]
    return {name: weights for name, weights in state.items() if name not in last}


def test_the_network_says_at_first_what_it_said_before() -> None:
    network = fresh()
    before = network(X).detach()
    assert torch.equal(adapted(network, 3, body())(X).detach(), before)


def test_only_the_changes_and_what_is_new_are_learned() -> None:
    network = adapted(fresh(), 3, body())
    learned = sum(weights.numel() for weights in network.parameters() if weights.requires_grad)
    assert learned == 3 * (12 + 20) + 3 * (20 + 16) + (16 + 1)


def test_a_merged_network_is_an_ordinary_one_that_says_the_same() -> None:
    network = adapted(fresh(), 2, body())
    for name, weights in network.named_parameters():
        if name.endswith("after"):
            torch.nn.init.normal_(weights, generator=torch.Generator().manual_seed(2))
    changed = network(X).detach()
    assert not torch.equal(changed, fresh()(X).detach())
    plain = merged(network)
    assert set(plain.state_dict()) == set(fresh().state_dict())
    torch.testing.assert_close(plain(X).detach(), changed)
    assert all(weights.requires_grad for weights in plain.parameters())


def job(lora: int) -> Job:
    random = np.random.default_rng(0)
    x = random.normal(size=(120, 12)).astype(np.float32)
    truth = (x[:, :1] * x[:, 1:2]).astype(np.float32)
    told = plan(TrainingRecipe(epochs=6, lora=lora), 90, type(fresh()), "fast", "cpu")
    return Job(
        network="mlp",
        settings={"hidden": (20, 16), "dropout": 0.0},
        outputs=1,
        inputs={"input": ColumnEncoded(x)},
        truth=truth,
        weight=np.ones(120, dtype=np.float32),
        train=np.arange(90),
        validation=np.arange(90, 120),
        task=TASKS["regression"],
        plan=told,
        threads=1,
        start=body(),
    )


def test_training_changes_learned_layers_by_so_many_ranks_and_leaves_their_biases() -> None:
    network = fit(job(2)).network
    learned = body()
    for name, weights in network.state_dict().items():
        if name not in learned:
            continue
        change = (weights - learned[name]).numpy()
        if weights.ndim == 1:
            assert not change.any()
        else:
            assert np.linalg.matrix_rank(change, tol=1e-5) == 2
    assert set(network.state_dict()) == set(fresh().state_dict())


def test_it_goes_on_from_a_checkpoint_to_the_same_weights(tmp_path) -> None:  # type: ignore[no-untyped-def]
    saved = tmp_path / "training.safetensors"
    fit(job(2), checkpoint=saved, save_every=0.0, until=3)
    again, whole = fit(job(2), checkpoint=saved).network, fit(job(2)).network
    assert all(torch.equal(again.state_dict()[name], each) for name, each in whole.state_dict().items())


def test_without_a_start_all_weights_are_learned_and_a_recipe_that_asks_for_it_is_refused() -> None:
    network = fit(replace(job(2), start={})).network
    assert set(network.state_dict()) == set(fresh().state_dict())
    with pytest.raises(UserError, match="need weights that were learned before"):
        prepare(Request({"x": [1.0, 2.0], "y": [1.0, 2.0]}, target=("y",), settings={"training.lora": 4}))
