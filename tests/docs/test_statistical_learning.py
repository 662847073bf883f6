"""The example of the page on statistical learning prints what its comments say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "statistical-learning.md"


def test_every_line_prints_the_number_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    exec(compile(example, PAGE.name, "exec"), {})
    stated = re.findall(r"^print\(.*\)  # (.*)$", example, re.MULTILINE)
    assert stated
    assert capsys.readouterr().out.splitlines() == stated
