"""What every check promises: it fires where something is wrong, is quiet where nothing is, and says what to do."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bioloom.evaluation.checks import SEVERITIES, checks, run_checks
from situations import Pair, classes, numbers, situations

PAIRS = situations()
FAMILIES = {"leak", "skill", "data", "training", "calibration", "folds"}


def test_there_are_as_many_checks_as_promised() -> None:
    assert len(checks) >= 33


def test_every_check_has_a_situation_and_every_situation_a_check() -> None:
    assert set(PAIRS) == set(checks)


@pytest.mark.parametrize("code", sorted(PAIRS))
def test_a_check_fires_where_something_is_wrong(code: str) -> None:
    answer = checks[code].look(PAIRS[code].fires)
    assert answer is not None
    assert answer.severity in ("problem", "warning", "note")


@pytest.mark.parametrize("code", sorted(PAIRS))
def test_a_check_is_quiet_where_nothing_is_wrong(code: str) -> None:
    answer = checks[code].look(PAIRS[code].quiet)
    assert answer is not None
    assert answer.severity == "ok"


@pytest.mark.parametrize("code", sorted(PAIRS))
def test_a_check_asks_a_question_and_knows_what_to_do(code: str) -> None:
    entry = checks[code]
    assert code.split(".", maxsplit=1)[0] in FAMILIES
    assert entry.question.endswith("?")
    assert entry.fix
    assert entry.fix[0].islower()
    assert not entry.fix.endswith(".")


def answers(pair: Pair) -> list[str]:
    return [finding.answer for facts in (pair.fires, pair.quiet) for finding in run_checks(facts)]


@pytest.mark.parametrize("code", sorted(PAIRS))
def test_answers_are_sentences_and_findings_are_json(code: str) -> None:
    for answer in answers(PAIRS[code]):
        assert answer.endswith(".")
        assert answer[0].isupper() or answer[0].isdigit() or answer.startswith("under")
        assert "nan" not in answer.split()
        assert "None" not in answer
    for finding in run_checks(PAIRS[code].fires):
        json.dumps(finding.to_json(), allow_nan=False)


def test_the_worst_findings_come_first_and_only_they_carry_advice() -> None:
    findings = run_checks(PAIRS["leak.exact_copies"].fires)
    order = [SEVERITIES.index(finding.severity) for finding in findings]
    assert order == sorted(order)
    assert findings[0].code == "leak.exact_copies"
    assert all((finding.fix == "") == (finding.severity == "ok") for finding in findings)


@pytest.mark.parametrize(
    "facts", [numbers(), classes(2), classes(4)], ids=["regression", "binary", "multiclass"]
)
def test_nothing_is_wrong_with_a_sound_run(facts: object) -> None:
    assert {finding.severity for finding in run_checks(facts)} <= {"ok", "note"}  # type: ignore[arg-type]


def test_a_check_without_facts_does_not_answer() -> None:
    bare = replace(
        numbers(), leakage={}, groups=None, shuffle=None, ids=None, comparison=(), train_score=None,
        inputs=pd.DataFrame(), columns=pd.DataFrame(), properties={},
    )  # fmt: skip
    answered = {finding.code for finding in run_checks(bare)}
    assert answered == {
        "data.dropped",
        "data.few_test_records",
        "data.missing_targets",
        "data.outliers",
        "skill.guessing",
        "training.constant",
    }


def test_a_sorted_file_is_told_from_telling_names() -> None:
    target = pd.Series(numbers().truth[:, 0])
    order = target.sort_values().index.to_numpy()
    ordered = replace(numbers(), truth=numbers().truth[order], part=numbers().part[order])
    rows = replace(ordered, ids=np.arange(len(order)).astype(object))
    named = replace(
        numbers(), ids=np.array([f"rec_{rank}" for rank in target.rank().astype(int)], dtype=object)
    )
    sorted_file, telling = checks["leak.ids"].look(rows), checks["leak.ids"].look(named)
    assert sorted_file is not None
    assert telling is not None
    assert sorted_file.text.startswith("The order of the records in the file predicts the target")
    assert telling.text.startswith("The number in the ids predicts the target")
