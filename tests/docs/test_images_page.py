"""The page on pictures names what the code reports, and the keys that exist."""

from __future__ import annotations

import re
from pathlib import Path

from bioloom.modalities import modalities
from bioloom.modalities.pictured import LARGEST
from bioloom.recipe_parts import AugmentationRecipe

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "images.md").read_text(encoding="utf-8")


def test_the_page_names_exactly_the_problems_that_exist() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src/bioloom/modalities").glob("*.py")
    )
    named = {code for code in re.findall(r'"(image\.[a-z]+)"', source)}
    told = {f"image.{code}" for code in ("other", "grey")}  # whose names are put together
    assert set(re.findall(r"`(image\.[a-z]+)`", PAGE)) == named | told


def test_the_keys_on_the_page_exist() -> None:
    table = PAGE[PAGE.index("| pictures | what to switch on") :]
    for key in re.findall(r"`([a-z_]+)(?:=[\d.a-z]+)?`", table.split("\n\n")[0]):
        assert key in AugmentationRecipe.model_fields
        assert key in modalities["image"].augmentations
    for key in re.findall(r"encoding\.image\.([a-z]+)", PAGE):
        assert key in modalities["image"].Settings.model_fields
    assert f"larger than {LARGEST} pixels" in PAGE
