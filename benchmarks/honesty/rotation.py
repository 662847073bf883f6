"""How often intervals around a mean of networks hold a new number, where each network held back other records.

Validation records are then answered by the first network alone, because others learned from them, while a new record is
answered by all, whose mean errs less: how much less, the records that two networks held back tell (decision 0014).
Networks are layers of fixed random units whose last weights are solved for: they differ by their seed and by what they
learned from, as trained ones do, and hundreds of them cost a second.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.honesty.coverage import Row
from bioloom.evaluation.conformal import Calibrating, Conformal
from bioloom.evaluation.conformity import share_of_mean
from bioloom.journey.rotation import rotated, shared
from bioloom.models import networks
from bioloom.recipe import TrainingRecipe
from bioloom.tasks import TASKS
from bioloom.training.ensemble import seeds
from bioloom.training.job import Job
from bioloom.training.plan import MEMBERS, plan

Floats = NDArray[np.float64]

COLUMNS, UNITS, NOISE = 5, 60, 0.5
"""Columns that say something, units of a network, and standard deviation of the measurement; that of the truth is about 1."""

NEW = 400
"""New records for which each promise is counted."""

OF = "interval around the mean of five networks that hold back other records"


def rotation_rows(repetitions: int) -> list[Row]:
    """The promise on average over calibrations, for few, some and nearly too many records."""
    return [
        _row(records, level, repetitions)
        for records, level in ((120, 0.9), (500, 0.9), (500, 0.8), (2000, 0.9))
    ]


def _row(records: int, level: float, repetitions: int) -> Row:
    random, held = np.random.default_rng(records), []
    for seed in range(repetitions):
        x = random.normal(size=(records + NEW, COLUMNS))
        truth = _truth(x) + NOISE * random.normal(size=len(x))
        jobs = rotated(seeds(_job(truth, records, seed), MEMBERS["normal"]), None)
        assert any(job.train is not jobs[0].train for job in jobs)
        said = np.array([_fitted(job, x) for job in jobs])
        rows, new = jobs[0].validation, np.arange(records, len(x))
        made = Conformal.fit(Calibrating(said[0][rows, None], truth[rows, None], ("y",), 0, None), level)
        both = shared(jobs)
        assert both is not None
        narrower = share_of_mean((said[:2, both] - truth[both])[:, :, None], len(jobs))
        made = replace(made, half=tuple(np.array(made.half) * narrower))
        held.append(float(made.held(truth[new, None], said.mean(axis=0)[new, None])[0].mean()))
    size = f"{records} records, {len(rows)} of them for validation"
    return Row("conformal", OF, size, repetitions, float(np.mean(held)), 0.0, aim=level)


def _truth(x: Floats) -> Floats:
    return np.asarray(np.sin(2 * x[:, 0]) + 0.7 * x[:, 1] * x[:, 2] + 0.5 * x[:, 3])


def _job(truth: Floats, records: int, seed: int) -> Job:
    """A training as the journey plans it, of which only the records and the seed are looked at."""
    held = np.random.default_rng(seed).permutation(records) < round(0.15 / 0.85 * records)
    return Job(
        network="mlp",
        settings={},
        outputs=1,
        inputs={},
        truth=truth[:, None].astype(np.float32),
        weight=np.ones(len(truth), dtype=np.float32),
        train=np.flatnonzero(~held),
        validation=np.flatnonzero(held),
        task=TASKS["regression"],
        plan=plan(TrainingRecipe(), records, networks["mlp"], "normal", "cpu"),
        seed=seed,
    )


def _fitted(job: Job, x: Floats) -> Floats:
    """What a network of random units says of all records; the ridge is so small that it fits much of the noise."""
    random = np.random.default_rng(job.seed)
    hidden = np.tanh(x @ random.normal(size=(COLUMNS, UNITS)) + random.normal(size=UNITS))
    learned = hidden[job.train]
    square = learned.T @ learned + 0.3 * np.eye(UNITS)
    return np.asarray(
        hidden @ np.linalg.solve(square, learned.T @ job.truth[job.train, 0].astype(np.float64))
    )
