"""Learning without labels: the truth is made from the input, so there is no column to predict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from bioloom.data import readers
from bioloom.data.records import Table
from bioloom.errors import UserError
from bioloom.modalities import Encoded, Features, Modality, Shape
from bioloom.models import Network, networks
from bioloom.recipe import Recipe
from bioloom.targets import Targets
from bioloom.tasks import TASKS, Task

USUAL_TASK = "reconstruct"
"""What is learned without labels unless the recipe says otherwise."""

ROWS_AT_ONCE = 4096
"""Records expanded at a time."""


def labelled(recipe: Recipe) -> bool:
    """Whether columns hold what is predicted."""
    return recipe.data.task not in TASKS or TASKS[recipe.data.task].labelled


def has_target(recipe: Recipe) -> bool:
    """Whether a column holds what is predicted: labels, or answers that are written."""
    return recipe.data.task not in TASKS or TASKS[recipe.data.task].has_target


def refuse_target(recipe: Recipe) -> None:
    """Raise UserError where a column is named as the target of a task that has none."""
    if recipe.data.target and not has_target(recipe):
        raise UserError(
            f'The task "{recipe.data.task}" learns without labels, so it has no target.',
            where="--target",
            fix="leave out --target, and name columns that are no input with --exclude",
        )


def refuse_unsuited(network: str, task: str) -> None:
    """Raise UserError for a network that is for other tasks alone, and for any other where a task has its own."""
    usual = TASKS[task].network
    needed = networks[usual].only_for if usual else ""
    fitting = [
        name for name, each in networks.items() if each.only_for == needed and task in (each.suits or {task})
    ]
    if network in fitting:
        return
    raise UserError(
        f'The network "{network}" is not for the task "{task}".',
        where="model.network",
        fix=f"use one of: {', '.join(fitting)}",
    )


def refuse_mean_of_answers(recipe: Recipe) -> None:
    """Raise UserError where several networks are to be averaged that write answers: texts have no mean."""
    if recipe.training.members > 1 and TASKS[recipe.data.task].written:
        raise UserError(
            "Answers that several networks write have no mean.",
            where="training.members",
            fix="leave it out; model.settings.beams=8 searches for likelier answers",
        )


def without_labels(network: type[Network], first: str) -> type[Network]:
    """The network that learns what a network with labels begins with, for a task without labels."""
    own = [each for name in networks if network.name in (each := networks[name]).with_labels]
    return next((each for each in own if each.only_for == first), network)


def refuse_unexplained(targets: Targets, folder: str) -> None:
    """Raise UserError where a model restores records: there is no single prediction to explain."""
    if not TASKS[targets.task].has_target:
        raise UserError(
            "This model learned without labels and predicts none, so there is no prediction to explain.",
            where=folder,
            fix="bioloom embed writes the numbers that describe records; to explain, train with a target and "
            f"--from {folder}",
        )


def read_unlabelled(recipe: Recipe) -> tuple[Recipe, Table | None]:
    """The file without labels that a recipe names, and the recipe with its hash.

    Raises UserError where it changed since the recipe was written, and for what does not go together.
    """
    asked = recipe.model
    if not asked.pretrain:
        return recipe, None
    if asked.start or not labelled(recipe):
        other = "--from" if asked.start else f"--task {recipe.data.task}"
        raise UserError(
            f"--pretrain does not go with {other}.",
            where="--pretrain",
            fix="leave one of them out: a network begins with one set of weights, and learns from labels afterwards",
        )
    table = readers.read(asked.pretrain)
    if asked.pretrain_sha256 not in ("", table.sha256):
        raise UserError(
            "The file to learn from first changed since this recipe was written.",
            where=asked.pretrain,
            fix="put back the old file, or remove the line pretrain_sha256 from the recipe to go on with the new one",
        )
    return recipe.model_copy(
        update={"model": asked.model_copy(update={"pretrain_sha256": table.sha256})}
    ), table


def own_truth(
    task: Task, fitted: Mapping[str, Modality], encoded: Mapping[str, Encoded]
) -> tuple[Targets, NDArray[np.float32]]:
    """What is to be said of each record, (records, targets), made from its only input as a network sees it.

    Raises UserError for several inputs.
    """
    if len(encoded) > 1:
        raise UserError(
            f"Learning without labels takes one input, and there are {len(encoded)}: {', '.join(encoded)}.",
            where="--input",
            fix="name one of them with --input, and learn from each in a run of its own",
        )
    ((name, values),) = encoded.items()
    truth = made_of(task, values)
    if task.names:
        return Targets(task.name, task.names), truth
    return Targets(task.name, value_names(fitted[name].channels, values.shape, truth.shape[1])), truth


def made_of(task: Task, encoded: Encoded) -> NDArray[np.float32]:
    """The truth of each record, (records, targets), block by block."""
    assert task.made is not None
    resident, parts = encoded.on("cpu"), []
    for index in torch.split(torch.arange(len(encoded)), ROWS_AT_ONCE):
        x, mask = resident.batch(index)
        parts.append(task.made(x.numpy(), None if mask is None else mask.numpy()))
    return np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)


def value_names(channels: tuple[str, ...], shape: Shape, count: int) -> tuple[str, ...]:
    """A name for each number of a record: the channel, with the place in it where it has several."""
    places = shape.sizes[1:]
    if not places and len(channels) == count:
        return channels
    names = [" ".join(str(number + 1) for number in place) for place in np.ndindex(*places)]
    known = channels if len(channels) == shape.sizes[0] else tuple(map(str, range(1, shape.sizes[0] + 1)))
    found = tuple(f"{channel} {name}" for channel in known for name in names)
    return found if len(found) == count else tuple(f"value {number + 1}" for number in range(count))


def as_features(truth: NDArray[np.float32], targets: Targets) -> Features:
    """The numbers of records as simple models see them: what is unknown counts as 0."""
    told = "all numbers of a record, as the network sees them"
    return Features(np.nan_to_num(truth, nan=0.0), targets.names, told)
