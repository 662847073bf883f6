"""Claim: of motifs that were planted, the right one is the best match in the database for at least 95 % of 50 models.

    python -m benchmarks.discovery            # 50 simulated data sets, about half an hour
    python -m benchmarks.discovery --quick    # 2; nothing is written

Each data set has 3,000 sequences of 100 nt, half of them with one to three motifs drawn from those of vertebrates in
JASPAR, each at any place on either strand. `bioloom train --budget fast` learns them with one convolutional network, and
`bioloom motifs discover` names what the network uses. A planted motif counts as found where a discovered one has it, or a
matrix that the database itself does not tell from it, as best match. That is decided before: two matrices are not told
apart where each is among the matches of the other with a p-value below one in a million.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measure import RESULTS, machine
from bioloom import workflow
from bioloom.events import Silent
from bioloom.inquiry.discovered import Wanted, discover_motifs
from bioloom.journey.prepare import Request
from bioloom.motifs.compare import compare
from bioloom.motifs.database import find_motifs
from bioloom.motifs.motif import Motif
from bioloom.motifs.plant import Design, Planted, plant

DATABASE = "jaspar:vertebrates"
SETS, RECORDS, LENGTH = 50, 3_000, 100
BITS, LETTERS = 10.0, 16
"""Motifs are drawn among those of at least so many bits, and at most so many letters: weaker ones stand in any sequence."""

SAME = 1e-6
SETTINGS = {"model.network": "cnn", "search.trials": 0, "evaluation.shuffles": 1}


@dataclass(frozen=True)
class Trial:
    """One data set: what was planted, what of it was found, and how well the network tells the halves apart."""

    planted: tuple[str, ...]
    found: tuple[bool, ...]
    exact: tuple[bool, ...]
    auc: float


def try_set(seed: int, database: list[Motif], folder: Path) -> Trial:
    """Plant, train, discover, compare."""
    random = np.random.default_rng(seed)
    likely = [each for each in database if each.information().sum() >= BITS and len(each) <= LETTERS]
    chosen = [likely[place] for place in random.choice(len(likely), 1 + seed % 3, replace=False)]
    design = Design(length=LENGTH)
    with_them, _ = plant(
        RECORDS // 2, [Planted(each, share=1.0, turned=0.5) for each in chosen], design, seed
    )
    without = ["".join(row) for row in random.choice(list("ACGT"), (RECORDS // 2, LENGTH))]
    texts, bound = [*with_them["sequence"], *without], ["yes"] * len(with_them) + ["no"] * len(without)
    source = folder / f"set{seed}.csv"
    pd.DataFrame({"sequence": texts, "bound": bound}).to_csv(source, index=False)
    outdir = folder / f"run{seed}"
    request = Request(str(source), target=("bound",), budget="fast", settings=SETTINGS, seed=seed)
    run = workflow.train(request, outdir, Silent())
    auc = float(run.result["scores"]["model"]["roc_auc"]["value"])
    told = discover_motifs(Wanted(outdir, database=""), Silent())
    names = [each.motif for each in told.motifs]
    best = _best(names, database) if names else set()
    return Trial(
        tuple(f"{each.name} {each.title}" for each in chosen),
        tuple(bool(best & _same(each, database)) for each in chosen),
        tuple(each.name in best for each in chosen),
        auc,
    )


def _best(queries: list[Motif], database: list[Motif]) -> set[str]:
    """The best match of each motif."""
    return set(compare(queries, database).groupby("query", sort=False).first()["target"])


def _same(motif: Motif, database: list[Motif]) -> set[str]:
    """The matrices of the database that are not told from one of them, itself included."""
    near = compare([motif], database).query("p_value < @SAME")["target"].tolist()
    back = compare([each for each in database if each.name in near], [*database])
    mutual = back[(back["target"] == motif.name) & (back["p_value"] < SAME)]["query"]
    return {motif.name, *mutual}


def main() -> None:
    parser = argparse.ArgumentParser(description="discover planted motifs")
    parser.add_argument("--quick", action="store_true", help="two data sets; nothing is written")
    quick = parser.parse_args().quick
    database = find_motifs(DATABASE)
    with tempfile.TemporaryDirectory() as folder:
        trials = []
        for seed in range(2 if quick else SETS):
            trials.append(try_set(seed, database, Path(folder)))
            print(seed, trials[-1], flush=True)
    text = told(trials, len(database))
    print(text)
    if not quick:
        (RESULTS / "discovery.txt").write_text(text, encoding="utf-8")


def told(trials: list[Trial], motifs: int) -> str:
    """The results as text."""
    lines = [
        __doc__ or "",
        f"{'planted':>8}  {'models':>6}  all found  motifs found  the very matrix  median ROC AUC",
    ]
    for count in (1, 2, 3, 0):
        these = [each for each in trials if count in (0, len(each.planted))]
        if not these:
            continue
        found, exact = (
            np.concatenate([each.found for each in these]),
            np.concatenate([each.exact for each in these]),
        )
        lines.append(
            f"{count or 'all':>8}  {len(these):6}  {np.mean([all(each.found) for each in these]):9.0%}  "
            f"{found.sum():>5} of {len(found):<4}  {exact.sum():>8} of {len(exact):<4}  "
            f"{np.median([each.auc for each in these]):14.3f}"
        )
    missed = [
        f"  {name} (ROC AUC {each.auc:.3f})"
        for each in trials
        for name, found in zip(each.planted, each.found, strict=True)
        if not found
    ]
    return "\n".join(
        [*lines, "", f"not found: {len(missed)}", *missed, "", f"{motifs:,} motifs; {machine(1)}", ""]
    )


if __name__ == "__main__":
    main()
