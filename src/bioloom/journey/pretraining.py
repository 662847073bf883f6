"""Learning from records without labels first: which of them may be learned from, and what the network then begins with.

A network that joins several inputs learns from each alone: its encoders begin with what they learned.

A test is honest only where nothing like its records was learned from, with a label or without.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data import large
from bioloom.data.leakage import Alike, compare_copies
from bioloom.data.records import take_rows
from bioloom.data.wording import counted
from bioloom.errors import UserError
from bioloom.events import Listener, Within
from bioloom.files import word
from bioloom.journey.clock import Clock
from bioloom.journey.division import Division
from bioloom.journey.learnable import choose_network
from bioloom.journey.parts import JoinedStart
from bioloom.journey.prepare import Prepared, Request
from bioloom.journey.roles import columns_for
from bioloom.journey.start import started_from, taken_over
from bioloom.journey.unlabelled import USUAL_TASK, without_labels
from bioloom.modalities import Across, Shape, Similarity, modalities
from bioloom.models import networks

NOT_LOOKED_AT = {
    "chromosome": "The test asks about other chromosomes; on which these records lie is not looked at.",
    "time": "The test asks about later records; when these were made is not looked at.",
}
"""What is said where a split keeps more apart than records without labels can be compared by, by its method."""

FOLDER = "pretraining"
"""Where the first training lies in the folder of the run; it is a run of its own, with its own report."""


class Finished(Protocol):
    """A finished run, as far as it is asked for here."""

    @property
    def verdict(self) -> str:
        """What it is worth, in one sentence."""


Train = Callable[[Request, Path, Listener], Finished]
"""How a run is done in a folder."""

_WHOLE = re.compile(r"^(-?\d+)\.0+$")

FEWEST = 30
"""With fewer records nothing is learned first."""


@dataclass(frozen=True)
class Seen:
    """What the first training could see.

    file:   as the user named it
    input:  that was learned from; several: whether the network joins it with others
    rows:   of the file
    used:   that were learned from
    copies, near: left out because they are copies, or near copies, of records that are tested or decide when to stop
    unusable: left out because they cannot be read as the inputs
    kept_from: what they were compared with, in words; notion: what counts as near, empty where it was not looked for
    group:  the column of groups of the run with labels; empty where it has none
    grouped: whether the file has that column; same_group: left out because their group is held out; groupless: rows
            without a group, which stay; apart: how records with labels are divided
    """

    file: str
    rows: int
    used: int
    copies: int
    near: int
    unusable: int
    kept_from: str
    notion: str
    input: str = ""
    several: bool = False
    group: str = ""
    grouped: bool = False
    same_group: int = 0
    groupless: int = 0
    apart: str = ""

    @property
    def text(self) -> str:
        """What was seen, in a few sentences."""
        of = f", of each the {self.input}," if self.several else ""
        used = f"{counted(self.used, 'record')} of {self.file}{of}"
        told = f"Before it saw a label, the network learned from {used} without labels."
        return " ".join(filter(None, (told, self._of_copies, self.of_groups, NOT_LOOKED_AT.get(self.apart))))

    @property
    def _of_copies(self) -> str:
        found = self.copies + self.near
        if not self.notion:
            none = (
                "None"
                if not found
                else f"Left out: {counted(found, 'record')} that {'is' if found == 1 else 'are'}"
            )
            copy = "is an exact copy" if not found else "an exact copy" if found == 1 else "exact copies"
            return f"{none} {copy} of {self.kept_from}; near copies were not looked for."
        if not found:
            return f"None of its records is like {self.kept_from}."
        left = f"{counted(found, 'record')} that {'is a copy or near copy' if found == 1 else 'are copies or near copies'}"
        return f"Left out: {left} of {self.kept_from} ({self.copies:,} exact, {self.near:,} near)."

    @property
    def of_groups(self) -> str:
        """What is known of the groups of the records, in a sentence; empty where records with labels have none."""
        if not self.group:
            return ""
        if not self.grouped:
            return not_known(self.file, self.group)
        told = (
            f'Left out by "{self.group}": {counted(self.same_group, "record")} of groups that are held out.'
        )
        if not self.groupless:
            return told
        return f"{told} Of {counted(self.groupless, 'record')} the group is not known."

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return asdict(self) | {"text": self.text, "folder": self.folder}

    @property
    def folder(self) -> str:
        """Where the first training lies, below the folder of the run."""
        return f"{FOLDER}/{word(self.input)}" if self.several else FOLDER


def not_known(file: str, group: str) -> str:
    """That a file does not tell the group of its records, in a sentence."""
    return (
        f'{file} has no column "{group}", so the groups of its records are not known: '
        "some may be of groups that are tested."
    )


def groups_not_known(prepared: Prepared) -> str:
    """The same of the unlabelled file of a run; empty where it tells them, and where there is nothing to tell."""
    if prepared.unlabelled is None or prepared.records.group is None or _has_groups(prepared):
        return ""
    return not_known(prepared.unlabelled.source, prepared.roles.reserved.get("group", ""))


@dataclass(frozen=True)
class Unlabelled:
    """Records without labels that may be learned from: the columns of one input, one row each."""

    name: str
    frame: pd.DataFrame
    seen: Seen


def choose(prepared: Prepared, division: Division) -> tuple[Unlabelled, ...]:
    """For each input to learn from alone, the records of the unlabelled file without those like a tested or validation one.

    In a cross-validation every record is tested, so those like any record with a label are left out.
    Raises UserError where the file lacks the columns of the inputs, and where too few records are left.
    """
    frames, several = _frames(prepared), len(prepared.recipe.data.inputs) > 1
    return tuple(_chosen(prepared, division, (name, frame), several) for name, frame in frames.items())


def _frames(prepared: Prepared) -> dict[str, pd.DataFrame]:
    """The columns of each input to learn from alone: of several inputs, those that the file holds."""
    table, inputs = prepared.unlabelled, prepared.recipe.data.inputs
    assert table is not None
    if len(inputs) == 1:
        return columns_for(table, inputs)[0]
    columns, network = set(map(str, table.frame.columns)), networks[choose_network(prepared)[0]]
    shapes = {
        name: Shape(modalities[each.modality].kind, (len(each.columns),)) for name, each in inputs.items()
    }
    found = {
        name: columns_for(table, {name: each})[0][name]
        for name, each in inputs.items()
        if set(each.columns) <= columns and network.part(name, shapes[name], prepared.recipe.model.settings)
    }
    if not found:
        raise UserError(
            f"{table.source} holds none of the inputs that the network {network.name} can learn from alone.",
            where="--pretrain",
            fix=f"give a file with all columns of one of them: {', '.join(inputs)}",
        )
    return found


def _chosen(
    prepared: Prepared, division: Division, given: tuple[str, pd.DataFrame], several: bool
) -> Unlabelled:
    (name, values), table = given, prepared.unlabelled
    assert table is not None
    usable = np.ones(len(values), dtype=bool)
    for problem in modalities[prepared.recipe.data.inputs[name].modality].check(values):
        if problem.severity in ("drop", "fatal"):
            usable[problem.rows] = False
    held, words = _held_out(prepared, division)
    groups = _groups(prepared)
    same_group = usable & np.isin(groups, sorted(_groups_held_out(prepared, division)))
    learnable = usable & ~same_group
    rows = np.flatnonzero(learnable)
    known = take_rows(prepared.records.inputs[name], held).drop_duplicates(ignore_index=True)
    found = _alike(prepared, name, take_rows(values, learnable), known)
    exact = np.isin(found.kind, ("exact", "reverse"))
    near = (found.partner >= 0) & ~exact
    kept = rows[~(exact | near)]
    if len(kept) < FEWEST:
        raise UserError(
            f"Only {counted(len(kept), 'record')} of {table.source} can be learned from without labels; "
            f"{counted(int((exact | near).sum()), 'record')} are like {words}, "
            f"and {same_group.sum():,} of groups that are held out.",
            where="--pretrain",
            fix="give a file with more other records, or leave out --pretrain",
        )
    seen = Seen(
        file=table.source,
        rows=len(values),
        used=len(kept),
        copies=int(exact.sum()),
        near=int(near.sum()),
        unusable=int((~usable).sum()),
        kept_from=words,
        notion=found.notion,
        input=name,
        several=several,
        group=prepared.roles.reserved.get("group", ""),
        grouped=_has_groups(prepared),
        apart=(division.folds or division.split).method,
        same_group=int(same_group.sum()),
        groupless=int((learnable & (groups == "")).sum()) if _has_groups(prepared) else 0,
    )
    frame = take_rows(values, kept)
    if "id" in table.frame.columns and "id" not in frame.columns:
        frame.insert(0, "id", table.frame["id"].to_numpy()[kept])
    return Unlabelled(name, frame, seen)


def _held_out(prepared: Prepared, division: Division) -> tuple[NDArray[np.int64], str]:
    """Positions of the records that nothing learned first may be like, and how they are called."""
    if division.folds is not None:
        return np.arange(len(prepared.records)), "records with labels, each of which is tested in a fold"
    return np.flatnonzero(division.split.part != "train"), "test and validation records"


def _has_groups(prepared: Prepared) -> bool:
    """Whether the unlabelled file tells the group of its records, as the file with labels does."""
    assert prepared.unlabelled is not None
    name = prepared.roles.reserved.get("group", "")
    return prepared.records.group is not None and name in prepared.unlabelled.frame.columns


def _groups(prepared: Prepared) -> NDArray[np.str_]:
    """The group of each unlabelled record, (rows,) text; empty where it is not known."""
    assert prepared.unlabelled is not None
    frame = prepared.unlabelled.frame
    if not _has_groups(prepared):
        return np.full(len(frame), "", dtype=np.str_)
    return _names(frame[prepared.roles.reserved["group"]].to_numpy(dtype=object))


def _groups_held_out(prepared: Prepared, division: Division) -> set[str]:
    """Groups of which a test or validation knows records and the training beside it none.

    With folds of groups these are all; a split that does not follow groups trains on most of those that it tests.
    """
    if prepared.records.group is None:
        return set()
    groups = _names(prepared.records.group)
    splits = (division.split,) if division.folds is None else division.folds.splits
    held: set[str] = set()
    for split in splits:
        learned = split.part == "train"
        held |= set(groups[~learned].tolist()) - set(groups[learned].tolist())
    return held - {""}


def _names(cells: NDArray[np.object_]) -> NDArray[np.str_]:
    """Groups as texts, equal ones alike in both files: 7 and 7.0 are "7", what is missing is ""."""
    texts = ("" if pd.isna(cell) else str(cell).strip() for cell in cells)
    return np.array([_WHOLE.sub(r"\1", text) for text in texts], dtype=np.str_)


def _alike(prepared: Prepared, name: str, unlabelled: pd.DataFrame, held: pd.DataFrame) -> Alike:
    """For each unlabelled record the most alike of those held out; of very many only exact copies are looked for."""
    modality = modalities[prepared.recipe.data.inputs[name].modality]
    both = pd.concat([unlabelled, held], ignore_index=True)
    first = np.arange(len(unlabelled))
    asked = Similarity(prepared.recipe.split.similarity, prepared.recipe.split.engine)
    across = Across(first, len(first) + np.arange(len(held)), asked)
    if large.many(len(both)):
        return compare_copies(modality.copies(both), across.queries, across.targets)
    return modality.alike(both, across)


def request(prepared: Prepared, unlabelled: Unlabelled) -> Request:
    """The first training, as a request of its own: the same inputs and network, one test, and no labels."""
    recipe = prepared.recipe
    each = recipe.data.inputs[unlabelled.name]
    inputs = {unlabelled.name: {"modality": each.modality, "columns": list(each.columns)}}
    settings: dict[str, Any] = {"data.inputs": inputs, "split.folds": 1, "evaluation.seeds": 1}
    if unlabelled.seen.several or recipe.model.network != "auto":
        network, own = _alone(prepared, unlabelled)
        settings |= {"model.network": network, "model.settings": own}
    settings |= {f"encoding.{name}": dict(each) for name, each in recipe.encoding.items()}
    settings |= dict(_dotted(recipe.model.pretraining))
    return Request(
        source=unlabelled.frame,
        task=str(settings.pop("data.task", USUAL_TASK)),
        settings=settings,
        budget=recipe.budget,
        seed=recipe.seed,
        device=recipe.device,
        threads=recipe.threads or None,
    )


def _alone(prepared: Prepared, unlabelled: Unlabelled) -> tuple[str, dict[str, Any]]:
    """The network that learns from one input without labels, and its settings."""
    recipe = prepared.recipe
    network, settings = networks[choose_network(prepared)[0]], recipe.model.settings
    if not unlabelled.seen.several:
        first = dict(_dotted(recipe.model.pretraining)).get("data.task", USUAL_TASK)
        other = without_labels(network, first)
        lacking = set(network.Settings.model_fields) - set(other.Settings.model_fields)
        told = network.for_labels(settings, labels=False)
        return other.name, {key: each for key, each in told.items() if key not in lacking}
    each = recipe.data.inputs[unlabelled.name]
    shape = Shape(modalities[each.modality].kind, (len(each.columns),))
    found = network.part(unlabelled.name, shape, settings)
    assert found is not None
    return found


def _dotted(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as dotted keys; those of a network stay together."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and before + key != "model.settings":
            yield from _dotted(value, f"{before}{key}.")
        else:
            yield before + key, value


def begun_with(prepared: Prepared, unlabelled: Sequence[Unlabelled], folder: Path) -> Prepared:
    """The same records, to be learned from by the network of the first trainings.

    folder: of the run, in which these lie
    """
    starts = {
        each.name: started_from(folder / each.seen.folder / "model", each.seen.folder, prepared.table)
        for each in unlabelled
    }
    recipe, (first, *_) = prepared.recipe, starts.values()
    if not unlabelled[0].seen.several:
        model = recipe.model.model_copy(update=taken_over(recipe, first))
        return replace(prepared, start=first, recipe=recipe.model_copy(update={"model": model}))
    network = networks[choose_network(prepared)[0]]
    parts = {name: start.model.recipe.model.settings for name, start in starts.items()}
    taken = {"network": network.name, "settings": network.joining(recipe.model.settings, parts)}
    told = "".join(f"{name} {start.sha256}\n" for name, start in starts.items())
    digest = hashlib.sha256(told.encode()).hexdigest()
    start = JoinedStart(FOLDER, digest, first.model, same_data=False, joint=network.name, parts=starts)
    model = recipe.model.model_copy(update=taken)
    return replace(prepared, start=start, recipe=recipe.model_copy(update={"model": model}))


def learn_first(
    prepared: Prepared, division: Division, folder: Path, clock: Clock, train: Train
) -> tuple[Prepared, dict[str, Any]]:
    """Learn from records without labels first, in runs of their own inside a folder; what result.json tells of it.

    They are resumed, and found again when they are finished, like any other run. train: how a run is done
    """
    if prepared.unlabelled is None:
        return prepared, {}
    with clock.stage("pretrain", "Learning from records without labels first"):
        unlabelled, told, listener = choose(prepared, division), [], clock.listener
        for number, each in enumerate(unlabelled):
            listener.message(each.seen.text)
            heard = Within(listener, number / len(unlabelled), (number + 1) / len(unlabelled))
            run = train(request(prepared, each), folder / each.seen.folder, heard)
            told.append(each.seen.to_json() | {"verdict": run.verdict})
        return begun_with(prepared, unlabelled, folder), {"pretraining": told}
