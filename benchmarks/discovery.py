"""Claim: motifs that were planted are what a model's motifs resemble most, in at least 95 % of 50 simulated data sets.

    python -m benchmarks.discovery            # the sets that have no result yet, one process for each processor
    python -m benchmarks.discovery 3 17       # these, anew
    python -m benchmarks.discovery peaks      # Oct4 against Mafk, where the data folder is there
    python -m benchmarks.discovery --text     # only write the text from the results

Each set has one to three motifs of HOCOMOCO (of JASPAR's vertebrates where the data folder is not there), drawn anew. Each
stands in half of the sequences, anywhere, on either strand, and adds one unit to a number that is measured with noise.
`bioloom train --budget fast` learns that number with the default network, and `bioloom motifs discover` names what it uses.

A planted motif is found where one of the discovered motifs has it as its best match in the whole database, or has a matrix
that the database itself does not tell from it: each is among the matches of the other with a p-value below one in a million.
"others" are motifs whose best match, with an E-value up to 0.01, is none of those planted.
Each result is kept as soon as it is there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.cases import DATA
from benchmarks.measure import RESULTS, machine
from bioloom.motifs.motif import Motif
from bioloom.processors import processors

if TYPE_CHECKING:
    import pandas as pd

FOUND, TEXT = RESULTS / "discovery.json", RESULTS / "discovery.txt"
HOCOMOCO, JASPAR = DATA / "motif" / "hocomoco_v11_human.pfm", "jaspar:vertebrates"

SETS, RECORDS, LENGTH = 50, 15_000, 100
BITS, LETTERS = 10.0, 16
"""Motifs are drawn among those of at least so many bits, and at most so many letters: weaker ones stand in any sequence."""

SAME, TOLD = 1e-6, 0.01
"""p-value up to which two matrices of the database are one motif, and E-value up to which a discovered motif has a name."""

UNLIKE = 1e-3
"""p-value from which two motifs of a set are unlike each other: of two that are alike, nobody can tell which is found."""

PEAKS = "peaks"
FACTORS = ("PO5F1_", "MAFK_")

SETTINGS: dict[str, Any] = {
    "model.network": "residual",
    "augmentation.reverse_complement": True,
    "split.method": "random",
    "split.folds": 1,
    "search.trials": 0,
    "evaluation.shuffles": 1,
    "evaluation.shares": (),
    "explanation.records": 1,
}
"""Both strands, because motifs stand on both; the others only spare what no motif depends on: near copies, which random
sequences have not, and what a run does to judge itself."""


def database() -> tuple[str, list[Motif]]:
    """What motifs are drawn from and compared with."""
    from bioloom.motifs.database import find_motifs

    source = str(HOCOMOCO) if HOCOMOCO.exists() else JASPAR
    return source, find_motifs(source)


def chosen(seed: int, among: list[Motif]) -> list[Motif]:
    """The motifs of a set, 1 to 3 that are unlike each other."""
    from bioloom.motifs.compare import compare

    likely = [each for each in among if each.information().sum() >= BITS and len(each) <= LETTERS]
    taken: list[Motif] = []
    for place in np.random.default_rng(seed).permutation(len(likely)):
        if not taken or compare([likely[place]], taken)["p_value"].min() > UNLIKE:
            taken.append(likely[place])
        if len(taken) == 1 + seed % 3:
            break
    return taken


def try_set(name: str) -> dict[str, Any]:
    """Plant, train, discover, compare."""
    from bioloom.motifs.plant import Design, Planted, plant

    seed = int(name)
    source, among = database()
    motifs = chosen(seed, among)
    planted = [Planted(each, share=0.5, turned=0.5) for each in motifs]
    frame, _ = plant(RECORDS, planted, Design(length=LENGTH), seed)
    done = _trained(frame, "activity", "r2", seed, source)
    return _judged(done, motifs, among) | {"database": source if source == JASPAR else HOCOMOCO.stem}


def try_peaks(_: str) -> dict[str, Any]:
    """Real peaks of two factors against each other: are both factors found?"""
    from benchmarks.accuracy import peaks

    source, among = database()
    factors = [each for each in among if each.name.startswith(FACTORS)]
    done = _trained(peaks(), "factor", "roc_auc", 0, source, {"split.method": "part"})
    return _judged(done, factors, among)


def _trained(
    frame: pd.DataFrame,
    target: str,
    metric: str,
    seed: int,
    source: str,
    also: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Learn from a table and discover motifs: names of their best matches with E-values, the score, and seconds."""
    from bioloom import workflow
    from bioloom.events import Silent
    from bioloom.inquiry.discovered import Wanted, discover_motifs
    from bioloom.journey.prepare import Request
    from bioloom.motifs.compare import compare
    from bioloom.motifs.database import find_motifs

    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        table, outdir = Path(name) / "records.csv", Path(name) / "run"
        frame.to_csv(table, index=False)
        settings = {**SETTINGS, **also}
        request = Request(
            str(table), target=(target,), inputs=("sequence",), budget="fast", settings=settings, seed=seed
        )
        run = workflow.train(request, outdir, Silent())
        trained = time.perf_counter()
        told = discover_motifs(Wanted(outdir), Silent())
    found = [each.motif for each in told.motifs]
    best = compare(found, find_motifs(source)).groupby("query", sort=False).first() if found else None
    ended = time.perf_counter()
    return {
        "matches": []
        if best is None
        else [list(each) for each in zip(best["target"], best["e_value"], strict=True)],
        "score": round(float(run.result["scores"]["model"][metric]["value"]), 4),
        "seconds": {"training": round(trained - begun, 1), "discovery": round(ended - trained, 1)},
    }


def _judged(done: dict[str, Any], motifs: list[Motif], among: list[Motif]) -> dict[str, Any]:
    """Which motifs are among the best matches, and which matches are of none of them."""
    matches = [name for name, _ in done["matches"]]
    same = {each.name: _same(each, among) for each in motifs}
    told = [
        {"name": name, "found": not alike.isdisjoint(matches), "exact": name in matches}
        for name, alike in same.items()
    ]
    right = set().union(*same.values())
    return {
        "motifs": told,
        "others": [name for name, e_value in done["matches"] if e_value <= TOLD and name not in right],
        **done,
    }


def _same(motif: Motif, among: list[Motif]) -> set[str]:
    """The matrices of the database that are not told from one of them, itself included."""
    from bioloom.motifs.compare import compare

    near = compare([motif], among).query("p_value < @SAME")["target"].tolist()
    back = compare([each for each in among if each.name in near], among)
    mutual = back[(back["target"] == motif.name) & (back["p_value"] < SAME)]["query"]
    return {motif.name, *mutual}


def main() -> None:
    parser = argparse.ArgumentParser(description="discover planted motifs")
    parser.add_argument(
        "sets", nargs="*", help="numbers of sets, from 0, or peaks; those without a result if left out"
    )
    parser.add_argument("--text", action="store_true", help="only write the text")
    asked = parser.parse_args()
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    if not asked.text:
        _run(asked.sets or [str(seed) for seed in range(SETS) if str(seed) not in found], found)
    text = told(found)
    print(text)
    TEXT.write_text(text, encoding="utf-8")


def _run(names: list[str], found: dict[str, Any]) -> None:
    """Try sets side by side, each in one thread; every result is written at once."""
    here = processors()
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(here, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(try_peaks if name == PEAKS else try_set, name): name for name in names}
        for done in as_completed(waiting):
            found[waiting[done]] = done.result()
            print(waiting[done], json.dumps(done.result()), flush=True)
            ordered = dict(sorted(found.items(), key=lambda each: (len(each[0]), each[0])))
            FOUND.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def told(found: dict[str, Any]) -> str:
    """The results as text."""
    trials = [each for name, each in found.items() if name != PEAKS]
    lines: list[str] = [
        __doc__ or "",
        f"{'planted':>8}  {'sets':>4}  all found  motifs found  the very matrix  others  median R2",
        *filter(None, (_line(count, trials) for count in (1, 2, 3, 0))),
    ]
    missed = [
        f"  {motif['name']} (set {name}, R2 {each['score']:.3f})"
        for name, each in found.items()
        for motif in each["motifs"]
        if name != PEAKS and not motif["found"]
    ]
    lines += ["", f"not found: {len(missed)}", *missed]
    if PEAKS in found:
        real = found[PEAKS]
        best = ", ".join(f"{name} (E {e_value:.2g})" for name, e_value in real["matches"])
        lines += ["", f"Oct4 against Mafk: ROC AUC {real['score']:.3f}; best matches of the motifs: {best}"]
    if trials:
        seconds = np.mean([sum(each["seconds"].values()) for each in trials])
        source = ", ".join(sorted({each["database"] for each in trials}))
        lines += [
            "",
            f"{RECORDS:,} sequences of {LENGTH} nt; {source}; {seconds:.0f} s for a set in one thread; {machine(1)}",
        ]
    return "\n".join([*lines, ""])


def _line(count: int, trials: list[dict[str, Any]]) -> str:
    these = [each for each in trials if count in (0, len(each["motifs"]))]
    if not these:
        return ""
    motifs = [motif for each in these for motif in each["motifs"]]
    whole = np.mean([all(motif["found"] for motif in each["motifs"]) for each in these])
    return (
        f"{count or 'all':>8}  {len(these):4}  {whole:9.0%}  "
        f"{sum(each['found'] for each in motifs):>5} of {len(motifs):<4}  "
        f"{sum(each['exact'] for each in motifs):>8} of {len(motifs):<4}  "
        f"{sum(len(each['others']) for each in these):6}  {np.median([each['score'] for each in these]):9.3f}"
    )


if __name__ == "__main__":
    main()
