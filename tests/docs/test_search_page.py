"""The page about search says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from scipy import stats

from bioloom.evaluation.preference import ONE_STANDARD_ERROR
from bioloom.journey.lineup import FEWEST_VALIDATION, SPENT, THOROUGH, TRIALS_EACH
from bioloom.journey.search import OF_TIME
from bioloom.recipe import SearchRecipe
from bioloom.training.halving import FEWEST_STEPS, FINALISTS, KEPT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "search.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())


def test_every_key_is_listed_with_its_default() -> None:
    rows = "".join(
        f"| `{key}` | {'' if field.default is None else field.default} | {field.description} |\n"
        for key, field in SearchRecipe.model_fields.items()
    )
    found = re.search(
        r"^\| key .*\n\|[-| ]+\|\n((?:\|.*\n)*)", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert found
    assert found.group(1) == rows


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert SPENT == 0.5
    assert "at most half a training of the default" in TEXT
    assert f"these and more, {THOROUGH} in all" in TEXT
    assert THOROUGH / TRIALS_EACH == 4
    assert "about four trainings of the default" in TEXT
    assert TRIALS_EACH == 6
    assert "a training of the default for every six" in TEXT
    assert OF_TIME == 0.5
    assert f"fewer than {FEWEST_STEPS} steps" in TEXT
    assert f"fewer than {FEWEST_VALIDATION} validation records" in TEXT
    assert (KEPT, FINALISTS) == (3, 3)
    for tried, text in ((1, "1.0"), (3, "1.6"), (8, "2.1")):
        assert f"{stats.norm.isf(ONE_STANDARD_ERROR / tried):.1f}" == text
    assert "1.6 standard errors for three, 2.1 for eight" in TEXT
