"""Limits that pages for users name are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioloom.data import large
from bioloom.data.reading import blocks
from bioloom.journey.rivals import BASELINE_RECORDS
from bioloom.modalities import signal

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"

SAID = [
    ("use-your-own-data.md", f"above {blocks.LARGE >> 20} MB"),
    ("use-your-own-data.md", f"Above {large.LARGE:,} records"),
    ("use-your-own-data.md", f"at most {large.HELD_OUT:,} records each are held out"),
    ("use-your-own-data.md", f"simple models learn from {BASELINE_RECORDS:,} training records"),
    ("signals.md", f"A series has {signal.LONGEST:,} points at most"),
]


@pytest.mark.parametrize(("page", "words"), SAID)
def test_a_limit_is_that_of_the_code(page: str, words: str) -> None:
    assert words in (HOW_TO / page).read_text(encoding="utf-8")
