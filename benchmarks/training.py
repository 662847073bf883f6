"""Claim: nobody trains these networks faster on the same processor.

    python -m benchmarks.training --peers PYTHON          # everything
    python -m benchmarks.training --only ensemble         # one table anew; the others stay as they were measured
    python -m benchmarks.training --peers PYTHON --quick  # one round, nothing is written
    python -m benchmarks.page                             # writes docs/reference/benchmarks.md from the results

PYTHON belongs to an environment with torch, lightning, skorch, keras, tensorflow-cpu and grelu; what is not installed
there is left out, and the table says so. Every number is the median of interleaved fresh processes.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.measure import RESULTS, Side, fresh, machine
from bioloom.data.wording import counted

ROUNDS = 5
PROBES = {
    "torch": "torch",
    "skorch": "skorch",
    "lightning": "lightning",
    "keras": "tensorflow",
    "grelu": "grelu",
}


@dataclass(frozen=True)
class Contest:
    """Sides that do the same work.

    title:   heading of its table
    threads: of every side
    ours:    title by function of `benchmarks.ours`; ratios are against the first
    theirs:  title by function of `benchmarks.peers`, with how many times our seconds it should take at least, or None
    most:    of ours, how many times the seconds of the first it may take
    """

    name: str
    title: str
    threads: int
    ours: Mapping[str, str]
    theirs: Mapping[str, tuple[str, float | None]] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)


CONTESTS = (
    Contest(
        "course",
        "The course's CNN: 20 epochs of 1,440 sequences of 20 nt, one thread, second training in a process",
        1,
        {"course_fit": "bioloom"},
        {
            "torch_course": ("plain torch, tensors in memory", None),
            "loader_course": ("plain torch, DataLoader", None),
            "skorch_course": ("skorch", None),
            "lightning_course": ("Lightning", 3.0),
            "keras_torch_course": ("Keras on torch", 4.0),
            "keras_tensorflow_course": ("Keras on TensorFlow", None),
        },
    ),
    Contest(
        "reporter",
        "Three convolutions of 120 filters of 8 (like Optimus 5-Prime): 3 epochs of 16,384 sequences of 50 nt, batches "
        "of 128, two threads, second training in a process",
        2,
        {
            "reporter_fit": "bioloom",
            "reporter_float32": "bioloom, float32",
            "reporter_by_itself": "bioloom, threads by its own choice",
        },
        {
            "torch_reporter": ("plain torch, tensors in memory", None),
            "loader_reporter": ("plain torch, DataLoader", None),
            "skorch_reporter": ("skorch", None),
            "lightning_reporter": ("Lightning", 2.2),
            "grelu_reporter": ("gReLU", 2.2),
            "keras_torch_reporter": ("Keras on torch", 2.2),
            "keras_tensorflow_reporter": ("Keras on TensorFlow", 2.2),
            "keras_bfloat16_reporter": ("Keras on TensorFlow, mixed_bfloat16", 1.05),
        },
    ),
    Contest(
        "folds",
        "Ten-fold cross-validation of the course's CNN: ten trainings of one thread each",
        2,
        {"folds": "bioloom, members on two processors"},
        {"torch_folds": ("plain torch, one after another", 2.0)},
    ),
    Contest(
        "ensemble",
        "A mean of five networks that differ in their seed: the default network, 20 epochs of 8,192 sequences of 50 nt (46 are "
        "the default), two processors",
        2,
        {
            "one_member": "bioloom, one network, threads by its own choice",
            "five_members": "bioloom, five side by side",
        },
        most={"five_members": 2.6},
    ),
    Contest(
        "whole",
        "A whole process on the course's data: `bioloom train --budget fast` with its report; Keras on TensorFlow reads, "
        "trains and stops",
        2,
        {"whole": "bioloom train"},
        {"keras_whole": ("Keras on TensorFlow", 1.0)},
    ),
)

Found = dict[str, list[dict[str, float]]]

FOUND = RESULTS / "training.json"


def installed(python: str) -> set[str]:
    """Functions of `benchmarks.peers` whose packages that Python has."""
    names = sorted(set(PROBES.values()))
    code = f"import importlib.util as u; print(*[n for n in {names} if u.find_spec(n)])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    here = set(done.stdout.split())
    sides = {function for contest in CONTESTS for function in contest.theirs}
    return {each for each in sides if PROBES.get(each.split("_")[0], "torch") in here}


def measured(contest: Contest, python: str, there: set[str], rounds: int) -> Found:
    """What each side took in each round; the first round warms caches and does not count."""
    sides = [("benchmarks.ours", Side(each, each)) for each in contest.ours]
    sides += [("benchmarks.peers", Side(each, each, python)) for each in contest.theirs if each in there]
    found: Found = {side.name: [] for _, side in sides}
    for number in range(rounds + (rounds > 1)):
        for module, side in [each for each in sides if each[1].name in found]:
            print(f"  {contest.name}, round {number}: {side.name}", file=sys.stderr)
            try:
                found[side.name].append(fresh(module, side, _environment(contest.threads, number)))
            except SystemExit as stopped:
                if module == "benchmarks.ours":
                    raise
                print(f"  left out: {stopped}", file=sys.stderr)  # one that fails stops no other
                del found[side.name]
    return {name: each[-rounds:] for name, each in found.items()}


def _environment(threads: int, number: int) -> dict[str, str]:
    return {"OMP_NUM_THREADS": str(threads), "BIOLOOM_ROUND": str(number), "TF_CPP_MIN_LOG_LEVEL": "3"}


def exponent(values: Mapping[str, float], word: str) -> float:
    """The slope of log seconds over log size: 1 where twice the size takes twice as long."""
    points = [
        (math.log(int(key.split()[1])), math.log(value))
        for key, value in values.items()
        if key.startswith(f"{word} ")
    ]
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def median(runs: Sequence[Mapping[str, float]], key: str) -> float:
    """The median over the rounds."""
    return statistics.median(run[key] for run in runs)


# ---- as a page -----------------------------------------------------------------------------------------------


def section(result: Mapping[str, object]) -> str:
    """The results as a part of docs/reference/benchmarks.md."""
    contests: Mapping[str, Found] = result["contests"]  # type: ignore[assignment]
    parts = [
        "## Speed of training\n\nSeconds are medians; the ratio is how many times as long as bioloom, median over the "
        "rounds, and beside it what is promised. Loss is the last validation loss, mean and standard "
        "deviation over rounds of different seeds.\n\n"
        f"    python -m benchmarks.training --peers PYTHON   # {result['machine']}\n"
    ]
    parts += [_table(contest, contests[contest.name]) for contest in CONTESTS if contest.name in contests]
    return "\n".join([*parts, _batching(result), _scaling(result)])


def _table(contest: Contest, found: Found) -> str:
    first = next(iter(contest.ours))
    rounds = counted(len(found[first]), "round")
    lines = [
        f"### {contest.title}; {rounds}\n",
        "| | seconds | processor s | ratio | promised | loss | peak MB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, title in contest.ours.items():
        bounds = (None, contest.most.get(name))
        lines.append(f"| {title} | {_row(found[name], found[first], bounds)} |")
    for name, (title, least) in contest.theirs.items():
        row = _row(found[name], found[first], (least, None)) if name in found else None
        lines.append(_out(title) if row is None else f"| {title} | {row} |")
    return "\n".join(lines) + "\n"


def _out(title: str) -> str:
    return f"| {title} | left out: not installed, or failed | | | | | |"


def _row(
    runs: list[dict[str, float]],
    first: list[dict[str, float]],
    bounds: tuple[float | None, float | None],
) -> str:
    """bounds: how many times the seconds of the first it should take at least, and at most; None where nothing is promised."""
    ratio = statistics.median(run["seconds"] / own["seconds"] for run, own in zip(runs, first, strict=True))
    losses = [run["loss"] for run in runs if "loss" in run]
    loss = f"{statistics.mean(losses):.4f}" if losses else ""
    loss += f" ± {statistics.stdev(losses):.4f}" if len(losses) > 1 else ""
    least, most = bounds
    asked = "" if least is None else f"at least {least:g}"
    asked += "" if most is None else f"at most {most:g}"
    missed = (least is not None and ratio < least) or (most is not None and ratio > most)
    told = f"**{ratio:.2f}**" if missed else f"{ratio:.2f}"
    cells = [f"{median(runs, 'seconds'):.3f}", f"{median(runs, 'cpu'):.3f}", told, asked, loss]
    return " | ".join([*cells, f"{median(runs, 'megabytes'):.0f}"])


def _batching(result: Mapping[str, object]) -> str:
    runs: list[dict[str, float]] = result["batching"]  # type: ignore[assignment]
    share = statistics.median((run["encode"] + run["batch"]) / run["cpu"] for run in runs)
    return (
        f"### Encoding and batching\n\nOn the second problem they take {100 * share:.2f} % of the processor time of an "
        "epoch (at most 5 %): the letters as tokens once per run, a batch as one-hot numbers in every step.\n"
    )


def _scaling(result: Mapping[str, object]) -> str:
    runs: list[dict[str, float]] = result["scaling"]  # type: ignore[assignment]
    words = ("records", "length", "members")
    values = {key: median(runs, key) for key in runs[0] if key.split()[0] in words}
    lines = [
        "### Scaling\n\nProcessor seconds on one thread: an epoch of the default network by records (of 50 nt) and by "
        "length (of 2,000 records), validation on an eighth as many included, and trainings of the course's CNN by members.\n",
        "| | sizes | seconds | exponent |",
        "| --- | --- | --- | --- |",
    ]
    for word in words:
        sizes = sorted(
            (key for key in values if key.startswith(f"{word} ")), key=lambda key: int(key.split()[1])
        )
        shown = ", ".join(f"{int(key.split()[1]):,}" for key in sizes)
        seconds = ", ".join(f"{values[key]:.2f}" for key in sizes)
        lines.append(f"| {word} | {shown} | {seconds} | {exponent(values, word):.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="time trainings beside those of others")
    parser.add_argument("--peers", default=sys.executable, help="a Python that holds the other libraries")
    parser.add_argument("--quick", action="store_true", help="one round; nothing is written")
    parser.add_argument("--only", default="", help="one contest by name; only its results are written")
    told = parser.parse_args()
    rounds = 1 if told.quick else ROUNDS
    there = installed(told.peers)
    chosen = [each for each in CONTESTS if told.only in ("", each.name)]
    contests = {each.name: measured(each, told.peers, there, rounds) for each in chosen}
    if told.only:
        print("\n".join(_table(each, contests[each.name]) for each in chosen))
        result = json.loads(FOUND.read_text(encoding="utf-8"))
        result["contests"] |= contests
    else:
        alone = {
            name: [
                fresh("benchmarks.ours", Side(name, name), _environment(1, 0)) for _ in range(min(3, rounds))
            ]
            for name in ("batching", "scaling")
        }
        result = {"machine": machine(), "contests": contests, **alone}
        print(section(result))
    if not told.quick:
        FOUND.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
