"""Fused operations of torch written out in single steps, with the arguments of the functions they stand for."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from bioloom.explanation.rules.given import refusal

# ruff: noqa: PLR0917, ARG001 -- arguments and their order are those of torch


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two numbers: a + relu(b - a)."""
    return input + functional.relu(other - input)


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two numbers: a - relu(a - b)."""
    return input - functional.relu(input - other)


def softmin(input: Tensor, dim: int, _stacklevel: int = 3, dtype: torch.dtype | None = None) -> Tensor:
    """Weights that sum to one, the largest for the smallest number."""
    return functional.softmax(-input, dim)


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """log(exp a + exp b) = a + softplus(b - a)."""
    return input + functional.softplus(other - input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """One half of the channels, let through by the other."""
    signal, gate = input.chunk(2, dim)
    return signal * gate.sigmoid()


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """A rectifier with a learned slope below zero for each channel."""
    shaped = weight.view(1, -1, *[1] * (input.dim() - 2)) if weight.numel() > 1 else weight
    return functional.relu(input) - shaped * functional.relu(-input)


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """A leaky rectifier with the mean of its random slopes."""
    return functional.leaky_relu(input, (lower + upper) / 2)


def var(
    input: Tensor,
    dim: int | tuple[int, ...],
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> Tensor:
    """The variance along axes."""
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    count = math.prod(input.shape[axis] for axis in dims)
    return (input - input.mean(dims, keepdim=True)).square().sum(dims, keepdim=keepdim) / (
        count - (int(unbiased) if correction is None else correction)
    )


def std(
    input: Tensor,
    dim: int | tuple[int, ...],
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> Tensor:
    """The standard deviation along axes."""
    return var(input, dim, unbiased, keepdim, correction=correction).sqrt()


def _normed(x: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
    """Mean 0 and variance 1 along axes."""
    centred = x - x.mean(dims, keepdim=True)
    return centred * (centred.square().mean(dims, keepdim=True) + eps).rsqrt()


def layer_norm(
    input: Tensor,
    normalized_shape: tuple[int, ...],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:
    """Mean 0 and variance 1 over the last axes of each place."""
    y = _normed(input, tuple(range(-len(normalized_shape), 0)), eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def rms_norm(
    input: Tensor,
    normalized_shape: tuple[int, ...],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Mean square 1 over the last axes of each place."""
    dims = tuple(range(-len(normalized_shape), 0))
    eps = torch.finfo(input.dtype).eps if eps is None else eps
    y = input * (input.square().mean(dims, keepdim=True) + eps).rsqrt()
    return y if weight is None else y * weight


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Mean 0 and variance 1 over groups of channels and all places."""
    grouped = input.reshape(len(input), num_groups, -1)
    y = _normed(grouped, (2,), eps).reshape(input.shape)
    shape = (1, -1, *[1] * (input.dim() - 2))
    y = y if weight is None else y * weight.view(shape)
    return y if bias is None else y + bias.view(shape)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Mean 0 and variance 1 of each channel over all places."""
    if not use_input_stats:
        return functional.batch_norm(input, running_mean, running_var, weight, bias, eps=eps)
    return group_norm(input, input.shape[1], weight, bias, eps)


def local_response_norm(
    input: Tensor,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> Tensor:
    """Each channel over a power of the mean square of its neighbours."""
    square = input.square().flatten(2).unsqueeze(1)  # (records, 1, channels, places)
    padded = functional.pad(square, (0, 0, size // 2, (size - 1) // 2))
    around = functional.avg_pool2d(padded, (size, 1), stride=1).squeeze(1).reshape(input.shape)
    return input * (around * alpha + k).pow(beta).reciprocal()


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: None = None) -> Tensor:
    """Length 1 along an axis."""
    if p != 2:
        raise refusal("normalize", f"there is no rule for the norm of order {p}")
    return input / input.square().sum(dim, keepdim=True).sqrt().clamp_min(eps)


def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: int | tuple[int, ...] | None = None,
    keepdim: bool = False,
    dtype: torch.dtype | None = None,
    out: None = None,
) -> Tensor:
    """The length along axes."""
    if p not in ("fro", 2, None) or dim is None:
        raise refusal("norm", "there is a rule only for lengths along named axes")
    return input.square().sum(dim, keepdim=keepdim).sqrt()


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """A product of matrices, and something added."""
    return input * beta + (mat1 @ mat2) * alpha


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Products of matrices, and something added."""
    return input * beta + (batch1 @ batch2) * alpha


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """A product, and something added."""
    return input + tensor1 * tensor2 * value


def lerp(input: Tensor, end: Tensor, weight: Tensor | float) -> Tensor:
    """Part of the way from one number to another."""
    return input + (end - input) * weight


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A weighted sum of all products of two inputs, (..., outputs)."""
    y = functional.linear(input1, weight.permute(0, 2, 1).flatten(0, 1))
    shaped = y.reshape(*y.shape[:-1], weight.shape[0], weight.shape[2])
    y = (shaped * input2.unsqueeze(-2)).sum(-1)
    return y if bias is None else y + bias


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(Q K^T / sqrt(d)) V; a position that may see nothing gathers nothing."""
    if enable_gqa:
        heads = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(heads, -3), value.repeat_interleave(heads, -3)
    if is_causal:
        places = (query.shape[-2], key.shape[-2])
        attn_mask = torch.ones(places, dtype=torch.bool, device=query.device).tril()
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    return _weights(query * scale, key, attn_mask) @ value


def _weights(query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
    """How much each position gathers from each other."""
    score = query @ key.transpose(-2, -1)
    if mask is None:
        return score.softmax(-1)
    if mask.dtype != torch.bool:
        return (score + mask).softmax(-1)
    blind = ~mask.any(-1, keepdim=True)
    return score.masked_fill(~(mask | blind), -torch.inf).softmax(-1).masked_fill(blind, 0.0)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `nn.MultiheadAttention` computes, (positions, records, width), and its weights."""
    odd = use_separate_proj_weight or add_zero_attn or bias_k is not None or static_k is not None
    if odd or in_proj_weight is None or query.dim() != 3:
        raise refusal("multi_head_attention_forward", "there is a rule only for its usual form")
    biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
    asked = [
        functional.linear(each, weight, bias).reshape(*each.shape[:2], num_heads, -1).permute(1, 2, 0, 3)
        for each, weight, bias in zip((query, key, value), in_proj_weight.chunk(3), biases, strict=True)
    ]
    mask = _mask(attn_mask, key_padding_mask, query.shape[1], asked[0])
    weights = _weights(asked[0] * asked[0].shape[-1] ** -0.5, asked[1], mask)
    read = (weights @ asked[2]).permute(2, 0, 1, 3).flatten(2)
    told = weights.mean(dim=1) if average_attn_weights else weights
    return functional.linear(read, out_proj_weight, out_proj_bias), told if need_weights else None


def _mask(attn_mask: Tensor | None, padding: Tensor | None, records: int, like: Tensor) -> Tensor | None:
    """Both masks of multi-head attention as what is added to scores, (records, heads or 1, positions, positions)."""
    total: Tensor | None = None
    if attn_mask is not None:
        shaped = (
            attn_mask.reshape(records, -1, *attn_mask.shape[1:])
            if attn_mask.dim() == 3
            else attn_mask[None, None]
        )
        total = _added(shaped, like)
    if padding is not None:
        hidden = _added(padding[:, None, None, :], like)
        total = hidden if total is None else total + hidden
    return total


def _added(mask: Tensor, like: Tensor) -> Tensor:
    """A mask as numbers to add: minus infinity where it hides."""
    if mask.dtype != torch.bool:
        return mask
    return torch.zeros_like(mask, dtype=like.dtype).masked_fill(mask, -torch.inf)
