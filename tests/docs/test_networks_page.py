"""The page about networks says what the code does: its tables are made here and compared with it."""

from __future__ import annotations

import re
from pathlib import Path

from bioloom.models import networks
from bioloom.training.plan import BATCH_SIZES, PASSES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "networks.md"


def table(start: str) -> str:
    """The rows below a header that starts with these words."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^\| {start}.*\n\|[-| ]+\|\n((?:\|.*\n)*)", text, re.MULTILINE)
    assert found, f"a table that starts with {start!r}"
    return found.group(1)


def shown(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    return "{}" if value == {} else str(value)


def test_every_network_is_listed() -> None:
    rows = []
    for name, network in networks.items():
        takes = "several, of any kind" if network.several else ", ".join(sorted(network.accepts))
        rows.append(f"| `{name}` | {network.title} | {takes} |\n")
    assert table("network .*reads") == "".join(rows)


def test_every_setting_is_listed_with_its_default() -> None:
    rows = [
        f"| `{name}` | `{key}` | {shown(field.get_default(call_default_factory=True))} | {field.description} |\n"
        for name, network in networks.items()
        for key, field in network.Settings.model_fields.items()
    ]
    assert table("network .*setting") == "".join(rows)


def test_the_rules_of_the_plan_are_listed() -> None:
    sizes = [f"| fewer than {below:,} | {size} |\n" for below, size in BATCH_SIZES]
    assert table("training records") == "".join([*sizes, "| more | 512 |\n"])
    passes = [
        f"| {budget} | {total:,} | {least} | {most} |\n" for budget, (total, least, most) in PASSES.items()
    ]
    assert table("budget") == "".join(passes)
