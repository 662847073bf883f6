"""From records to a split, and an audit of what stands on both sides of it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.choose import make_split
from bioloom.data.leakage import Alike, Labelled, Leakage, audit, compare_copies
from bioloom.data.library import Library
from bioloom.data.similarity.copies import joined_groups
from bioloom.data.split import Split, SplitRequest, Together
from bioloom.journey.prepare import Prepared
from bioloom.modalities import Across, Modality, modalities
from bioloom.targets import Targets


def divide(prepared: Prepared) -> tuple[Split, Leakage]:
    """Split the records as the recipe says, or as the data ask for, and look for copies across the split."""
    truth = _truth(prepared)
    request = _request(prepared, truth)
    split = make_split(_method(prepared), request)
    return split, _audit(prepared, split, truth, request.copies())


def _truth(prepared: Prepared) -> NDArray[np.float32]:
    """Labels as numbers, whichever class is called positive; nothing is learned from them here."""
    names = tuple(map(str, prepared.records.targets.columns))
    classes = tuple(sorted(prepared.classes))
    return Targets(prepared.recipe.data.task, names, classes).truth(prepared.records.targets)


def _method(prepared: Prepared) -> str:
    method = prepared.recipe.split.method
    return "column" if prepared.named_split else method


def _request(prepared: Prepared, truth: NDArray[np.float32]) -> SplitRequest:
    recipe, records = prepared.recipe, prepared.records
    watched = _watched(prepared)

    @cache
    def together() -> Together:
        found = [modality.clusters(frame, recipe.split.similarity) for modality, frame in watched]
        labels = joined_groups(*(each.labels for each in found))
        return Together(labels, "; ".join(dict.fromkeys(each.notion for each in found)))

    @cache
    def library() -> Library | None:
        (modality, frame), *others = watched
        return None if others else modality.library(frame)

    @cache
    def copies() -> NDArray[np.int64]:
        return joined_groups(*(modality.copies(frame) for modality, frame in watched))

    return SplitRequest(
        labels=truth[:, 0].astype(np.float64),
        classes=bool(prepared.classes),
        validation=recipe.split.validation,
        test=recipe.split.test,
        seed=recipe.seed,
        together=together,
        library=library,
        copies=copies,
        sequences=any(modality.columns == "one" for modality, _ in watched),
        group=records.group,
        column=records.split,
    )


def _watched(prepared: Prepared) -> list[tuple[type[Modality], pd.DataFrame]]:
    """The inputs by which records are alike: sequences where there are any, else tables.

    A table beside a sequence holds conditions that many records share; the same sequence under another
    condition is still the same sequence.
    """
    inputs = [
        (modalities[recipe.modality], prepared.records.inputs[name])
        for name, recipe in prepared.recipe.data.inputs.items()
    ]
    return [each for each in inputs if each[0].columns == "one"] or inputs


def _audit(
    prepared: Prepared, split: Split, truth: NDArray[np.float32], copies: NDArray[np.int64]
) -> Leakage:
    watched = _watched(prepared)
    across = Across(
        split.index("test"), np.flatnonzero(split.part != "test"), prepared.recipe.split.similarity
    )
    records = Labelled(
        ids=prepared.records.ids,
        labels=truth,
        differs=np.zeros(1) if prepared.classes else _spreads(truth),
        copies=copies,
        group=prepared.records.group,
    )
    return audit(split, _alike(watched, across, copies), records)


def _spreads(truth: NDArray[np.float32]) -> NDArray[np.float64]:
    """The standard deviation of each target over the records where it is known, (targets,)."""
    columns = (column[np.isfinite(column)].astype(np.float64) for column in truth.T)
    return np.array([column.std() if len(column) else 0.0 for column in columns])


def _alike(
    watched: list[tuple[type[Modality], pd.DataFrame]], across: Across, copies: NDArray[np.int64]
) -> Alike:
    """One input: as its modality says. Several: records are copies when they are so in every one of them.

    Near copies across several inputs are not looked for.
    """
    if len(watched) == 1:
        modality, frame = watched[0]
        return modality.alike(frame, across)
    return compare_copies(copies, across.queries, across.targets)
