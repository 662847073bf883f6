"""Registries: parts that find themselves, and what is said when one is not there."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from bioloom import registry
from bioloom.errors import UserError
from bioloom.registry import Registry


@dataclass(frozen=True)
class Thing:
    """The least that a part is."""

    name: str


@pytest.fixture
def things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Registry[Thing]:
    """An empty registry over a package with one module that counts how often it is imported."""
    package = f"things_{abs(hash(request.node.name))}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("imports = []\n")
    (tmp_path / package / "one.py").write_text(f"import {package}\n{package}.imports.append(1)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return Registry("thing", package, "bioloom.things")


def test_parts_come_in_the_order_of_their_names(things: Registry[Thing]) -> None:
    for name in ("pear", "apple", "fig"):
        things.register(Thing(name))
    assert list(things) == ["apple", "fig", "pear"]
    assert len(things) == 3
    assert things["fig"] == Thing("fig")
    assert "fig" in things
    assert "plum" not in things


def test_an_unknown_name_is_met_with_the_closest_and_with_all(things: Registry[Thing]) -> None:
    things.register(Thing("apple"))
    with pytest.raises(UserError, match=r'There is no thing called "aple". Did you mean "apple"\?') as caught:
        things["aple"]
    assert caught.value.fix == "use one of: apple"


def test_two_parts_cannot_share_a_name(things: Registry[Thing]) -> None:
    first = things.register(Thing("apple"))
    assert things.register(first) is first  # the same part again is no clash
    with pytest.raises(ValueError, match="two thing parts are called 'apple'"):
        things.register(Thing("apple"))


def test_the_files_of_the_package_are_imported_on_first_use_and_once(things: Registry[Thing]) -> None:
    import importlib

    package = importlib.import_module(things.package)
    assert package.imports == []
    list(things), list(things), len(things)
    assert package.imports == [1]


def entry(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Pretend that a distribution offers one part."""
    found = [EntryPoint("guest", value, "bioloom.things")]
    monkeypatch.setattr(registry, "entry_points", lambda group: found if group == "bioloom.things" else [])


def test_a_part_of_another_distribution_is_found(
    things: Registry[Thing], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry(monkeypatch, f"{__name__}:GUEST")
    assert things["guest"] is GUEST


GUEST = Thing("guest")


@pytest.mark.parametrize("value", ["nowhere:part", f"{__name__}:missing", f"{__name__}:GUEST.name.real"])
def test_a_broken_plugin_is_named(
    things: Registry[Thing], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    entry(monkeypatch, value)
    with pytest.raises(UserError, match='The thing "guest" of a plugin cannot be loaded') as caught:
        list(things)
    assert value in caught.value.where


def test_parts_may_live_in_some_folders_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("here", "elsewhere"):
        (tmp_path / "shelved" / folder).mkdir(parents=True)
        (tmp_path / "shelved" / folder / "__init__.py").touch()
    (tmp_path / "shelved" / "__init__.py").touch()
    (tmp_path / "shelved" / "elsewhere" / "large.py").write_text("raise RuntimeError('this was imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert len(Registry[Thing]("thing", "shelved", folders=("here",))) == 0
    with pytest.raises(RuntimeError, match="imported"):
        len(Registry[Thing]("thing", "shelved"))
