"""From split records to what a network learns from: encoded inputs, numbers for labels, and the training job.

Whatever is learned here (lengths, means, categories, the scale of the target) is learned from training rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom import tasks
from bioloom.data.answers import ANSWER
from bioloom.data.records import Problem, Records, take_rows
from bioloom.data.split import Split
from bioloom.errors import UserError
from bioloom.journey import everywhere
from bioloom.journey.answers import answers_of
from bioloom.journey.folder import ENCODED
from bioloom.journey.prepare import Prepared
from bioloom.journey.unlabelled import own_truth, refuse_mean_of_answers, refuse_unsuited
from bioloom.modalities import Encoded, Modality, encoding_settings, modalities
from bioloom.models import Outputs, check_settings, networks
from bioloom.recipe import TrainingRecipe
from bioloom.targets import Targets, fit_targets, standardise
from bioloom.training import device as devices
from bioloom.training.augment import augmentation
from bioloom.training.loop import Job
from bioloom.training.plan import Plan, of_long_records, plan


@dataclass(frozen=True)
class Learnable:
    """Records as a network learns from them.

    modalities: by input name, with what they learned from the training rows
    truth:      (records, targets, *places) in the target's own units; unknown ones NaN
    notes:      what encoding changed in some rows, such as cropped sequences; rows are positions in the records
    """

    modalities: Mapping[str, Modality]
    encoded: Mapping[str, Encoded]
    targets: Targets
    truth: NDArray[np.float32]
    notes: tuple[Problem, ...]


def encode(prepared: Prepared, split: Split, folder: Path | None = None) -> Learnable:
    """Learn from the training rows how to encode, and encode all rows.

    folder: where encoded records lie that are larger than memory should hold; None keeps them in memory
    """
    records, train, start = prepared.records, split.index("train"), prepared.start
    fitted = {
        name: modalities[recipe.modality].fit_as(
            take_rows(records.inputs[name], train),
            encoding_settings(recipe.modality, _encoding(prepared, recipe.modality)),
        )
        if start is None or (known := start.modality(name)) is None
        else known
        for name, recipe in prepared.recipe.data.inputs.items()
    }
    encoded = {name: _encode(prepared, modality, name, folder) for name, modality in fitted.items()}
    task = tasks.task(prepared.recipe.data.task)
    if task.written:
        targets, truth, encoded[ANSWER] = answers_of(records.targets, task.name)
    elif task.labelled:
        _refuse_other_places(task, fitted)
        places = everywhere.places(task.name, fitted)
        targets = fit_targets(take_rows(records.targets, train), task.name, prepared.classes, places)
        if start is not None and start.predicts(targets):
            targets = start.model.targets
        truth = targets.truth(records.targets)
    else:
        targets, truth = own_truth(task, fitted, encoded)
    return Learnable(
        modalities=fitted,
        encoded=encoded,
        targets=targets,
        truth=truth,
        notes=tuple(note for name, each in fitted.items() for note in each.notes(records.inputs[name])),
    )


def _refuse_other_places(task: tasks.Task, fitted: Mapping[str, Modality]) -> None:
    """UserError where a target of each position would lie beside other positions than its own."""
    for name, modality in fitted.items():
        if task.everywhere and not modality.keeps_places:
            raise UserError(
                f'"{name}" is resampled, so that its points would not lie where the targets of each point are.',
                where=f"encoding.{modality.name}",
                fix=f"leave encoding.{modality.name} at its default, or predict one value for each record",
            )


def _encoding(prepared: Prepared, modality: str) -> dict[str, dict[str, Any]]:
    """The settings of modalities: what is usual for the task, and what the recipe says."""
    usual = tasks.TASKS[prepared.recipe.data.task].encoding.get(modality, {})
    asked = prepared.recipe.encoding
    return {**asked, modality: {**usual, **asked.get(modality, {})}}


def _encode(prepared: Prepared, modality: Modality, name: str, folder: Path | None) -> Encoded:
    """All records of one input; a file of them is called by all that it follows from, so that it is found again."""
    values = prepared.records.inputs[name]
    if folder is None:
        return modality.encode(values)
    known = [version("bioloom"), prepared.table.sha256, len(values), name, modality.name, modality.state()]
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(prepared.records.lines).tobytes())
    return modality.encode_into(values, folder / f"{ENCODED} {digest.hexdigest()[:24]}")


def choose_network(prepared: Prepared) -> tuple[str, str]:
    """The network for these inputs, and why."""
    asked = prepared.recipe.model.network
    if prepared.start is not None:
        return networks[asked].name, f"that of {prepared.start.folder}, whose weights it begins with"
    if asked != "auto":
        return networks[asked].name, prepared.reasons.get("network", "named in the recipe")
    usual = tasks.TASKS[prepared.recipe.data.task].network
    if usual:
        return usual, f"the usual choice where {tasks.TASKS[prepared.recipe.data.task].why}"
    if everywhere.is_everywhere(prepared.recipe.data.task):
        return everywhere.usual_network(prepared.recipe.data.inputs)
    names = [recipe.modality for recipe in prepared.recipe.data.inputs.values()]
    if len(names) == 1:
        ((name, each),) = prepared.recipe.data.inputs.items()
        return modalities[each.modality].usual_network(prepared.records.inputs[name])
    joining = max(
        (name for name in networks if networks[name].several), key=lambda name: len(networks[name].accepts)
    )
    return joining, f"it joins {len(names)} inputs"


def make_job(prepared: Prepared, split: Split, learnable: Learnable) -> Job:
    """The training that the recipe asks for, with everything it left open decided."""
    recipe, task = prepared.recipe, tasks.task(prepared.recipe.data.task)
    name, _ = choose_network(prepared)
    everywhere.refuse_other_network(name, task.name)
    refuse_unsuited(name, task.name)
    refuse_mean_of_answers(recipe)
    if task.everywhere:
        everywhere.refuse_moved(recipe.augmentation.model_dump())
    device = devices.choose(recipe.device)
    train = split.index("train")
    settings = check_settings(networks[name], recipe.model.settings)
    shapes = {each: modality.shape for each, modality in learnable.modalities.items()}
    shapes |= {each: learnable.encoded[each].shape for each in learnable.encoded if each == ANSWER}
    asked = _asked(task, learnable.targets, recipe.training.loss)
    completed = networks[name].for_outputs(networks[name].complete(settings, shapes).model_dump(), asked)
    start = prepared.start
    outputs = task.raw_outputs(learnable.targets, recipe.training.loss)
    return Job(
        network=name,
        settings=completed,
        outputs=outputs,
        inputs=learnable.encoded,
        truth=standardise(learnable.truth, learnable.targets),
        weight=_relative(prepared.records, train),
        train=train,
        validation=split.index("validation"),
        task=task,
        plan=planned(prepared, recipe.training, len(train), device),
        seed=recipe.seed,
        device=device,
        threads=recipe.threads,
        start=networks[name].learned(completed)
        if start is None
        else start.weights(shapes, learnable.targets, completed, outputs),
        augmentation=augmentation(
            recipe.augmentation,
            {each: modality.augmentations for each, modality in learnable.modalities.items()},
            {each: learnable.encoded[each] for each in learnable.modalities},
        ),
    )


def _asked(task: tasks.Task, targets: Targets, loss: str) -> Outputs:
    """What is asked of the network beside one number for each target."""
    head = task.head(loss)
    return Outputs(
        targets.outputs if len(targets.classes) > 2 else 0, 0 if head is None else head.per_target - 1
    )


def planned(prepared: Prepared, recipe: TrainingRecipe, records: int, device: str) -> Plan:
    """How the network learns from so many training records; more slowly where it begins with what it learned elsewhere."""
    network = networks[choose_network(prepared)[0]]
    size = everywhere.size(prepared.records, prepared.recipe)
    usual = plan(recipe, round(records * size), network, prepared.recipe.budget, device)
    usual = usual if size == 1 else of_long_records(usual, recipe, size)
    if prepared.start is None or recipe.learning_rate:
        return usual
    return replace(usual, learning_rate=usual.learning_rate * prepared.start.rate)


def _relative(records: Records, train: NDArray[np.int64]) -> NDArray[np.float32]:
    """Weights relative to the mean training record, (records,); those of test records move nothing."""
    if records.weight is None:
        return np.ones(len(records), dtype=np.float32)
    return np.asarray(records.weight / records.weight[train].mean(dtype=np.float64), dtype=np.float32)
