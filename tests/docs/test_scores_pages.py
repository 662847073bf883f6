"""The pages on scores, checks, verdict and result.json say what the code does."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from bioloom.evaluation.checks import Finding, checks
from bioloom.evaluation.comparison import Difference
from bioloom.evaluation.conclusion import Verdict
from bioloom.evaluation.controls import Shuffle
from bioloom.evaluation.intervals import FEW_UNITS, FEWEST_UNITS, MOST_UNDEFINED, Score
from bioloom.evaluation.resampling import Resampling
from bioloom.metrics import METRICS
from bioloom.tasks import TASKS

DOCS = Path(__file__).parents[2] / "docs"
SCORES, VERDICT, CHECKS, RESULT = (
    (DOCS / page).read_text(encoding="utf-8")
    for page in (
        "explanation/scores.md",
        "explanation/verdict.md",
        "reference/checks.md",
        "reference/result.md",
    )
)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_page_explains_a_metric_in_the_words_of_the_code(name: str) -> None:
    metric = METRICS[name]
    assert f"| {metric.title} | {metric.plain} | {metric.best:g} |" in SCORES


def test_the_metrics_of_a_task_stand_in_its_order() -> None:
    tables = SCORES.split("\n## ")[1 : 1 + len(TASKS)]
    for task, table in zip(TASKS.values(), tables, strict=True):
        titles = [
            line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")
        ]
        assert titles[1:] == [METRICS[name].title for name in task.metrics]


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert f"with fewer than {FEW_UNITS} units" in SCORES
    assert FEWEST_UNITS == 5
    assert "With fewer than five groups" in SCORES
    assert f"more than {MOST_UNDEFINED:.0%}".replace("%", " %") in SCORES
    assert Resampling(20_000).made == 1000
    assert Resampling(20_100).made < 1000


def test_every_check_is_listed_with_its_question_and_advice() -> None:
    listed = {line for line in CHECKS.splitlines() if line.startswith("| `")}
    assert listed == {f"| `{check.code}` | {check.question} | {check.fix} |" for check in checks.values()}


@pytest.mark.parametrize("entry", [Score, Difference, Shuffle, Finding, Verdict])
def test_every_field_that_is_written_is_documented(entry: type) -> None:
    names = {field.name for field in fields(entry)}
    written = {"method": "interval"}  # how result.json calls it
    for name in names:
        assert f"`{written.get(name, name)}`" in RESULT


def test_the_pages_point_at_each_other() -> None:
    for page in ("../explanation/scores.md", "checks.md", "../explanation/verdict.md"):
        assert f"]({page})" in RESULT
        assert (DOCS / "reference" / page).exists()
    assert "95 %" in VERDICT
