"""The habits that a machine can check, as part of the suite: what `make check` does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def run(*words: str) -> None:
    """Run a tool of the environment; its words are the message of a failure."""
    done = subprocess.run(
        [str(BIN / words[0]), *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_is_formatted() -> None:
    run("ruff", "format", "--check", ".")


def test_the_linter_has_nothing_to_say() -> None:
    run("ruff", "check", ".")


def test_all_types_are_right() -> None:
    run("mypy")


def test_a_module_imports_only_from_below() -> None:
    run("lint-imports")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_a_file_stays_within_four_hundred_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_no_file_names_a_place_of_one_machine_or_a_registry() -> None:
    """Paths below a home folder and addresses of package registries do not belong into a project."""
    places = "|".join(
        ("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/[a-z]", r"pypi\." + "org", r"pytho" + "nhosted")
    )
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = []
    for name in kept.splitlines():
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".txt", ".html", ".css", "") and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{name}: {match}" for match in re.findall(places, text)]
    assert not found
