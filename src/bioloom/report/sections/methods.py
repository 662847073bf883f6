"""Methods: a paragraph to paste into a manuscript."""

from __future__ import annotations

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.methods import paragraph
from bioloom.report.templating import fill


def render(facts: Facts) -> Markup:
    """The methods paragraph."""
    return fill("methods.html", {"paragraph": paragraph(facts.result)})


methods = sections.register(Section("methods", "methods", 10, "Methods paragraph, ready to paste", render))
