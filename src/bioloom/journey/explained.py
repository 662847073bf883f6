"""The explanation chapter of a run: which records are explained, by what, and how it is stored and drawn."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.records import take_rows
from bioloom.errors import UserError
from bioloom.events import Listener, Within, now_and_then
from bioloom.explanation import Explanation, explainers
from bioloom.explanation.overview import Explained, Picture, overview
from bioloom.explanation.settings import refuse_layer, refuse_unsuited, settings_of_methods
from bioloom.figures import style
from bioloom.figures.positions import Region
from bioloom.files import word, write_bytes
from bioloom.journey.exported import Seen, as_bedgraph, as_csv
from bioloom.journey.pointing import Pointing, pointing
from bioloom.journey.prepare import Source
from bioloom.journey.sought import EACH, OUTPUTS_AT_MOST, Number, Sought, numbers_of
from bioloom.models.ensemble import members_of
from bioloom.trained import Asked, Model
from bioloom.trained.explaining import explain_each
from bioloom.training.device import choose

EVERY_LETTER = ("mutagenesis",)
"""Methods that ask about every letter at every position: where there is an answer at each of them, only if named."""

OF_WRITTEN = ("occlusion",)
"""Methods for answers that are written, where none is named: what the answer depends on is asked by taking parts away."""

DRAWN = 3
"""Records drawn one by one: those with the highest, the middle and the lowest prediction."""


@dataclass(frozen=True)
class Wanted:
    """What is to be explained.

    methods: explainers; empty takes the default of each input's modality
    usual:   so many of the default methods; None: all of them
    records: test records to explain where no others are named
    outputs: which outputs; empty takes all, at most four
    place:   which position, from 0, where the model answers at every one; None for the mean over all
    sought:  which class or target, against which, and on which scale, by name; where none is named, `outputs` counts
    figures: what figures are stored as: svg, png or pdf
    settings: of methods, such as {"lrp.composite": "gamma"}
    layer:   whose maps are looked at, by methods that look at maps; empty: the last maps
    references: backgrounds of each record, for methods that compare with "nothing here"; None: as suits the method
    """

    methods: tuple[str, ...] = ()
    usual: int | None = None
    records: int = 32
    outputs: tuple[int, ...] = ()
    seed: int = 0
    device: str = "cpu"
    place: int | None = None
    sought: Sought = EACH
    figures: str = "svg"
    settings: Mapping[str, Any] = field(default_factory=dict)
    layer: str = ""
    references: int | None = None


@dataclass(frozen=True)
class Answer:
    """One explanation in the target's units, with everything needed to draw it.

    frame:  the explained records of this input
    output: which target or class, as a name; empty where there is only one
    effect: what an attribution is, with its unit
    quality: how well it points at what the model uses
    """

    explanation: Explanation
    frame: pd.DataFrame
    output: str
    effect: str
    quality: Pointing | None = None

    @property
    def stem(self) -> str:
        """The file name of this explanation, without ending; two outputs such as "a:b" and "a/b" may share it."""
        words = [self.explanation.input, self.explanation.method, _spelt(self.output)]
        return "-".join(word(each, also="") for each in words if each)


def _spelt(output: str) -> str:
    """A name whose signs are words, so that classes such as + and - do not write over each other's files."""
    return re.sub(r"(?<!\w)-|-(?!\w)", "minus", output.replace("+", "plus"))


def explain(
    model: Model, frames: Mapping[str, pd.DataFrame], ids: Sequence[str], wanted: Wanted, listener: Listener
) -> list[Answer]:
    """Explain clean records with every wanted method, for every wanted output and every input that it fits."""
    _refuse_place(model, wanted.place)
    wished = numbers_of(model.targets, wanted.sought, wanted.outputs)
    pairs = _pairs(model, wanted)
    used = [method for method, _ in pairs]
    settings = settings_of_methods(wanted.settings, used)
    refuse_layer(wanted.layer, used)
    if not wanted.outputs and not wanted.sought.target and model.targets.explained > OUTPUTS_AT_MOST:
        what = "classes" if model.targets.classes else "targets"
        listener.message(f"The first {OUTPUTS_AT_MOST} of {model.targets.outputs} {what} are explained.")
    answers = []
    for number, (method, name) in enumerate(pairs):
        listener.progress(number / len(pairs), f"{method} of {name}")
        asked = replace(
            Asked(method, name, seed=wanted.seed, device=choose(wanted.device), place=wanted.place),
            references=wanted.references,
            layer=wanted.layer,
            settings=settings.get(method),
        )
        part = Within(listener, number / len(pairs), (number + 1) / len(pairs), f"{method} of {name}")
        watched = replace(asked, progress=now_and_then(part.progress))
        try:
            found = explain_each(model, frames, watched, [each.output for each in wished])
        except UserError as refusal:
            if method in wanted.methods or not explainers[method].refuses:
                raise
            listener.message(f"{method} is left out. {refusal.what}")
            continue
        pairs_found = [(each.output, explanation) for each, explanation in zip(wished, found, strict=True)]
        measured = pointing(model, frames, asked, pairs_found)
        for each, explanation, quality in zip(wished, found, measured, strict=True):
            told = _in_units(explanation, each, frames[name], tuple(ids))
            effect = told.effect + _where(model, wanted.place)
            answers.append(replace(told, effect=effect, quality=quality))
    listener.progress(1.0)
    return answers


def numbers_asked(model: Model) -> int:
    """The numbers of one record, counted anew for each network and each output that is explained."""
    numbers = sum(prod(modality.shape.sizes) for modality in model.modalities.values())
    return numbers * len(members_of(model.network)) * min(model.targets.explained, OUTPUTS_AT_MOST)


def _where(model: Model, place: int | None) -> str:
    """At which positions an answer is explained, in words; nothing where there is one answer for a record."""
    if not model.targets.places:
        return ""
    return ", mean over all positions" if place is None else f" at position {place + 1:,}"


def _refuse_place(model: Model, place: int | None) -> None:
    if place is None:
        return
    if not model.targets.places:
        raise UserError("This model gives one answer for a record.", where="--position", fix="leave it out")
    if not 0 <= place < model.targets.places[-1]:
        raise UserError(
            f"There is no position {place + 1:,}; the model reads {model.targets.places[-1]:,}.",
            where="--position",
            fix="count from 1",
        )


def _pairs(model: Model, wanted: Wanted) -> list[tuple[str, str]]:
    """Each wanted method with each input that it explains."""
    pairs = []
    refuse_unsuited(wanted.methods, {modality.kind for modality in model.modalities.values()})
    for name, modality in model.modalities.items():
        usual = [each for each in modality.explainers if not (model.targets.places and each in EVERY_LETTER)]
        usual = list(OF_WRITTEN) if model.targets.tokens else usual
        for method in wanted.methods or usual[: wanted.usual]:
            if modality.kind in explainers[method].accepts:
                pairs.append((method, name))
    return pairs


def _in_units(found: Explanation, number: Number, frame: pd.DataFrame, ids: tuple[str, ...]) -> Answer:
    """Regression attributions in the target's own units; those of classes stay log odds, logits or probabilities."""
    scaled = replace(
        found,
        attribution=(found.attribution * number.factor).astype(np.float32),
        delta=None if found.delta is None else (found.delta * number.factor).astype(np.float32),
        error=None if found.error is None else (found.error * number.factor).astype(np.float32),
        ids=ids,
    )
    effect = found.effect.format(number.effect.removeprefix("Change of "))
    return Answer(scaled, frame, number.name, effect)


# ---- storing and drawing --------------------------------------------------------------------------------


def store(
    model: Model,
    answers: Sequence[Answer],
    order: NDArray[np.int64],
    folder: Path,
    prefix: str = "",
    *,
    ending: str = "svg",
) -> list[dict[str, Any]]:
    """Write attributions to `explanations/` and figures to `figures/`; returns the entries of `result.json`.

    order:  positions of the records to draw one by one
    prefix: begins every file name, so that the files of the run, which its report shows, stay as they are
    ending: of figures: svg, png or pdf
    """
    return [
        _store(model, Kept(answer, prefix + stem, folder, ending), order)
        for answer, stem in zip(answers, stems(answers), strict=True)
    ]


@dataclass(frozen=True)
class Kept:
    """An answer and where it is written: the folder of the run, the file name without ending, and that of figures."""

    answer: Answer
    stem: str
    folder: Path
    ending: str = "svg"


def stems(answers: Sequence[Answer]) -> list[str]:
    """A file name for each answer, different also where a file system does not tell A from a."""
    taken: set[str] = set()
    names = []
    for answer in answers:
        free = (f"{answer.stem}-{number}" if number > 1 else answer.stem for number in count(1))
        name = next(name for name in free if name.lower() not in taken)
        taken.add(name.lower())
        names.append(name)
    return names


def _store(model: Model, kept: Kept, order: NDArray[np.int64]) -> dict[str, Any]:
    answer, stem, folder = kept.answer, kept.stem, kept.folder
    found = answer.explanation
    modality = model.modalities[found.input]
    signal = _observed(model, answer)
    arrays = {"attribution": found.attribution, "ids": np.array(found.ids, dtype=np.str_)}
    beside = {"delta": found.delta, "error": found.error, "fit": found.fit}
    arrays |= {name: values for name, values in beside.items() if values is not None}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type] # names of arrays, no options
    write_bytes(folder / "explanations" / f"{stem}.npz", stream.getvalue())
    exports = _exported(model, kept, signal)
    summary = overview(
        modality.kind,
        Explained(
            x=signal[0],
            mask=signal[1],
            attribution=found.attribution,
            names=modality.channels,
            effect=answer.effect,
            every_letter=found.method == "mutagenesis",
            unit=modality.unit,
            sets=modality.sets,
            groups=modality.groups,
            still=modality.still,
            regions=tuple(
                Region(each.name, each.start, each.end) for each in model.inputs[found.input].regions
            ),
        ),
    )
    records = _records(model, answer, order)
    pictures = [*summary.pictures, *(drawn.picture for drawn in records)]
    return {
        "input": found.input,
        "method": found.method,
        "title": explainers[found.method].title + (f" for {answer.output}" if answer.output else ""),
        "output": answer.output,
        "effect": answer.effect,
        "reference": found.reference,
        "records": len(found.attribution),
        "delta": _delta(found),
        **_certainty(found),
        **({} if answer.quality is None else {"quality": answer.quality.document}),
        "settings": found.settings,
        "text": summary.text,
        "file": f"explanations/{stem}.npz",
        "tables": exports,
        "figures": [_save(picture, kept) for picture in pictures],
        **_save_files(records, stem, folder),
    }


def _exported(model: Model, kept: Kept, seen: Seen) -> list[str]:
    """Write the attributions as tables for other programs; their files."""
    found = kept.answer.explanation
    names = model.modalities[found.input].channels
    written = {".csv": as_csv(found, seen, names), ".bedgraph": as_bedgraph(found, seen, kept.stem)}
    files = {
        f"explanations/{kept.stem}{ending}": content
        for ending, content in written.items()
        if content is not None
    }
    for file, content in files.items():
        write_bytes(kept.folder / file, content)
    return list(files)


def _observed(model: Model, answer: Answer) -> Seen:
    resident = model.modalities[answer.explanation.input].encode(answer.frame).on("cpu")
    signal = resident.batch(model.index(len(answer.frame)))
    return signal.x.numpy(), None if signal.mask is None else signal.mask.numpy()


@dataclass(frozen=True)
class Drawn:
    """A record that was drawn, with the files that go with the drawing, by their ending."""

    picture: Picture
    files: Mapping[str, bytes]


def _records(model: Model, answer: Answer, order: NDArray[np.int64]) -> list[Drawn]:
    found, modality = answer.explanation, model.modalities[answer.explanation.input]
    drawn = []
    for number, row in enumerate(map(int, order[:DRAWN])):
        frame = take_rows(answer.frame, np.array([row]))
        title = f"Record {found.ids[row]}"
        figure = modality.draw(frame, found.attribution[row], answer.effect)
        files = modality.files(frame, found.attribution[row], answer.effect)
        drawn.append(Drawn(Picture(f"record{number + 1}", title, figure), files))
    return drawn


def _save_files(records: Sequence[Drawn], stem: str, folder: Path) -> dict[str, list[dict[str, str]]]:
    """Write the files that go with drawings beside these; an entry for each, nothing where there are none."""
    entries = []
    for drawn in records:
        for ending, content in drawn.files.items():
            file = f"figures/{stem}-{drawn.picture.name}{ending}"
            write_bytes(folder / file, content)
            entries.append({"file": file, "title": drawn.picture.title})
    return {"files": entries} if entries else {}


def _delta(found: Explanation) -> dict[str, float] | None:
    if found.delta is None:
        return None
    size = np.abs(found.delta)
    return {"median": float(np.median(size)), "worst": float(size.max())}


def _certainty(found: Explanation) -> dict[str, Any]:
    """How well a simple model stands for the network near records, and how far sampling moves attributions, if at all.

    Of an error the mean beside the largest attribution of a record, as the median of records.
    """
    told: dict[str, Any] = {}
    if found.fit is not None:
        known = found.fit[np.isfinite(found.fit)]
        told["fit"] = {"median": float(np.median(known)), "worst": float(known.min())} if len(known) else None
    if found.error is not None:
        largest = np.abs(found.attribution).reshape(len(found.error), -1).max(axis=1)
        mean = np.abs(found.error).reshape(len(found.error), -1).mean(axis=1)
        known = np.isfinite(mean) & (largest > 0)
        told["error"] = float(np.median(mean[known] / largest[known])) if known.any() else None
    return told


def _save(picture: Picture, kept: Kept) -> dict[str, str]:
    file = f"figures/{kept.stem}-{picture.name}.{kept.ending}"
    style.save(picture.figure, kept.folder / file)
    return {"file": file, "title": picture.title, "alt": style.alt_text(picture.figure)}


def drawn(records: int, answers: int, budget: str) -> NDArray[np.int64]:
    """Positions of the records that are drawn one by one, from the first to the last; at fast few, where many answers
    draw them."""
    most = max(1, DRAWN // answers) if budget == "fast" else DRAWN
    places: NDArray[np.int64] = np.linspace(0, records - 1, min(most, records)).round().astype(np.int64)
    return places


def spread(values: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Positions of `count` records from the highest to the lowest value, evenly spread over the ranks."""
    if values.ndim > 1:  # an answer at every place: their mean
        values = values.reshape(len(values), -1).mean(axis=1)
    order = np.argsort(-values, kind="stable")
    places = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(np.int64)
    return np.asarray(order[places])


def source_word(source: Source | None) -> str:
    """A word for file names that says which records were explained."""
    if source is None:
        return "test"
    name = Path(source).name.split(".")[0] if isinstance(source, str | Path) else ""
    return word(name) or "records"
