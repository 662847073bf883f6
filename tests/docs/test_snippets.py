"""Every command and every Python example in the documentation runs.

Blocks fenced as ```console hold lines that begin with "$ " (run, in order) and what they print (shown, not
compared). Blocks fenced as ```python are run, each by itself. All blocks of a page are run in order and share one
folder, so a page may build on the files that were made above. Trainings are shortened by settings added here.

A comment <!-- not run: REASON --> on the line before a block leaves it out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("tutorials/*.md")),
    *sorted((ROOT / "docs").glob("how-to/*.md")),
]
SETTINGS = {
    "budget": "fast",
    "training.epochs": 1,
    "evaluation.draws": 100,
    "explanation.records": 4,
    "model.network": "cnn",
}
SHORT = " ".join(f"--set {key}={value}" for key, value in SETTINGS.items())
BLOCK = re.compile(
    r"(?:<!--\s*(?P<note>.*?)\s*-->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    skip: why it is not run; empty where it is
    """

    language: str
    text: str
    line: int
    skip: str = ""


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that say in which language they are."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        note = match["note"] or ""
        skip = note.removeprefix("not run:").strip() if note.startswith("not run:") else ""
        line = text.count("\n", 0, match.start("text"))
        found.append(Block(match["language"], match["text"], line, skip))
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


def environment() -> dict[str, str]:
    """The environment of a user who has activated `.venv`."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_run_or_says_why_not(page: Path) -> None:
    unknown = [
        block for block in blocks(page) if block.language not in ("console", "python", "toml", "text", "json")
    ]
    assert not unknown, "a block needs a language: console, python, toml, json or text"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_snippet_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        where = f"{page.name}, line {block.line}"
        if block.skip:
            continue
        if block.language == "console":
            for command in commands(block):
                run(shortened(command), tmp_path, where)
        elif block.language == "python":
            script = tmp_path / "snippet.py"
            script.write_text(QUICKLY + block.text, encoding="utf-8")
            run(f'"{sys.executable}" snippet.py', tmp_path, where)


QUICKLY = f"""
import bioloom
train = bioloom.train
bioloom.train = lambda *a, settings=None, **k: train(*a, **k, settings={{**{SETTINGS}, **(settings or {{}})}})
"""


def run(command: str, folder: Path, where: str) -> None:
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, f"{where}\n$ {command}\n{done.stdout}\n{done.stderr}"


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
