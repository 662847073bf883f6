import numpy as np
import pytest
import torch

from bioloom.errors import UserError
from bioloom.models import build, networks
from bioloom.models.layers import layer_table, parse_shape
from bioloom.recipe import TrainingRecipe
from bioloom.tasks import TASKS
from bioloom.training.job import Job
from bioloom.training.loop import fit, predict
from bioloom.training.plan import plan
from simulated import course

SEQUENCE = {"sequence": parse_shape("20x4")}


@pytest.mark.parametrize(
    ("padding", "total", "shapes"),
    [
        ("none", 292, {"convolution": (16, 10), "pool": (4, 10), "flatten": (40,), "dense": (2,)}),
        ("same", 312, {"convolution": (20, 10), "pool": (5, 10), "flatten": (50,), "dense": (2,)}),
    ],
)
def test_it_has_the_sizes_and_parameters_of_the_course(
    padding: str, total: int, shapes: dict[str, tuple[int, ...]]
) -> None:
    table = layer_table(build("cnn", SEQUENCE, 2, {"padding": padding}), SEQUENCE)
    assert table.parameters == total
    assert {layer.name: layer.shape for layer in table.layers if layer.name in shapes} == shapes
    assert [layer.parameters for layer in table.layers if layer.parameters] == [210, total - 210]


def test_it_computes_what_the_course_writes_down() -> None:
    network = build("cnn", SEQUENCE, 2, {})
    x = torch.rand(3, 4, 20)
    filters, filter_bias, dense, dense_bias = (weights.detach().numpy() for weights in network.parameters())
    windows = np.lib.stride_tricks.sliding_window_view(x.numpy(), 5, axis=2)  # (records, letters, 16, 5)
    maps = np.maximum(np.einsum("nlpw,flw->nfp", windows, filters) + filter_bias[:, None], 0)
    pooled = maps.reshape(3, 10, 4, 4).max(axis=3)
    expected = pooled.reshape(3, 40) @ dense.T + dense_bias
    np.testing.assert_allclose(network(x).detach().numpy(), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network.features.detach().numpy(), maps, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("length", "settings"), [(7, {}), (3, {"padding": "same"}), (20, {"width": 21})])
def test_a_sequence_that_is_too_short_is_refused(length: int, settings: dict[str, object]) -> None:
    with pytest.raises(UserError, match=f"Sequences of {length} positions are too short"):
        build("cnn", {"sequence": parse_shape(f"{length}x4")}, 1, settings)


def test_it_finds_the_course_motif() -> None:
    """1,000 sequences with the motif and 1,000 without, 80/20, batches of 100, 50 epochs: the course reports an
    accuracy of 0.973; the best possible rule on such data reaches about 0.98."""
    encoded, labels = course(seed=0)
    recipe = TrainingRecipe(epochs=50, patience=50, batch_size=100)
    job = Job(
        network="cnn",
        settings={},
        outputs=1,
        inputs={"sequence": encoded},
        truth=labels,
        weight=np.ones(2000, dtype=np.float32),
        train=np.arange(1440),
        validation=np.arange(1440, 1600),
        task=TASKS["binary"],
        plan=plan(recipe, 1440, networks["cnn"], "normal", "cpu"),
    )
    fitted = fit(job)
    right = (predict(fitted.network, {"sequence": encoded}) > 0) == (labels > 0.5)
    assert right[1600:].mean() > 0.95
    assert fitted.threads == 1, "small networks are fastest with one thread"
