"""The trained model: what is delivered, and what predicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from bioloom.data.assets import from_program
from bioloom.data.learned import Learned
from bioloom.data.records import Problem, take_rows
from bioloom.data.stores import as_text
from bioloom.errors import UserError, did_you_mean
from bioloom.evaluation.calibration import Calibration
from bioloom.evaluation.conformal import Conformal
from bioloom.evaluation.domain import Domain
from bioloom.evaluation.placed import cells, masks, sureness
from bioloom.evaluation.told import written_table
from bioloom.explanation import Explanation
from bioloom.explanation.maps.references import Library
from bioloom.modalities import Features, Modality
from bioloom.modalities.combined import combined_features, encoded_features, seen_features
from bioloom.models import Network, SimpleModel
from bioloom.models.embed import embed
from bioloom.models.ensemble import mean_of, members_of, predict_each, spread_of
from bioloom.models.layers import layer_table
from bioloom.models.windowed import answers
from bioloom.recipe import InputRecipe, Recipe
from bioloom.targets import Targets
from bioloom.tasks import task
from bioloom.trained.asides import Told, asides
from bioloom.trained.asked import Asked
from bioloom.trained.explaining import explain_each
from bioloom.training.device import session, threads_for

BATCH = 64
"""Records in a batch of predictions, about."""

FAST = "fast"
"""The network that learned to say what the mean of several says."""

WHICH = ("auto", "network", "simple", FAST)
"""Whose predictions may be asked for."""

BLOCK = 16_384
"""Records whose simple features are made at once: 40 MB for 640 features."""


@dataclass(frozen=True)
class Model:
    """A trained network with everything needed to predict from raw columns.

    inputs:      by name, modality and columns
    modalities:  by input name, the modality with what it learned from the training rows
    rival:       a simpler model that learned from the same rows, the one that the verdict prefers if it does
    role:        of the rival: "simple", "boosting", "forest" or "nearest"
    delivered:   whose predictions are given: "network", or the role of the rival
    calibration: by "network" and role, how outputs become probabilities, and from which one a record is called
                 positive; empty for numbers
    conformal:   by "network" and role, how far a prediction may be off
    domain:      what the training records look like, so that unlike ones can be told
    learned:     which records the network learned from; None where a model was stored without
    student:     one network that learned to say what the network, a mean of several, says; None where there is none
    references:  gives training records of other classes to compare with, for an input and a device; None where the
                 training records are not known
    """

    network: Network
    inputs: dict[str, InputRecipe]
    modalities: dict[str, Modality]
    targets: Targets
    recipe: Recipe
    rival: SimpleModel | None = None
    role: str = "simple"
    delivered: str = "network"
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    conformal: Mapping[str, Conformal] = field(default_factory=dict)
    domain: Domain | None = None
    learned: Learned | None = None
    student: Network | None = None
    references: Callable[[str, str], Library] | None = field(default=None, repr=False, compare=False)

    def using(self, which: str) -> Model:
        """The same with the predictions of the network, or of the simpler model that is kept beside it.

        which: "network", "simple" for the simpler model, "auto" for what the run recommends, "fast" for the one network
        that learned to say what the mean of several says
        Raises UserError where a model was stored without the one that is asked for.
        """
        if which not in WHICH:
            raise UserError(
                f'There is no model called "{which}".{did_you_mean(which, WHICH)}',
                where="--model",
                fix=f"use one of: {', '.join(WHICH)}",
            )
        if which == "auto":
            return self
        if which == "simple" and self.rival is None:
            raise UserError(
                "This model was stored without a simpler one.",
                where="--model",
                fix="leave out --model simple",
            )
        if which == FAST:
            return self._fast()
        return replace(self, delivered="network" if which == "network" else self.role)

    def _fast(self) -> Model:
        if self.student is None:
            raise UserError(
                "This model was stored without a fast one.",
                where="--model",
                fix="train it with --set training.distil=true, or leave out --model fast",
            )
        promised = {"network": self.conformal[FAST]} if FAST in self.conformal else {}
        return replace(self, network=self.student, student=None, delivered="network", conformal=promised)

    def predict(self, values: Values) -> pd.DataFrame:
        """Predict from sequences, or from a table with the model's input columns.

        values: a list of sequences (models of one sequence), a DataFrame, or a mapping of columns
        Returns one row per record in the same order: the prediction in the target's units, or the probability
        of each class and the likeliest class; beside it what `asides` tells. Rows that cannot be predicted are
        empty, with the reason in a column `problem`.
        """
        return self.predict_frames({name: from_program(each) for name, each in self.frames(values).items()})

    def predict_frames(self, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Predict from one frame per input; see `predict`."""
        problems = self._problems(frames)
        usable = self.usable(frames, problems)
        shape = (len(usable), len(self.targets.column_names()), *self.targets.places)
        values = np.full(shape, np.nan, dtype=np.float32)
        if usable.any():
            clean = {name: take_rows(frame, usable) for name, frame in frames.items()}
            values[usable], raws = self._answered(clean)
            spread = None if self.targets.places else self.spread_of(raws)
            said = Told(values[usable], self.reach_of(raws), spread)
            told = asides(self, clean, said).set_index(np.flatnonzero(usable))
            return self._table(values, problems, told.reindex(range(len(usable))), frames)
        return self._table(values, problems, pd.DataFrame(), frames)

    def usable(
        self, frames: Mapping[str, pd.DataFrame], problems: Sequence[Problem] | None = None
    ) -> NDArray[np.bool_]:
        """Which rows can be predicted, (records,)."""
        usable = np.ones(len(next(iter(frames.values()))), dtype=bool)
        for problem in self._problems(frames) if problems is None else problems:
            usable[problem.rows] = False
        return usable

    def _problems(self, frames: Mapping[str, pd.DataFrame]) -> list[Problem]:
        found = [each for name, modality in self.modalities.items() for each in modality.check(frames[name])]
        return [problem for problem in found if problem.severity == "drop"]

    def values(self, frames: Mapping[str, pd.DataFrame], device: str = "cpu") -> NDArray[np.float32]:
        """Predictions in the target's units for clean rows, (records, targets or classes)."""
        return self._answered(frames, device)[0]

    def values_of_each(self, frames: Mapping[str, pd.DataFrame]) -> list[NDArray[np.float32]]:
        """The same of each network by itself, where several predict; one where a simpler model does."""
        if self.rival is not None and self.delivered != "network":
            return [self.values(frames)]
        return [self._activated(raw) for raw in self.raw_of_each(frames)]

    def describe(self, frames: Mapping[str, pd.DataFrame]) -> NDArray[np.float32]:
        """The numbers by which the delivered model describes clean rows, (records, numbers).

        Those of principal components where they are delivered; else the code of the network, or what enters its last
        layer. Raises UserError where the model describes no record by one row of numbers.
        """
        rival = self.rival if self.delivered != "network" else None
        if rival is not None:
            return self.by_block(frames, lambda features: _compressed(rival, features))
        encoded = {name: modality.encode(frames[name]) for name, modality in self.modalities.items()}
        with session(self.threads):
            return embed(self.network, encoded)

    def _answered(
        self, frames: Mapping[str, pd.DataFrame], device: str = "cpu"
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """Predictions, and the raw outputs of each network that they are made of: none where a rival predicts."""
        if self.rival is not None and self.delivered != "network":
            rival, calibration = self.rival, self.calibration.get(self.delivered)
            if self.targets.places:
                answer = self._at_every_position(rival, frames)
            else:
                answer = self.by_block(frames, lambda features: rival.predict(features.values))
            return answer if calibration is None else calibration.correct(answer), []
        raws = self.raw_of_each(frames, device)
        return self._activated(mean_of(raws)), raws

    def _activated(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw outputs of the network as predictions in the target's units."""
        calibration = self.calibration.get("network")
        if calibration is not None:
            return calibration.apply(raw)
        return task(self.targets.task).activate(raw, self.targets)

    def spread_of(self, raws: Sequence[NDArray[np.float32]]) -> NDArray[np.float32] | None:
        """How far the predictions of several networks lie apart, in the target's units, (records, targets or classes).

        raws: raw outputs of each. Their standard deviation (divisor members - 1); None where there is one, or none.
        """
        return spread_of([self._activated(raw) for raw in raws]) if raws else None

    def by_block(
        self, frames: Mapping[str, pd.DataFrame], answer: Callable[[Features], NDArray[Any]]
    ) -> NDArray[Any]:
        """Something worked out from the simple features, which are wide, a block of records at a time."""
        count = len(next(iter(frames.values())))
        parts = []
        for start in range(0, max(count, 1), BLOCK):
            rows = np.arange(start, min(start + BLOCK, count))
            part = {name: take_rows(frame, rows) for name, frame in frames.items()}
            parts.append(answer(self._features(part)))
        return np.concatenate(parts)

    def _features(self, frames: Mapping[str, pd.DataFrame]) -> Features:
        """Records as simple models see them; of a task without labels, all numbers that the network sees."""
        own = task(self.targets.task)
        if own.has_target:
            return combined_features(self.modalities, frames)
        ((name, modality),) = self.modalities.items()
        if own.seen is not None:
            return seen_features(own.seen, modality.encode(frames[name]))
        return encoded_features(modality.encode(frames[name]), self.targets.names)

    def raw(self, frames: Mapping[str, pd.DataFrame], device: str = "cpu") -> NDArray[np.float32]:
        """Raw outputs of the network (standardised targets, or logits), (records, outputs)."""
        return mean_of(self.raw_of_each(frames, device))

    def raw_of_each(
        self, frames: Mapping[str, pd.DataFrame], device: str = "cpu"
    ) -> list[NDArray[np.float32]]:
        """The same of each network by itself, where the network is a mean of several."""
        encoded = {name: modality.encode(frames[name]) for name, modality in self.modalities.items()}
        with session(self.threads):
            return predict_each(self.network, encoded, device=device)

    def reach_of(self, raws: Sequence[NDArray[np.float32]]) -> NDArray[np.float32] | None:
        """How far below its predictions, then how far above, the network expects the truths, (records, 2 x targets).

        raws: raw outputs of each of its members. In the target's units; None where the network was trained with a loss
        that does not ask for it.
        """
        return (
            task(self.targets.task).reach(mean_of(raws), self.targets, self.recipe.training.loss)
            if raws
            else None
        )

    def _at_every_position(
        self, rival: SimpleModel, frames: Mapping[str, pd.DataFrame]
    ) -> NDArray[np.float32]:
        """What the simpler model says of each position, from what stands around it."""
        ((name, modality),) = self.modalities.items()
        encoded = modality.encode(frames[name])
        return answers(rival, encoded, np.arange(len(encoded)), self.targets.outputs)

    def lengths(self, frames: Mapping[str, pd.DataFrame]) -> NDArray[np.int64]:
        """Positions of each record, (records,), where the model answers at every position."""
        ((name, modality),) = self.modalities.items()
        found = modality.positions(frames[name])
        return np.zeros(len(frames[name]), dtype=np.int64) if found is None else found

    def _at_places(self, values: NDArray[np.float32], frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """One cell for each record, which holds what is said of each of its positions."""
        usable = np.asarray(np.isfinite(values).any(axis=tuple(range(1, values.ndim))))
        if len(self.targets.places) == 2:
            told = [as_text(mask) for mask in masks(self.targets, values)]
        else:
            told = cells(self.targets, values, self.lengths(frames))
        said = [cell if good else None for cell, good in zip(told, usable, strict=True)]
        columns: dict[str, Any] = {self.targets.names[0]: said}
        return pd.DataFrame(columns | ({"sureness": sureness(values)} if self.targets.classes else {}))

    @property
    def threads(self) -> int:
        """Processor threads that pay for a network of this size."""
        shapes = {name: modality.shape for name, modality in self.modalities.items()}
        return threads_for(layer_table(members_of(self.network)[0], shapes).multiplications * BATCH)

    def notes(self, frames: Mapping[str, pd.DataFrame]) -> list[Problem]:
        """What encoding changes in these rows, such as cropped sequences or unseen categories."""
        return [note for name, modality in self.modalities.items() for note in modality.notes(frames[name])]

    def explain(self, frames: Mapping[str, pd.DataFrame], asked: Asked) -> Explanation:
        """Why the network answers as it does for these clean rows; see the explainers for what each method says."""
        return explain_each(self, frames, asked, [asked.output])[0]

    @staticmethod
    def index(count: int) -> torch.Tensor:
        """The numbers of `count` records, as batches are asked for."""
        return torch.arange(count)

    def frames(self, values: Values) -> dict[str, pd.DataFrame]:
        """One frame per input from sequences or from a table with the model's input columns."""
        columns = [column for recipe in self.inputs.values() for column in recipe.columns]
        if isinstance(values, pd.DataFrame):
            frame = values.reset_index(drop=True)
        elif isinstance(values, Mapping):
            frame = _frame_of(values)
        elif isinstance(values, str):
            frame = pd.DataFrame({columns[0]: [values]})
        elif len(columns) == 1:
            frame = pd.DataFrame({columns[0]: list(values)})
        else:
            raise UserError(
                f"This model reads {len(columns)} columns, and a plain list has no column names.",
                fix=f"give a DataFrame or a mapping with the columns {', '.join(columns)}",
            )
        missing = [column for column in columns if column not in frame.columns]
        if missing:
            raise UserError(
                f'The model needs a column "{missing[0]}".',
                fix=f"the columns given are: {', '.join(map(str, frame.columns))}",
            )
        return {name: frame[list(recipe.columns)] for name, recipe in self.inputs.items()}

    def _table(
        self,
        values: NDArray[np.float32],
        problems: Sequence[Problem],
        told: pd.DataFrame,
        frames: Mapping[str, pd.DataFrame],
    ) -> pd.DataFrame:
        if self.targets.places:
            table = self._at_places(values, frames)
        elif self.targets.tokens:
            table = written_table(self.targets, values)
        else:
            table = pd.DataFrame(values, columns=pd.Index(self.targets.column_names()))
        if self.targets.classes and not self.targets.places:
            calibration = self.calibration.get(self.delivered)
            threshold = 0.5 if calibration is None else calibration.threshold
            called = self.targets.called(np.nan_to_num(values), threshold)
            names = np.array(self.targets.classes, dtype=object)[called]
            names[np.isnan(values[:, 0])] = None
            table["class"] = names
        for name in told.columns:
            table[name] = told[name]
        if problems:
            reasons = np.full(len(values), "", dtype=object)
            for problem in problems:
                reasons[problem.rows] = problem.message
            table["problem"] = reasons
        return table


def _compressed(rival: SimpleModel, features: Features) -> NDArray[np.float32]:
    """The numbers by which a simpler model describes records; UserError where it has none."""
    codes = rival.compress(features.values)
    if codes is None:
        raise UserError(
            f"The model that this run delivers, {rival.title}, does not describe records by numbers.",
            where="--model",
            fix="ask for the network with --model network",
        )
    return codes


def _frame_of(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    cells = {str(name): list(column) for name, column in columns.items()}
    if len({len(column) for column in cells.values()}) > 1:
        lengths = ", ".join(f"{name} has {len(column)}" for name, column in cells.items())
        raise UserError(f"The columns differ in length: {lengths}.", fix="give one cell for each record")
    return pd.DataFrame(cells)


Values = Sequence[str] | str | pd.DataFrame | Mapping[str, Sequence[Any]]
"""What a model predicts from."""
