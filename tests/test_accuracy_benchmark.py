"""The table of accuracy is made from results and from nothing else."""

from __future__ import annotations

import numpy as np
from benchmarks.accuracy import CASES, _likelihood_ratio, _score, _simulated, section

AMYLOID = next(case for case in CASES if case.name == "amyloid")
PROMOTERS = next(case for case in CASES if case.name == "promoters")


def row(value: float, used: str = "network") -> str:
    network = {"value": value, "low": value - 0.01, "high": value + 0.01}
    scores = {"network": network, "simple": {"value": 0.5}, "boosting": None}
    found = {"scores": scores, "network": "mlp", "delivered": used, "seconds": 7}
    (line,) = [line for line in section({"amyloid": found}).splitlines() if line.startswith("| Amyloid")]
    return line


def test_a_score_that_misses_its_aim_is_bold() -> None:
    assert f"| **{AMYLOID.aim - 0.1:.3f}** |" in row(AMYLOID.aim - 0.1)
    assert f"| {AMYLOID.aim + 0.01:.3f} |" in row(AMYLOID.aim + 0.01)


def test_what_predict_uses_is_what_counts() -> None:
    assert "| simple | **0.500** |" in row(AMYLOID.aim + 0.01, "simple")
    assert f"| network | {AMYLOID.aim + 0.01:.3f} |" in row(AMYLOID.aim + 0.01, "")


def test_what_was_not_run_is_named() -> None:
    assert PROMOTERS.title in section({})
    assert "| Amyloid" not in section({})


def test_further_metrics_of_a_run_have_rows_of_their_own() -> None:
    scores = {"network": {"value": 0.95}, "simple": {"value": 0.9}}
    also = {"accuracy": {"network": {"value": 0.84}, "simple": {"value": 0.8}}}
    found = {"scores": scores, "also": also, "network": "resnet", "delivered": "network", "seconds": 7}
    first, second = [
        line for line in section({"pneumonia": found}).splitlines() if line.startswith("| Pneumonia")
    ]
    assert "| AUC | `resnet` | 0.950 | - | 0.900 | - | network | 0.950 | 0.944 |" in first
    assert "| accuracy | `resnet` | 0.840 | - | 0.800 | - | network | **0.840** | 0.860 |" in second


def test_an_aim_may_be_the_score_of_a_simpler_model() -> None:
    scores = {"network": {"value": 0.7}, "simple": {"value": 0.8}}
    found = {"scores": scores, "network": "profile", "delivered": "network", "seconds": 7}
    assert "| network | **0.700** | that of simple |" in section({"pbmc68k": found})
    assert "| simple | 0.800 | that of simple |" in section({"pbmc68k": found | {"delivered": "simple"}})


def test_every_data_set_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_errors_are_counted_from_the_accuracy() -> None:
    told = {"accuracy": {"value": 100 / 106, "low": 0.9, "high": 1.0}}
    assert _score(PROMOTERS, told, 106) == {"value": 6, "high": 11, "low": 0}


def test_the_rule_of_the_course_is_right_about_nine_in_ten() -> None:
    tokens, labels = _simulated(0)
    right = (_likelihood_ratio(tokens) > 0) == (labels == "yes")
    assert 0.9 < np.mean(right) < 1
