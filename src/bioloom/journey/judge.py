"""What the score is worth: baselines, intervals, comparison, controls, checks and verdict of one training.

Everything here is measured after training. The test labels are used for scoring only; baselines learn from the
training rows and choose their settings on the validation rows, as the network does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.leakage import Leakage
from bioloom.data.records import Records
from bioloom.data.split import Split
from bioloom.evaluation.baselines import fit_baselines
from bioloom.evaluation.checks import Finding, run_checks
from bioloom.evaluation.comparison import Difference, compare
from bioloom.evaluation.controls import Shuffle, ShufflePlan, label_shuffle
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.intervals import Score
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample, target_scores
from bioloom.evaluation.verdict import Verdict, verdict
from bioloom.events import Listener
from bioloom.journey.learnable import Learnable
from bioloom.metrics import METRICS
from bioloom.modalities import Features, Modality
from bioloom.models import SimpleModel, TrainingData
from bioloom.targets import Targets, standardise
from bioloom.training.loop import Job, fit, predict

BASELINE_RECORDS = 50_000
"""Baselines learn from at most so many training records, chosen at random; more changes them little."""

SHUFFLE_RECORDS = 4_000
SHUFFLE_EPOCHS = 4
SHUFFLES = {"fast": 1, "normal": 3, "thorough": 10}
"""The label-shuffle control trains on so many records, for so many epochs, so many times."""


@dataclass(frozen=True)
class Trial:
    """A finished training, to be judged.

    raw:   (records, outputs) of the network for all records
    job:   how it was trained
    draws: bootstrap draws; shuffles: trainings on shuffled labels, 0 for the budget's own number
    """

    records: Records
    split: Split
    learnable: Learnable
    raw: NDArray[np.float32]
    job: Job
    draws: int
    shuffles: int
    budget: str
    dropped: int

    @property
    def test(self) -> NDArray[np.int64]:
        """Positions of the test records."""
        return self.split.index("test")

    @property
    def targets(self) -> Targets:
        """How labels became numbers."""
        return self.learnable.targets

    @property
    def truth(self) -> NDArray[np.float32]:
        """(records, targets) in the target's own units."""
        return self.learnable.truth

    def groups(self, index: NDArray[np.int64]) -> NDArray[Any] | None:
        """What some records are resampled and shuffled by: given groups, else what the split kept together."""
        if self.records.group is not None:
            return self.records.group[index]
        return None if self.split.units is None else self.split.units[index]


@dataclass(frozen=True)
class Judged:
    """What came out; `to_json` gives the parts of `result.json`."""

    primary: str
    scores: Mapping[str, Mapping[str, Score]]
    per_target: Mapping[str, Mapping[str, Score]]
    baselines: Mapping[str, SimpleModel]
    features: str
    comparison: tuple[Difference, ...]
    shuffle: Shuffle
    findings: tuple[Finding, ...]
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """The parts of `result.json` that say what the score is worth."""
        return {
            "scores": {
                "primary": self.primary,
                "model": _scores_to_json(self.scores["model"]),
                "baselines": {
                    role: {
                        "title": model.title,
                        "description": model.describe(),
                        "features": self.features,
                        "scores": _scores_to_json(self.scores[role]),
                    }
                    for role, model in self.baselines.items()
                },
                "per_target": {name: _scores_to_json(scores) for name, scores in self.per_target.items()},
            },
            "comparison": [difference.to_json() for difference in self.comparison],
            "controls": {"label_shuffle": self.shuffle.to_json()},
            "findings": [finding.to_json() for finding in self.findings],
            "verdict": self.verdict.to_json(),
        }


def judge(trial: Trial, leakage: Leakage, listener: Listener) -> Judged:
    """Score the network on the test records beside its baselines, run the controls and checks, and conclude."""
    task = trial.job.task
    listener.progress(0.0, "baselines")
    features = combined_features(trial.learnable.modalities, trial.records.inputs)
    baselines = _baselines(trial, features)
    listener.progress(0.4, "intervals")
    test = trial.test
    values = {"model": task.activate(trial.raw[test], trial.targets)}
    values |= {role: model.predict(features.values[test]) for role, model in baselines.items()}
    plan = Resampling(len(test), trial.groups(test), trial.draws, trial.job.seed)
    resampled = resample(task, trial.truth[test], values, plan)
    scores = {role: resampled.scores(role) for role in values}
    comparison = compare(resampled)
    names = trial.targets.names if len(trial.targets.names) > 1 else ()
    per_target = target_scores(task, trial.truth[test], values["model"], plan, names) if names else {}
    listener.progress(0.6, "shuffled labels")
    shuffle = _shuffle(trial)
    listener.progress(0.95, "checks")
    facts = _facts(
        trial,
        leakage,
        Measured(values["model"], scores, comparison, shuffle, baselines, features),
    )
    findings = run_checks(facts)
    listener.progress(1.0)
    return Judged(
        primary=task.primary,
        scores=scores,
        per_target=per_target,
        baselines=baselines,
        features=features.description,
        comparison=comparison,
        shuffle=shuffle,
        findings=findings,
        verdict=verdict(facts, findings),
    )


def combined_features(fitted: Mapping[str, Modality], inputs: Mapping[str, pd.DataFrame]) -> Features:
    """The simple features of all inputs side by side."""
    blocks = {name: modality.features(inputs[name]) for name, modality in fitted.items()}
    if len(blocks) == 1:
        return next(iter(blocks.values()))
    return Features(
        np.concatenate([block.values for block in blocks.values()], axis=1),
        tuple(f"{name}: {feature}" for name, block in blocks.items() for feature in block.names),
        "; ".join(f"{name}: {block.description}" for name, block in blocks.items()),
    )


def _baselines(trial: Trial, features: Features) -> dict[str, SimpleModel]:
    train, validation = trial.job.train, trial.job.validation
    if len(train) > BASELINE_RECORDS:
        train = np.sort(np.random.default_rng(trial.job.seed).choice(train, BASELINE_RECORDS, replace=False))
    data = TrainingData(
        features=features.values[train],
        truth=trial.truth[train],
        weight=trial.job.weight[train],
        validation_features=features.values[validation],
        validation_truth=trial.truth[validation],
    )
    return fit_baselines(data, trial.job.task, trial.targets, trial.job.seed)


def _shuffle(trial: Trial) -> Shuffle:
    """The same pipeline on a part of the training records with shuffled labels."""
    count = trial.shuffles or SHUFFLES[trial.budget]
    job = trial.job
    random = np.random.default_rng(job.seed + 1)
    train = np.sort(random.permutation(job.train)[:SHUFFLE_RECORDS])
    validation = np.sort(random.permutation(job.validation)[: SHUFFLE_RECORDS // 4])
    learned = np.concatenate([train, validation])
    test = np.sort(random.permutation(trial.test)[:SHUFFLE_RECORDS])
    plan = replace(
        job.plan, epochs=min(job.plan.epochs, SHUFFLE_EPOCHS), batch_size=min(job.plan.batch_size, 64)
    )
    tested = {name: encoded.take(test) for name, encoded in job.inputs.items()}

    def train_on(labels: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
        truth = np.full_like(job.truth, np.nan)
        truth[learned] = standardise(labels, trial.targets)
        short = replace(job, truth=truth, train=train, validation=validation, plan=plan, seed=seed)
        network = fit(short).network
        return job.task.activate(predict(network, tested), trial.targets)

    shuffled = ShufflePlan(trial.groups(learned), count, job.seed)
    return label_shuffle(train_on, job.task, trial.truth[learned], trial.truth[test], shuffled)


@dataclass(frozen=True)
class Measured:
    """What was measured on the test records, before anything is concluded from it."""

    value: NDArray[np.float32]
    scores: Mapping[str, Mapping[str, Score]]
    comparison: tuple[Difference, ...]
    shuffle: Shuffle
    baselines: Mapping[str, SimpleModel]
    features: Features


def _facts(trial: Trial, leakage: Leakage, measured: Measured) -> Facts:
    task, train = trial.job.task, trial.job.train
    fitted = METRICS[task.primary](trial.truth[train], task.activate(trial.raw[train], trial.targets))
    tables = [
        trial.records.inputs[name]
        for name, modality in trial.learnable.modalities.items()
        if modality.columns == "many"
    ]
    titles = {"model": "the network"}
    return Facts(
        task=task,
        targets=trial.targets,
        truth=trial.truth,
        part=trial.split.part,
        value=measured.value,
        scores=measured.scores,
        comparison=measured.comparison,
        titles=titles | {role: _lower(model.title) for role, model in measured.baselines.items()},
        shuffle=measured.shuffle,
        dropped=trial.dropped,
        leakage=leakage.counts()
        | {"repeated_in_file": leakage.repeated, "conflicting_in_file": leakage.conflicts},
        train_score=float(fitted) if np.isfinite(fitted) else None,
        ids=trial.records.ids,
        groups=trial.records.group,
        inputs=pd.concat(tables, axis=1) if tables else pd.DataFrame(),
        columns=trial.records.columns,
        properties=_properties(measured.features),
    )


def _properties(features: Features) -> dict[str, NDArray[Any]]:
    """Numbers that say little by themselves, such as length and GC content, from the simple features."""
    return {
        name: features.values[:, column]
        for column, name in enumerate(features.names)
        if name.rpartition(": ")[2] in ("length", "GC")
    }


def _lower(title: str) -> str:
    """A title inside a sentence."""
    return title[:1].lower() + title[1:]


def _scores_to_json(scores: Mapping[str, Score]) -> dict[str, Any]:
    return {name: score.to_json() for name, score in scores.items()}
