"""Nats per token, beside sums over all tokens."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.metrics import METRICS
from bioloom.tasks import TASKS

RANDOM = np.random.default_rng(0)
LOSSES = [RANDOM.gamma(2, 0.8, size) for size in RANDOM.integers(5, 40, 60)]
VALUE = np.array([[each.mean(), (each < 1).mean(), len(each)] for each in LOSSES], dtype=np.float32)
TRUTH = np.zeros((60, 3), dtype=np.float32)


def test_tokens_count_alike_whichever_record_they_are_in() -> None:
    every = np.concatenate(LOSSES)
    assert METRICS["nats"](TRUTH, VALUE) == pytest.approx(every.mean(), rel=1e-5)
    assert METRICS["perplexity"](TRUTH, VALUE) == pytest.approx(np.exp(every.mean()), rel=1e-5)
    assert METRICS["next_right"](TRUTH, VALUE) == pytest.approx((every < 1).mean(), rel=1e-5)


def test_no_token_at_all_is_not_defined() -> None:
    assert "no record holds a token" in str(METRICS["nats"].undefined(TRUTH[:0], VALUE[:0]))


def test_intervals_draw_whole_records() -> None:
    scores = resample(TASKS["language"], TRUTH, {"model": VALUE}, Resampling(60)).scores("model")
    nats = scores["nats"]
    drawn = [
        np.concatenate([LOSSES[row] for row in np.random.default_rng(seed).integers(0, 60, 60)]).mean()
        for seed in range(2000)
    ]
    assert nats.low == pytest.approx(np.quantile(drawn, 0.025), abs=0.03)
    assert nats.high == pytest.approx(np.quantile(drawn, 0.975), abs=0.03)
