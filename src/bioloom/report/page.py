"""The page: every section in its chapter, in one file that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from bioloom.files import write_text
from bioloom.report import contract
from bioloom.report.contract import CHAPTERS, Chapter, Facts, Section, sections
from bioloom.report.questions import Result
from bioloom.report.summary import block, title
from bioloom.report.templating import FOLDER, fill

NAME = "report.html"


@dataclass(frozen=True)
class Filled:
    """A chapter of the page with its sections, each with its HTML."""

    chapter: Chapter
    sections: tuple[tuple[Section, Markup], ...]


def render(folder: Path) -> Path:
    """Write the report of a finished run into its folder and return its path.

    The page is one file without scripts or links to other files; it can be mailed, printed and archived.
    Raises UserError where the folder holds no complete result, or cannot be written to.
    """
    path = folder / NAME
    write_text(path, page(contract.read(folder)))
    return path


def page(facts: Facts) -> str:
    """The report as HTML."""
    chapters = [filled for chapter in CHAPTERS if (filled := _fill_chapter(chapter, facts)).sections]
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    values = {
        "title": title(facts.result),
        "result": next((each for each in chapters if each.chapter.name == "result"), None),
        "chapters": [each for each in chapters if each.chapter.name != "result"],
        "style": Markup(style),
        "version": str(facts.part("environment").get("bioloom") or facts.result.get("bioloom", "")),
    }
    return f"{fill('page.html', values)}\n"


def fragment(result: Result) -> str:
    """The result block alone, as HTML for a notebook, from the content of `result.json`."""
    return str(fill("fragment.html", {"block": block(result)}))


def _fill_chapter(chapter: Chapter, facts: Facts) -> Filled:
    inside = sorted(
        (section for section in sections.values() if section.chapter == chapter.name),
        key=lambda section: (section.order, section.name),
    )
    rendered = ((section, section.render(facts)) for section in inside)
    return Filled(chapter, tuple((section, html) for section, html in rendered if html))
