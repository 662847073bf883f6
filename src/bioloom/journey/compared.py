"""Methods of explanation beside each other: what is asked of a model, and how the table is stored and drawn."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bioloom.data.records import take_rows
from bioloom.errors import UserError
from bioloom.events import Listener
from bioloom.explanation import ExplainerSettings, Question, Scale, Target
from bioloom.explanation.engine import predicted
from bioloom.explanation.quality.compare import (
    KNOWS_NOTHING,
    NOTHING_AGREED,
    Agreed,
    Comparison,
    Contest,
    Row,
    agreed,
    compare,
    suited,
)
from bioloom.explanation.quality.masking import Ground
from bioloom.explanation.settings import refuse_layer, refuse_unsuited, settings_of_methods
from bioloom.figures import style
from bioloom.figures.bars import Bar, comparison
from bioloom.figures.beside import beside
from bioloom.figures.positions import Region, SequenceAxis
from bioloom.files import word, write_bytes, write_json
from bioloom.journey.explained import Wanted
from bioloom.journey.sought import numbers_of
from bioloom.trained import Asked, Model
from bioloom.trained.explaining import posed
from bioloom.training.device import choose, session

RECORDS = 8
"""Records on which methods are compared: each method explains them about six times."""

REFERENCES = 4
"""Backgrounds of a record that stand for "nothing here"."""


COUNTED = SequenceAxis()
"""Positions counted from 1, without names."""


@dataclass(frozen=True)
class Compared:
    """What methods are worth for one input.

    input:   its name
    about:   which number was explained, in words
    records: how many records
    probability: whether that number is a probability
    found:   the table, and which method to trust
    names:   of the parts, where every record has the same ones: columns; of positions there are none
    aligned: whether parts can be compared between records
    axis:    how positions are counted and named
    """

    input: str
    about: str
    records: int
    probability: bool
    found: Comparison
    names: tuple[str, ...] = ()
    aligned: bool = False
    axis: SequenceAxis = COUNTED


def compare_methods(
    model: Model, frames: Mapping[str, pd.DataFrame], wanted: Wanted, listener: Listener
) -> list[Compared]:
    """Compare methods on clean records, one table for each input that any of them explains.

    Of classes, the evidence for the class that each record is predicted to be is explained, unless one is named. An input
    that cannot be explained is left out with a message, where there is another one.
    """
    kinds = {modality.kind for modality in model.modalities.values()}
    refuse_unsuited([name for name in wanted.methods if name != "all"], kinds)
    found, refusals = [], []
    methods = {name: suited(modality.kind, wanted.methods) for name, modality in model.modalities.items()}
    used = [method for names in methods.values() for method in names]
    settings = settings_of_methods(wanted.settings, used)
    refuse_layer(wanted.layer, used)
    for name, own in methods.items():
        if own:
            try:
                found.append(_of_input(model, frames, wanted, (name, own, settings, listener)))
            except UserError as refusal:
                refusals.append((name, refusal))
    if not found and refusals:
        raise refusals[0][1]
    for left_out, reason in refusals:
        listener.message(f"{left_out} is left out. {reason.what}")
    listener.progress(1.0)
    return found


def few(frames: Mapping[str, pd.DataFrame], records: int) -> dict[str, pd.DataFrame]:
    """The first records of each input."""
    rows = np.arange(min(records, len(next(iter(frames.values())))))
    return {name: take_rows(frame, rows) for name, frame in frames.items()}


def _of_input(
    model: Model,
    frames: Mapping[str, pd.DataFrame],
    wanted: Wanted,
    of: tuple[str, Sequence[str], Mapping[str, ExplainerSettings], Listener],
) -> Compared:
    name, methods, settings, listener = of
    asked = Asked(
        "",
        name,
        references=wanted.references or REFERENCES,
        device=choose(wanted.device),
        place=wanted.place,
        layer=wanted.layer,
    )

    def question(seed: int) -> Question:
        return posed(model, frames, replace(asked, seed=seed), background=True)

    with session(model.threads):
        first = question(wanted.seed)
        target, about = _target(model, first, wanted)
        judged = replace(target, scale=Scale.PROBABILITY) if model.targets.classes else target
        assert first.background is not None
        ground = Ground(replace(first, output=judged), first.background)
        contest = Contest(
            lambda seed: replace(question(seed), output=target),
            ground,
            methods,
            wanted.seed,
            lambda share, method: listener.progress(share, f"{method} of {name}"),
            settings=settings,
        )
        comparison = compare(contest)
    regions = tuple(Region(each.name, each.start, each.end) for each in model.inputs[name].regions)
    modality, columns = model.modalities[name], ground.x.dim() == 2
    return Compared(
        name,
        about,
        int(ground.judged.sum()),
        ground.probability,
        comparison,
        modality.channels if columns and len(modality.channels) == ground.filled.shape[1] else (),
        ground.x.dim() <= 3 and bool(ground.filled.all()),
        SequenceAxis(modality.unit or "nt", 1, regions),
    )


def _target(model: Model, question: Question, wanted: Wanted) -> tuple[Target, str]:
    """The number that is explained, and what it is called."""
    targets = model.targets
    if targets.classes and not wanted.sought.target:
        return Target(predicted(question), classes=True), "the class that each record is predicted to be"
    number = numbers_of(targets, wanted.sought, wanted.outputs or (0,))[0]
    output = number.output if isinstance(number.output, Target) else Target(number.output)
    named = wanted.sought.target or targets.names[0]
    return output, f"{named} against {wanted.sought.against}" if wanted.sought.against else named


# ---- storing and drawing --------------------------------------------------------------------------------


def store(compared: Sequence[Compared], folder: Path, prefix: str = "") -> list[dict[str, Any]]:
    """Write each table as JSON and CSV to `explanations/`, its figure to `figures/`; returns what is in the JSON."""
    return [_store(each, folder, f"{prefix}{word(each.input, also='')}-methods") for each in compared]


def _store(compared: Compared, folder: Path, stem: str) -> dict[str, Any]:
    files = {
        "file": f"explanations/{stem}.json",
        "table": f"explanations/{stem}.csv",
        "figure": f"figures/{stem}.svg",
    }
    agreeing = agreed(compared.found) if compared.aligned else NOTHING_AGREED
    document = {**as_document(compared), "agreed": _agreement(compared, agreeing), **files}
    if len(agreeing.methods) > 1:
        document["maps"] = f"figures/{stem}-maps.svg"
        maps = dict(zip(agreeing.methods, agreeing.sizes, strict=True))
        style.save(beside(maps, axis=compared.axis, names=compared.names), folder / document["maps"])
    write_json(folder / files["file"], document)
    write_bytes(folder / files["table"], _as_csv(document["methods"]).encode())
    style.save(drawn(compared), folder / files["figure"])
    return document


def _agreement(compared: Compared, found: Agreed) -> str:
    """What most methods that can be trusted name among their strongest fifth, in one sentence; empty where one is left."""
    if len(found.methods) < 2:
        return ""
    of = f"of {len(found.methods)} methods that are ahead of a random map"
    if not found.parts:
        return f"No part is among the strongest fifth of {found.enough} {of}: they do not agree."
    if compared.names:
        named = ", ".join(compared.names[part] for part in found.parts)
    else:
        several = "s" * (len(found.parts) > 1)
        named = f"position{several} {', '.join(_spans(found.parts, compared.axis.first))}"
    return f"At least {found.enough} {of} have {named} among their strongest fifth."


def _spans(parts: Sequence[int], first: int) -> list[str]:
    """Neighbouring positions as stretches, such as "12–14"."""
    spans: list[list[int]] = []
    for part in parts:
        if spans and spans[-1][1] == part - 1:
            spans[-1][1] = part
        else:
            spans.append([part, part])
    return [f"{a + first}" if a == b else f"{a + first}–{b + first}" for a, b in spans]


def as_document(compared: Compared) -> dict[str, Any]:
    """Everything that was measured, as JSON."""
    found = compared.found
    return {
        "input": compared.input,
        "about": compared.about,
        "records": compared.records,
        "scale": "probability"
        if compared.probability
        else "share of the usual way from the backgrounds to a record",
        "trust": found.trust,
        "trusted": found.trusted or None,
        "methods": [row.numbers() for row in found.rows],
        "refused": [{"method": name, "reason": reason} for name, reason in found.refused],
    }


def _as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """One row for each method, with single numbers; curves are in the JSON."""
    names = [name for name, value in rows[0].items() if not isinstance(value, list)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def drawn(compared: Compared) -> Any:
    """How much each method is ahead of a random map, with its interval."""
    bars = [
        _bar(row, compared.found.trusted) for row in compared.found.rows if row.method != KNOWS_NOTHING[2]
    ]
    return comparison(bars, metric="insertion less deletion, above that of a random map")


def _bar(row: Row, trusted: str) -> Bar:
    return Bar(row.method.replace("_", " "), *row.ahead, strong=row.method == trusted)
