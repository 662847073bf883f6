"""What the score is worth: scores with intervals, comparison, controls, checks and verdict of one run.

Everything here is worked out from answers that were given already; nothing is trained. The test labels are used
for scoring only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.split import Split, splitters
from bioloom.data.wording import counted
from bioloom.evaluation.by_class import class_scores
from bioloom.evaluation.checks import Finding, run_checks
from bioloom.evaluation.comparison import Difference, compare
from bioloom.evaluation.conclusion import Verdict
from bioloom.evaluation.controls import Shuffle, read_shuffles
from bioloom.evaluation.evidence import Evidence
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.folds import refused_scores, without_refused
from bioloom.evaluation.information import NAME, predictive_information
from bioloom.evaluation.intervals import Score
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import Resampled, resample, target_scores
from bioloom.evaluation.verdict import verdict
from bioloom.journey.contest import Answers, control_records
from bioloom.journey.division import Division
from bioloom.journey.evidence import gather
from bioloom.journey.further import shuffled_size
from bioloom.journey.promise import coverage
from bioloom.journey.rivals import Rivals
from bioloom.journey.trainee import Trainee
from bioloom.metrics import METRICS
from bioloom.modalities.combined import SomeFeatures
from bioloom.models import SimpleModel
from bioloom.models.embed import code_size
from bioloom.tasks import Task

CONTROLS = {
    "untrained": "the untrained network with a simple model on top",
    "properties": "length, composition and missing cells alone",
}
"""Models that know little, by name, and how sentences call them."""


INFORMED = ("model", "simple", "boosting", "forest")
"""Models whose predictive information is worked out."""


@dataclass(frozen=True)
class Trial:
    """Everything that was answered, to be judged.

    trainee: the network that is delivered
    answers: of all contests
    """

    trainee: Trainee
    rivals: Rivals
    answers: Answers
    division: Division

    @property
    def first(self) -> Split:
        """The split of the first contest, on which the checks look at single records."""
        folds = self.division.folds
        return self.division.split if folds is None else folds.splits[0]

    @property
    def alone(self) -> bool:
        """Whether each contest tested one unit only."""
        folds = self.division.folds
        return folds is not None and splitters[folds.method].alone

    @property
    def task(self) -> Task:
        """The task, without the metrics that leave-one-out cannot give."""
        task = self.trainee.job.task
        return without_refused(task) if self.alone else task

    @cached_property
    def once(self) -> Answers:
        """The answers in which each record is tested once."""
        return self.answers.once()

    @cached_property
    def truth(self) -> NDArray[np.float32]:
        """(tested, targets) of the records tested, in the target's own units."""
        return self.trainee.learnable.truth[self.once.rows]

    @cached_property
    def plan(self) -> Resampling:
        """How the tested records are drawn."""
        recipe, rows = self.trainee.prepared.recipe, self.once.rows
        return Resampling(len(rows), self.trainee.groups(rows), recipe.evaluation.draws, recipe.seed)


@dataclass(frozen=True)
class Sizes:
    """From how many training records rivals and controls learned.

    rivals:   by role; None where that is all that the network learned from
    controls: those that know little, at most
    shuffled: "records" at most and "epochs" of trainings on shuffled labels
    """

    rivals: Mapping[str, int | None]
    controls: int
    shuffled: Mapping[str, int]


@dataclass(frozen=True)
class Judged:
    """What came out; `to_json` gives the parts of `result.json`.

    sizes:     how little rivals and controls learned from
    delivered: the role of the model that predict uses, "model" for the network; its prediction intervals are told
    """

    primary: str
    scores: Mapping[str, Mapping[str, Score]]
    per_target: Mapping[str, Mapping[str, Score]]
    per_class: Mapping[str, Mapping[str, Score]]
    baselines: Mapping[str, SimpleModel]
    features: str
    sizes: Sizes
    comparison: tuple[Difference, ...]
    shuffle: Shuffle | None
    evidence: Evidence
    findings: tuple[Finding, ...]
    verdict: Verdict
    delivered: str

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
                        "records": self.sizes.rivals[role],
                        "features": self.features,
                        "scores": _scores_to_json(self.scores[role]),
                    }
                    for role, model in self.baselines.items()
                },
                "per_target": {name: _scores_to_json(scores) for name, scores in self.per_target.items()},
                "per_class": {name: _scores_to_json(scores) for name, scores in self.per_class.items()},
            },
            "comparison": [each.to_json() for each in self.comparison if each.against in self.baselines],
            "controls": {
                "label_shuffle": None
                if self.shuffle is None
                else {**self.shuffle.to_json(), **self.sizes.shuffled},
                "others": [self._control(name) for name in CONTROLS if name in self.scores],
            },
            **self.evidence.to_json(),
            "findings": [finding.to_json() for finding in self.findings],
            "verdict": self.verdict.to_json(),
        }

    def _control(self, name: str) -> dict[str, Any]:
        (difference,) = (each.to_json() for each in self.comparison if each.against == name)
        scored = self.scores[name][self.primary].to_json()
        return {
            "name": name,
            "title": CONTROLS[name],
            "records": self.sizes.controls,
            "score": scored,
            "difference": difference,
        }


def judge(trial: Trial) -> Judged:
    """Score the network on the test records beside its rivals and controls, run the checks, and conclude."""
    task, answers = trial.task, trial.once
    known = ("model", *trial.rivals.models, *CONTROLS)
    values = {name: answers.values[name] for name in known if name in answers.values}
    resampled = resample(task, trial.truth, values, trial.plan)
    scores = {name: _all_metrics(trial, resampled, name) for name in values}
    comparison = compare(resampled)
    shuffle = _shuffle(trial) if task.labelled else None
    evidence = gather(trial)
    facts = _facts(trial, Measured(scores, comparison, shuffle, evidence))
    findings = run_checks(facts)
    asked = _asked(trial)
    concluded = verdict(facts, findings, asked)
    delivered = asked or concluded.prefer
    return Judged(
        primary=task.primary,
        scores=scores,
        per_target=_per_target(trial),
        per_class=_per_class(trial),
        baselines=trial.rivals.models,
        features=trial.rivals.told or trial.rivals.features.features.description,
        sizes=_sizes(trial),
        comparison=comparison,
        shuffle=shuffle,
        evidence=replace(evidence, uncertainty=coverage(trial, delivered)) if task.by_record else evidence,
        findings=findings,
        verdict=concluded,
        delivered=delivered,
    )


def _sizes(trial: Trial) -> Sizes:
    given, all_of_them = len(trial.rivals.learned), len(trial.trainee.job.train)
    most = None if given == all_of_them else given
    took = {role: model.learned_from for role, model in trial.rivals.models.items()}
    rivals = {role: most if records is None else records for role, records in took.items()}
    records, epochs = shuffled_size(trial.trainee)
    shuffled = {"records": min(records, all_of_them), "epochs": epochs}
    return Sizes(rivals, min(control_records(trial.trainee), all_of_them), shuffled)


def _asked(trial: Trial) -> str:
    """The role of the model that the recipe has predict use; empty where that is for the verdict to say."""
    asked = trial.trainee.prepared.recipe.evaluation.deliver
    return {"auto": "", "network": "model"}.get(asked, asked)


def _all_metrics(trial: Trial, resampled: Resampled, name: str) -> dict[str, Score]:
    """The scores of one model; metrics that leave-one-out cannot give say so."""
    found = resampled.scores(name)
    if trial.alone:
        found |= refused_scores(trial.trainee.job.task, len(trial.truth))
    if name in INFORMED and trial.task.by_record and not trial.trainee.learnable.targets.classes:
        plan = trial.plan
        found[NAME] = predictive_information(trial.truth, trial.once.values[name], plan.groups, plan.seed)
    return found


def _per_target(trial: Trial) -> dict[str, dict[str, Score]]:
    names = trial.trainee.learnable.targets.names
    if len(names) < 2 or not trial.task.labelled:
        return {}
    return target_scores(trial.task, trial.truth, trial.once.values["model"], trial.plan, names)


def _per_class(trial: Trial) -> dict[str, dict[str, Score]]:
    """The scores of the network for each class, where two numbers of the whole do not say it all."""
    names, task = trial.trainee.learnable.targets.classes, trial.task
    if not task.labelled or len(names) < (2 if task.everywhere else 3):
        return {}
    return class_scores(trial.truth, trial.once.values["model"], names, trial.plan)


def _shuffle(trial: Trial) -> Shuffle:
    """Short trainings on shuffled labels against the same on the true ones, on the records they were asked about."""
    answers, truth = trial.once, trial.truth
    shuffled = list(answers.named("shuffled ").values())
    asked = np.logical_and.reduce([_answered(value) for value in (answers.values["short"], *shuffled)])
    seed = trial.trainee.job.seed
    return read_shuffles(
        trial.task, truth[asked], [value[asked] for value in shuffled], answers.values["short"][asked], seed
    )


def _answered(value: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which records a training was asked about, (records,)."""
    return np.asarray(np.isfinite(value).all(axis=tuple(range(1, value.ndim))))


@dataclass(frozen=True)
class Measured:
    """What was measured on the test records, before anything is concluded from it."""

    scores: Mapping[str, Mapping[str, Score]]
    comparison: tuple[Difference, ...]
    shuffle: Shuffle | None
    evidence: Evidence


def _facts(trial: Trial, measured: Measured) -> Facts:
    trainee, task, train = trial.trainee, trial.task, trial.trainee.job.train
    fitted = METRICS[task.primary](trainee.learnable.truth[train], trainee.values[train])
    rows = _looked_at(trial)
    tables = [
        trainee.records.inputs[name].iloc[rows]
        for name, modality in trainee.learnable.modalities.items()
        if modality.columns == "many"
    ]
    titles = {"model": "the network", **CONTROLS}
    first, folds = trial.once.fold == 0, trial.division.folds
    return Facts(
        task=task,
        targets=trainee.learnable.targets,
        truth=trainee.learnable.truth,
        part=trial.first.part,
        value=trial.once.values["model"][first],
        units=_units(trial),
        independent=trial.plan.units,
        split=trial.division.split.method if folds is None else folds.method,
        scored=None if first.all() else trial.once.rows,
        scores=measured.scores,
        comparison=measured.comparison,
        titles=titles | {role: _called(model.title) for role, model in trial.rivals.models.items()},
        shuffle=measured.shuffle,
        dropped=len(trainee.prepared.dropped),
        start=_begun(trainee),
        leakage=trial.division.leakage.counts()
        | {
            "repeated_in_file": trial.division.leakage.repeated,
            "conflicting_in_file": trial.division.leakage.conflicts,
        },
        train_score=float(fitted) if np.isfinite(fitted) else None,
        ids=trainee.records.ids[rows],
        groups=None if trainee.records.group is None else trainee.records.group[rows],
        inputs=pd.concat(tables, axis=1).reset_index(drop=True) if tables else pd.DataFrame(),
        columns=trainee.records.columns.iloc[rows].reset_index(drop=True),
        properties=_properties(trial.rivals.features, rows),
        evidence=measured.evidence,
        code=code_size(trainee.fitted.network, trainee.job.shapes),
        looked_at=None if isinstance(rows, slice) else rows,
    )


def _begun(trainee: Trainee) -> str:
    """The run that training began with; none where the network learned first from records that are unlike the test."""
    start, prepared = trainee.prepared.start, trainee.prepared
    return "" if start is None or prepared.unlabelled is not None else start.folder


def _looked_at(trial: Trial) -> Any:
    """The records that checks look at one by one: all, or where they are many those of the test and of the rivals."""
    rows = trial.rivals.features.rows
    if len(rows) == len(trial.trainee.records):
        return slice(None)
    return np.union1d(rows, trial.first.index("test"))


def _units(trial: Trial) -> str:
    """What the scored records were drawn by, such as "310 families"; empty where one by one."""
    plan = trial.plan
    if not plan.grouped:
        return ""
    if trial.trainee.records.group is not None:
        return f"{plan.units:,} groups"
    split = trial.division.folds or trial.division.split
    return counted(plan.units, splitters[split.method].unit)


def _properties(seen: SomeFeatures, rows: Any) -> dict[str, NDArray[Any]]:
    """Numbers that say little by themselves, such as length and GC content, from the simple features; NaN where
    there are none of a record."""
    plain = {
        name: seen.features.values[:, column]
        for column, name in enumerate(seen.features.names)
        if name.rpartition(": ")[2] in ("length", "GC")
    }
    if isinstance(rows, slice):
        return plain
    known, places = np.isin(rows, seen.rows), seen.places(rows)
    return {
        name: np.where(known, values[np.minimum(places, len(values) - 1)], np.nan)
        for name, values in plain.items()
    }


def _called(title: str) -> str:
    """A title inside a sentence: "ridge regression", "the nearest training record"."""
    lower = title[:1].lower() + title[1:]
    return f"the {lower}" if lower.startswith("nearest") else lower


def _scores_to_json(scores: Mapping[str, Score]) -> dict[str, Any]:
    return {name: score.to_json() for name, score in scores.items()}
