"""Shuffled labels: the whole pipeline, on data in which there is nothing to find, must find nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from bioloom import workflow
from bioloom.evaluation.intervals import wilson
from bioloom.events import Silent
from bioloom.journey.judge import Judged, Trial, judge
from bioloom.journey.prepare import Request, prepare
from bioloom.journey.rehearsal import Rehearsal
from bioloom.journey.rivals import fit_rivals
from bioloom.journey.shelf import Shelf
from bioloom.journey.trainee import train_network

SETTINGS = {
    "model.network": "cnn",
    "training.epochs": 2,
    "training.learning_rate": 0.02,
    "training.batch_size": 20,
    "evaluation.draws": 200,
    "evaluation.shuffles": 1,
    "split.folds": 1,
    "threads": 1,
}
"""A small network and two epochs: what is shown holds for any training, since no label means anything."""

RECORDS, LENGTH, MOTIF = 300, 20, "TGACTCA"


def shuffled_table(seed: int) -> pd.DataFrame:
    """Sequences of 20 nt, half of them with a planted motif; classes (even seeds) or numbers, dealt out anew."""
    random = np.random.default_rng(seed)
    letters = np.array(list("ACGT"))[random.integers(0, 4, (RECORDS, LENGTH))]
    letters[: RECORDS // 2, 6 : 6 + len(MOTIF)] = list(MOTIF)
    bound = np.arange(RECORDS) < RECORDS // 2
    real = np.where(bound, "yes", "no") if seed % 2 == 0 else bound + 0.3 * random.normal(size=RECORDS)
    target = pd.Series(random.permutation(real), name="target")
    return pd.DataFrame({"sequence": ["".join(row) for row in letters], "target": target})


def judged(frame: pd.DataFrame, seed: int) -> Judged:
    """Everything a run does up to its verdict; no explanation, no report, nothing written."""
    request = Request(
        source=frame, target=("target",), settings=SETTINGS, budget="fast", seed=seed, split="random"
    )
    prepared = prepare(request)
    division = workflow.divide(prepared)
    trainee = train_network(prepared, division.split, workflow.encode(prepared, division.split), None)
    rivals = fit_rivals(trainee)
    answers = Rehearsal(prepared, division.folds, Shelf(None)).answers(trainee, rivals, Silent())
    return judge(Trial(trainee, rivals, answers, division))


def shuffled_runs(count: int) -> dict[str, Any]:
    """How often runs on shuffled labels claim something.

    signal: verdicts other than "no_signal": the network, or a simpler model, is called better than guessing
    network: runs in which the network's own interval lies above guessing
    wins:   verdicts "network_wins", the only one that says that the network beats the simpler models
    """
    codes, network, trivial = Counter[str](), 0, 0
    for seed in range(count):
        found = judged(shuffled_table(seed), seed)
        codes[found.verdict.code] += 1
        against = {each.against: each for each in found.comparison}
        trivial += against["trivial"].wins
        network += _above_guessing(found)
    signal = count - codes["no_signal"]
    end = wilson(codes["network_wins"], count)
    return {
        "runs": count,
        "signal": signal,
        "signal_share": signal / count,
        "network": network,
        "trivial": trivial,
        "wins": codes["network_wins"],
        "wins_at_most": end.high,
        "codes": dict(sorted(codes.items())),
    }


def _above_guessing(found: Judged) -> bool:
    score, zero = found.scores["model"][found.primary], {"roc_auc": 0.5, "spearman": 0.0}[found.primary]
    return score.low is not None and score.low > zero
