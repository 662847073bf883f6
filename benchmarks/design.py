"""Claim: 1,000 steps of design of 100 sequences of 100 nt with the default network take less than 60 seconds on two
processors, whatever the method; beside them, what the network alone needs for as many answers."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks.measure import Measured, Side, compare, report, timed

LENGTH, WIDTH = 100, 100
STEPS = int(os.environ.get("BIOLOOM_DESIGN_STEPS", "1000"))
RECORDS = int(os.environ.get("BIOLOOM_DESIGN_RECORDS", "2000"))
FOLDER = Path(tempfile.gettempdir()) / f"bioloom-benchmark-design-{RECORDS}"
METHODS = ("evolve", "anneal", "gradient")


def prepare() -> None:
    """One run with the default network, once: design asks the same model on all sides."""
    import numpy as np
    import pandas as pd

    import bioloom

    if (FOLDER / "result.json").exists():
        return
    from bioloom.data.simulate.landscape import Landscape, mutants

    land = Landscape(0, LENGTH)
    texts = mutants(land.parent, RECORDS, LENGTH // 2, np.random.default_rng(0))
    frame = pd.DataFrame({"sequence": texts, "activity": land.measure(texts, 0)})
    settings = {"model.network": "residual", "split.method": "random", "split.folds": 1, "budget": "fast"}
    bioloom.train(frame, target="activity", inputs=["sequence"], outdir=FOLDER, settings=settings)


def _network():
    """The network of the run, also where a simpler model would be delivered."""
    from bioloom.inquiry.model import SequenceModel

    model = SequenceModel(FOLDER)
    model.model = model.model.using("network")
    return model


def _design(method: str) -> None:
    from bioloom.data.simulate.landscape import Landscape
    from bioloom.design.goals import Goal, Objective
    from bioloom.design.methods import METHODS as WAYS
    from bioloom.design.methods import Effort
    from bioloom.design.rules import Rules, checked

    model = _network()
    goal = Goal("activity", lambda texts: model.of_each(texts).mean(axis=0), slope=model.slope)
    land = Landscape(0, LENGTH)
    rules = checked(Rules(land.parent, longest_run=4, without=("EcoRI",)))

    def work() -> dict[str, float]:
        objective = Objective([goal])
        WAYS[method](rules, objective, Effort(STEPS, WIDTH))
        (best, score), *_ = objective.best(1)
        return {"score": score, "asked": objective.asked, "true": float(land.value([best])[0])}

    timed(work)


def evolve() -> None:
    _design("evolve")


def anneal() -> None:
    _design("anneal")


def gradient() -> None:
    _design("gradient")


def answers() -> None:
    """As many sequences as the methods ask about, each once, in batches of as many as a step has."""
    import numpy as np

    model, letters = _network(), np.array(list("ACGT"))
    random = np.random.default_rng(0)
    drawn = [["".join(row) for row in letters[random.integers(0, 4, (WIDTH, LENGTH))]] for _ in range(STEPS)]
    timed(lambda: [model.of_each(texts) for texts in drawn] and None)


def main() -> None:
    prepare()
    sides = [Side(name, name) for name in (*METHODS, "answers")]
    measured: dict[str, Measured] = compare("benchmarks.design", sides, rounds=1)
    slowest = max(measured[name].seconds for name in METHODS)
    lines = [
        f"{STEPS:,} steps of {WIDTH} sequences of {LENGTH} nt; the slowest method took {slowest:.1f} s, "
        f"{slowest / measured['answers'].seconds:.2f} times as long as {STEPS * WIDTH:,} answers of the network"
    ]
    report("design", __doc__ or "", measured, lines)


if __name__ == "__main__":
    main()
