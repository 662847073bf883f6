"""What `import bioloom` offers."""

from __future__ import annotations

import importlib
import inspect
from importlib.metadata import version

import pytest

import bioloom
from bioloom.cli import options
from bioloom.cli import train as train_command


def test_there_are_at_most_twenty_public_names() -> None:
    assert len(bioloom.__all__) == len(set(bioloom.__all__)) <= 20


@pytest.mark.parametrize("name", bioloom.__all__)
def test_every_public_name_can_be_had_and_explains_itself(name: str) -> None:
    value = getattr(bioloom, name)
    assert name.startswith("__") or inspect.getdoc(value)


def test_a_star_import_brings_exactly_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from bioloom import *", names)
    assert set(names) - {"__builtins__"} == set(bioloom.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        bioloom.trian  # noqa: B018


def test_no_public_function_is_hidden_by_a_module_of_the_same_name() -> None:
    for name in bioloom.__all__:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"bioloom.{name}")


def test_the_version_is_the_one_that_was_installed() -> None:
    assert bioloom.__version__ == version("bioloom")


def test_python_and_the_command_line_use_the_same_words() -> None:
    options_of_python = set(inspect.signature(bioloom.train).parameters) - {"source"}
    options_of_command = set(inspect.signature(train_command.command).parameters) - {
        "files",
        "json",
        "dry_run",
    }
    assert options_of_python == options_of_command
    assert options.Budget  # the choices of the command line are those of the recipe
    recipe = bioloom.Recipe.model_json_schema()["properties"]
    assert [each.value for each in options.Budget] == recipe["budget"]["enum"]
    assert [each.value for each in options.Device] == recipe["device"]["enum"]
