"""Small labelled data and the settings that make a whole run take seconds."""

from __future__ import annotations

import pandas as pd

from bioloom.data.simulate.motif import plant_motif

FAST = {
    "model.network": "cnn",
    "training.epochs": 25,
    "training.learning_rate": 0.02,
    "training.batch_size": 20,
    "training.members": 1,
    "evaluation.draws": 100,
    "evaluation.shuffles": 1,
    "explanation.records": 6,
    "split.folds": 1,
    "threads": 1,
}
"""Settings that make a whole journey take a few seconds."""


def motif_table(records: int = 240, seed: int = 0) -> pd.DataFrame:
    """Sequences of 20 nt, half of them with a planted motif."""
    sequences, bound = plant_motif(records // 2, records - records // 2, seed)
    frame = pd.DataFrame({"sequence": sequences, "bound": ["yes" if each else "no" for each in bound]})
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)
