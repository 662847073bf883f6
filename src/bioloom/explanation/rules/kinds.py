"""Which torch functions are of which kind, by name: a function and the method of the same name do the same."""

from __future__ import annotations

MOVED = """
view reshape view_as reshape_as flatten ravel unflatten transpose transpose_ swapaxes swapdims permute movedim moveaxis
t T mT H mH adjoint squeeze squeeze_ unsqueeze unsqueeze_ expand expand_as broadcast_to broadcast_tensors repeat
repeat_interleave tile contiguous clone to type type_as float double half bfloat16 cpu cuda requires_grad_
__getitem__ narrow select index_select gather take_along_dim chunk split split_with_sizes tensor_split unsafe_chunk
unbind cat concat concatenate stack hstack vstack dstack flip roll rot90 unfold fold pad constant_pad_nd as_strided
diagonal diag_embed tril triu masked_select channel_shuffle pixel_shuffle pixel_unshuffle atleast_1d atleast_2d
_pack_padded_sequence _pad_packed_sequence identity __iter__ alias view_as_real real positive __pos__
"""
"""Numbers are moved, repeated or left out, and stay what they are."""

LINEAR = """
add add_ sub sub_ subtract rsub __add__ __radd__ __iadd__ __sub__ __rsub__ __isub__ neg negative neg_ __neg__
sum mean nansum nanmean cumsum diff trapz masked_fill masked_fill_ where scatter scatter_add index_add index_put index_copy
masked_scatter avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
interpolate upsample dropout dropout1d dropout2d dropout3d feature_dropout alpha_dropout feature_alpha_dropout
__setitem__ copy_ add_n sum_to_size
"""
"""Outputs are sums of inputs with fixed weights, so that the gradient says all."""

SCALED = "mul mul_ multiply multiply_ __mul__ __rmul__ __imul__"
"""Products number by number."""

DIVIDED = "div div_ divide true_divide __truediv__ __rtruediv__ __itruediv__ __div__ __rdiv__"
"""Quotients number by number."""

MATRIX = "matmul __matmul__ __rmatmul__ bmm mm mv dot inner einsum"
"""Sums of products."""

LAYERS = "linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d"
"""Sums of products with weights, and a bias."""

BENT = """
relu relu_ relu6 leaky_relu leaky_relu_ elu elu_ selu selu_ celu celu_ gelu silu silu_ mish softplus softsign tanh tanh_
sigmoid sigmoid_ hardtanh hardtanh_ hardsigmoid hardswish logsigmoid log_sigmoid tanhshrink hardshrink softshrink threshold
exp exp_ expm1 exp2 log log_ log1p log2 log10 sqrt sqrt_ rsqrt reciprocal square square_ pow __pow__ abs abs_ absolute
__abs__ sin cos tan sinh cosh asinh atan arctan erf erfc clamp clamp_ clip clamp_min clamp_max expit logit log_ndtr nan_to_num
"""
"""Each number is bent by itself."""

POOLS = {
    f"{before}max_pool{sides}d{after}": sides
    for before in ("", "adaptive_")
    for sides in (1, 2, 3)
    for after in ("", "_with_indices")
}
"""The largest of each window, and along how many axes windows lie."""

COMPOSED = """
softmin layer_norm group_norm instance_norm local_response_norm rms_norm glu prelu rrelu maximum minimum logaddexp
scaled_dot_product_attention multi_head_attention_forward lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell
rnn_relu_cell var std softmax log_softmax bilinear addmm baddbmm addcmul lerp normalize norm
"""
"""Taken apart into the kinds above; see `bioloom.explanation.rules.composed` and `recurrent`."""


def _kinds() -> dict[str, str]:
    named = {
        "moved": MOVED,
        "linear": LINEAR,
        "scaled": SCALED,
        "divided": DIVIDED,
        "matrix": MATRIX,
        "layer": LAYERS,
        "bent": BENT,
        "composed": COMPOSED,
    }
    kinds = {name: kind for kind, names in named.items() for name in names.split()}
    kinds |= dict.fromkeys(POOLS, "pool")
    return kinds | {
        "amax": "largest",
        "amin": "smallest",
        "max": "largest",
        "min": "smallest",
        "logsumexp": "soft_maximum",
        "batch_norm": "batch_norm",
    }


KINDS = _kinds()
"""The kind of each function by its name."""

UNREAD = frozenset(["to", "type_as", "view_as", "reshape_as", "expand_as", "broadcast_tensors"])
"""Functions of which other tensors only give the form."""

RECTIFIERS = frozenset(
    ["relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "hardswish"]
)
"""Functions that let large numbers through and hold small ones back."""

HOMOGENEOUS = frozenset(["relu", "leaky_relu", "abs", "absolute", "__abs__"])
"""f(c x) = c f(x) for c > 0, so that the slope is f(x) / x."""

GATES = frozenset(["sigmoid", "expit", "hardsigmoid", "rsqrt", "reciprocal"])
"""What comes of these is mostly there to be multiplied with something else."""
