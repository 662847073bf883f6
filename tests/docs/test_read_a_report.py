"""The how-to page on reading a report names what a report shows."""

from __future__ import annotations

import re
from pathlib import Path

import fake_runs
from bioloom.report.contract import CHAPTERS, read, sections
from bioloom.report.summary import block

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "read-a-report.md").read_text(encoding="utf-8")


def test_each_section_it_explains_exists():
    titles = {section.title for section in sections.values()}
    named = re.findall(r"^\*\*(.+?)\*\*", PAGE, flags=re.MULTILINE)
    assert len(named) >= 8
    assert set(named) <= titles


def test_it_has_a_part_for_each_chapter():
    headings = re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    assert headings[1:] == [chapter.title for chapter in CHAPTERS if chapter.name != "result"]


def test_it_explains_every_line_of_the_first_screen(tmp_path: Path):
    for fact in block(read(fake_runs.regression(tmp_path)).result).facts:
        assert f"| {fact.question} |" in PAGE
