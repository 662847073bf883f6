import pytest
import torch
from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.modalities import Kind, Shape
from bioloom.models import Network
from bioloom.models.layers import layer_table, parse_shape


class Small(Network):
    name, title, accepts = "small", "", frozenset({Kind.SEQUENCE})

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.look = nn.Conv1d(4, 6, 3)
        self.again = nn.Linear(6, 6)

    @classmethod
    def build(cls, shapes, n_outputs, settings):
        return cls()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        y = self.look(x).amax(dim=2)
        return self.again(self.again(y))


def test_layers_come_in_the_order_of_use_with_shapes_and_counts() -> None:
    table = layer_table(Small(), {"x": Shape(Kind.SEQUENCE, (4, 10))})
    rows = [(layer.name, layer.operation, layer.shape, layer.parameters) for layer in table.layers]
    assert rows == [
        ("look", "Conv1d", (8, 6), 78),
        ("again", "Linear", (6,), 42),
        ("again", "Linear", (6,), 0),  # used twice, counted once
    ]
    assert (table.others, table.parameters, table.largest) == (3, 123, 48)
    assert table.multiplications == 8 * 6 * 4 * 3 + 36 + 36


def test_the_network_keeps_no_trace() -> None:
    network = Small().train()
    layer_table(network, {"x": Shape(Kind.SEQUENCE, (4, 10))})
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("20x4", Shape(Kind.SEQUENCE, (4, 20))),
        ("11", Shape(Kind.VECTOR, (11,))),
        ("32X28x3", Shape(Kind.IMAGE, (3, 32, 28))),
    ],
)
def test_shapes_are_read_as_users_write_them(text: str, shape: Shape) -> None:
    assert parse_shape(text) == shape


@pytest.mark.parametrize("text", ["", "x", "20x", "0x4", "-3", "2.5", "a", "1x2x3x4"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no shape"):
        parse_shape(text)
