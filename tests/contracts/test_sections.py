"""What every registered section of the report promises."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from markupsafe import Markup

import fake_runs
from bioloom.report.contract import CHAPTERS, Facts, read, sections


@pytest.fixture(scope="module", params=sorted(fake_runs.RUNS))
def facts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """The content of a made-up run folder of every kind."""
    return read(fake_runs.RUNS[request.param](tmp_path_factory.mktemp("run")))


@pytest.mark.parametrize("name", list(sections))
def test_it_stands_in_a_known_chapter_with_a_title(name: str) -> None:
    section = sections[name]
    assert section.chapter in {chapter.name for chapter in CHAPTERS}
    assert section.title[:1].isupper()
    assert name.isidentifier(), "the name is part of an address in the page"


def test_no_two_sections_of_a_chapter_claim_the_same_place() -> None:
    places = [(section.chapter, section.order) for section in sections.values()]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("chapter", [chapter.name for chapter in CHAPTERS])
def test_every_chapter_has_a_section(chapter: str) -> None:
    assert any(section.chapter == chapter for section in sections.values())


@pytest.mark.parametrize("name", list(sections))
def test_it_gives_html_or_nothing_and_only_reads(name: str, facts: Facts) -> None:
    before = _content(facts.folder), str(facts.result)
    html = sections[name].render(facts)
    assert html is None or (isinstance(html, Markup) and html.strip())
    assert html is None or "None" not in html.striptags()
    assert (_content(facts.folder), str(facts.result)) == before


@pytest.mark.parametrize("name", list(sections))
def test_its_file_says_what_it_is_for(name: str) -> None:
    module = importlib.import_module(sections[name].render.__module__)
    assert module.__doc__


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
