"""Filling templates: every value is escaped, an unknown name is a mistake, and numbers are written one way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bioloom.report import numbers, words

FOLDER = Path(__file__).with_name("templates")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": numbers.count,
        "duration": numbers.duration,
        "number": numbers.number,
        "sentence": words.sentence,
        "short": numbers.short,
        "typeset": typeset,
    }
    return environment


def fill(template: str, values: Mapping[str, Any]) -> Markup:
    """Fill a template of the report with values, all of them escaped."""
    return Markup(_environment().get_template(template).render(values).strip())


def typeset(text: str) -> str:
    """Numbers as print has them: a true minus sign, and no line break before a percent sign."""
    return re.sub(r"(?<!\w)-(?=\d)", "−", text).replace(" %", "\u00a0%")
