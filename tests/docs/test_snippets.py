"""Every command and every Python example in the documentation runs.

Blocks fenced as ```console hold lines that begin with "$ " (run, in order) and what they print (shown, not
compared). Blocks fenced as ```python are run, each by itself. All blocks of a page are run in order and share one
folder, so a page may build on the files that were made above. Trainings are shortened by settings added here.

A comment <!-- not run: REASON --> on the line before a block leaves it out, and <!-- goes on --> lets a Python block
use the names of the one before.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import bioloom
from bioloom.cli import main
from bioloom.data import datasets
from bioloom.run import Run

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("tutorials/*.md")),
    *sorted((ROOT / "docs").glob("how-to/*.md")),
]
SETTINGS = {
    "budget": "fast",
    "split.folds": 1,
    "training.epochs": 1,
    "evaluation.draws": 100,
    "explanation.records": 4,
    "explanation.methods": ["occlusion"],
    "model.network": "cnn",
}
SHORT = " ".join(f"--set '{key}={json.dumps(value)}'" for key, value in SETTINGS.items())
BLOCK = re.compile(
    r"(?:<!--\s*(?P<note>.*?)\s*-->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    skip: why it is not run; empty where it is
    goes_on: whether it uses the names of the Python block before
    """

    language: str
    text: str
    line: int
    skip: str = ""
    goes_on: bool = False


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that say in which language they are."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        note = match["note"] or ""
        skip = note.removeprefix("not run:").strip() if note.startswith("not run:") else ""
        line = text.count("\n", 0, match.start("text"))
        found.append(Block(match["language"], match["text"], line, skip, note == "goes on"))
    return found


def commands(block: Block) -> list[str]:
    """The commands of a console block; a backslash carries a command on."""
    joined = block.text.replace("\\\n", " ")
    return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]


def shortened(command: str) -> str:
    """The same command with settings that keep a training short."""
    return (
        f"{command} {SHORT}"
        if command.startswith("bioloom train") and "--dry-run" not in command
        else command
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_run_or_says_why_not(page: Path) -> None:
    unknown = [
        block for block in blocks(page) if block.language not in ("console", "python", "toml", "text", "json")
    ]
    assert not unknown, "a block needs a language: console, python, toml, json or text"


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in, data sets of at most 600 records, and trainings of one epoch."""
    whole, train = datasets.path, bioloom.train

    def beginning(name: str) -> Path:
        file = tmp_path.parent / f"{tmp_path.name}-{name}.csv"
        pd.read_csv(whole(name), dtype=str).head(600).to_csv(file, index=False)
        return file

    def quickly(*arguments: Any, settings: Mapping[str, Any] | None = None, **words: Any) -> Run:
        return train(*arguments, settings={**SETTINGS, **(settings or {})}, **words)

    monkeypatch.setattr(datasets, "path", beginning)
    monkeypatch.setattr(bioloom, "train", quickly)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_snippet_of_a_page_runs(page: Path) -> None:
    names: dict[str, Any] = {}
    for block in blocks(page):
        if block.skip:
            continue
        if block.language == "console":
            for command in commands(block):
                run(shortened(command), f"{page.name}, line {block.line}")
        elif block.language == "python":
            names = names if block.goes_on else {}
            exec(compile(block.text, f"{page.name}, line {block.line}", "exec"), names)


def run(command: str, where: str) -> None:
    """Run a command as a user would; bioloom itself without starting another Python."""
    if command.startswith("bioloom "):
        code, said = main(shlex.split(command)[1:]), ""
    else:
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        code, said = done.returncode, done.stdout + done.stderr
    assert code == 0, f"{where}\n$ {command}\n{said}"


def test_links_between_pages_lead_somewhere() -> None:
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken
