"""What single checks say beyond firing and being quiet."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from bioloom.evaluation.advice import doubled, larger_test, unlike_records
from bioloom.evaluation.ceiling import ClassCeiling
from bioloom.evaluation.checks import Answer, checks, run_checks
from bioloom.evaluation.conformal import Calibrating, Conformal
from bioloom.evaluation.curve import Doubling
from bioloom.evaluation.evidence import Evidence
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.verdict import verdict
from bioloom.metrics import METRICS
from situations import (
    CLEAN,
    FLAT,
    STEEP,
    by_likeness,
    calibrated,
    ceiling,
    classes,
    covered,
    failed,
    missing_where_high,
    numbers,
    over_folds,
    shuffled,
    situations,
    told,
    with_difference,
    with_score,
)

SOUND = numbers()


def asked(code: str, facts: Facts) -> Answer:
    answer = checks[code].look(facts)
    assert answer is not None
    return answer


@pytest.mark.parametrize("role", ["simple", "boosting", "nearest", "untrained", "properties"])
def test_a_comparison_names_the_other_model_and_both_ends(role: str) -> None:
    title = SOUND.title(role)
    better, level, worse = (
        asked(f"skill.{role}", with_difference(SOUND, role, *ends)).text
        for ends in ((0.1, 0.2), (-0.03, 0.01), (-0.2, -0.1))
    )
    assert better == f"No: the network is better than {title} by 0.100 to 0.200 in Spearman correlation."
    assert level == (
        f"Perhaps: compared with {title} the network is between 0.030 worse and 0.010 better in Spearman correlation."
    )
    assert worse == f"Yes: the network is worse than {title} by 0.100 to 0.200 in Spearman correlation."


@pytest.mark.parametrize("role", ["untrained", "properties"])
def test_a_control_is_not_asked_about_where_there_is_no_skill_to_explain(role: str) -> None:
    guess = with_score(with_difference(SOUND, role, -0.1, 0.1), "model", 0.05, -0.1, 0.2)
    assert checks[f"skill.{role}"].look(with_score(guess, role, 0.05, -0.1, 0.2)) is None
    assert checks[f"skill.{role}"].look(with_score(guess, role, 0.5, 0.4, 0.6)) is not None


def test_the_same_shortcut_is_warned_of_once() -> None:
    telling = replace(
        SOUND,
        properties={"length": (SOUND.truth[:, 0] * 10).round()},
        inputs=missing_where_high(SOUND),
    )
    alone = replace(telling, comparison=())
    together = with_difference(telling, "properties", -0.01, 0.02)
    codes = ("skill.properties", "leak.simple_properties", "leak.missing_values")
    for facts in (alone, telling, together):
        warned = {each.code for each in run_checks(facts) if each.severity == "warning"} & set(codes)
        assert warned == ({codes[0]} if facts is together else set(codes[1:]))


def test_outliers_are_those_that_carry_the_squared_error() -> None:
    facts = failed(SOUND)
    truth, value = facts.truth[facts.test], facts.value
    square = ((truth - value) ** 2)[:, 0]
    kept = square < np.sort(square)[-2]
    text = asked("data.outliers", facts).text
    assert f"carry {100 * square[~kept].sum() / square.sum():.0f} % of the squared error" in text
    assert (
        f"R² is {METRICS['r2'](truth, value):.3f}, and {METRICS['r2'](truth[kept], value[kept]):.3f} without"
        in text
    )


def test_normal_errors_hold_no_outliers() -> None:
    found = [
        asked("data.outliers", numbers(noise=noise, seed=seed)) for noise in (0.2, 0.9) for seed in range(20)
    ]
    assert {answer.severity for answer in found} == {"ok"}


def test_validation_copies_are_a_share_of_the_validation_records_of_all_folds() -> None:
    facts = replace(SOUND, leakage=CLEAN | {"validation_copies": 6})
    folds = told(facts, Evidence(folds=over_folds(0.8, 0.8, 0.8, 0.8)))
    assert "6 validation records of 50 (12 %)" in asked("leak.validation_copies", facts).text
    assert "6 validation records of 200 (3.0 %)" in asked("leak.validation_copies", folds).text


def test_a_start_whose_records_are_not_known_is_a_warning_and_no_start_is_no_question() -> None:
    unknown = asked("leak.start_copies", replace(SOUND, start="runs/first", leakage=CLEAN))
    assert (unknown.severity, "stored without a list" in unknown.text) == ("warning", True)
    assert checks["leak.start_copies"].look(SOUND) is None


def test_a_score_that_is_gone_on_unlike_records_is_a_warning() -> None:
    gone = asked("leak.identity", told(SOUND, Evidence(identity=by_likeness((0.1, -0.1, 0.3)))))
    assert gone.severity == "warning"
    assert gone.text.endswith("; on the least alike the model is not clearly better than guessing.")
    assert gone.fix == ""  # the usual advice
    split = replace(told(SOUND, Evidence(identity=by_likeness((0.1, -0.1, 0.3)))), split="similarity")
    assert "--split" not in asked("leak.identity", split).fix != ""


def test_without_a_ceiling_there_is_nothing_to_reach() -> None:
    above = told(SOUND, Evidence(ceiling=ceiling(SOUND, 3.0)))
    assert checks["skill.ceiling"].look(above) is None  # data.too_smooth says it
    nothing = told(SOUND, Evidence(ceiling=replace(ceiling(SOUND, 9.0), r2=0.0, excess_low=None)))
    assert asked("skill.ceiling", nothing).severity == "problem"


def test_labels_that_contradict_each_other_set_a_ceiling() -> None:
    for accuracy, severity in ((0.8, "note"), (0.99, "ok")):
        labels = ClassCeiling(accuracy, None, None, 100, 10, "Some inputs carry different labels.")
        assert asked("skill.ceiling", told(classes(2), Evidence(ceiling=labels))).severity == severity


def test_intervals_that_are_too_wide_are_cautious_not_wrong() -> None:
    wide = asked("calibration.intervals", told(SOUND, Evidence(uncertainty=covered(SOUND, 3.0))))
    assert wide.severity == "note"
    assert wide.fix.startswith("read them as cautious")
    finding = next(
        each
        for each in run_checks(told(SOUND, Evidence(uncertainty=covered(SOUND, 3.0))))
        if each.code == "calibration.intervals"
    )
    assert finding.fix == wide.fix


def test_sets_of_classes_are_spoken_of_for_all_records_or_for_those_of_a_class() -> None:
    random = np.random.default_rng(0)
    value = random.uniform(size=(400, 1))
    truth = (random.uniform(size=(400, 1)) < value).astype(float)
    promised = Conformal.fit(Calibrating(value, truth, ("no", "yes"), 2))
    found = promised.coverage(truth, value, Resampling(400))
    assert found.names == ("", "no", "yes")
    asked_about = told(SOUND, Evidence(uncertainty=found))
    assert re.search(
        r"the network's sets of classes( for records of (no|yes))? promise 90 %",
        asked("calibration.intervals", asked_about).text,
    )


def test_probabilities_that_are_too_hesitant_are_told_from_those_that_are_too_sure() -> None:
    assert "surer than it should be" in asked("calibration.probabilities", calibrated(2.0)).text
    assert "less sure than it could be" in asked("calibration.probabilities", calibrated(0.5)).text


@pytest.mark.parametrize(
    ("gain", "low", "high", "outlook"),
    [
        (0.03, 0.02, 0.04, "more"),
        (0.03, 0.0, 0.06, "open"),
        (0.002, 0.0, 0.004, "little"),
        (0.004, 0.001, 0.02, "little"),
    ],
)
def test_twice_the_data_helps_for_sure_or_hardly_or_is_open(
    gain: float, low: float, high: float, outlook: str
) -> None:
    found = doubled(told(SOUND, Evidence(curve=replace(STEEP, doubling=Doubling(gain, low, high)))))
    assert found is not None
    assert found.outlook == outlook


def test_few_sizes_are_the_hopeful_side() -> None:
    steep, flat = (doubled(told(SOUND, Evidence(curve=curve))) for curve in (STEEP, FLAT))
    assert steep is not None
    assert flat is not None
    assert (steep.hopeful, flat.hopeful) == (True, False)
    assert doubled(SOUND) is None


def test_folds_that_differ_much_but_all_beat_guessing_are_a_note() -> None:
    facts = told(SOUND, Evidence(folds=over_folds(0.9, 0.1, 0.8, 0.1)))
    assert asked("folds.spread", facts).severity == "note"
    assert checks["folds.spread"].look(told(SOUND, Evidence(folds=over_folds(0.9, 0.1)))) is None


def test_one_shuffle_above_guessing_is_a_note_and_no_leak() -> None:
    lucky = replace(shuffled(0.4, False), firm=False)
    found = next(each for each in run_checks(replace(SOUND, shuffle=lucky)) if "shuffled" in each.code)
    assert found.severity == "note"
    assert "evaluation.shuffles=5" in found.fix
    assert verdict(replace(SOUND, shuffle=lucky), [found]).code != "leaky_test"


def test_a_fold_of_one_record_does_not_say_that_all_predictions_are_alike() -> None:
    part = np.full(len(SOUND.part), "train", dtype=object)
    part[0] = "test"
    assert checks["training.constant"].look(replace(SOUND, part=part, value=SOUND.value[:1])) is None


def test_a_network_that_learned_nothing_is_not_said_to_know_its_training_records_by_heart() -> None:
    noise = with_score(replace(SOUND, train_score=0.06), "model", -0.08, -0.19, 0.03)
    assert asked("training.overfitting", noise).severity == "ok"
    assert asked("training.overfitting", replace(noise, train_score=0.6)).severity == "warning"


def test_advice_on_the_split_names_only_what_that_split_can_do() -> None:
    assert "--split similarity" in unlike_records(replace(SOUND, split="random"))
    assert "similarity" not in unlike_records(replace(SOUND, split="mutation"))
    assert "split.folds" in larger_test(replace(SOUND, split="chromosome"))
    assert "split.test" not in larger_test(replace(SOUND, split="chromosome"))


def test_no_two_checks_fire_on_the_same_new_evidence() -> None:
    """Each piece of evidence by itself makes one finding, so that one cause is not told twice."""
    for code, pair in situations().items():
        if pair.fires.evidence == Evidence():
            continue
        fired = {each.code for each in run_checks(pair.fires) if each.severity in ("warning", "problem")}
        assert fired <= {code}
