"""Methods: the recipe, which repeats the run, and the environment it ran in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import duration
from bioloom.report.templating import fill


def render(facts: Facts) -> Markup | None:
    """The recipe as TOML, and the environment."""
    recipe = facts.text("recipe.toml")
    environment = [
        (str(name).replace("_", " "), _value(value)) for name, value in facts.part("environment").items()
    ]
    total = facts.part("timing").get("total")
    if total is not None:
        environment.append(("time of the whole run", duration(total)))
    if recipe is None and not environment:
        return None
    return fill("repeat.html", {"recipe": (recipe or "").strip(), "environment": environment})


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


repeat = sections.register(Section("repeat", "methods", 20, "Do it again", render))
