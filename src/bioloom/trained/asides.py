"""What is told beside each prediction: how far it may be off, and whether the record is unlike any that was learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.targets import Targets

if TYPE_CHECKING:
    from bioloom.trained.model import Model


@dataclass(frozen=True)
class Told:
    """The predictions of some records, and what the model says of their certainty.

    value:  (records, targets or classes)
    own:    (records, 2 x targets) how far off the network expects to be; None where it does not say
    spread: (records, targets or classes) how far its members lie apart; None where there is one
    """

    value: NDArray[np.float32]
    own: NDArray[np.float32] | None = None
    spread: NDArray[np.float32] | None = None


def asides(model: Model, frames: Mapping[str, pd.DataFrame], said: Told) -> pd.DataFrame:
    """Columns for clean rows: an interval for each target or the classes that are possible, and warnings.

    Columns: "expression low", "expression high" for a number; "possible" for classes; "expression spread" or
    "class spread" where several networks predict; "unlike" and "why" where a record lies outside of what was learned
    from. A model that was stored without one of them lacks its columns. An interval without ends is empty.
    """
    columns: dict[str, Any] = {}
    value = said.value
    conformal = model.conformal.get(model.delivered)
    if conformal is not None and model.targets.classes:
        columns["possible"] = _listed(conformal.sets(value), model.targets.classes)
    elif conformal is not None:
        low, high = conformal.interval(value, conformal.reach(said.own, said.spread))
        for place, name in enumerate(model.targets.names):
            columns[f"{name} low"], columns[f"{name} high"] = _ends(low[:, place]), _ends(high[:, place])
    columns |= {} if said.spread is None else _spreads(model.targets, said)
    domain = model.domain
    if domain is not None:
        why = model.by_block(frames, lambda features: domain.judge(features.values).why)
        # what encoding had to change: cropped, too short, an unseen category
        for note in model.notes(frames):
            why[note.rows] = [
                f"{before}; {note.message}" if before else note.message for before in why[note.rows]
            ]
        columns["unlike"], columns["why"] = np.where(why != "", "yes", ""), why
    return pd.DataFrame(columns, index=range(len(value)))


def without_promise(model: Model) -> str:
    """Of which targets or classes nothing can be promised, and why; empty where something can be of all."""
    conformal = model.conformal.get(model.delivered)
    if conformal is None or np.isfinite(conformal.half).all():
        return ""
    if np.isfinite(conformal.half).any():
        return conformal.reason[:1].lower() + conformal.reason[1:]
    so = "every class is possible" if model.targets.classes else "low and high are empty"
    return f"no promise can be made about a single prediction, so {so}: {conformal.reason}"


def _ends(ends: NDArray[np.float64]) -> NDArray[np.float32]:
    """Ends of intervals with as many digits as predictions; those that are infinitely far away are empty."""
    return np.where(np.isfinite(ends), ends, np.nan).astype(np.float32)


def _spreads(targets: Targets, said: Told) -> dict[str, NDArray[np.float32]]:
    """How far the networks lie apart: about each number, or about the probability of the likeliest class."""
    assert said.spread is not None
    if not targets.classes:
        return {f"{name} spread": said.spread[:, place] for place, name in enumerate(targets.names)}
    likeliest = said.value.argmax(axis=1)  # of two classes there is one column, and both are as uncertain
    return {"class spread": said.spread[np.arange(len(likeliest)), likeliest]}


def _listed(held: NDArray[np.bool_], classes: tuple[str, ...]) -> list[str]:
    """The classes of each set in words, such as "EI or N"."""
    names = np.array(classes, dtype=object)
    patterns, which = np.unique(held, axis=0, return_inverse=True)
    words = [" or ".join(names[pattern]) for pattern in patterns]
    return [words[number] for number in which.reshape(-1)]
