"""Claim: the course's CNN predicts at least 200,000 sequences of 20 nt per second on 2 cores."""

from __future__ import annotations

from benchmarks.measure import Side, compare, report, timed
from benchmarks.sequences import strings

RECORDS, LENGTH = 500_000, 20


def bioloom() -> None:
    import numpy as np
    import pandas as pd

    from bioloom.modalities.dna import Dna
    from bioloom.models import build
    from bioloom.models.predict import predict

    frame = pd.DataFrame({"sequence": np.array(strings(RECORDS, LENGTH), dtype=object)})
    dna = Dna(length=LENGTH, aligned=True)
    network = build("cnn", {"sequence": dna.shape}, 2, {}).eval()
    timed(lambda: predict(network, {"sequence": dna.encode(frame)}))


def plain() -> None:
    """How it is usually written: one-hot by a dictionary, batches of 256 from a DataLoader."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader

    letters = {letter: number for number, letter in enumerate("ACGT")}
    sequences = strings(RECORDS, LENGTH)
    network = nn.Sequential(
        nn.Conv1d(4, 10, 5), nn.ReLU(), nn.MaxPool1d(4), nn.Flatten(), nn.Linear(40, 2)
    ).eval()  # fmt: skip

    def encode(batch: list[str]) -> torch.Tensor:
        codes = torch.tensor([[letters[letter] for letter in sequence] for sequence in batch])
        return nn.functional.one_hot(codes, 4).transpose(1, 2).float()

    def work() -> None:
        with torch.inference_mode():
            torch.cat([network(batch) for batch in DataLoader(sequences, batch_size=256, collate_fn=encode)])

    timed(work)


def main() -> None:
    strings(RECORDS, LENGTH)
    measured = compare(
        "benchmarks.predict", [Side("bioloom", "bioloom"), Side("plain torch loop", "plain")], rounds=3
    )
    ours, other = measured["bioloom"], measured["plain torch loop"]
    lines = [
        f"{RECORDS / ours.seconds:,.0f} sequences per second, encoding included (claim: at least 200,000)",
        f"a plain torch loop takes {other.seconds / ours.seconds:.1f} times as long",
    ]
    report("predict", __doc__ or "", measured, lines)


if __name__ == "__main__":
    main()
