"""ESM-2: beside a slow reading of the paper with the names of published files, and what files are refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bioloom import workflow
from bioloom.errors import UserError
from bioloom.events import Silent
from bioloom.journey.described import Embedding
from bioloom.journey.prepare import Request
from bioloom.modalities import Kind, Shape
from bioloom.models import build
from bioloom.models.esm2 import ESM2, LETTERS
from bioloom.models.esm2_weights import here, weights_of

VOCABULARY = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null_1>", "<mask>"]
WIDTH, LAYERS, HEADS = 80, 2, 20
SHAPE = Shape(Kind.SEQUENCE, (21, 9))


def published(names: str) -> dict[str, Tensor]:
    """Random weights by the names of published files: those of transformers, or of fair-esm."""
    random = torch.Generator().manual_seed(0)
    hub = names == "transformers"
    found: dict[str, Tensor] = {}

    def put(one: str, other: str, *sizes: int) -> None:
        drawn = torch.randn(*sizes, generator=random) * (0.2 if len(sizes) > 1 else 0.1)
        norm = len(sizes) == 1 and "orm" in one and one.endswith("weight")
        found[one if hub else other] = 1 + drawn if norm else drawn

    put("esm.embeddings.word_embeddings.weight", "embed_tokens.weight", 33, WIDTH)
    for layer in range(LAYERS):
        one, other = f"esm.encoder.layer.{layer}", f"layers.{layer}"
        for long, short in (("query", "q"), ("key", "k"), ("value", "v")):
            put(f"{one}.attention.self.{long}.weight", f"{other}.self_attn.{short}_proj.weight", WIDTH, WIDTH)
            put(f"{one}.attention.self.{long}.bias", f"{other}.self_attn.{short}_proj.bias", WIDTH)
        pairs = (
            ("attention.output.dense", "self_attn.out_proj", WIDTH, WIDTH),
            ("intermediate.dense", "fc1", 4 * WIDTH, WIDTH),
            ("output.dense", "fc2", WIDTH, 4 * WIDTH),
        )
        for long, short, outputs, inputs in pairs:
            put(f"{one}.{long}.weight", f"{other}.{short}.weight", outputs, inputs)
            put(f"{one}.{long}.bias", f"{other}.{short}.bias", outputs)
        for long, short in (
            ("attention.LayerNorm", "self_attn_layer_norm"),
            ("LayerNorm", "final_layer_norm"),
        ):
            put(f"{one}.{long}.weight", f"{other}.{short}.weight", WIDTH)
            put(f"{one}.{long}.bias", f"{other}.{short}.bias", WIDTH)
    put("esm.encoder.emb_layer_norm_after.weight", "emb_layer_norm_after.weight", WIDTH)
    put("esm.encoder.emb_layer_norm_after.bias", "emb_layer_norm_after.bias", WIDTH)
    put("lm_head.bias", "lm_head.bias", 33)
    put("esm.embeddings.position_embeddings.weight", "contact_head.regression.weight", 12, WIDTH)
    return found


def slow(weights: dict[str, Tensor], protein: str) -> np.ndarray:
    """The encoder as the paper has it, position by position, (residues, width)."""
    w = {name: each.numpy().astype(np.float64) for name, each in weights.items()}

    def dense(name: str, x: np.ndarray) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def normal(name: str, x: np.ndarray) -> np.ndarray:
        apart = x - x.mean(axis=1, keepdims=True)
        return (
            apart / np.sqrt((apart**2).mean(axis=1, keepdims=True) + 1e-5) * w[f"{name}.weight"]
            + w[f"{name}.bias"]
        )

    def rotated(x: np.ndarray, position: int) -> np.ndarray:
        size = len(x)
        half = size // 2
        out = np.empty(size)
        for pair in range(half):
            angle = position * 10_000 ** (-2 * pair / size)
            out[pair] = x[pair] * math.cos(angle) - x[pair + half] * math.sin(angle)
            out[pair + half] = x[pair + half] * math.cos(angle) + x[pair] * math.sin(angle)
        return out

    tokens = [0, *(VOCABULARY.index(letter) for letter in protein), 2]
    x = 0.88 * w["esm.embeddings.word_embeddings.weight"][tokens]
    size = WIDTH // HEADS
    for layer in range(LAYERS):
        start = f"esm.encoder.layer.{layer}"
        read = normal(f"{start}.attention.LayerNorm", x)
        q, k, v = (dense(f"{start}.attention.self.{each}", read) for each in ("query", "key", "value"))
        gathered = np.zeros_like(x)
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            turned = [[rotated(row[part], place) for place, row in enumerate(each)] for each in (q, k)]
            score = np.array(turned[0]) @ np.array(turned[1]).T / math.sqrt(size)
            score = np.exp(score - score.max(axis=1, keepdims=True))
            gathered[:, part] = score / score.sum(axis=1, keepdims=True) @ v[:, part]
        x = x + dense(f"{start}.attention.output.dense", gathered)
        wide = dense(f"{start}.intermediate.dense", normal(f"{start}.LayerNorm", x))
        bent = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = x + dense(f"{start}.output.dense", bent)
    return normal("esm.encoder.emb_layer_norm_after", x)[1:-1]


PROTEINS = ["MKTAYIAKQ", "WHCD", "GPLVSER"]


def one_hot(proteins: list[str]) -> tuple[Tensor, Tensor]:
    x, mask = torch.zeros(len(proteins), 21, 9), torch.zeros(len(proteins), 9, dtype=torch.bool)
    for row, protein in enumerate(proteins):
        for place, letter in enumerate(protein):
            x[row, LETTERS.index(letter), place], mask[row, place] = 1.0, True
    return x, mask


def loaded(path: Path) -> ESM2:
    settings = ESM2.complete(ESM2.Settings(checkpoint=str(path)), {"x": SHAPE})
    network = build("esm2", {"x": SHAPE}, 1, settings.model_dump())
    assert isinstance(network, ESM2)
    network.load_state_dict({**network.state_dict(), **ESM2.learned(settings.model_dump())})
    return network.eval()


def test_residues_are_those_of_a_slow_reading_of_the_paper(tmp_path: Path) -> None:
    weights = published("transformers")
    save_file(weights, tmp_path / "model.safetensors")
    network = loaded(tmp_path / "model.safetensors")
    with torch.inference_mode():
        found = network.residues(*one_hot(PROTEINS))
    for row, protein in enumerate(PROTEINS):
        np.testing.assert_allclose(found[row, : len(protein)], slow(weights, protein), atol=1e-5)


def test_residues_are_those_of_transformers(tmp_path: Path) -> None:
    """Its `EsmModel` (4.57.1, rotary positions, token dropout, the proteins padded in one batch) with the same weights."""
    save_file(published("transformers"), tmp_path / "model.safetensors")
    with torch.inference_mode():
        found = loaded(tmp_path / "model.safetensors").residues(*one_hot(PROTEINS))
    for row, told in enumerate(np.load(Path(__file__).with_name("esm2_transformers.npy"))):
        size = len(PROTEINS[row])
        np.testing.assert_allclose(found[row, :size], told[:size], atol=1e-5)


def test_both_kinds_of_published_names_are_the_same_weights(tmp_path: Path) -> None:
    for names in ("transformers", "fair"):
        save_file(published(names), tmp_path / f"{names}.safetensors")
    one, other = (weights_of(str(tmp_path / f"{names}.safetensors")) for names in ("transformers", "fair"))
    assert set(one) == set(other)
    assert all(torch.equal(each, other[name]) for name, each in one.items())
    assert here("lm_head.bias") == here("contact_head.regression.weight") == ""


PUBLISHED = (
    (6, 320, 20, 8),
    (12, 480, 20, 35),
    (30, 640, 20, 150),
    (33, 1280, 20, 650),
    (36, 2560, 40, 3000),
)


@pytest.mark.parametrize(("layers", "width", "heads", "millions"), PUBLISHED)
def test_the_sizes_are_those_that_the_models_are_called_by(
    layers: int, width: int, heads: int, millions: int
) -> None:
    settings = {"layers": layers, "width": width, "heads": heads}
    with torch.device("meta"):
        network = build("esm2", {"x": Shape(Kind.SEQUENCE, (21, 75))}, 1, settings)
    encoder = sum(each.numel() for each in network.parameters()) - (width + 1)
    language = width * width + width + 2 * width + 33  # the language head, whose last layer is the embedding
    contacts = layers * heads + 1
    unused = 1026 * width  # positions that published files hold and rotary ones do not need
    if millions == 8:
        assert encoder + language + contacts == 7_512_474
        assert encoder + language + contacts + unused == 7_840_794
    assert encoder + language + contacts + unused == pytest.approx(millions * 1e6, rel=0.06)


def test_pickles_and_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can run programs"):
        weights_of("esm2_t6_8M_UR50D.pt")
    with pytest.raises(UserError, match="no such file"):
        weights_of(str(tmp_path / "model.safetensors"))
    (tmp_path / "broken.safetensors").write_bytes(b"1234567890")
    with pytest.raises(UserError, match="damaged"):
        weights_of(str(tmp_path / "broken.safetensors"))
    save_file({"layer.weight": torch.ones(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="not the weights of ESM-2"):
        weights_of(str(tmp_path / "other.safetensors"))
    save_file(published("transformers"), tmp_path / "model.safetensors")
    with pytest.raises(UserError, match="holds none"):
        ESM2.complete(
            ESM2.Settings(checkpoint=str(tmp_path / "model.safetensors")), {"x": Shape(Kind.SEQUENCE, (4, 9))}
        )


def test_published_weights_stay_while_only_the_last_layer_or_small_changes_are_learned(
    tmp_path: Path,
) -> None:
    weights = tmp_path / "model.safetensors"
    save_file(published("transformers"), weights)
    random = np.random.default_rng(0)
    proteins = ["".join(random.choice(list(LETTERS[:20]), 8)) for _ in range(60)]
    frame = pd.DataFrame(
        {"protein": proteins, "charge": [each.count("K") - each.count("D") for each in proteins]}
    )
    settings = {
        "model.network": "esm2",
        "model.settings.checkpoint": str(weights),
        "training.epochs": 1,
        "training.members": 1,
        "evaluation.draws": 100,
        "evaluation.shuffles": 0,
        "evaluation.shares": [],
        "explanation.records": 1,
        "split.folds": 1,
        "search": "none",
        "threads": 1,
    }
    kept = weights_of(str(weights))["layers.1.widen.weight"]
    for name, more in (("frozen", {"model.settings.frozen": True}), ("small", {"training.lora": 2})):
        request = Request(source=frame, target=("charge",), settings=settings | more)
        run = workflow.train(request, tmp_path / name, Silent())
        found = run.model.network.state_dict()["layers.1.widen.weight"]
        assert torch.equal(found, kept) == (name == "frozen")
        assert torch.allclose(found, kept, atol=0.1)
    (tmp_path / "model.safetensors").unlink()
    asked = Embedding(which="network")  # a stored model needs no file beside it
    codes = workflow.embed(tmp_path / "frozen", frame[["protein"]].head(3), asked=asked).frame
    assert codes.select_dtypes("number").shape == (3, WIDTH)
