import numpy as np
import torch
from sklearn.linear_model import LinearRegression

from bioloom.modalities import Kind, Shape
from bioloom.models import build
from bioloom.training.loop import fit, predict
from simulated import job, regression


def test_it_is_one_affine_map_of_the_flattened_input() -> None:
    network = build("linear", {"x": Shape(Kind.SEQUENCE, (4, 6))}, 2, {})
    x = torch.randn(5, 4, 6)
    weight, bias = (weights.detach().numpy() for weights in network.parameters())
    np.testing.assert_allclose(
        network(x).detach().numpy(), x.numpy().reshape(5, 24) @ weight.T + bias, rtol=1e-5, atol=1e-6
    )


def test_gradient_descent_finds_the_least_squares_solution() -> None:
    inputs, truth = regression(0)
    train, rest = np.arange(160), np.arange(160, 240)
    small = job("linear", inputs={"table": inputs["table"]})
    plan = small.plan.__class__(
        epochs=60,
        batch_size=32,
        learning_rate=0.05,
        weight_decay=0.0,
        patience=60,
        clip=10.0,
        precision="float32",
    )
    fitted = fit(
        job("linear", inputs={"table": inputs["table"]}, plan=plan, validation=np.array([], dtype=int))
    )
    values = inputs["table"].values  # type: ignore[attr-defined]
    exact = LinearRegression().fit(values[train], truth[train])
    raw = predict(fitted.network, {"table": inputs["table"]})
    np.testing.assert_allclose(raw[rest], exact.predict(values[rest]), atol=0.02)
