"""The score in bins of likeness: against the metric on each bin by itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

import fake_runs
from bioloom.evaluation.identity import IdentityCurve, Likeness, identity_curve
from bioloom.evaluation.resampling import Resampling
from bioloom.report.contract import read, sections
from bioloom.tasks import TASKS

RANDOM = np.random.default_rng(0)


def curve(identity: np.ndarray, noise: np.ndarray, likeness: Likeness | None = None) -> IdentityCurve | None:
    random = np.random.default_rng(1)
    truth = random.normal(size=(len(identity), 1)).astype(np.float32)
    value = (truth + noise[:, None] * random.normal(size=truth.shape)).astype(np.float32)
    plan = Resampling(len(identity), draws=300)
    found = identity_curve(TASKS["regression"], truth, value, likeness or Likeness(identity), plan)
    for each in found.bins if found else ():
        rows = (identity >= each.low) & ((identity < each.high) | (each.high == 1))
        if likeness is None:
            assert each.n == rows.sum()
            assert each.value == pytest.approx(spearmanr(truth[rows, 0], value[rows, 0]).statistic, abs=1e-6)
    return found


def test_a_score_that_falls_for_unlike_records_is_seen_to_fall() -> None:
    identity = RANDOM.uniform(0.2, 1, 600).astype(np.float32)
    found = curve(identity, np.where(identity < 0.6, 4.0, 0.3))
    assert found is not None
    assert [each.label for each in found.bins] == ["below 40 %", "40 to 60 %", "60 to 80 %", "80 % and above"]
    assert found.text.startswith("The score falls for records unlike the training records")
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["bins"][0]["low95"] < found.bins[0].value


def test_a_score_that_holds_is_not_said_to_fall() -> None:
    identity = RANDOM.uniform(0.2, 1, 600).astype(np.float32)
    found = curve(identity, np.ones(600))
    assert found is not None
    assert "does not clearly depend" in found.text


def test_bins_with_few_records_join_a_neighbour_and_no_record_is_lost() -> None:
    identity = np.repeat(np.array([0.3, 0.5, 0.7, 0.9], np.float32), [4, 30, 3, 60])
    found = curve(identity, np.ones(97))
    assert found is not None
    assert [(each.label, each.n) for each in found.bins] == [("below 80 %", 37), ("80 % and above", 60)]


def test_records_without_anything_in_common_are_the_least_alike_and_unknown_ones_are_left_out() -> None:
    identity = np.repeat(np.array([np.nan, np.nan, 0.9], np.float32), [20, 15, 40])
    unlike = np.repeat([True, False, False], [20, 15, 40])
    found = curve(identity, np.ones(75), Likeness(identity, unlike))
    assert found is not None
    assert [(each.label, each.n) for each in found.bins] == [("below 40 %", 20), ("80 % and above", 40)]
    assert curve(identity[:35], np.ones(35), Likeness(np.full(35, np.nan, np.float32))) is None


def test_variants_of_one_parent_are_told_apart_by_the_positions_that_differ() -> None:
    distance = np.repeat([1, 2, 3], [40, 50, 30])
    found = curve(np.ones(120), np.ones(120), Likeness(np.ones(120, np.float32), None, distance))
    assert found is not None
    labels = [(each.label, each.n) for each in found.bins]
    assert labels == [("3 positions differ", 30), ("2 positions differ", 50), ("1 position differs", 40)]
    many = RANDOM.integers(1, 31, 300)
    thirds = curve(np.ones(300), np.ones(300), Likeness(np.ones(300, np.float32), None, many))
    assert thirds is not None
    assert len(thirds.bins) == 3
    assert sum(each.n for each in thirds.bins) == 300
    assert min(each.n for each in thirds.bins) > 80


def test_groups_are_drawn_together() -> None:
    identity = np.repeat(np.array([0.5, 0.9], np.float32), 100)
    truth = np.repeat(RANDOM.normal(size=(20, 1)), 10, axis=0).astype(np.float32)
    value = (truth + np.repeat(RANDOM.normal(size=(20, 1)), 10, axis=0)).astype(np.float32)
    groups = np.repeat(np.arange(20), 10)
    widths = []
    for plan in (Resampling(200, None, 300), Resampling(200, groups, 300)):
        found = identity_curve(TASKS["regression"], truth, value, Likeness(identity), plan)
        assert found is not None
        widths.append(found.bins[0].high95 - found.bins[0].low95)
    assert widths[1] > 1.5 * widths[0]


def test_the_section_shows_the_sentence_the_figure_and_why_a_bin_has_no_number(tmp_path: Path) -> None:
    run = fake_runs.before(tmp_path)
    assert sections["identity"].render(read(run)) is None
    identity = RANDOM.uniform(0.2, 1, 400).astype(np.float32)
    found = curve(identity, np.where(identity < 0.6, 3.0, 0.3))
    assert found is not None
    result = json.loads((run / "result.json").read_text())
    result["identity"] = found.to_json()
    result["identity"]["bins"][0] |= {
        "value": None,
        "low95": None,
        "high95": None,
        "undefined": "not defined, because",
    }
    (run / "result.json").write_text(json.dumps(result))
    page = sections["identity"].render(read(run))
    assert "The score falls for records unlike the training records" in page
    assert "80 % and above" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "Below 40\N{NO-BREAK SPACE}%: not defined, because" in page
    assert "<img" in page
