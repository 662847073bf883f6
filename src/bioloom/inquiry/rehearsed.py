"""Rounds of design and measurement rehearsed on a landscape with known truth: what designs gain over chance and greed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.simulate.landscape import Landscape
from bioloom.data.wording import counted
from bioloom.design.rounds import STRATEGIES, Answers, Course, Lab, Learn, course, gain
from bioloom.events import Listener
from bioloom.figures import rounds as drawn
from bioloom.figures import style
from bioloom.files import write_json
from bioloom.journey.division import divide
from bioloom.journey.learnable import encode
from bioloom.journey.prepare import Request, prepare
from bioloom.journey.trainee import train_network
from bioloom.models.predict import predict

SETTINGS = {
    "split.method": "random",
    "split.test": 0.02,
    "split.validation": 0.2,
    "split.folds": 1,
    "training.members": 5,
    "training.epochs": 60,
    "model.network": "additive_map",
}
"""How a network learns from the measurements so far: hardly any are left for a test, because the truth is known."""


@dataclass(frozen=True)
class Rehearsal:
    """What is rehearsed.

    landscapes: simulated truths, each with rounds of its own
    length:     letters of a sequence
    start:      sequences that are measured first; batch: those that each of the rounds measures
    network:    that learns in each round
    """

    landscapes: int = 3
    length: int = 30
    start: int = 96
    batch: int = 48
    rounds: int = 4
    seed: int = 0
    network: str = "additive_map"


def rehearse(
    asked: Rehearsal, folder: Path, listener: Listener, learn: Learn | None = None
) -> dict[str, Any]:
    """Rehearse all strategies on each landscape; writes rounds.json and rounds.svg, and returns what is in the first.

    learn: how a model is made of measurements; a network by default
    """
    taught = learn or by_network({**SETTINGS, "model.network": asked.network})
    courses: dict[str, list[Course]] = {name: [] for name in STRATEGIES}
    steps = asked.landscapes * len(STRATEGIES)
    listener.stage("rehearse", "Rehearsing rounds of design and measurement")
    for number in range(asked.landscapes):
        land = Landscape(asked.seed + number, asked.length)
        lab = Lab(
            land.parent,
            land.measure,
            land.value,
            taught,
            asked.start,
            asked.batch,
            asked.rounds,
            seed=asked.seed + number,
        )
        for name, done in courses.items():
            done.append(course(lab, name))
            listener.progress(sum(map(len, courses.values())) / steps, f"{name} on landscape {number + 1}")
    told = _told(asked, courses)
    write_json(folder / "rounds.json", told)
    style.save(
        drawn.rounds({name: [each.best for each in done] for name, done in courses.items()}, asked.batch),
        folder / "rounds.svg",
    )
    return told


def _told(asked: Rehearsal, courses: dict[str, list[Course]]) -> dict[str, Any]:
    return {
        "landscapes": asked.landscapes,
        "length": asked.length,
        "start": asked.start,
        "batch": asked.batch,
        "rounds": asked.rounds,
        "seed": asked.seed,
        "network": asked.network,
        "courses": {
            name: [
                {"best": _rounded(each.best), "batch": _rounded(each.batch), "sequence": each.sequence}
                for each in done
            ]
            for name, done in courses.items()
        },
        "gain": {name: _finite(gain(courses["design"], courses[name])) for name in ("random", "greedy")},
    }


def sentence(told: dict[str, Any]) -> str:
    """What the rehearsal showed, in words."""
    raised = {
        name: np.mean([each["best"][-1] - each["best"][0] for each in done])
        for name, done in told["courses"].items()
    }
    factor = told["gain"]["greedy"]
    beside = "" if factor is None or factor <= 0 else f" (designs: {factor:.1f} times as much)"
    lands = counted(told["landscapes"], "simulated landscape")
    return (
        f"After {counted(told['rounds'], 'round')} of {told['batch']} measurements on {lands}, the best sequence was better "
        f"than at first by {raised['design']:.1f} with designs, by {raised['greedy']:.1f} by changing the best{beside}, and by "
        f"{raised['random']:.1f} by chance, in standard deviations of random sequences."
    )


def _rounded(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def by_network(settings: dict[str, Any]) -> Learn:
    """Learn with several networks, as `bioloom train` does, from sequences and their measurements."""

    def learn(texts: Sequence[str], values: NDArray[np.float64], seed: int) -> Answers:
        frame = pd.DataFrame({"sequence": list(texts), "value": values})
        request = Request(
            source=frame,
            target=("value",),
            inputs=("sequence=dna",),
            settings=settings,
            seed=seed,
            budget="fast",
        )
        prepared = prepare(request)
        split = divide(prepared).split
        trainee = train_network(prepared, split, encode(prepared, split), None)
        modality = trainee.learnable.modalities["sequence"]

        def answers(some: Sequence[str]) -> NDArray[np.float64]:
            encoded = {"sequence": modality.encode(pd.DataFrame({"sequence": list(some)}))}
            told = [trainee.activate(predict(each.fitted.network, encoded))[:, 0] for each in trainee.members]
            return np.stack(told).astype(np.float64)

        return answers

    return learn
