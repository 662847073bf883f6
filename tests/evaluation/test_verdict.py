"""The verdict on a table of constructed situations."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bioloom.evaluation import verdict as verdicts
from bioloom.evaluation.checks import run_checks
from bioloom.evaluation.comparison import Difference
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.verdict import Verdict, decimals, verdict
from situations import CLEAN, classes, few, numbers, shuffled, with_difference, with_score

SOUND = numbers()


def judged(facts: Facts) -> Verdict:
    return verdict(facts, run_checks(facts))


def against(simple: tuple[float, float], nearest: tuple[float, float]) -> Facts:
    return with_difference(with_difference(SOUND, "simple", *simple), "nearest", *nearest)


def no_better_than_guessing(facts: Facts) -> Facts:
    for role in ("model", "simple", "nearest"):
        facts = with_score(facts, role, 0.05, -0.1, 0.2)
    return facts


AHEAD, EVEN, BEHIND = (0.04, 0.08), (-0.01, 0.03), (-0.09, -0.03)

TABLE = {
    "beats both": (against(AHEAD, (0.2, 0.3)), "network_wins"),
    "beats both, classes": (classes(3), "network_wins"),
    "the simple model is as good": (against(EVEN, AHEAD), "simple_as_good"),
    "the interval starts at zero": (against((0.0, 0.05), AHEAD), "simple_as_good"),
    "the simple model is better": (against(BEHIND, AHEAD), "simple_better"),
    "the simple model is better, the nearest record as good": (against(BEHIND, EVEN), "simple_better"),
    "the nearest record is as good": (against(AHEAD, EVEN), "neighbour_as_good"),
    "the nearest record is better": (against(EVEN, BEHIND), "neighbour_as_good"),
    "both are as good, the nearest record more so": (against((-0.01, 0.05), (-0.02, 0.03)), "neighbour_as_good"),
    "nothing beats guessing": (no_better_than_guessing(SOUND), "no_signal"),
    "only the simple model beats guessing": (
        with_score(against(EVEN, EVEN), "model", 0.1, -0.05, 0.25), "simple_as_good",
    ),
    "beats bad baselines but not guessing": (with_score(SOUND, "model", 0.1, -0.05, 0.25), "no_signal"),
    "copies in the test": (replace(SOUND, leakage=CLEAN | {"exact_copies": 40}), "leaky_test"),
    "shuffled labels are learned": (replace(SOUND, shuffle=shuffled(0.6, False)), "leaky_test"),
    "twenty test records": (few(20), "too_few"),
    "no interval of the difference": (with_difference(SOUND, "simple", None, None), "too_few"),
    "undefined": (with_score(SOUND, "model", None, None, None), "undefined"),
    "undefined comes before leaky": (
        with_score(replace(SOUND, leakage=CLEAN | {"exact_copies": 40}), "model", None, None, None), "undefined",
    ),
    "few comes before leaky": (replace(few(20), leakage=CLEAN | {"exact_copies": 10}), "too_few"),
    "leaky comes before no signal": (
        no_better_than_guessing(replace(SOUND, leakage=CLEAN | {"exact_copies": 40})), "leaky_test",
    ),
    "no baselines": (replace(SOUND, comparison=()), "network_wins"),
}  # fmt: skip


@pytest.mark.parametrize("situation", TABLE)
def test_a_situation_has_its_verdict(situation: str) -> None:
    facts, code = TABLE[situation]
    assert judged(facts).code == code


@pytest.mark.parametrize("situation", TABLE)
def test_a_verdict_is_one_sentence_and_a_next_step(situation: str) -> None:
    found = judged(TABLE[situation][0])
    for text in (found.text, found.next):
        assert text.endswith(".")
        assert text[0].isupper()
        assert ". " not in text.replace("--set split.test=0.3", "")
        assert "None" not in text
        assert "nan" not in text.lower().split()
    json.dumps(found.to_json(), allow_nan=False)


def test_the_sentence_holds_the_difference_its_interval_the_metric_and_the_records() -> None:
    facts = with_difference(
        replace(SOUND, titles={"simple": "a ridge model on k-mers"}), "simple", 0.04, 0.08
    )
    assert judged(facts).text == (
        "The network beats a ridge model on k-mers by 0.06 (0.04 to 0.08) in Spearman correlation "
        "on 150 test records with no copy in training."
    )


def test_a_better_simple_model_is_named_with_a_positive_difference_and_preferred() -> None:
    found = judged(against(BEHIND, AHEAD))
    assert found.text.startswith("Ridge regression on k-mers beats the network by 0.06 (0.03 to 0.09)")
    assert found.prefer == "simple"
    assert judged(SOUND).prefer == "model"


def test_a_win_is_never_claimed_where_an_interval_includes_zero() -> None:
    random = np.random.default_rng(0)
    for _ in range(300):
        simple, nearest = (tuple(sorted(random.normal(0.02, 0.05, 2))) for _ in range(2))
        found = verdict(against(simple, nearest), ())
        assert (found.code == "network_wins") == (simple[0] > 0 and nearest[0] > 0)


def test_an_interval_is_never_rounded_onto_zero() -> None:
    facts = with_difference(SOUND, "simple", 0.0004, 0.02)
    assert "(0.0004 to 0.0200)" in judged(facts).text
    assert decimals(0.04, 0.08) == 2
    assert decimals(-0.001, 0.2) == 3
    assert decimals(0.0, 0.0) == 2
    assert decimals(1e-9, 2e-9) == 6


def test_copies_that_are_too_few_to_spoil_the_test_are_still_named() -> None:
    one = judged(replace(SOUND, leakage=CLEAN | {"exact_copies": 1})).text
    assert one.endswith("on 150 test records, 1 of them a copy of training records.")
    near = judged(replace(SOUND, leakage=CLEAN | {"near_copies": 150})).text
    assert near.endswith("on 150 test records, all nearly the same as training records.")
    assert judged(replace(SOUND, leakage={})).text.endswith("on 150 test records.")


def test_a_constant_baseline_is_beaten_by_beating_guessing() -> None:
    constant = Difference("r2", "simple", -0.2, -0.3, -0.1)
    rest = tuple(entry for entry in SOUND.comparison if entry.against != "simple")
    assert judged(replace(SOUND, comparison=(constant, *rest))).code == "network_wins"


def test_every_code_of_the_table_is_documented_and_reached() -> None:
    reached = {judged(facts).code for facts, _ in TABLE.values()}
    assert verdicts.__doc__ is not None
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "verdict.md").read_text()
    for code in reached:
        assert f"| {code} " in verdicts.__doc__
        assert f"`{code}`" in page
    rows = [line.split("|")[1].strip() for line in verdicts.__doc__.splitlines() if line.startswith("| ")]
    assert set(rows) - {"code"} == reached
