"""Small networks of many kinds, for rules of attribution; each is a function of (records, 4, 20) to (records, 2)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from toy_networks import Toy

Body = Callable[[Tensor], Tensor]


class Made(Toy):
    """A network of layers that `body` uses as it likes."""

    def __init__(self, *layers: nn.Module, body: Callable[..., Tensor]) -> None:
        super().__init__()
        self.layers, self.body = nn.ModuleList(layers), body

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.body(x if mask is None else x * mask[:, None], *self.layers)


def _conv(width: int = 3, inputs: int = 4, dilation: int = 1, bias: bool = True) -> nn.Conv1d:
    return nn.Conv1d(inputs, 6, width, padding="same", dilation=dilation, bias=bias)


def plain(bias: bool = True) -> Made:
    def body(x: Tensor, look: nn.Module, then: nn.Module, last: nn.Module) -> Tensor:
        return last(F.relu(then(F.relu(look(x)))).mean(2))

    return Made(_conv(bias=bias), _conv(inputs=6, bias=bias), nn.Linear(6, 2, bias=bias), body=body)


def pooled(bias: bool = True) -> Made:
    """Max pools that overlap, with padding."""

    def body(x: Tensor, look: nn.Module, last: nn.Module) -> Tensor:
        return last(F.max_pool1d(look(x).relu(), 5, 2, 2).flatten(1))

    return Made(_conv(bias=bias), nn.Linear(60, 2, bias=bias), body=body)


def averaged(bias: bool = True) -> Made:
    def body(x: Tensor, look: nn.Module, last: nn.Module) -> Tensor:
        y = F.avg_pool1d(torch.relu(look(x)), 3, 2)
        return last(torch.cat([F.adaptive_max_pool1d(y, 3), F.adaptive_avg_pool1d(y, 4)], 2).flatten(1))

    return Made(_conv(bias=bias), nn.Linear(42, 2, bias=bias), body=body)


def normed(bias: bool = True) -> Made:
    """Batch norm behind a convolution and behind a dense layer."""

    def body(x: Tensor, *layers: nn.Module) -> Tensor:
        look, norm, dense, after, last = layers
        return last(after(dense(F.relu(norm(look(x))).flatten(1))).relu())

    norms = nn.BatchNorm1d(6), nn.BatchNorm1d(5)
    for norm in norms:
        nn.init.normal_(norm.weight)
        norm.running_var.uniform_(0.5, 1.5)
        if bias:
            nn.init.normal_(norm.bias)
            norm.running_mean.uniform_(-0.3, 0.3)
    first, dense = _conv(bias=bias), nn.Linear(120, 5, bias=bias)
    return Made(first, norms[0], dense, norms[1], nn.Linear(5, 2, bias=bias), body=body)


def residual(bias: bool = True) -> Made:
    """Dilated residual blocks that add in place."""

    def body(x: Tensor, look: nn.Module, one: nn.Module, two: nn.Module, last: nn.Module) -> Tensor:
        x = look(x)
        for block in (one, two):
            y = block(torch.relu(x))
            y += x
            x = y
        return last(x.amax(dim=2))

    layers = [_conv(bias=bias), *(_conv(3, 6, 2**number, bias) for number in (1, 2))]
    return Made(*layers, nn.Linear(6, 2, bias=bias), body=body)


def dilated(bias: bool = True) -> Made:
    def body(x: Tensor, *layers: nn.Module) -> Tensor:
        *looks, last = layers
        for look in looks:
            x = F.leaky_relu(look(x), 0.1)
        return last(x.flatten(1))

    layers = [_conv(3, 6 if number else 4, 2**number, bias) for number in range(4)]
    return Made(*layers, nn.Linear(120, 2, bias=bias), body=body)


def attending(bias: bool = True) -> Made:
    """Scaled dot-product attention, and attention pooling."""

    def body(x: Tensor, read: nn.Module, ask: nn.Module, score: nn.Module, last: nn.Module) -> Tensor:
        y = read(x.transpose(1, 2))
        queries, keys, values = (part.unflatten(2, (2, 3)).transpose(1, 2) for part in ask(y).chunk(3, 2))
        y = y + F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)
        weight = score(y).softmax(dim=1).transpose(1, 2)
        return last((weight @ y).flatten(1))

    layers = [nn.Linear(4, 6, bias=bias), nn.Linear(6, 18, bias=bias), nn.Linear(6, 2, bias=bias)]
    return Made(*layers, nn.Linear(12, 2, bias=bias), body=body)


def encoder(bias: bool = True) -> Made:
    """torch's own encoder layer, with its fused path."""

    def body(x: Tensor, read: nn.Module, layer: nn.Module, last: nn.Module) -> Tensor:
        return last(layer(read(x.transpose(1, 2))).mean(1))

    layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True, bias=bias)
    return Made(nn.Linear(4, 6, bias=bias), layer, nn.Linear(6, 2, bias=bias), body=body)


def recurrent(bias: bool = True, cell: type[nn.RNNBase] = nn.LSTM) -> Made:
    def body(x: Tensor, cells: nn.Module, last: nn.Module) -> Tensor:
        each, _ = cells(x.transpose(1, 2))
        return last(torch.cat([each[:, -1], each.mean(1)], 1))

    cells = cell(4, 3, num_layers=2, batch_first=True, bidirectional=True, bias=bias)
    return Made(cells, nn.Linear(12, 2, bias=bias), body=body)


def gated_recurrent(bias: bool = True) -> Made:
    return recurrent(bias, nn.GRU)


def plain_recurrent(bias: bool = True) -> Made:
    return recurrent(bias, nn.RNN)


def siamese(bias: bool = True) -> Made:
    """Two halves read by the same layers, and compared."""

    def body(x: Tensor, look: nn.Module, last: nn.Module) -> Tensor:
        one, two = (F.relu(look(half)).mean(2) for half in x.chunk(2, dim=2))
        return last(torch.cat([one * two, (one - two).abs()], dim=1))

    return Made(_conv(bias=bias), nn.Linear(12, 2, bias=bias), body=body)


def gated(bias: bool = True) -> Made:
    """Gating products, written with a function and by hand."""

    def body(x: Tensor, look: nn.Module, gate: nn.Module, last: nn.Module) -> Tensor:
        y = torch.tanh(look(x)) * torch.sigmoid(gate(x))
        return last(F.glu(y, dim=1).flatten(1))

    return Made(_conv(bias=bias), _conv(5, bias=bias), nn.Linear(60, 2, bias=bias), body=body)


def beside(bias: bool = True) -> Made:
    """Filters of several sizes side by side, of which the larger answer counts."""

    def body(x: Tensor, *layers: nn.Module) -> Tensor:
        one, two, three, last = layers
        y = torch.cat([one(x).relu_(), torch.maximum(two(x), three(x))], dim=1)
        return last(y.max(dim=2).values)

    looks = [_conv(width, bias=bias) for width in (1, 3, 5)]
    return Made(*looks, nn.Linear(12, 2, bias=bias), body=body)


def layer_normed(bias: bool = True) -> Made:
    """Layer and group norms."""

    def body(x: Tensor, look: nn.Module, groups: nn.Module, places: nn.Module, last: nn.Module) -> Tensor:
        y = F.relu(groups(look(x)))
        return last(places(y.transpose(1, 2)).flatten(1))

    norms = nn.GroupNorm(2, 6, affine=bias), nn.LayerNorm(6, elementwise_affine=bias)
    return Made(_conv(bias=bias), *norms, nn.Linear(120, 2, bias=bias), body=body)


def responding(bias: bool = True) -> Made:
    """Local response norm, division, powers and other bends."""

    def body(x: Tensor, look: nn.Module, last: nn.Module) -> Tensor:
        y = F.local_response_norm(F.gelu(look(x)), 3, k=2.0)
        y = y / (1 + y.square().mean(dim=1, keepdim=True)) + F.silu(y) * 0.5
        return last(y.flatten(1))

    return Made(_conv(bias=bias), nn.Linear(120, 2, bias=bias), body=body)


def transposed(bias: bool = True) -> Made:
    """Down and up again, with what was seen before laid beside it."""

    def body(x: Tensor, down: nn.Module, up: nn.Module, last: nn.Module) -> Tensor:
        y = F.relu(up(F.relu(down(x))))
        return last(F.pad(torch.cat([x, y], 1), (1, 1)).sum(2))

    down, up = nn.Conv1d(4, 6, 4, 2, 1, bias=bias), nn.ConvTranspose1d(6, 4, 4, 2, 1, bias=bias)
    return Made(down, up, nn.Linear(8, 2, bias=bias), body=body)


KINDS: dict[str, Callable[[bool], Made]] = {
    made.__name__: made
    for made in (plain, pooled, averaged, normed, residual, dilated, attending, encoder, recurrent)
} | {
    made.__name__: made
    for made in (
        gated_recurrent,
        plain_recurrent,
        siamese,
        gated,
        beside,
        layer_normed,
        responding,
        transposed,
    )
}


def network(kind: str, bias: bool = True, seed: int = 0) -> Made:
    """A network of some kind with random weights, in float64."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return KINDS[kind](bias).double().eval()
