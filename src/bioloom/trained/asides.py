"""What is told beside each prediction: how far it may be off, and whether the record is unlike any that was learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bioloom.trained.model import Model


def asides(model: Model, frames: Mapping[str, pd.DataFrame], value: NDArray[np.float32]) -> pd.DataFrame:
    """Columns for clean rows: an interval for each target or the classes that are possible, and warnings.

    value: (records, targets or classes) the predictions of these records
    Columns: "expression low", "expression high" for a number; "possible" for classes; "unlike" and "why" where a
    record lies outside of what was learned from. A model that was stored without one of them lacks its columns.
    """
    columns: dict[str, Any] = {}
    conformal = model.conformal.get(model.delivered)
    if conformal is not None and model.targets.classes:
        columns["possible"] = _listed(conformal.sets(value), model.targets.classes)
    elif conformal is not None:
        low, high = conformal.interval(value, model.reach(frames) if conformal.scaled else None)
        for place, name in enumerate(model.targets.names):
            columns[f"{name} low"], columns[f"{name} high"] = low[:, place], high[:, place]
    domain = model.domain
    if domain is not None:
        why = model.by_block(frames, lambda features: domain.judge(features.values).why)
        for note in model.notes(
            frames
        ):  # what encoding had to change: cropped, too short, an unseen category
            why[note.rows] = [f"{said}; {note.message}" if said else note.message for said in why[note.rows]]
        columns["unlike"], columns["why"] = np.where(why != "", "yes", ""), why
    return pd.DataFrame(columns, index=range(len(value)))


def _listed(held: NDArray[np.bool_], classes: tuple[str, ...]) -> list[str]:
    """The classes of each set in words, such as "EI or N"."""
    names = np.array(classes, dtype=object)
    patterns, which = np.unique(held, axis=0, return_inverse=True)
    words = [" or ".join(names[pattern]) for pattern in patterns]
    return [words[number] for number in which.reshape(-1)]
