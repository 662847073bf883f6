"""Traps that were planted on purpose: leaks, poisoned test records, copies in a so-called independent test."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

import bioloom
from benchmarks.honesty.shuffled import MOTIF, SETTINGS
from bioloom import workflow
from bioloom.journey.prepare import Request, prepare

KINDS = ("exact_copies", "reverse_complements", "contained_copies", "near_copies", "conflicting_labels")
EACH, PARENTS, LONG = 40, 300, 120

TOLD_BY_NAME = ("sha256",)
"""Lines of model/recipe.toml that name the data the run was given; they are left out of the comparison."""

RUN = SETTINGS | {"training.epochs": 4, "explanation.records": 4, "evaluation.deliver": "network"}


# ---- leaks ----------------------------------------------------------------------------------------------------


def twins() -> pd.DataFrame:
    """300 unrelated sequences of 120 nt, and of the first 200 a twin each: 40 of each of five kinds.

    Twins keep the label of their parents, but for the last kind: exact copies with the other label.
    """
    random = np.random.default_rng(17)
    parents = _unrelated(random, PARENTS, LONG)
    labels = random.integers(0, 2, PARENTS)
    rows = [(parent, label, "train") for parent, label in zip(parents, labels, strict=True)]
    for number in range(len(KINDS) * EACH):
        kind, parent = KINDS[number % len(KINDS)], parents[number]
        label = 1 - labels[number] if kind == "conflicting_labels" else labels[number]
        rows.append((_twin(random, kind, parent), label, "test"))
    for place in random.choice(PARENTS - len(KINDS) * EACH, 60, replace=False) + len(KINDS) * EACH:
        rows[place] = (*rows[place][:2], "validation")
    frame = pd.DataFrame(rows, columns=["sequence", "label", "given"])
    return frame.assign(label=frame["label"].map({0: "no", 1: "yes"}))


def _twin(random: np.random.Generator, kind: str, parent: str) -> str:
    start = int(random.integers(0, 60))
    changed = list(parent)
    for place in random.choice(LONG, 15, replace=False):
        changed[place] = str(random.choice([letter for letter in "ACGT" if letter != changed[place]]))
    return {
        "reverse_complements": _turned(parent),
        "contained_copies": parent[start : start + 50],
        "near_copies": "".join(changed),
    }.get(kind, parent)


def _turned(sequence: str) -> str:
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def _unrelated(random: np.random.Generator, count: int, length: int) -> list[str]:
    return ["".join(row) for row in np.array(list("ACGT"))[random.integers(0, 4, (count, length))]]


def leaks() -> dict[str, dict[str, int]]:
    """What the audit counts where all twins are in the test, after a random split, and after one by similarity."""
    frame = twins()
    found = {}
    for split in ("given", "random", "similarity"):
        given = frame.rename(columns={"given": "split"}) if split == "given" else frame.drop(columns="given")
        settings = {"split.folds": 1} | ({} if split == "given" else {"split.method": split})
        request = Request(source=given, target=("label",), inputs=("sequence",), settings=settings, seed=3)
        counts = workflow.divide(prepare(request)).leakage.counts()
        found[split] = {kind: counts[kind] for kind in KINDS}
    return found


# ---- poisoned test records -------------------------------------------------------------------------------------


def honest_table(classes: bool) -> pd.DataFrame:
    """240 sequences with a motif in half of them, their label, and the part each belongs to."""
    random = np.random.default_rng(2)
    letters = np.array(list("ACGT"))[random.integers(0, 4, (240, 24))]
    bound = random.permutation(240) < 120
    letters[np.ix_(bound, np.arange(8, 8 + len(MOTIF)))] = list(MOTIF)
    frame = pd.DataFrame({"sequence": ["".join(row) for row in letters]})
    frame["target"] = np.where(bound, "yes", "no") if classes else bound + 0.3 * random.normal(size=240)
    return frame.assign(split=np.repeat(["train", "validation", "test"], [150, 40, 50]))


def poisoned(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table, but every test record is another sequence, longer and of other letters, with another label."""
    random, test = np.random.default_rng(3), frame["split"] == "test"
    changed = frame.copy()
    changed.loc[test, "sequence"] = ["GC" * 20 + each for each in _unrelated(random, int(test.sum()), 9)]
    labels = frame.loc[test, "target"]
    changed.loc[test, "target"] = (
        labels.map({"yes": "no", "no": "yes"})
        if labels.dtype.kind in "OTU" or labels.dtype == "str"
        else 1e3 - labels
    )
    return changed


def poison(folder: Path, classes: bool) -> dict[str, Any]:
    """Train twice, the second time with poisoned test records, and compare every file of the model."""
    clean = honest_table(classes)
    runs = [
        bioloom.train(frame, "target", inputs="sequence", settings=RUN, budget="fast", seed=0,
                      outdir=folder / f"{name} {classes}", quiet=True)
        for name, frame in (("clean", clean), ("poisoned", poisoned(clean)))
    ]  # fmt: skip
    one, other = (model_bytes(run.folder / "model") for run in runs)
    scores = [run.result["scores"] for run in runs]
    return {
        "files": {name: one[name] == other.get(name) for name in sorted(one)},
        "predictions_differ": (runs[0].folder / "predictions.csv").read_bytes()
        != (runs[1].folder / "predictions.csv").read_bytes(),
        "scores": [each["model"][each["primary"]]["value"] for each in scores],
        "metric": scores[0]["primary"],
    }


def model_bytes(folder: Path) -> dict[str, bytes]:
    """Every file of a model folder but the card, which quotes the scores; without the line that names the data."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "card.md":
            lines = path.read_bytes().splitlines(keepends=True)
            named = path.name == "recipe.toml"
            kept = [each for each in lines if not (named and each.decode().split(" ")[0] in TOLD_BY_NAME)]
            found[path.name] = b"".join(kept)
    return found


# ---- the enhancer trap --------------------------------------------------------------------------------------------


def enhancers() -> pd.DataFrame:
    """As in published enhancer sets: half of the positives of the "independent" test are copies of training ones."""
    random = np.random.default_rng(5)
    positive = [each[:20] + MOTIF * 2 + each[34:] for each in _unrelated(random, 110, 60)]
    negative = _unrelated(random, 120, 60)
    rows = [(each, "enhancer", "train") for each in positive[:60]]
    rows += [(each, "enhancer", "validation") for each in positive[60:80]]
    rows += [(each, "enhancer", "test") for each in (*positive[:20], *positive[80:100])]
    for place, part in ((slice(0, 60), "train"), (slice(60, 80), "validation"), (slice(80, 120), "test")):
        rows += [(each, "other", part) for each in negative[place]]
    return pd.DataFrame(rows, columns=["sequence", "kind", "split"])


def trap(folder: Path) -> dict[str, Any]:
    """What a run says first of such a test."""
    run = bioloom.train(enhancers(), "kind", inputs="sequence", settings=RUN, budget="fast", seed=0,
                        outdir=folder / "enhancers", quiet=True)  # fmt: skip
    first = run.result["findings"][0]
    return {"code": first["code"], "severity": first["severity"], "answer": first["answer"],
            "verdict": run.result["verdict"]}  # fmt: skip


def traps() -> dict[str, Any]:
    """All of them."""
    with TemporaryDirectory() as folder:
        return {
            "leaks": leaks(),
            "poisoned": {
                name: poison(Path(folder), classes)
                for name, classes in (("classes", True), ("numbers", False))
            },
            "trap": trap(Path(folder)),
        }


if __name__ == "__main__":
    print(json.dumps(traps(), indent=1))
