"""The page about networks says what the code does: its tables are made here and compared with it."""

from __future__ import annotations

import re
from pathlib import Path

from bioloom.models import networks
from bioloom.models.candidates import Candidate, Choice, Range
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


def differs(candidate: Candidate) -> str:
    """What a candidate changes, as a reader of the page sees it."""
    rate = {} if candidate.rate == 1 else {"learning rate": f"x {candidate.rate:g}"}
    changes = {**candidate.settings, **candidate.training, **rate}
    return ", ".join(f"{key} {shown(value)}" for key, value in changes.items()) or "nothing"


def test_every_candidate_is_listed() -> None:
    rows = [
        f"| `{name}` | {each.name} | {differs(each)} | {each.why} |\n".replace("|  |", "| |")
        for name, network in networks.items()
        for each in network.candidates
    ]
    assert table("network .*candidate") == "".join(rows)


def drawn(values: Range | Choice) -> str:
    if isinstance(values, Choice):
        return "one of " + ", ".join(map(shown, values.values))
    scale = ", evenly on a logarithmic scale" if values.log else ""
    step = {0: "", 1: ", whole numbers"}.get(values.step, f", every {values.step}")
    return f"{values.low:g} to {values.high:g}{step}{scale}"


def test_every_space_is_listed() -> None:
    rows = [
        f"| `{name}` | `{key.removeprefix('settings.')}` | {drawn(values)} |\n"
        for name, network in networks.items()
        for key, values in network.space.items()
    ]
    assert table("network .*drawn") == "".join(rows)
