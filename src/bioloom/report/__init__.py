"""The page of a run: one self-contained HTML file, and the result block that terminal and notebook share.

contract    Section, the registry of sections, Facts: the content of a run folder
page        run folder -> report.html
summary     result.json -> the result block as text
methods     result.json -> a methods paragraph ready to paste
sections/   one file per part of a chapter
"""

from __future__ import annotations

from bioloom.report.contract import CHAPTERS, Chapter, Facts, Section, sections
from bioloom.report.page import fragment, render

__all__ = ["CHAPTERS", "Chapter", "Facts", "Section", "fragment", "render", "sections"]
