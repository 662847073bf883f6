"""The page about training says what the code does: its tables are made here and compared with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bioloom.recipe import AugmentationRecipe, Part, TrainingRecipe
from bioloom.training.average import AVERAGES
from bioloom.training.optimisers import optimisers
from bioloom.training.schedule import SCHEDULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "training.md"
TEXT = PAGE.read_text(encoding="utf-8")


def table(start: str) -> str:
    """The rows below a header that starts with these words."""
    found = re.search(rf"^\| {start}.*\n\|[-| ]+\|\n((?:\|.*\n)*)", TEXT, re.MULTILINE)
    assert found, f"a table that starts with {start!r}"
    return found.group(1)


def names(start: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)`", table(start), re.MULTILINE))


def keys(recipe: type[Part]) -> str:
    return "".join(
        f"| `{key}` | {'' if field.default is None else field.default} | {field.description} |\n"
        for key, field in recipe.model_fields.items()
    )


def listed() -> str:
    return "".join(
        f"| `{name}` | {each.title} | {each.rate:g} | {each.decay:g} |\n" for name, each in optimisers.items()
    )


def test_every_key_is_listed_with_its_default() -> None:
    first, second = re.findall(r"^\| key .*default.*\n\|[-| ]+\|\n((?:\|.*\n)*)", TEXT, re.MULTILINE)
    assert first == keys(TrainingRecipe)
    assert second == keys(AugmentationRecipe)
    for key in AugmentationRecipe.model_fields:
        assert f"`augmentation.{key}=" in TEXT


def test_every_optimiser_is_listed_with_its_usual_rate_and_decay() -> None:
    assert table("name .*optimiser") == listed()
    assert names("name .*the step") == set(optimisers)


def test_every_schedule_and_average_is_explained() -> None:
    assert names("name .*the rate .*when") == set(SCHEDULES)
    assert names("name .*the average") == set(AVERAGES)


def test_every_key_that_changes_a_loss_is_explained() -> None:
    for key in (
        "loss",
        "label_smoothing",
        "focal",
        "class_weights",
        "accumulate",
        "l1",
        "l2",
        "weight_decay",
    ):
        assert f"`training.{key}" in TEXT


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    told: dict[str, float] = {}
    monkeypatch.chdir(tmp_path)
    exec(example, told)
    assert 1e-4 < told["found"].suggested < 1
