"""Where there is nothing to find, nothing is found: shuffled labels read as guessing, and noise wins nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.checks import run_checks
from bioloom.evaluation.comparison import compare
from bioloom.evaluation.controls import permute, read_shuffles
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.evaluation.verdict import verdict
from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets
from bioloom.tasks import TASKS

TARGETS = {
    "regression": Targets("regression", ("y",), mean=(0.0,), scale=(1.0,)),
    "binary": Targets("binary", ("y",), classes=("no", "yes")),
}
LEARN, VALIDATE = slice(0, 100), slice(100, 140)


def letters(random: np.random.Generator, n: int) -> NDArray[np.float32]:
    return np.eye(4, dtype=np.float32)[random.integers(0, 4, (n, 8))].reshape(n, -1)


def fit(name: str, task: str, features: NDArray[np.float32], truth: NDArray[np.float32]) -> SimpleModel:
    data = TrainingData(
        features[LEARN], truth[LEARN], np.ones(100, np.float32), features[VALIDATE], truth[VALIDATE]
    )
    return simple_models[name].fit(data, TARGETS[task], seed=0)


def labels(random: np.random.Generator, task: str, signal: NDArray[np.float64]) -> NDArray[np.float32]:
    noisy = signal + random.normal(size=len(signal))
    return ((noisy > 0) if task == "binary" else noisy).astype(np.float32)[:, None]


def test_shuffled_labels_of_a_real_signal_read_as_guessing() -> None:
    random, wrong = np.random.default_rng(0), 0
    for repetition in range(60):
        task = ("regression", "binary")[repetition % 2]
        features = letters(random, 220)
        truth = labels(random, task, 2 * features @ random.normal(size=32))

        learned = [truth[:140], *(permute(truth[:140], None, repetition + number) for number in (1, 2))]
        real, *shuffled = (
            fit(TASKS[task].simple, task, features, shown).predict(features[140:]) for shown in learned
        )
        found = read_shuffles(TASKS[task], truth[140:], shuffled, real, repetition)
        wrong += not found.reads_as_guessing
        assert found.real > found.guessing
    assert wrong <= 3


def test_noise_is_hardly_ever_called_a_win() -> None:
    """Random labels: the ridge model stands in for the network, another one on other features for the baseline."""
    random, codes = np.random.default_rng(1), Counter[str]()
    for repetition in range(200):
        task = ("regression", "binary")[repetition % 2]
        features, others = letters(random, 220), letters(random, 220)
        truth = labels(random, task, np.zeros(220))
        values = {
            "model": fit(TASKS[task].simple, task, features, truth).predict(features[140:]),
            "trivial": fit("trivial", task, features, truth).predict(features[140:]),
            "nearest": fit("nearest", task, features, truth).predict(features[140:]),
            "simple": fit(TASKS[task].simple, task, others, truth).predict(others[140:]),
        }
        drawn = resample(TASKS[task], truth[140:], values, Resampling(80, draws=200, seed=repetition))
        facts = Facts(
            task=TASKS[task], targets=TARGETS[task], truth=truth,
            part=np.repeat(np.array(["train", "validation", "test"], dtype=object), [100, 40, 80]),
            value=values["model"], scores={role: drawn.scores(role) for role in values}, comparison=compare(drawn),
        )  # fmt: skip
        codes[verdict(facts, run_checks(facts)).code] += 1
    assert codes["network_wins"] <= 4
    assert codes["no_signal"] >= 160
