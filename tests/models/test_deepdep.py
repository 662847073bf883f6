"""DeepDEP as published: sizes, parameters, and encoders that are those of autoencoders."""

from __future__ import annotations

from itertools import pairwise

import torch

from bioloom.modalities import Kind, Shape, Signal
from bioloom.models import apply, build
from bioloom.models.deepdep import PUBLISHED, DeepDEP
from bioloom.models.layers import layer_table

SHAPES = {name: Shape(Kind.VECTOR, (size,)) for name, size in PUBLISHED.items()}
SMALL = {name: Shape(Kind.VECTOR, (size // 200,)) for name, size in PUBLISHED.items()}


def parameters(*widths: int) -> int:
    """Of dense layers from width to width."""
    return sum(before * after + after for before, after in pairwise(widths))


def test_with_the_layers_of_the_paper_it_has_the_parameters_that_follow_from_it() -> None:
    encoders = (
        parameters(4539, 1000, 100, 50)
        + parameters(6016, 500, 200, 50)
        + parameters(6617, 500, 200, 50)
        + parameters(7460, 500, 200, 50)
        + parameters(3115, 1000, 100, 50)
    )
    expected = encoders + parameters(5 * 50, 250, 250, 1)
    assert expected == 18_370_801
    assert layer_table(build("deepdep", SHAPES, 1, {}), SHAPES).parameters == expected


def test_no_layer_of_a_small_input_is_wider_than_the_input() -> None:
    network = build("deepdep", SMALL, 1, {})
    widths = {layer.out_features for layer in network.modules() if isinstance(layer, torch.nn.Linear)}
    assert widths <= {22, 30, 33, 37, 15, 250, 1}


def test_an_autoencoder_of_one_layer_gives_its_encoder_away() -> None:
    kind, settings = DeepDEP.part("expression", SMALL["expression"], {"code": 4})
    alone = build(kind, {"expression": SMALL["expression"]}, 30, settings)
    network = build("deepdep", SMALL, 1, {"code": 4})
    taken = network.taken("expression", alone.state_dict())
    network.load_state_dict({**network.state_dict(), **taken})
    x = torch.randn(3, 30, generator=torch.Generator().manual_seed(0))
    apply(alone.eval(), {"expression": Signal(x)})
    assert alone.code is not None
    assert isinstance(network, DeepDEP)
    assert torch.equal(network.encoders[1](x), alone.code)
    assert DeepDEP.joining({}, {"expression": settings})["encoders"] == {"expression": settings["hidden"]}
