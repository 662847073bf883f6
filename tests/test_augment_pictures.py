"""Pictures changed at random: exact where they can be, harmless where nothing is asked for, refused where it makes no sense."""

from __future__ import annotations

import pytest
import torch

from bioloom.errors import UserError
from bioloom.modalities import Signal, modalities
from bioloom.recipe import AugmentationRecipe
from bioloom.training.augment import Augmentation, Changes, augment, augmentation
from bioloom.training.pictures import Moves, mirrored, moved_about, recoloured


def pictures(records: int = 200, size: tuple[int, int] = (9, 9), channels: int = 1) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(records, channels, *size)


def test_half_of_the_pictures_are_mirrored_exactly() -> None:
    x = pictures()
    found = mirrored(x, sideways=True, upside_down=False)
    same = (found == x).flatten(1).all(1)
    turned = (found == x.flip(3)).flatten(1).all(1)
    assert (same ^ turned).all()
    assert 60 < int(turned.sum()) < 140
    both = mirrored(x, sideways=True, upside_down=True)
    four = [x, x.flip(3), x.flip(2), x.flip(2, 3)]
    counts = [int((both == each).flatten(1).all(1).sum()) for each in four]
    assert sum(counts) == 200
    assert min(counts) > 25


def test_nothing_asked_is_nothing_changed() -> None:
    x = pictures(20)
    assert torch.allclose(moved_about(x, Moves()), x, atol=1e-6)
    assert torch.allclose(recoloured(x, 0.0), x, atol=1e-6)
    assert mirrored(x, sideways=False, upside_down=False) is x


def test_a_shift_moves_whole_pixels_without_blurring() -> None:
    x = torch.zeros(300, 1, 11, 13)
    x[:, :, 5, 6] = 1
    found = moved_about(x, Moves(shift=2))
    assert torch.allclose(found.sum(dim=(1, 2, 3)), torch.ones(300), atol=1e-4)
    assert torch.allclose(found.amax(dim=(1, 2, 3)), torch.ones(300), atol=1e-4)
    down, across = torch.nonzero(found[:, 0].round(), as_tuple=True)[1:]
    assert set((down - 5).tolist()) == set((across - 6).tolist()) == {-2, -1, 0, 1, 2}


def test_a_turned_picture_keeps_its_middle_and_its_shape_also_where_it_is_not_square() -> None:
    down, across = torch.meshgrid(torch.arange(21.0) - 10, torch.arange(41.0) - 20, indexing="ij")
    ring = torch.exp(-(((torch.hypot(down, across) - 6) / 2) ** 2))[None, None].repeat(50, 1, 1, 1)
    found = moved_about(ring, Moves(rotation=180))
    inside = torch.hypot(down, across) < 8  # farther out the picture is reflected
    assert ((found - ring).abs() * inside).max() < 0.12  # a ring looks the same from everywhere


def test_a_crop_makes_things_larger_and_never_smaller() -> None:
    disc = (
        torch.hypot(*torch.meshgrid(torch.arange(31.0) - 15, torch.arange(31.0) - 15, indexing="ij")) < 5
    ).float()
    x = disc[None, None].repeat(200, 1, 1, 1)
    area = moved_about(x, Moves(crop=0.3)).sum(dim=(1, 2, 3)) / disc.sum()
    assert area.min() > 0.95
    assert 1.3 < float(area.mean()) < 1.8
    assert area.max() < 1 / 0.7**2 + 0.1


def test_elastic_bends_move_by_about_what_is_asked() -> None:
    ramp = torch.arange(40.0)[None, None, None].expand(100, 1, 40, 40)
    moved = moved_about(ramp, Moves(elastic=1.5)) - ramp
    assert 0.7 < float(moved[:, :, 5:-5, 5:-5].std()) < 2.0


def test_colours_change_brightness_and_contrast_and_nothing_else() -> None:
    x = pictures(100, channels=3)
    found = recoloured(x, 0.5)
    for record in range(5):
        for channel in range(3):
            pair = torch.stack([x[record, channel].flatten(), found[record, channel].flatten()])
            assert torch.corrcoef(pair)[0, 1] > 0.9999
    assert float((found.mean(dim=(2, 3)) - x.mean(dim=(2, 3))).abs().max()) <= 0.75 + 1e-5


def test_a_batch_of_pictures_is_changed_and_the_same_seed_changes_it_alike() -> None:
    batch = {"picture": Signal(pictures(8, channels=3))}
    told = Augmentation(
        {"picture": Changes(mirror=True, rotation=10, crop=0.1, colour=0.2, elastic=0.5, noise=0.1)}
    )
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        found.append(augment(batch, told)[0]["picture"].x)
    assert torch.equal(*found)
    assert found[0].shape == (8, 3, 9, 9)
    assert torch.isfinite(found[0]).all()


def test_what_does_not_go_with_an_input_is_refused() -> None:
    recipe = AugmentationRecipe(rotation=10)
    demo = modalities["image"].demo(12, 0)
    values = demo.records.inputs[demo.input]
    image = modalities["image"].fit(values)
    able = {"picture": modalities["image"].augmentations}
    told = augmentation(recipe, able, {"picture": image.encode(values)})
    assert told.inputs["picture"].rotation == 10
    with pytest.raises(UserError, match="rotation does not go"):
        augmentation(recipe, {"x": modalities["table"].augmentations}, {})
    with pytest.raises(UserError, match="moves the input"):
        augmentation(AugmentationRecipe(shift=40), able, {"picture": image.encode(values)})
