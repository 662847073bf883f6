"""Near copies among pictures: what happens to pictures on their way is found, other pictures of the kind are not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from bioloom.data.similarity import pictures as similar
from bioloom.modalities.gallery import resized


def like_each_other(count: int, seed: int = 0) -> np.ndarray:
    """Pictures of one kind: the same anatomy in all, and in each what makes it itself, (count, 48, 48) uint8."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:48, :48] / 48
    anatomy = 60 * np.exp(-((down - 0.5) ** 2 + (across - 0.3) ** 2) * 20) + 90 * down
    own = gaussian_filter(random.normal(size=(count, 48, 48)), (0, 3, 3))
    own = own / own.std(axis=(1, 2), keepdims=True)
    return (60 + anatomy + 18 * own).clip(0, 255).astype(np.uint8)


def ready(pixels: list[np.ndarray], least: float | None = None) -> similar.Compared:
    small = np.stack([resized(each[:, :, None], (similar.SIDE, similar.SIDE))[:, :, 0] for each in pixels])
    keys = [each.tobytes() for each in pixels]
    return similar.compare(small, np.array([keys.index(key) for key in keys]), least)


def saved_anew(pixels: np.ndarray) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=60)
    return np.asarray(Image.open(stream))


def half_size(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((24, 24), Image.Resampling.BOX))


def noisy(pixels: np.ndarray) -> np.ndarray:
    return (pixels + np.random.default_rng(1).normal(0, 3, pixels.shape)).clip(0, 255).astype(np.uint8)


CHANGES = {
    "JPEG": saved_anew,
    "smaller": half_size,
    "noise": noisy,
    "brighter": lambda pixels: (pixels.astype(int) + 20).clip(0, 255).astype(np.uint8),
    "mirrored": lambda pixels: pixels[:, ::-1].copy(),
    "upside down": lambda pixels: pixels[::-1].copy(),
    "turned": lambda pixels: np.rot90(pixels).copy(),
    "turned and mirrored": lambda pixels: np.rot90(pixels[:, ::-1]).copy(),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_changed_copy_is_found_among_pictures_of_its_kind(name: str) -> None:
    originals = like_each_other(150)
    copies = [CHANGES[name](each) for each in originals[:30]]
    compared = ready([*originals, *copies])
    found = similar.alike(compared, np.arange(150, 180), np.arange(150))
    hit = found.partner == np.arange(30)
    assert hit.mean() >= 0.9
    assert set(found.kind[hit]) == {"near"}
    labels = similar.families(compared)
    assert (labels[150:] == labels[:30]).mean() >= 0.9


def test_other_pictures_of_the_kind_are_no_copies() -> None:
    compared = ready(list(like_each_other(400)))
    assert len(np.unique(similar.families(compared))) == 400
    assert not (similar.alike(compared, np.arange(200), np.arange(200, 400)).kind != "").any()


def test_equal_pixels_are_exact_copies() -> None:
    originals = like_each_other(20)
    compared = ready([*originals, originals[3]])
    found = similar.alike(compared, np.array([20, 0]), np.arange(20)[3:])
    assert found.kind.tolist() == ["exact", ""]
    assert found.partner[0] == 0
    assert found.identity[0] == 1
    assert similar.families(compared)[20] == similar.families(compared)[3]


def test_hashes_are_those_of_the_slow_waves() -> None:
    small = np.random.default_rng(0).normal(size=(50, 32, 32)).astype(np.float32)
    brighter = similar.hashes(small * 3)
    assert np.array_equal(similar.hashes(small), brighter)
    bits = np.unpackbits(similar.hashes(small).view(np.uint8)).reshape(50, 64)
    assert (bits.sum(axis=1) == 32).all()


def test_the_user_may_ask_for_less_likeness() -> None:
    originals = like_each_other(60)
    blurred = [gaussian_filter(each, 4) for each in originals[:10]]
    usual = similar.alike(ready([*originals, *blurred]), np.arange(60, 70), np.arange(60))
    wider = similar.alike(ready([*originals, *blurred], 0.6), np.arange(60, 70), np.arange(60))
    assert (wider.kind == "near").sum() > (usual.kind == "near").sum()


def test_even_pictures_and_no_pictures_break_nothing() -> None:
    compared = ready([np.zeros((8, 8), np.uint8), np.full((8, 8), 9, np.uint8), np.eye(8, dtype=np.uint8)])
    assert len(similar.families(compared)) == 3
    assert len(similar.near(compared, np.arange(0), np.arange(3))) == 0
