"""Experiments in silico on the model of a run: which sequences are changed, and in which unit it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bioloom.errors import UserError
from bioloom.events import Listener
from bioloom.experiments.ablate import ablate
from bioloom.experiments.dependency import dependency
from bioloom.experiments.effects import Answer
from bioloom.experiments.epistasis import epistasis
from bioloom.experiments.marginalise import marginalise
from bioloom.experiments.space import space
from bioloom.experiments.swap import swap
from bioloom.experiments.tile import tile
from bioloom.figures import bars, effects, style
from bioloom.files import write_text
from bioloom.inquiry.model import SequenceModel
from bioloom.journey.predicted import read_records
from bioloom.modalities.shuffles import shuffled_texts
from bioloom.motifs.database import find_motifs
from bioloom.motifs.motif import Motif


@dataclass(frozen=True)
class Subject:
    """What is experimented on.

    run:     the folder of a run whose model reads one sequence
    file:    sequences; test records of the run if left out
    records: how many are taken
    output:  which target or class, by name; the first or the positive one if left out
    shuffle: take the sequences shuffled, neighbouring letters kept, so that they mean nothing
    """

    run: Path
    file: str = ""
    records: int = 100
    output: str = ""
    shuffle: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Found:
    """The table of an experiment, its figure, and what the numbers are in words."""

    table: pd.DataFrame
    figure: Figure
    words: str


class Bench(SequenceModel):
    """A model and the sequences that it is asked about."""

    def __init__(self, subject: Subject, listener: Listener) -> None:
        super().__init__(subject.run, subject.output)
        self.sequences = _sequences(self, subject, listener)


def _sequences(model: SequenceModel, subject: Subject, listener: Listener) -> list[str]:
    frames, _ = (
        read_records(model.model, subject.file, listener)
        if subject.file
        else model.run.test_records(subject.records)
    )
    (frame,) = frames.values()
    texts = [str(text).upper() for text in frame[model.column].head(subject.records)]
    return shuffled_texts(texts, subject.seed) if subject.shuffle else texts


def motif_effects(subject: Subject, motifs: Sequence[str], start: int | None, listener: Listener) -> Found:
    """What motifs do by themselves; each is a word, a motif file, or jaspar:ID."""
    bench = Bench(subject, listener)
    wanted = [each for word in motifs for each in _motifs(word)]
    table = marginalise(bench.answer, bench.sequences, wanted, start, subject.seed)
    return Found(table, _bars(table, "motif", bench.unit), _effect(bench.unit))


def _motifs(word: str) -> list[Motif | str]:
    if word.isalpha() and not Path(word).exists():
        return [word.upper()]
    return list(find_motifs(word))


def _bars(table: pd.DataFrame, column: str, unit: str) -> Figure:
    drawn = [
        bars.Bar(str(name), float(mean), float(low), float(high))
        for name, mean, low, high in zip(
            table[column], table["effect"], table["low"], table["high"], strict=True
        )
    ]
    return bars.attributions(drawn, label=_capital(unit))


def _effect(unit: str) -> str:
    return f"effect: {unit}, with its 95 % interval over the sequences"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def spacing_effects(
    subject: Subject, words: tuple[str, str], spacings: Sequence[int], listener: Listener
) -> Found:
    """Two words at growing distances and in each orientation."""
    bench = Bench(subject, listener)
    table = space(
        bench.answer, bench.sequences, words[0].upper(), words[1].upper(), list(spacings), turn=bench.strands
    )
    lines = {
        f"{words[0]} {first}, {words[1]} {second}": _line(part)
        for (first, second), part in table.groupby(["first", "second"], sort=False)
    }
    figure = effects.along(
        list(spacings), lines, across="Letters between the two", label=_capital(bench.unit)
    )
    return Found(table, figure, _effect(bench.unit))


def _line(part: pd.DataFrame) -> effects.Line:
    mean, low, high = (part[name].to_numpy(dtype=np.float64) for name in ("effect", "low", "high"))
    return mean, low, high


def pair_effects(subject: Subject, words: tuple[str, str], spacing: int, listener: Listener) -> Found:
    """Two words alone and together, and what remains."""
    bench = Bench(subject, listener)
    table = epistasis(bench.answer, bench.sequences, words[0].upper(), words[1].upper(), spacing)
    named = table.assign(what=[words[0].upper(), words[1].upper(), "both", "both, less each alone"])
    return Found(table, _bars(named, "what", bench.unit), _effect(bench.unit))


def tile_effects(subject: Subject, width: int, step: int, listener: Listener) -> Found:
    """Window after window shuffled away."""
    bench = Bench(subject, listener)
    table = tile(bench.answer, bench.sequences, width, step, seed=subject.seed)
    middles = ((table["start"] + table["end"] + 1) / 2).tolist()  # positions are counted from 1
    unit = f"what the letters of a window add to {bench.target}"
    across = f"Position (middle of {width} letters)"
    figure = effects.along(middles, {"": _line(table)}, across=across, label=f"Added to {bench.target}")
    return Found(table, figure, _effect(unit))


def stretch_effect(subject: Subject, start: int, end: int, others: str, listener: Listener) -> Found:
    """A stretch shuffled away, or replaced by that of other sequences; positions are counted from 1, both included."""
    bench = Bench(subject, listener)
    answer: Answer = bench.answer
    if others:
        given = _sequences(bench, Subject(subject.run, others, subject.records), listener)
        table = swap(answer, bench.sequences, given, start - 1, end, seed=subject.seed)
    else:
        table = ablate(answer, bench.sequences, start - 1, end, seed=subject.seed)
    named = table.assign(what=f"{start} to {end}")
    unit = f"what the letters from {start} to {end} add to {bench.target}"
    return Found(table, _bars(named, "what", f"Added to {bench.target}"), _effect(unit))


def pair_map(subject: Subject, start: int, end: int | None, listener: Listener) -> Found:
    """Which positions of the first sequence depend on each other; positions are counted from 1, both included."""
    bench = Bench(subject, listener)
    sequence = bench.sequences[0]
    end = min(len(sequence), start + 79) if end is None else end
    if len(bench.letters) != len("ACGT"):
        raise UserError(
            "A map of pairs is made for DNA and RNA.",
            fix="use bioloom variants RUN SEQUENCE --all for proteins",
        )
    values = dependency(bench.answer, sequence, start - 1, end, letters=bench.letters)
    letters = sequence[start - 1 : end]
    rows = [
        (start + one, letters[one], start + other, letters[other], values[one, other])
        for one in range(len(values))
        for other in range(one + 1, len(values))
    ]
    table = pd.DataFrame(rows, columns=["first", "first_letter", "second", "second_letter", "dependency"])
    table = table.sort_values("dependency", ascending=False, kind="stable", ignore_index=True)
    figure = effects.between(
        values, letters, first=start, label="Dependency, " + bench.unit.replace("change", "largest change")
    )
    words = f"dependency: by how much the effects of two changes on {bench.target} miss adding up, at most, in one sequence"
    return Found(table, figure, words)


def write(found: Found, out: Path | None, figure: Path | None) -> str:
    """The table as TSV; also into files where they are named."""
    text = found.table.to_csv(sep="\t", index=False, float_format="%.5g", lineterminator="\n")
    if out is not None:
        write_text(out, text)
    if figure is not None:
        style.save(found.figure, figure)
    return text
