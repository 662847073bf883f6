"""What a run writes down: `result.json`, its tables, and the model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom import tasks
from bioloom.data.records import Problem
from bioloom.evaluation.predictions import Predictions
from bioloom.journey import everywhere
from bioloom.journey.division import Division, shares
from bioloom.journey.judge import Judged, Trial
from bioloom.journey.learnable import Learnable, choose_network
from bioloom.journey.prepare import Prepared
from bioloom.journey.trainee import distilled, members_asked
from bioloom.models import networks
from bioloom.models.layers import layer_table
from bioloom.recipe import Recipe
from bioloom.trained import Model
from bioloom.training.ensemble import seeds_of
from bioloom.training.loop import Fitted, Job

FORMAT = 1
"""Raise it when a reader of the format before could not read it."""

LINES_SHOWN = 5
"""Lines named for each problem; `dropped.csv` has all of them."""


@dataclass(frozen=True)
class Trained:
    """Everything a run found, ready to be written down."""

    trial: Trial
    judged: Judged
    model: Model
    recipe: Recipe
    explanation: Sequence[Mapping[str, Any]]
    request: str
    searched: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prepared(self) -> Prepared:
        """The records and how they were read."""
        return self.trial.trainee.prepared

    @property
    def learnable(self) -> Learnable:
        """The records as the network saw them."""
        return self.trial.trainee.learnable

    @property
    def job(self) -> Job:
        """What the training was told."""
        return self.trial.trainee.job

    @property
    def fitted(self) -> Fitted:
        """The trained network."""
        return self.trial.trainee.fitted


def result(run: Trained, seconds: Mapping[str, float], environment: Mapping[str, Any]) -> dict[str, Any]:
    """The content of `result.json`; see docs/reference/result.md."""
    return {
        "format": FORMAT,
        "bioloom": version("bioloom"),
        "name": run.prepared.name,
        "request": run.request,
        "data": _data(run),
        "split": _split(run.trial.division),
        "leakage": run.trial.division.leakage.to_json(),
        "search": dict(run.searched),
        "model": _model(run),
        "training": _training(run),
        **run.judged.to_json(),
        "explanation": list(run.explanation),
        "recipe": run.recipe.model_dump(mode="json", exclude_none=True),
        "seed": run.recipe.seed,
        "budget": run.recipe.budget,
        "timing": {
            "total": round(sum(seconds.values()), 2),
            "stages": {name: round(spent, 2) for name, spent in seconds.items()},
        },
        "environment": dict(environment),
    }


def _data(run: Trained) -> dict[str, Any]:
    prepared, table = run.prepared, run.prepared.table
    return {
        "source": table.source,
        "format": table.format,
        "sha256": table.sha256,
        "rows": len(table.frame),
        "used": len(prepared.records),
        "dropped": len(prepared.dropped),
        "dropped_reasons": _reasons(prepared),
        "inputs": [
            {
                "name": name,
                "modality": recipe.modality,
                "columns": list(recipe.columns),
                "shape": list(run.learnable.modalities[name].shape.sizes),
                "kind": str(run.learnable.modalities[name].shape.kind),
                "reason": prepared.roles.reasons.get(name, ""),
            }
            for name, recipe in prepared.recipe.data.inputs.items()
        ],
        "target": _target(run),
        "reserved": dict(prepared.roles.reserved),
        "unused_columns": list(prepared.roles.unused),
        "notes": list(table.notes),
        "problems": [
            *(_problem(each, table.lines) for each in prepared.problems),
            *(_problem(each, prepared.records.lines) for each in run.learnable.notes),
        ],
    }


def _reasons(prepared: Prepared) -> list[dict[str, Any]]:
    lines: dict[str, list[int]] = {}
    for row in prepared.dropped:
        lines.setdefault(f"{row.column}: {row.reason}" if row.column else row.reason, []).append(row.line)
    return [
        {"reason": reason, "count": len(found), "lines": found[:LINES_SHOWN]}
        for reason, found in lines.items()
    ]


def _target(run: Trained) -> dict[str, Any]:
    targets, reasons = run.learnable.targets, run.prepared.reasons
    return {
        "names": list(targets.names),
        "task": targets.task,
        "title": tasks.task(targets.task).title,
        "reason": reasons.get("task", ""),
        **({} if tasks.task(targets.task).labelled else {"labelled": False}),
        **({"written": True} if tasks.task(targets.task).written else {}),
        **({"place": place} if (place := tasks.task(targets.task).place) else {}),
        "classes": list(targets.classes),
        "positive": targets.positive,
        "positive_reason": reasons.get("positive", ""),
        "summary": _summary(run),
    }


def _summary(run: Trained) -> dict[str, Any]:
    truth, targets = run.learnable.truth, run.learnable.targets
    if targets.tokens:
        lengths = truth[:, 2] - 1
        return {
            "tokens": len(targets.tokens) - 2,
            "shortest": int(lengths.min()),
            "longest": int(lengths.max()),
        }
    if targets.classes:
        codes = truth[:, 0]
        return {name: int((codes == number).sum()) for number, name in enumerate(targets.classes)}
    return {
        name: {
            "mean": _round(np.nanmean(truth[:, i].astype(float))),
            "sd": _round(np.nanstd(truth[:, i].astype(float))),
            "min": _round(np.nanmin(truth[:, i])),
            "max": _round(np.nanmax(truth[:, i])),
            "missing": int(np.isnan(truth[:, i]).sum()),
        }
        for i, name in enumerate(targets.names)
    }


def _round(value: Any) -> float:
    return float(f"{float(value):.6g}")


def _problem(problem: Problem, lines: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "fix": problem.fix,
        "column": problem.column,
        "count": len(problem.rows),
        "lines": lines[problem.rows[:LINES_SHOWN]].tolist(),
    }


def _split(division: Division) -> dict[str, Any]:
    split, folds = division.split, division.folds
    told = split if folds is None else folds
    content: dict[str, Any] = {
        "method": told.method,
        "reason": told.reason,
        "counts": {part: len(split.index(part)) for part in ("train", "validation", "test")},
        "notes": list(told.notes),
    }
    if folds is not None:
        content |= {"folds": folds.count, "repeats": folds.repeats}
    return content


def _model(run: Trained) -> dict[str, Any]:
    network = networks[run.job.network]
    table = layer_table(run.fitted.network, run.job.shapes)
    _, reason = choose_network(run.prepared)
    return {
        "network": run.job.network,
        "title": network.title,
        "settings": dict(run.job.settings),
        "parameters": table.parameters,
        "members": len(run.trial.trainee.members),
        "reason": reason,
        "start": None if run.prepared.start is None else run.prepared.start.to_json(run.learnable.targets),
        "delivered": run.model.delivered,
        "layers": [
            {
                "layer": f"{layer.name} ({layer.operation})",
                "output": "x".join(map(str, layer.shape)),
                "parameters": layer.parameters,
            }
            for layer in table.layers
        ],
    }


def _training(run: Trained) -> dict[str, Any]:
    fitted, plan = run.fitted, run.job.plan
    ran = len(fitted.history)
    stopped = (
        "all epochs done"
        if ran == plan.epochs
        else f"the validation loss had not fallen for {ran - fitted.best.number} epochs"
    )
    return {
        "plan": asdict(plan),
        "augmentation": {key: value for key, value in run.recipe.augmentation.model_dump().items() if value},
        "epochs_run": ran,
        "best_epoch": fitted.best.number,
        "stopped": stopped,
        "history": [
            {
                "epoch": epoch.number,
                "train_loss": _round(epoch.loss),
                "validation_loss": None if epoch.validation_loss is None else _round(epoch.validation_loss),
                "learning_rate": _round(epoch.learning_rate),
            }
            for epoch in fitted.history
        ],
        **_members(run),
        "device": run.job.device,
        "threads": fitted.threads,
        "notes": [*_start(run), *fitted.notes],
    }


def _members(run: Trained) -> dict[str, Any]:
    """How each of several networks came about; nothing of a single one, which `history` tells."""
    members = run.trial.trainee.members
    if len(members) == 1:
        return {}
    losses = [member.fitted.best.validation_loss for member in members]
    told = [
        {
            "seed": seed,
            "epochs_run": len(member.fitted.history),
            "best_epoch": member.fitted.best.number,
            "validation_loss": None if loss is None else _round(loss),
        }
        for seed, member, loss in zip(seeds_of(run.job.seed, len(members)), members, losses, strict=True)
    ]
    return {"members": told, "rotated": run.trial.trainee.shared is not None}


def _start(run: Trained) -> list[str]:
    """What is told of the model that training began with."""
    start = run.prepared.start
    return [] if start is None else [start.words(run.learnable.targets)]


# ---- tables, card, machine ------------------------------------------------------------------------------


def predictions_table(trial: Trial) -> pd.DataFrame:
    """All records used: id, part, truth and prediction of the network, in the order of the file.

    In a cross-validation each record has the prediction of the fold that did not learn from it.
    """
    trainee, division = trial.trainee, trial.division
    values, spread = trainee.values, trainee.spread
    if division.folds is not None:
        values = values.copy()
        values[trial.once.rows] = trial.once.values["model"]
        if spread is not None:
            spread = spread.copy()
            spread[trial.once.rows] = trial.once.values["spread"]
    frame = Predictions(
        trainee.learnable.targets,
        trainee.records.ids,
        values,
        trainee.learnable.truth,
        spread,
        everywhere.lengths(trainee.records, trainee.prepared.recipe.data.inputs)
        if trainee.job.task.everywhere
        else None,
    ).frame()
    frame.insert(1, "part", division.split.part if division.folds is None else "test")
    if division.folds is not None:
        frame.insert(2, "fold", division.folds.fold[0] + 1)
    return frame


def split_table(prepared: Prepared, division: Division) -> pd.DataFrame:
    """Which record is in which part, and by which fold it is tested."""
    records = prepared.records
    columns = {"id": records.ids, prepared.table.unit: records.lines, "part": division.split.part}
    if division.folds is not None:
        numbers = division.folds.fold + 1
        names = ["fold"] if len(numbers) == 1 else [f"fold {n + 1}" for n in range(len(numbers))]
        columns |= dict(zip(names, numbers, strict=True))
    return pd.DataFrame(columns)


def dropped_table(prepared: Prepared) -> pd.DataFrame:
    """Every row that was left out, with its reason; rows in = rows used + rows here."""
    columns = [prepared.table.unit, "id", "column", "reason"]
    rows = [(row.line, row.id, row.column, row.reason) for row in prepared.dropped]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def resolved(recipe: Recipe, job: Job, division: Division) -> Recipe:
    """The recipe with every choice filled in, as the run writes it back."""
    folds = division.folds
    decided: dict[str, Any] = {"folds": 1 if folds is None else folds.count}
    decided |= shares(recipe, len(division.copies))
    if recipe.split.method == "auto":
        decided["method"] = division.split.method if folds is None else folds.method
    return recipe.model_copy(
        update={
            "split": recipe.split.model_copy(update=decided),
            "model": recipe.model.model_copy(update={"network": job.network, "settings": dict(job.settings)}),
            "training": recipe.training.model_copy(
                update={**asdict(job.plan), "members": members_asked(recipe), "distil": distilled(recipe)}
            ),
        }
    )


def card(prepared: Prepared, job: Job, model: Model) -> str:
    """A short text that travels with the model: what it predicts, from what, and where to read more."""
    inputs = ", ".join(f"{name} ({each.modality})" for name, each in prepared.recipe.data.inputs.items())
    return "\n".join(
        [
            f"# {', '.join(prepared.recipe.data.target) or 'Learned without labels'} from {inputs}",
            "",
            f"A {job.network} network for {job.task.title}, trained by bioloom {version('bioloom')} on "
            f"{len(job.train):,} of {len(prepared.records):,} records of {prepared.table.source} "
            f"(SHA-256 {prepared.table.sha256[:16]}).",
            "",
            _delivered(model),
            "",
            "What its score is worth is in `result.json` and `report.html` of the run folder around it.",
            "Load it with `bioloom.load(run_folder).model` and predict with `.predict([...])`.",
            "",
        ]
    )


def _delivered(model: Model) -> str:
    if model.delivered == "network" or model.rival is None:
        return "Predictions are those of the network."
    return (
        f"The network was not better than a simpler model on records it had not seen, so predictions are those of "
        f"{model.rival.describe()}, learned from the same records; `--model network` asks the network."
    )
