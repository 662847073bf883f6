import numpy as np
import pytest
import torch

from bioloom.models import build
from bioloom.models.layers import parse_shape
from bioloom.models.predict import cache_sized, predict
from simulated import sequences

SHAPES = {"x": parse_shape("20x4")}


@pytest.fixture
def tokens() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, (100, 20)).astype(np.uint8)


@pytest.mark.parametrize("batch_size", [0, 1, 7, 100, 1000])
def test_outputs_are_in_the_order_of_the_records_whatever_the_batches(
    tokens: np.ndarray, batch_size: int
) -> None:
    network = build("cnn", SHAPES, 2, {}).train()
    letters = torch.nn.functional.one_hot(torch.from_numpy(tokens).long(), 4).transpose(1, 2).float()
    with torch.inference_mode():
        expected = network(letters).numpy()
    raw = predict(network, {"x": sequences(tokens)}, batch_size=batch_size)
    assert raw.dtype == np.float32
    np.testing.assert_allclose(raw, expected, rtol=1e-5, atol=1e-6)
    assert network.training, "the network is left in the mode it was in"


def test_dropout_is_off(tokens: np.ndarray) -> None:
    network = build("residual", SHAPES, 1, {}).train()
    first, second = (predict(network, {"x": sequences(tokens)}) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_wide_maps_make_small_batches() -> None:
    long = {"x": parse_shape("1000x4")}
    assert cache_sized(build("cnn", SHAPES, 1, {}), SHAPES) > 1000
    assert cache_sized(build("residual", long, 1, {}), long) == 8
