"""Published weights of ESM-2 from a local file, by the names they have here.

Read from safetensors, which hold numbers and nothing else. Files ending in .pt are pickles, which can hold programs, and are
not opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from bioloom.errors import UserError

NAMES = {
    r"(?:esm\.)?embeddings\.word_embeddings\.weight|embed_tokens\.weight": "embed.weight",
    r"(?:esm\.)?encoder\.emb_layer_norm_after\.(\w+)|emb_layer_norm_after\.(\w+)": "norm.{0}",
    r"(?:esm\.)?encoder\.layer\.(\d+)\.attention\.self\.(query|key|value)\.(\w+)": "layers.{0}.{1}.{2}",
    r"layers\.(\d+)\.self_attn\.([qkv])_proj\.(\w+)": "layers.{0}.{1}.{2}",
    r"(?:esm\.)?encoder\.layer\.(\d+)\.attention\.output\.dense\.(\w+)": "layers.{0}.attention.out.{1}",
    r"layers\.(\d+)\.self_attn\.out_proj\.(\w+)": "layers.{0}.attention.out.{1}",
    r"(?:esm\.)?encoder\.layer\.(\d+)\.attention\.LayerNorm\.(\w+)": "layers.{0}.norm.{1}",
    r"layers\.(\d+)\.self_attn_layer_norm\.(\w+)": "layers.{0}.norm.{1}",
    r"(?:esm\.)?encoder\.layer\.(\d+)\.LayerNorm\.(\w+)": "layers.{0}.between.{1}",
    r"layers\.(\d+)\.final_layer_norm\.(\w+)": "layers.{0}.between.{1}",
    r"(?:esm\.)?encoder\.layer\.(\d+)\.intermediate\.dense\.(\w+)|layers\.(\d+)\.fc1\.(\w+)": "layers.{0}.widen.{1}",
    r"(?:esm\.)?encoder\.layer\.(\d+)\.output\.dense\.(\w+)|layers\.(\d+)\.fc2\.(\w+)": "layers.{0}.narrow.{1}",
}
"""Names in published files, of transformers and of fair-esm, and here; queries, keys and values are then joined."""

QUERIES = {"query": 0, "key": 1, "value": 2, "q": 0, "k": 1, "v": 2}

WAYS = "give the file model.safetensors of facebook/esm2_t6_8M_UR50D, or of a larger one"


def weights_of(path: str) -> dict[str, Tensor]:
    """The weights of the encoder in a file, float32. Raises UserError for pickles, and for files of other models."""
    file = Path(path)
    if file.suffix in (".pt", ".pth", ".bin", ".ckpt", ".pkl"):
        raise UserError(
            "Files of this kind can run programs when they are opened, so they are not.",
            where=path,
            fix=WAYS,
        )
    if not file.is_file():
        raise UserError("There is no such file of weights.", where=path, fix=WAYS)
    try:
        with safe_open(file, framework="pt") as stored:
            given = {name: stored.get_tensor(name) for name in stored.keys() if here(name)}  # noqa: SIM118 (no mapping)
    except SafetensorError:
        raise UserError(
            "The file of weights is damaged, or of another format.", where=path, fix=WAYS
        ) from None
    found = _joined({here(name): each.float() for name, each in given.items()})
    _refuse_incomplete(found, path)
    return found


def here(name: str) -> str:
    """What a weight of a published file is called here; empty for those of no use, such as of the language head."""
    for pattern, new in NAMES.items():
        if match := re.fullmatch(pattern, name):
            return new.format(*(part for part in match.groups() if part is not None))
    return ""


def _joined(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Queries, keys and values of each layer one under the other, as one dense layer has them."""
    found: dict[str, Tensor] = {}
    parts: dict[str, dict[int, Tensor]] = {}
    for name, each in weights.items():
        start, _, rest = name.rpartition(".")
        before, _, kind = start.rpartition(".")
        if kind in QUERIES and before.startswith("layers."):
            parts.setdefault(f"{before}.attention.ask.{rest}", {})[QUERIES[kind]] = each
        else:
            found[name] = each
    for name, three in parts.items():
        if len(three) == len("qkv"):
            found[name] = torch.cat([three[0], three[1], three[2]])
    return found


def _refuse_incomplete(found: Mapping[str, Tensor], path: str) -> None:
    layers = {name.split(".")[1] for name in found if name.startswith("layers.")}
    whole = {"embed.weight", "norm.weight", "norm.bias"} <= set(found) and layers
    of_each = [sum(name.startswith(f"layers.{layer}.") for name in found) for layer in layers]
    if not whole or set(of_each) != {12} or found["embed.weight"].shape[0] != 33:
        raise UserError("These are not the weights of ESM-2.", where=path, fix=WAYS)
