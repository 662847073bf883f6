"""Explaining a trained model: its records and background as explainers are asked about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import torch

from bioloom.explanation import Explanation, Question, Target, explainers
from bioloom.training.device import session

if TYPE_CHECKING:
    from bioloom.trained.asked import Asked
    from bioloom.trained.model import Model

USUAL = 4
"""Backgrounds of each record, unless a method needs more or others are asked for."""


def posed(model: Model, frames: Mapping[str, pd.DataFrame], asked: Asked, background: bool) -> Question:
    """The question about clean rows, with backgrounds where there are to be any."""
    modality = model.modalities[asked.input]
    resident = {name: each.encode(frames[name]).on(asked.device) for name, each in model.modalities.items()}
    index = torch.arange(len(frames[asked.input]), device=asked.device)
    batch = {name: each.batch(index) for name, each in resident.items()}
    network, batch = model.network.to(asked.device).in_question(batch)
    return Question(
        network,
        batch,
        asked.input,
        asked.output,
        modality.background(batch[asked.input], asked.seed, asked.references or USUAL)
        if background
        else None,
        asked.seed,
        asked.progress,
        asked.place,
        together=tuple(places for places in modality.groups.values() if len(places) > 1),
        layer=asked.layer,
        settings=asked.settings,
        kind=modality.kind,
        library=None if model.references is None else model.references(asked.input, asked.device),
    )


def explain_each(
    model: Model, frames: Mapping[str, pd.DataFrame], asked: Asked, outputs: Sequence[int | Target]
) -> list[Explanation]:
    """Why the network answers as it does for these clean rows, for each of several outputs."""
    explainer = explainers[asked.method]
    usual = explainer.backgrounds.get(model.modalities[asked.input].kind, USUAL)
    enough = replace(asked, references=asked.references or usual)
    question = posed(model, frames, enough, explainer.compares(asked.settings))
    with session(model.threads):
        return explainer.explain_each([replace(question, output=output) for output in outputs])
