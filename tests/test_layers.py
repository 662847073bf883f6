import pytest
import torch
from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.modalities import Kind, Shape
from bioloom.models import Network, build
from bioloom.models.layers import in_words, layer_table, layers_of, parse_shape


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
        ("28x28x1", Shape(Kind.IMAGE, (1, 28, 28))),
        ("1x28x28", Shape(Kind.IMAGE, (1, 28, 28))),
        ("3x40x50", Shape(Kind.IMAGE, (3, 40, 50))),
        ("7x7x64", Shape(Kind.IMAGE, (64, 7, 7))),
        ("64x7x7", Shape(Kind.IMAGE, (64, 7, 7))),
        ("4x4x4", Shape(Kind.IMAGE, (4, 4, 4))),
        ("4x20", Shape(Kind.SEQUENCE, (4, 20))),
        ("9x20", Shape(Kind.SEQUENCE, (20, 9))),
        ("20x75", Shape(Kind.SEQUENCE, (20, 75))),
        ("128 of 65", Shape(Kind.TOKENS, (128,), tokens=65)),
    ],
)
def test_shapes_are_read_as_users_write_them(text: str, shape: Shape) -> None:
    assert parse_shape(text) == shape


@pytest.mark.parametrize("text", ["", "x", "20x", "0x4", "-3", "2.5", "a", "1x2x3x4x5"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no shape"):
        parse_shape(text)


def test_what_a_size_was_read_as_is_told() -> None:
    sizes = ("4x20", "1x28x28", "11", "128 of 65", "100x30x16x5")
    assert [in_words(parse_shape(size)) for size in sizes] == [
        "20 positions of 4 letters",
        "a picture, 28 pixels high and 28 wide, of 1 channel",
        "11 columns",
        "128 tokens of 65 kinds",
        "a graph of 100 nodes, 30 features each, 16 neighbours",
    ]


def test_the_layers_of_a_network_by_name_come_with_their_sums_and_without_weights() -> None:
    table = layers_of("cnn", "4x20", outputs=2)
    assert table.parameters == 292
    assert [(layer.size, layer.sum) for layer in table.layers] == [
        ("(20 - 5)/1 + 1", "(5 x 4 + 1) x 10"),
        ("", ""),
        ("(16 - 4)/4 + 1", ""),
        ("4 x 10", ""),
        ("", "(40 + 1) x 2"),
    ]
    lines = str(table).splitlines()
    assert lines[0].startswith("layer        what it does  shape after it")
    assert lines[-1] == "292 parameters"
    assert layers_of("cnn", "20x4", 2, {"padding": "same"}).parameters == 312
    assert layers_of("fusion", {"dna": "20x4", "picture": "28x28x1", "table": "11"}).parameters > 0


def test_a_place_of_a_picture_stays_height_by_width_when_one_is_left() -> None:
    shapes = [layer.shape for layer in layers_of("vgg", "8x8x3", settings={"depth": 11}).layers]
    assert (1, 1, 512) in shapes


def test_dropout_behind_a_recurrence_leaves_positions_first() -> None:
    shape = {"x": Shape(Kind.SEQUENCE, (4, 10))}
    table = layer_table(build("rnn_language", shape, 3, {"hidden": 24, "width": 8}), shape)
    assert [layer.shape for layer in table.layers] == [(10, 8), (10, 24), (10, 24), (10, 4)]
