import ast
import operator
import re
from math import prod

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from torch import nn

from bioloom.errors import UserError
from bioloom.models import networks
from bioloom.models.flat import Conv1d, MaxPool1d
from bioloom.models.layers import layers_of, parse_shape
from bioloom.models.sums import (
    Window,
    convolve,
    dense_weights,
    filter_weights,
    grid,
    products,
    size_in_words,
    strides_that_fit,
    weights_in_words,
)

COURSE = "11100 01110 00111 00110 01100"


OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def value(words: str) -> float:
    """What a sum in words gives; other words in it, such as "gates", are left out."""
    bare = re.sub(r"[a-z]{2,} ?", "", words).replace("x", "*").strip()

    def of(node: ast.expr) -> float:
        if isinstance(node, ast.BinOp):
            return OPERATIONS[type(node.op)](of(node.left), of(node.right))
        assert isinstance(node, ast.Constant), bare
        return node.value

    return of(ast.parse(bare, mode="eval").body) if bare else 0


def stops(places: int, covers: int, stride: int, padding: int, dilation: int) -> tuple[int, int]:
    """By trying: how many stops there are, and how many places behind the last one are never seen."""
    ends = [
        start + dilation * (covers - 1) + 1
        for start in range(0, places + padding, stride)
        if start + dilation * (covers - 1) + 1 <= places + padding
    ]
    return len(ends), places + padding - ends[-1]


def test_sizes_are_those_of_the_course() -> None:
    assert [Window(3, stride).after(7).places for stride in (1, 2)] == [5, 3]
    assert Window(3, 3).after(7).sentence == (
        "(7 - 3)/3 + 1 = 2.333 does not fit: rounded down to 2, the last place is never seen"
    )
    assert Window(5, 1, 4).after(32).sentence == "(32 - 5 + 2 x 2)/1 + 1 = 32"
    assert strides_that_fit(7, Window(3)) == [1, 2, 4]


def test_sizes_are_those_found_by_trying_every_stop() -> None:
    random = np.random.default_rng(0)
    for _ in range(300):
        covers, stride, padding, dilation = random.integers(1, 6, 4).tolist()
        places = int(random.integers(1, 40))
        window = Window(covers, stride, padding, dilation)
        if window.reach > places + padding:
            with pytest.raises(UserError, match="does not fit"):
                window.after(places)
            continue
        found = window.after(places)
        assert (found.places, found.left) == stops(places, covers, stride, padding, dilation)
        assert value(found.words) == pytest.approx(found.exact)
        assert (found.left == 0) == (found.exact == found.places)


def test_weights_are_those_of_the_course() -> None:
    assert filter_weights((5, 5), 3, 10) == "(5 x 5 x 3 + 1) x 10"
    assert value(filter_weights((5, 5), 3, 10)) == 760
    assert value(filter_weights((5,), 4, 10)) + value(dense_weights(40, 2)) == 210 + 82


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(3, 10, 5, padding=2), (3, 32, 32)),
        (nn.Conv2d(4, 6, (3, 5), stride=(2, 3), bias=False, groups=2), (4, 20, 31)),
        (nn.Conv2d(4, 6, 3, padding="same", dilation=2), (4, 9, 9)),
        (nn.Conv2d(1, 6, 4, padding="valid"), (1, 9, 9)),
        (nn.Conv1d(4, 6, 3, stride=2, padding=1), (4, 21)),
        (Conv1d(4, 6, 5, padding="same", dilation=2), (4, 20)),
        (MaxPool1d(4), (3, 22)),
        (nn.MaxPool2d(3, 2, 1), (3, 28, 28)),
        (nn.AvgPool2d(2), (3, 9, 8)),
        (nn.ConvTranspose2d(4, 2, 2, stride=2), (4, 7, 7)),
        (nn.ConvTranspose2d(4, 2, 3, stride=2, bias=False), (4, 7, 9)),
        (nn.Linear(7, 3), (7,)),
        (nn.Linear(7, 3, bias=False), (5, 7)),
        (nn.BatchNorm2d(5), (5, 3, 3)),
        (nn.LSTM(4, 6, batch_first=True, bidirectional=True), (9, 4)),
        (nn.GRU(4, 6, batch_first=True), (9, 4)),
        (nn.RNN(4, 6, num_layers=2, batch_first=True), (9, 4)),
        (nn.Flatten(), (3, 4, 5)),
        (nn.ReLU(), (3, 4)),
    ],
)
def test_words_give_the_numbers_that_torch_has(layer: nn.Module, shape: tuple[int, ...]) -> None:
    x = torch.zeros(2, *shape)
    after = layer(x)
    after = after if isinstance(after, torch.Tensor) else after[0]
    own = [weights.numel() for weights in layer.parameters(recurse=False)]
    assert value(weights_in_words(layer)) == sum(own)
    words = size_in_words(layer, x, after)
    if isinstance(layer, nn.Flatten):
        assert value(words) == prod(shape)
    elif words:
        found = {int(value(each.split("=")[0])) for each in words.split(" and ")}
        assert found == set(after.shape[2:])
    else:
        assert after.shape[2:] == x.shape[2:] or isinstance(layer, nn.RNNBase | nn.Linear)


SIZES = ("24x4", "7", "16x16x3", "30x12x8x5")


@pytest.mark.parametrize("name", list(networks))
def test_every_number_of_every_network_has_its_sum(name: str) -> None:
    fitting = [size for size in SIZES if parse_shape(size).kind in networks[name].accepts]
    inputs = {"a": fitting[0], "b": fitting[-1]} if networks[name].several else fitting[0]
    for layer in layers_of(name, inputs, outputs=2).layers:
        assert value(layer.sum) == layer.parameters, layer


def test_a_filter_makes_of_the_picture_of_the_course_what_the_course_says() -> None:
    assert convolve(grid(COURSE), grid("101 010 101")) == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]


def test_a_filter_adds_up_like_scipy_and_torch() -> None:
    random = np.random.default_rng(1)
    picture, kernel = random.integers(-9, 9, (7, 9)), random.integers(-3, 3, (3, 2))
    np.testing.assert_allclose(convolve(picture, kernel), correlate2d(picture, kernel, mode="valid"))
    tensors = (torch.tensor(each, dtype=torch.float64)[None, None] for each in (picture, kernel))
    expected = nn.functional.conv2d(*tensors, stride=2, padding=1)[0, 0].numpy()
    np.testing.assert_allclose(convolve(picture.tolist(), kernel.tolist(), stride=2, padding=1), expected)


def test_the_sum_at_one_place_is_told_without_zeros() -> None:
    field, weights = grid("50,50,50 20,50,7"), grid("30,30,30 30,30,0")
    assert products(field, weights) == "50 x 30 + 50 x 30 + 50 x 30 + 20 x 30 + 50 x 30 = 6600"
    assert products(grid("00 00"), grid("11 11")) == "0 = 0"
    assert products(grid(COURSE), grid("101 010 101"), 1, 0).endswith("= 2")


@pytest.mark.parametrize("text", ["", "11 1", "1,2 3", "ab", "1.5"])
def test_what_is_no_grid_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no grid"):
        grid(text)


def test_a_filter_larger_than_the_picture_is_refused() -> None:
    with pytest.raises(UserError, match="covers 3 places does not fit on 2"):
        convolve(grid("11 11"), grid("111 111 111"))
