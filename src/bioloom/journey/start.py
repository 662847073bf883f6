"""The run whose network a training begins with: what is taken over from it, and which records it had learned from.

Weights mean something only together with what was learned about the inputs (length, letters, means of columns), so
that is taken over with them. Where target, task and classes are the same, so are the scale of the target and the last
layer; else the last layer begins at random.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from bioloom import trained
from bioloom.data.learned import Learned, joined_hashes
from bioloom.data.records import Table
from bioloom.errors import UserError
from bioloom.files import sha256
from bioloom.journey.unlabelled import labelled
from bioloom.modalities import Modality, modalities
from bioloom.models import Network, Shapes, build, networks
from bioloom.models.ensemble import members_of
from bioloom.recipe import InputRecipe, Recipe
from bioloom.targets import Targets
from bioloom.tasks import TASKS, task
from bioloom.trained import Model
from bioloom.training.loop import Job

SLOWER = 0.3
"""On other data than those of the start, the peak learning rate is so much of the usual one, unless the recipe states
one: larger steps undo what was learned before they learn something new."""


@dataclass(frozen=True)
class Start:
    """The model that a training begins with.

    folder:    as the user named it
    sha256:    of the files of the model
    same_data: whether it learned from the same data
    """

    folder: str
    sha256: str
    model: Model
    same_data: bool

    @property
    def rate(self) -> float:
        """By how much the usual learning rate is multiplied.

        Not slower after learning without labels: the last layer is new, and on validation records of simulated tables the
        usual rate came out ahead.
        """
        return 1.0 if self.same_data or not self.labelled else SLOWER

    @property
    def network(self) -> Network:
        """The network whose weights are taken; of a mean of several, the first stands for all."""
        return self.members[0]

    @property
    def members(self) -> tuple[Network, ...]:
        """The networks whose mean the model is, one or more; weights of several cannot be averaged."""
        return tuple(members_of(self.model.network))

    @property
    def labelled(self) -> bool:
        """Whether it learned from labels."""
        return task(self.model.targets.task).labelled

    def predicts(self, targets: Targets) -> bool:
        """Whether the model predicts just this: the same task, columns and classes."""
        old = self.model.targets
        if not task(
            old.task
        ).labelled:  # what it says of a record follows from the inputs, which are the same
            return old.task == targets.task
        return (old.task, old.names, old.classes) == (targets.task, targets.names, targets.classes)

    @property
    def learned(self) -> Learned | None:
        """Which records the model had learned from; None where it was stored without that knowledge."""
        return self.model.learned

    def modality(self, name: str) -> Modality | None:
        """What was learned about an input; the only input of a network may be called otherwise now."""
        fitted = self.model.modalities
        return fitted[name] if name in fitted else next(iter(fitted.values()))

    def weights(
        self, shapes: Shapes, targets: Targets, settings: Mapping[str, Any], outputs: int, member: int = 0
    ) -> dict[str, Tensor]:
        """The weights to begin with, by name; without those of the last layer where something else is predicted.

        outputs: raw outputs of the new network, which are more where its loss asks for the spread too
        member:  which network of the new mean it is for, from 0; each begins with another of the old mean, if there is one
        Raises UserError where other settings made a network of another size.
        """
        body = not self.labelled and task(targets.task).labelled
        network, old = networks[self.network.name], self.members[member % len(self.members)].state_dict()
        name = network_with_labels(network, targets.task).name if body else network.name
        other = name != network.name
        given = task(self.model.targets.task).raw_outputs(self.model.targets, self.model.recipe.training.loss)
        own = _sizes(name, shapes, given, settings)
        wider = _sizes(name, shapes, given + 1, settings)
        kept = [key for key in own if own[key] == wider[key]] if body else list(own)
        # another network may sum up records in its own way
        kept = [key for key in kept if key in old] if other else kept
        misfit = [key for key in kept if key not in old or own[key] != old[key].shape]
        if misfit or (len(own) != len(old) and not body):
            raise UserError(
                f'These settings make another network than that of "{self.folder}": its weights do not fit.',
                where="[model.settings]",
                fix="leave out the settings that change sizes; they are taken over from the start",
            )
        if self.predicts(targets) and given == outputs:
            return old
        return {key: old[key] for key in kept if own[key] == wider[key]}

    def seen(self, inputs: Mapping[str, pd.DataFrame]) -> Seen | None:
        """Which records the model had learned from; None where it was stored without that knowledge."""
        learned = self.model.learned
        if learned is None:
            return None
        fitted = {name: each for name in inputs if (each := self.modality(name)) is not None}
        hashes = record_hashes(fitted, inputs)
        return Seen(np.isin(hashes, learned.train), np.isin(hashes, learned.validation))

    def words(self, targets: Targets) -> str:
        """What is taken over, in a few sentences for people."""
        same = self.predicts(targets)
        told = [f'The network "{self.network.name}" begins with the weights it has in {self.folder}.']
        if len(self.members) > 1:
            told.append(
                f"These are {len(self.members)} networks, and each new one begins with another of them."
            )
        if not self.labelled and task(targets.task).labelled:
            told.append("It learned them without labels; its last layer begins at random.")
        elif not same:
            told.append("Something else is predicted, so its last layer begins at random.")
        elif targets.task == "regression":
            told.append("The scale of the target is taken over too.")
        if self.rate < 1:
            told.append(f"The data are others, so it learns at {self.rate:g} times the usual rate.")
        return " ".join(told)

    def to_json(self, targets: Targets) -> dict[str, Any]:
        """As it stands in result.json."""
        return {
            "folder": self.folder,
            "sha256": self.sha256,
            "same_data": self.same_data,
            "last_layer": "taken over" if self.predicts(targets) else "new",
            "rate": self.rate,
        }


def begun(start: Start | None, targets: Targets, jobs: Sequence[Job]) -> list[Job]:
    """The trainings of the networks of a mean: with a start, each begins with another network of the mean that it is."""
    first, *others = jobs
    if start is None:
        return [first, *others]
    told = (first.shapes, targets, first.settings, first.outputs)
    return [first, *(replace(job, start=start.weights(*told, n)) for n, job in enumerate(others, start=1))]


@dataclass(frozen=True)
class Seen:
    """Which records a model had learned from, (records,) each.

    train:      their labels moved its weights
    validation: their labels decided when it stopped
    """

    train: NDArray[np.bool_]
    validation: NDArray[np.bool_]

    @property
    def either(self) -> NDArray[np.bool_]:
        """Records that cannot test what began with that model."""
        return self.train | self.validation


def begin(recipe: Recipe, table: Table) -> tuple[Recipe, Start | None]:
    """The start that a recipe names, and the recipe with what follows from it: network, settings, target, inputs, hash.

    What the recipe states is left as it is. Raises UserError where the start is no run, changed since the recipe was
    written, or has another network than the recipe asks for.
    """
    asked = recipe.model
    if not asked.start:
        _refuse_changes_of_nothing(recipe)
        return recipe, None
    folder = Path(asked.start)
    folder = folder if (folder / "model.json").exists() else folder / "model"
    if not (folder / "model.json").exists():
        raise UserError(
            "There is no trained model to begin with.",
            where=asked.start,
            fix="name the folder of a finished run",
        )
    found = _hash(folder)
    if asked.start_sha256 not in ("", found):
        raise UserError(
            "The model to begin with changed since this recipe was written.",
            where=asked.start,
            fix="put back the old run, or remove the line start_sha256 from the recipe to go on with the new one",
        )
    start = started_from(folder, asked.start, table)
    return _filled(recipe, start, table), start


def _refuse_changes_of_nothing(recipe: Recipe) -> None:
    """Raise UserError where small changes of weights are asked for and no weights were learned before."""
    named = recipe.model.network
    published = named != "auto" and networks[named].learned(recipe.model.settings)
    if recipe.training.lora and not recipe.model.pretrain and not published:
        raise UserError(
            "Low-rank changes (LoRA) need weights that were learned before.",
            where="training.lora",
            fix="add --from RUN or --pretrain FILE, or leave training.lora out",
        )


def started_from(folder: Path, named: str, table: Table) -> Start:
    """The start in a model folder, as the user named it, for records of a table."""
    model = trained.load(folder)
    return Start(named, _hash(folder), model, model.recipe.data.sha256 == table.sha256)


def taken_over(recipe: Recipe, start: Start) -> dict[str, Any]:
    """Network and settings as they follow from a start; the recipe's own settings count more."""
    network = network_after(start, recipe)
    settings = {**start.model.recipe.model.settings, **recipe.model.settings}
    if not start.labelled:
        settings = networks[start.network.name].for_labels(settings, labelled(recipe))
    return {"network": network.name, "settings": settings}


def network_after(start: Start, recipe: Recipe) -> type[Network]:
    """The network that goes on from a start: another one where it learned without labels and has one for labels."""
    network = networks[start.network.name]
    if start.labelled or not labelled(recipe):
        return network
    if recipe.model.network in network.with_labels:
        return networks[recipe.model.network]
    return network_with_labels(network, recipe.data.task)


def network_with_labels(network: type[Network], named: str) -> type[Network]:
    """The network that begins with the weights of one that learned without labels, for a task, "auto" being any."""
    everywhere = named in TASKS and TASKS[named].everywhere
    follows = [networks[name] for name in network.with_labels]
    return next((each for each in follows if each.everywhere == everywhere), (follows or [network])[0])


def _filled(recipe: Recipe, start: Start, table: Table) -> Recipe:
    model, asked, data = start.model, recipe.model, recipe.data
    name = network_after(start, recipe).name
    if asked.network not in ("auto", name):
        raise UserError(
            f'The network of "{start.folder}" is "{name}", and "{asked.network}" is asked for.',
            where="model.network",
            fix="leave it out: the network is taken over",
        )
    columns = set(map(str, table.frame.columns))
    changes: dict[str, Any] = {}
    if start.labelled and labelled(recipe) and not data.target and set(model.targets.names) <= columns:
        changes["target"] = model.targets.names
    if start.labelled and data.task == "auto" and changes.get("target", data.target) == model.targets.names:
        changes["task"] = model.targets.task
    old = {column for each in model.inputs.values() for column in each.columns}
    if not data.inputs and old <= columns:
        changes["inputs"] = dict(model.inputs)
    taken = taken_over(recipe, start) | {"start_sha256": start.sha256}
    return recipe.model_copy(
        update={"data": data.model_copy(update=changes), "model": asked.model_copy(update=taken)}
    )


def refuse_other_inputs(start: Start, recipe: Recipe) -> None:
    """Raise UserError where the inputs are not those that the weights were learned for."""
    new, old = recipe.data.inputs, start.model.inputs
    if len(new) == len(old) == 1 and not networks[start.network.name].several:
        renamed = {"": next(iter(new.values()))}, {"": next(iter(old.values()))}
        fitting = _same(*renamed)
    else:
        fitting = _same(new, old)
    if not fitting:
        raise UserError(
            f'The inputs are {_words(new)}, and "{start.folder}" learned from {_words(old)}.',
            where="--input",
            fix="name the same inputs, such as --input COLUMN=dna; or train without --from",
        )


def _same(new: Mapping[str, InputRecipe], old: Mapping[str, InputRecipe]) -> bool:
    """Whether inputs have the same names and modalities, and tables the same columns."""
    if set(new) != set(old) or any(new[name].modality != old[name].modality for name in old):
        return False
    tables = [name for name in old if modalities[old[name].modality].columns == "many"]
    return all(set(new[name].columns) == set(old[name].columns) for name in tables)


def _words(inputs: Mapping[str, InputRecipe]) -> str:
    return ", ".join(
        f"{name} ({each.modality}: {', '.join(each.columns[:8])})" for name, each in inputs.items()
    )


def record_hashes(fitted: Mapping[str, Modality], inputs: Mapping[str, pd.DataFrame]) -> NDArray[np.uint64]:
    """A hash of each record, (records,), by the inputs that say whether records are alike: sequences, else tables."""
    chosen = [name for name in inputs if fitted[name].columns == "one"] or list(inputs)
    return joined_hashes({name: fitted[name].hashes(inputs[name]) for name in chosen})


def learned_from(
    fitted: Mapping[str, Modality], inputs: Mapping[str, pd.DataFrame], parts: Mapping[str, NDArray[np.int64]]
) -> Learned:
    """Which records a training learns from; parts: positions of "train" and "validation" records."""
    hashes = record_hashes(fitted, inputs)
    return Learned.of(hashes[parts["train"]], hashes[parts["validation"]])


def _sizes(name: str, shapes: Shapes, outputs: int, settings: Mapping[str, Any]) -> dict[str, torch.Size]:
    """The size of every weight of a network, by name."""
    with torch.random.fork_rng(devices=[]):
        network = build(name, shapes, outputs, settings)
    return {key: each.shape for key, each in network.state_dict().items()}


def _hash(folder: Path) -> str:
    """Of every file that makes the model what it is; the card for people may be edited."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "card.md")
    told = "".join(f"{path.name} {sha256(path)}\n" for path in files)
    return hashlib.sha256(told.encode()).hexdigest()
