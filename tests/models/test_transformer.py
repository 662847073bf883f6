"""The Transformer encoder and what it is made of."""

from __future__ import annotations

import math

import torch

from bioloom.modalities import Kind, Shape
from bioloom.models import build
from bioloom.models.attention import Attention, angles, turned

TOKENS = Shape(Kind.TOKENS, (12,), 7)


def test_attention_is_the_weighted_mean_of_values() -> None:
    torch.manual_seed(0)
    layer, x, by = Attention(8, 2, causal=False), torch.randn(1, 5, 8), angles(5, 4)
    queries, keys, values = layer._asked(x, by)
    weight = (queries @ keys.transpose(2, 3) / math.sqrt(4)).softmax(dim=3)
    expected = layer.out((weight @ values).transpose(1, 2).flatten(2))
    torch.testing.assert_close(layer(x, by), expected)


def test_causal_attention_sees_no_later_position() -> None:
    torch.manual_seed(0)
    layer, x, by = Attention(8, 2, causal=True), torch.randn(1, 5, 8), angles(5, 4)
    changed = x.clone()
    changed[:, 3:] += 1
    torch.testing.assert_close(layer(x, by)[:, :3], layer(changed, by)[:, :3])
    assert not torch.allclose(layer(x, by)[:, 3:], layer(changed, by)[:, 3:])


def test_products_of_turned_queries_and_keys_depend_on_distance_alone() -> None:
    torch.manual_seed(0)
    query, key, by = torch.randn(8), torch.randn(8), angles(20, 8)
    queries, keys = turned(query.expand(20, 8), by), turned(key.expand(20, 8), by)
    products = queries @ keys.T
    for distance in (0, 1, 7):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[0].expand_as(along), atol=1e-4, rtol=1e-4)
    assert products.diagonal(1)[0] != products.diagonal(7)[0]
    torch.testing.assert_close(queries.norm(dim=1), query.norm().expand(20))


def test_padding_changes_nothing() -> None:
    for name in ("transformer", "transformer_everywhere"):
        torch.manual_seed(0)
        network = build(name, {"x": TOKENS}, 2, {}).eval()
        x, mask = torch.randint(1, 7, (1, 12)).float(), torch.arange(12)[None] < 5
        short = network(x[:, :5])
        full = network(x, mask)
        torch.testing.assert_close(full if full.ndim == 2 else full[:, :, :5], short)


def test_the_order_of_tokens_matters() -> None:
    torch.manual_seed(0)
    network = build("transformer", {"x": TOKENS}, 2, {}).eval()
    x = torch.tensor([[1.0, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]])
    assert not torch.allclose(network(x), network(x.flip(1)), atol=1e-4)


def test_tokens_are_hidden_while_learning_only() -> None:
    torch.manual_seed(0)
    network = build("transformer", {"x": TOKENS}, 2, {"hidden_tokens": 0.5, "dropout": 0.0})
    x = torch.randint(1, 7, (1, 12)).float()
    assert not torch.equal(network.train()(x), network(x))
    assert torch.equal(network.eval()(x), network(x))
