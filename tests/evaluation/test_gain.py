"""What a mean of networks gains: the score of the mean less the mean of the scores, with a paired interval."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.evaluation.gain import gain
from bioloom.evaluation.resampling import Resampling
from bioloom.tasks import TASKS


def test_the_gain_is_that_of_the_scores_and_its_interval_is_paired() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=(400, 1)).astype(np.float32)
    members = {f"seed {n}": (truth + random.normal(size=(400, 1))).astype(np.float32) for n in range(5)}
    together = np.mean(list(members.values()), axis=0)
    found = gain(TASKS["regression"], truth, together, members, Resampling(400, None, 500, 0))
    assert found is not None
    assert found.mean == pytest.approx(np.mean(found.scores))
    assert found.difference.difference == pytest.approx(found.together - found.mean)
    assert found.difference.wins
    # the noise of the mean has a fifth of the variance: R2 from 0 to 0.8, rank or not
    assert found.together > found.mean + 0.1
    told = found.to_json()
    assert told["members"] == 5
    assert "mean of 5 networks" in told["text"]


def test_members_that_say_the_same_gain_nothing() -> None:
    random = np.random.default_rng(1)
    truth = random.normal(size=(100, 1)).astype(np.float32)
    one = (truth + random.normal(size=(100, 1))).astype(np.float32)
    found = gain(
        TASKS["regression"], truth, one, {"seed 0": one, "seed 1": one}, Resampling(100, None, 200, 0)
    )
    assert found is not None
    assert found.difference.difference == pytest.approx(0)
    assert not found.difference.wins


def test_where_the_metric_is_not_defined_there_is_no_gain() -> None:
    same = np.zeros((50, 1), np.float32)
    truth = np.ones((50, 1), np.float32)
    assert gain(TASKS["regression"], truth, same, {"seed 0": same}, Resampling(50, None, 200, 0)) is None
