"""A trained model of one sequence, ready to be asked about sequences that nobody measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bioloom.data.wording import listed
from bioloom.errors import UserError, did_you_mean
from bioloom.modalities import Signal
from bioloom.modalities.sequence import SequenceModality
from bioloom.models import apply
from bioloom.models.ensemble import members_of
from bioloom.run import load
from bioloom.trained import Model


class SequenceModel:
    """What a model of a run says of sequences: the target in its unit, or the log-odds of a class.

    model:   as the run delivers it; column: of its one input; name: of that input
    number:  which output is asked for; target: what it is called; unit: what a change of it is
    letters: the alphabet; spelling: letters that are read as another; length: positions that the model reads
    strands: whether both are one molecule
    Raises UserError for a model that reads anything but one sequence, and for an output that it has not.
    """

    def __init__(self, run: Path, output: str = "") -> None:
        self.run = load(run)
        self.model = self.run.model
        ((self.name, modality),) = list(self.model.modalities.items())[:1]
        columns = [column for recipe in self.model.inputs.values() for column in recipe.columns]
        if not isinstance(modality, SequenceModality) or len(columns) != 1 or self.model.targets.places:
            raise UserError(
                "This needs a model that reads one sequence and gives one answer for it.",
                fix=f"the model of {run} reads: {listed(columns)}",
            )
        (self.column,) = columns
        self.letters, self.length = modality.alphabet.letters, modality.length
        self.strands, self.spelling = modality.alphabet.both_strands, modality.alphabet.spelling
        self.number, self.target = _output(self.model, output)
        self.unit = f"change of {self.target}"

    def answer(self, sequences: Sequence[str]) -> NDArray[np.float64]:
        """What the model says, (sequences,); UserError for a sequence that it cannot read."""
        frames = self.model.frames({self.column: list(sequences)})
        unusable = np.flatnonzero(~self.model.usable(frames))
        if len(unusable):
            raise UserError(
                "The model cannot read a changed sequence.",
                where=sequences[int(unusable[0])][:60],
                fix="put in words of the letters that the model was trained on",
            )
        return self._in_unit(self.model.values(frames)[:, self.number])

    def of_each(self, sequences: Sequence[str]) -> NDArray[np.float64]:
        """What each network of the model says of sequences that it can read, (networks, sequences)."""
        frames = self.model.frames({self.column: list(sequences)})
        return self._in_unit(np.stack([each[:, self.number] for each in self.model.values_of_each(frames)]))

    def spelled(self, sequence: str) -> str:
        """A sequence in the letters of the model, such as U for T in RNA."""
        return "".join(self.spelling.get(letter, letter) for letter in sequence)

    def slope(self, sequences: Sequence[str], letters: str) -> NDArray[np.float64]:
        """How the mean answer of the networks changes with each letter at each position, (sequences, letters, positions).

        letters: their order, in any spelling that the model reads. Positions are those of the sequences, which have one length.
        Where a simpler model answers, the networks beside it still say which way to look.
        """
        modality = self.model.modalities[self.name]
        encoded = modality.encode(self.model.frames({self.column: list(sequences)})[self.name]).on("cpu")
        x, mask = encoded.batch(self.model.index(len(sequences)))
        x = x.clone().requires_grad_()
        with torch.enable_grad():
            raws = [apply(member, {self.name: Signal(x, mask)}) for member in members_of(self.model.network)]
            answer = torch.stack([self.smooth(raw) for raw in raws]).mean(dim=0)
            (found,) = torch.autograd.grad(answer.sum(), x)
        names = "".join(modality.channels)
        rows = [names.index(self.spelling.get(letter, letter)) for letter in letters]
        return np.asarray(found.numpy()[:, rows, : len(sequences[0])], dtype=np.float64)

    def smooth(self, raw: Tensor) -> Tensor:
        """The answer from raw outputs, (records,): the target in its unit but for a constant, or the log-odds of a class, before
        any calibration."""
        targets = self.model.targets
        if not targets.classes:
            return raw[:, self.number] * float(targets.scale[self.number])
        if len(targets.classes) == 2:
            return raw[:, 0]
        others = torch.cat([raw[:, : self.number], raw[:, self.number + 1 :]], dim=1)
        return raw[:, self.number] - others.logsumexp(dim=1)

    def _in_unit(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        told = values.astype(np.float64)
        return log_odds(told) if self.model.targets.classes else told

    def usable(self, sequences: Sequence[str]) -> NDArray[np.bool_]:
        """Which sequences the model can read."""
        return self.model.usable(self.model.frames({self.column: list(sequences)}))

    def unlike(self, sequences: Sequence[str]) -> list[str]:
        """Why sequences are unlike what the model learned from; empty where they are not."""
        if not sequences:
            return []
        told = self.model.predict(list(sequences))
        return told["why"].fillna("").tolist() if "why" in told else [""] * len(sequences)


def log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(p / (1 - p)), finite at 0 and 1."""
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _output(model: Model, name: str) -> tuple[int, str]:
    """The number of an output, and what it is called."""
    names = list(model.targets.classes[-1:] if len(model.targets.classes) == 2 else model.targets.classes)
    names = names or list(model.targets.names)
    if name and name not in names:
        raise UserError(
            f'The model has no output "{name}".{did_you_mean(name, names)}',
            where="--output",
            fix=f"use one of: {', '.join(names)}",
        )
    number = names.index(name) if name else 0
    return number, f"the log-odds of {names[number]}" if model.targets.classes else names[number]
