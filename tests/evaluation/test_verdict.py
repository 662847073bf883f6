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
from bioloom.evaluation.conclusion import Verdict
from bioloom.evaluation.curve import Curve, Doubling, Trained, learning_curve
from bioloom.evaluation.evidence import Evidence
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.folds import without_refused
from bioloom.evaluation.intervals import Score, decimals
from bioloom.evaluation.verdict import verdict
from situations import (
    CLEAN,
    FLAT,
    STEEP,
    ceiling,
    classes,
    few,
    numbers,
    over_folds,
    scored,
    shuffled,
    with_difference,
    with_score,
)

SOUND = numbers()


def judged(facts: Facts) -> Verdict:
    return verdict(facts, run_checks(facts))


def against(
    simple: tuple[float, float], nearest: tuple[float, float], boosting: tuple[float, float] = (0.3, 0.4)
) -> Facts:
    facts = with_difference(with_difference(SOUND, "simple", *simple), "nearest", *nearest)
    return with_difference(facts, "boosting", *boosting)


def guesses(facts: Facts, *roles: str) -> Facts:
    """The same run, in which these models are not better than guessing for sure."""
    for role in roles:
        facts = with_score(facts, role, 0.05, -0.1, 0.2)
    return facts


def learning(facts: Facts, curve: Curve) -> Facts:
    return replace(facts, evidence=replace(facts.evidence, curve=curve))


def by_error(facts: Facts) -> Facts:
    """A run decided by the root mean squared error, where less is better; guessing gives about 2."""
    task = replace(facts.task, metrics=("rmse", "r2"))
    compared = tuple(
        Difference("rmse", entry.against, *map(abs, (entry.difference or 0, entry.low or 0, entry.high or 0)))
        for entry in facts.comparison
    )
    scores = {
        role: {"rmse": Score(value, value - 0.1, value + 0.1, facts.tested, "made up")}
        for role, value in {"model": 1.0, "simple": 1.5, "boosting": 1.5, "nearest": 1.6}.items()
    }
    return replace(facts, task=task, comparison=compared, scores=scores)


def alone(facts: Facts) -> Facts:
    """Leave-one-out: metrics that rank are refused, R2 decides."""
    compared = tuple(replace(entry, metric="r2") for entry in facts.comparison)
    return replace(facts, task=without_refused(facts.task), comparison=compared, split="leave-one-out")


def undecided(facts: Facts, role: str, low: float, high: float) -> Facts:
    return with_difference(facts, role, low, high)


AHEAD, EVEN, BEHIND = (0.04, 0.08), (-0.01, 0.03), (-0.09, -0.03)
ALL = ("model", "simple", "boosting", "nearest")
LEAKY = replace(SOUND, leakage=CLEAN | {"exact_copies": 40})
BINARY, SEVERAL = classes(2), classes(4)
FOLDS = replace(SOUND, evidence=Evidence(folds=over_folds(0.8, 0.8, 0.7, 0.8)))
TOO_GOOD = replace(SOUND, evidence=Evidence(ceiling=ceiling(SOUND, 3.0)))
FEW_FAMILIES = with_difference(replace(SOUND, units="4 families", independent=4), "simple", None, None)

TABLE = {
    "beats all": (against(AHEAD, (0.2, 0.3)), "network_wins", "model"),
    "beats all, two classes": (BINARY, "network_wins", "model"),
    "beats all, several classes": (SEVERAL, "network_wins", "model"),
    "beats all, folds": (FOLDS, "network_wins", "model"),
    "beats all, groups": (replace(SOUND, units="40 groups", independent=40), "network_wins", "model"),
    "beats all, less is better": (by_error(SOUND), "network_wins", "model"),
    "beats all, leave-one-out": (alone(SOUND), "network_wins", "model"),
    "beats all, steep curve": (learning(SOUND, STEEP), "network_wins", "model"),
    "beats all, flat curve": (learning(SOUND, FLAT), "network_wins", "model"),
    "beats all, better than its noise": (TOO_GOOD, "network_wins", "model"),
    "beats all, but not random weights": (undecided(SOUND, "untrained", -0.1, 0.1), "network_wins", "model"),
    "the simple model is as good": (against(EVEN, AHEAD), "simple_as_good", "simple"),
    "the simple model is as good, steep curve": (learning(against(EVEN, AHEAD), STEEP), "simple_as_good", "simple"),
    "the simple model is as good, flat curve": (learning(against(EVEN, AHEAD), FLAT), "simple_as_good", "simple"),
    "the simple model is as good, two classes": (
        with_difference(BINARY, "simple", *EVEN), "simple_as_good", "model",  # it is not better than guessing
    ),
    "the interval starts at zero": (against((0.0, 0.05), AHEAD), "simple_as_good", "simple"),
    "boosting is as good": (against(AHEAD, AHEAD, EVEN), "simple_as_good", "boosting"),
    "boosting is as good, several classes": (
        with_score(with_difference(SEVERAL, "boosting", *EVEN), "boosting", 0.8, 0.7, 0.9), "simple_as_good", "boosting",
    ),
    "boosting is better": (against(AHEAD, AHEAD, BEHIND), "simple_better", "boosting"),
    "boosting is better, the simple model as good": (against(EVEN, AHEAD, BEHIND), "simple_better", "boosting"),
    "both are better, boosting more so": (against(BEHIND, AHEAD, (-0.2, -0.1)), "simple_better", "boosting"),
    "both are equally good": (against(EVEN, AHEAD, EVEN), "simple_as_good", "simple"),
    "boosting is as good, but not better than guessing": (
        guesses(against(AHEAD, AHEAD, EVEN), "boosting"), "simple_as_good", "model",
    ),
    "boosting ahead, but only the simple model better than guessing": (
        guesses(against(EVEN, AHEAD, (-0.02, 0.03)), "boosting", "model"), "simple_as_good", "simple",
    ),
    "the simple model is better": (against(BEHIND, AHEAD), "simple_better", "simple"),
    "the simple model is better, steep curve": (learning(against(BEHIND, AHEAD), STEEP), "simple_better", "simple"),
    "the simple model is better, flat curve": (learning(against(BEHIND, AHEAD), FLAT), "simple_better", "simple"),
    "the simple model is better, the nearest record as good": (against(BEHIND, EVEN), "simple_better", "simple"),
    "the simple model is better, and better than its noise": (
        with_difference(TOO_GOOD, "simple", *BEHIND), "simple_better", "simple",
    ),
    "the nearest record is as good": (against(AHEAD, EVEN), "neighbour_as_good", "model"),
    "the nearest record is as good in new families": (
        replace(against(AHEAD, EVEN), split="similarity"), "neighbour_as_good", "model",
    ),
    "the nearest record is better": (against(EVEN, BEHIND), "neighbour_as_good", "nearest"),
    "both are as good, the nearest record more so": (
        against((-0.01, 0.05), (-0.02, 0.03)), "neighbour_as_good", "simple",
    ),
    "nothing beats guessing": (guesses(SOUND, *ALL), "no_signal", "model"),
    "nothing beats guessing, noise only": (
        replace(guesses(SOUND, *ALL), evidence=Evidence(ceiling=replace(ceiling(SOUND, 9.0), r2=0.0, excess_low=None))),
        "no_signal", "model",
    ),
    "only the simple model beats guessing": (guesses(against(EVEN, EVEN), "model"), "simple_as_good", "simple"),
    "only a beaten baseline beats guessing": (
        guesses(against(EVEN, AHEAD), "model", "simple", "boosting"), "no_signal", "model",
    ),
    "beats bad baselines but not guessing": (with_score(SOUND, "model", 0.1, -0.05, 0.25), "no_signal", "model"),
    "copies in the test": (LEAKY, "leaky_test", "model"),
    "copies in the test, better than its noise": (
        replace(TOO_GOOD, leakage=LEAKY.leakage), "leaky_test", "model",
    ),
    "shuffled labels are learned": (replace(SOUND, shuffle=shuffled(0.6, False)), "leaky_test", "model"),
    "twenty test records": (few(20), "too_few", "simple"),
    "twenty test records chosen by a column": (replace(few(20), split="column"), "too_few", "simple"),
    "twenty records in folds": (replace(few(20), evidence=FOLDS.evidence), "too_few", "simple"),
    "no interval of the difference": (with_difference(SOUND, "simple", None, None), "too_few", "simple"),
    "four families": (FEW_FAMILIES, "too_few", "simple"),
    "undefined": (with_score(SOUND, "model", None, None, None), "undefined", "model"),
    "undefined comes before leaky": (with_score(LEAKY, "model", None, None, None), "undefined", "model"),
    "few comes before leaky": (replace(few(20), leakage=CLEAN | {"exact_copies": 10}), "too_few", "simple"),
    "leaky comes before no signal": (guesses(LEAKY, *ALL), "leaky_test", "model"),
    "no baselines": (replace(SOUND, comparison=()), "network_wins", "model"),
}  # fmt: skip


@pytest.mark.parametrize("situation", TABLE)
def test_a_situation_has_its_verdict(situation: str) -> None:
    facts, code, prefer = TABLE[situation]
    found = judged(facts)
    assert (found.code, found.prefer) == (code, prefer)


@pytest.mark.parametrize("situation", TABLE)
def test_a_verdict_offers_what_it_says_predict_offers(situation: str) -> None:
    found = judged(TABLE[situation][0])
    offered = "predict offers" in found.next and "Predict offers the network" not in found.next
    assert offered == (found.prefer != "model")


@pytest.mark.parametrize("asked", ["model", "simple", "boosting", "nearest"])
@pytest.mark.parametrize("situation", TABLE)
def test_a_recipe_that_names_who_predicts_is_not_contradicted(situation: str, asked: str) -> None:
    facts = TABLE[situation][0]
    findings = run_checks(facts)
    found, usual = verdict(facts, findings, asked), verdict(facts, findings)
    assert (found.code, found.prefer, found.text) == (usual.code, usual.prefer, usual.text)
    if asked == usual.prefer:
        assert found == usual
    else:
        assert "predict offers" not in found.next.lower()
        assert found.next.endswith(f"; predict uses {facts.title(asked)}, as the recipe asks.")


@pytest.mark.parametrize("situation", TABLE)
def test_a_verdict_is_one_sentence_and_a_next_step(situation: str) -> None:
    found = judged(TABLE[situation][0])
    for text in (found.text, found.next):
        assert text.endswith(".")
        assert text[0].isupper()
        assert ". " not in text
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


def at_random(random: np.random.Generator) -> Facts:
    """Any outcome against any of the rivals, any of which may be missing, undefined or no better than guessing."""
    facts = replace(SOUND, comparison=())
    for role in ("simple", "boosting", "nearest"):
        low, high = sorted(random.normal(0.03, 0.05, 2))
        what = random.choice(["open", "missing", "undefined"], p=[0.8, 0.15, 0.05])
        if what != "missing":
            facts = with_difference(facts, role, *((low, high) if what == "open" else (None, None)))
    facts = guesses(facts, *(role for role in ALL if random.random() < 0.2))
    return learning(facts, STEEP if random.random() < 0.5 else FLAT)


def test_a_win_is_never_claimed_where_an_interval_includes_zero() -> None:
    random = np.random.default_rng(0)
    for _ in range(2000):
        facts = at_random(random)
        found, rivals = verdict(facts, ()), facts.comparison
        sure = all(entry.low is not None and entry.low > 0 for entry in rivals)
        assert (found.code == "network_wins") == (sure and facts.beats_guessing())
        assert not found.text.startswith("The network beats") or sure
        assert (" beats the network" in found.text) <= any(
            entry.high is not None and entry.high < 0 for entry in rivals
        )


def test_what_is_preferred_was_not_beaten_and_knows_something() -> None:
    random = np.random.default_rng(1)
    for _ in range(2000):
        facts = at_random(random)
        found = verdict(facts, ())
        prefer, difference = found.prefer, facts.difference(found.prefer)
        if prefer == "model":
            continue
        assert difference is None or not difference.wins
        if found.code == "too_few":  # nothing is known for sure; the simple model is the safer guess
            continue
        assert difference is not None
        assert facts.beats_guessing(prefer) or (difference.loses and facts.beats_guessing())


def test_twice_the_data_ends_the_sentence_only_where_the_curve_can_say() -> None:
    assert judged(learning(SOUND, STEEP)).text.endswith(
        "with no copy in training; twice the data would add about 0.04."
    )
    assert judged(learning(SOUND, FLAT)).text.endswith("; twice the data would add little.")
    told = Doubling(0.01, 0.0, 0.1)
    assert judged(learning(SOUND, replace(STEEP, doubling=told))).text.endswith("with no copy in training.")
    ahead = judged(learning(against(BEHIND, AHEAD), STEEP)).next
    assert ahead.endswith("; twice the data would add only about 0.04 to the network.")


def test_a_score_above_the_noise_is_asked_about_before_anything_else() -> None:
    for name, (facts, _, _) in TABLE.items():
        first = judged(facts).next.startswith("First find out how the target was made")
        assert first == ("better than its noise" in name)


@pytest.mark.parametrize(
    ("split", "folds", "asked"),
    [("random", False, True), ("similarity", False, True), ("column", False, False), ("time", False, False),
     ("chromosome", False, False), ("mutation", False, False), ("random", True, False)],
)  # fmt: skip
def test_a_larger_test_is_asked_for_only_where_one_can_be_had(split: str, folds: bool, asked: bool) -> None:
    facts = replace(few(20), split=split, evidence=FOLDS.evidence if folds else Evidence())
    fixes = [finding.fix for finding in run_checks(facts) if finding.code == "data.few_test_records"]
    for text in (judged(facts).next, *fixes):
        assert ("split.test" in text) == asked


def test_the_gain_in_an_error_is_told_as_a_loss_of_error() -> None:
    error = learning_curve(
        "rmse", [Trained(n, 2 * n**-0.3, np.full(50, 2 * n**-0.3)) for n in (50, 100, 200, 400)]
    )
    assert "; twice the data would take about 0.06 off the " in judged(learning(by_error(SOUND), error)).text


def test_what_says_most_about_a_winner_is_read_first() -> None:
    facts = undecided(replace(SOUND, units="7 families", independent=7), "properties", -0.01, 0.02)
    assert judged(facts).next.startswith(
        "Before you use the network, read the 2 warnings of the checks, first of all: Perhaps: compared with length"
    )


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
    reached = {judged(facts).code for facts, _, _ in TABLE.values()}
    assert verdicts.__doc__ is not None
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "verdict.md").read_text()
    for code in reached:
        assert f"| {code} " in verdicts.__doc__
        assert f"`{code}`" in page
    rows = [line.split("|")[1].strip() for line in verdicts.__doc__.splitlines() if line.startswith("| ")]
    assert set(rows) - {"code"} == reached


def stretching(noise: float) -> Facts:
    """A simple model that ranks the records, and whose differences between them are eight times as large as measured."""
    random = np.random.default_rng(3)
    wide = 10 + 8 * (SOUND.truth - 10 + random.normal(0, noise, SOUND.truth.shape))
    return scored(SOUND, {"simple": wide, "trivial": np.full_like(SOUND.truth, 10)})


@pytest.mark.parametrize(("noise", "code"), [(1.0, "simple_as_good"), (0.1, "simple_better")])
def test_a_simple_model_that_ranks_well_and_whose_numbers_lie_far_off_is_not_offered(
    noise: float, code: str
) -> None:
    facts = stretching(noise)
    found = judged(facts)
    assert found.code == code
    assert found.prefer == "model"
    assert "lie far off: R² is -" in found.text
    assert "worse than guessing" in found.text
    assert "Use the network for numbers, which is what predict offers" in found.next
    asked = verdict(facts, run_checks(facts), asked="simple")
    assert "which is what predict offers" not in asked.next


def test_a_simple_model_with_usable_numbers_is_offered_as_before() -> None:
    random = np.random.default_rng(3)
    like = SOUND.truth + random.normal(0, 1.0, SOUND.truth.shape)
    found = judged(scored(SOUND, {"simple": like, "trivial": np.full_like(SOUND.truth, 10)}))
    assert (found.code, found.prefer) == ("simple_as_good", "simple")
