"""The page of results, written from the result file and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

WORDS = {
    "exact_copies": "exact copies (the last kind included)",
    "reverse_complements": "copies of the other strand",
    "contained_copies": "pieces of training sequences",
    "near_copies": "near copies (15 of 120 letters changed)",
    "conflicting_labels": "copies with another label",
}

INTRODUCTION = """\
# What was proven

A number is worth what is known about its error. This page says how often the statements of bioloom are true, measured
on simulated data of which the truth is known. It is written by the machine:

    python -m benchmarks.honesty            # everything{took}; {machine}
    python -m benchmarks.honesty --quick    # a look with few repetitions; writes nothing

The numbers stand in `benchmarks/results/honesty.json`. The same claims, with fewer repetitions, are tests in
`tests/honesty/`, which run with every change.
"""

COVERAGE = """\
## Intervals hold the true value

A 95 % interval should hold the true value in 95 of 100 repeated studies. Each row is {repetitions:,} simulated studies;
93 to 97 % pass. {passed} of {rows} rows pass. In studies with groups, half of the variance is shared within a group,
which is much; intervals that take such records for independent ones hold the truth in fewer than 85 % of studies
(200 records in 10 groups, tested in `tests/honesty/test_intervals.py`). Rows that miss are bold.
"""

MISSED = """\
### Which intervals do not keep their promise

{narrow}

{wide}

The last column is the share of studies whose whole interval lies above the true value, 2.5 % if all is well; what is
missing to 100 % lay below. For errors (RMSE, log-loss, Brier score) an interval below the truth makes a model look
better than it is; for scores, one above it.
"""

NOTES = {
    (
        "numbers",
        "narrow",
    ): "RMSE of few groups: it is a mean of squares, and the hardest group decides. Where that group is "
    "not in the test, nothing in the data can tell; the bootstrap-t and corrections for skewness were tried and did worse.",
    ("two classes", "narrow"): "Few groups say little of their own spread.",
    (
        "numbers",
        "wide",
    ): "Few units: how many degrees of freedom they are worth is itself an estimate, and errs to the wide side.",
    (
        "two classes",
        "wide",
    ): "Few groups: how many degrees of freedom they are worth is itself an estimate, and shares move in "
    "steps; both err to the wide side.",
    (
        "shares",
        "wide",
    ): "DeLong near an area of 1: where all pairs are in order, which is common there, the interval of Newcombe "
    "takes over, which is careful.",
    (
        "folds",
        "wide",
    ): "Folds: the variance of Nadeau and Bengio is built to be careful, because no unbiased one exists (Bengio "
    "and Grandvalet 2004).",
    ("information", "narrow"): "Predictive information: the estimator has a small bias of its own.",
    (
        "learning curve",
        "wide",
    ): "Twice the data: three sizes cannot tell a floor of the error from a flat slope, so the interval "
    "allows for both and is wider than need be where there is none. It covers the choice of test records only.",
    (
        "ceiling",
        "narrow",
    ): "Noise ceiling: a ratio of two variances, both from few groups; the total variance comes out too low "
    "where no extreme group is in the test.",
}

SHUFFLED = """\
## Shuffled labels

{runs} whole runs (reading, split, network, rivals, controls, verdict) on labels that were dealt out anew, half of them
classes and half numbers, with 45 test records each. There is nothing to find.

| claim | runs | share |
|---|---|---|
| the network is better than guessing (its own interval lies above) | {network} | {network_share} |
| the verdict calls the network or a simpler model better than guessing | {signal} | {signal_share} |
| the verdict says that the test leaks | {leaky} | {leaky_share} |
| the network beats the simpler models | {wins} | {wins_share} |

The aim is at most 5 % of runs that claim a signal, and none that claims a win; a win needs an interval above guessing
and above each rival. With {wins} wins in {runs} runs the true share is below {wins_at_most} (95 %).
{comment}
Verdicts: {codes}.
"""

LEAKS = """\
## Planted leaks

300 unrelated sequences and 200 twins of them, {each} of each of five kinds. The audit counts test records with such a
twin in training.

| kind | all twins in the test | random split | similarity split |
|---|---|---|---|
"""

POISON = """\
## Poisoned test records change no byte of the model

The same table twice, with the split given as a column; the second time every test record has another sequence (longer,
of other composition) and another label. Compared is every file of `model/`: weights, encoding, calibration, thresholds,
conformal widths, the domain, the simpler model beside the network, example predictions and the recipe.
Not compared are the card, which quotes the scores, and the line of the recipe with the hash of the data.

| target | files that are the same | files that differ | score, clean | score, poisoned |
|---|---|---|---|---|
"""

POISON_END = """
One thing is decided by the test, and the report says so: whether the network or the simpler model is what `predict`
offers. Both are in the folder and neither changes; here `evaluation.deliver = "network"` was set, so that this choice
does not hide or make a difference.
"""

TRAP = """\
## The enhancer trap

In a well-known kind of data set half of the positives of the "independent" test are copies of training positives. Of
such a table the first finding is `{code}` ({severity}): "{answer}" The verdict is `{verdict}`: "{text}"
"""


def page(found: dict[str, Any]) -> str:
    """The whole page in Markdown."""
    rows = [row for row in found["coverage"] if row["kind"] != "conformal"]
    conformal = [row for row in found["coverage"] if row["kind"] == "conformal"]
    passed = sum(row["passes"] for row in rows)
    parts = [
        INTRODUCTION.format(machine=found["machine"], took=_took(found)),
        COVERAGE.format(repetitions=found["repetitions"], passed=passed, rows=len(rows)),
        *_tables(rows),
        _missed(rows),
        _conformal(conformal),
        _shuffled(found["shuffled"]),
        _leaks(found["leaks"]),
        _poisoned(found["poisoned"]),
        TRAP.format(
            **found["trap"]
            | {"verdict": found["trap"]["verdict"]["code"], "text": found["trap"]["verdict"]["text"]}
        ),
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _table(head: Iterable[str], body: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, body)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _mark(row: dict[str, Any]) -> str:
    return _percent(row["coverage"]) if row["passes"] else f"**{_percent(row['coverage'])}**"


def _tables(rows: list[dict[str, Any]]) -> list[str]:
    """Metrics by kind of study, one column for each size; then everything else as a list. Misses are bold."""
    tables = []
    for kind in ("numbers", "two classes", "three classes"):
        own = [row for row in rows if row["kind"] == kind]
        sizes = list(dict.fromkeys(row["size"] for row in own))
        names = list(dict.fromkeys(row["of"] for row in own))
        cells = {(row["of"], row["size"]): _mark(row) for row in own}
        body = [[name, *(cells[name, size] for size in sizes)] for name in names]
        tables.append(_table([f"{kind}, coverage in %", *sizes], body))
    others = [row for row in rows if row["kind"] not in ("numbers", "two classes", "three classes")]
    body = [[row["of"], row["size"], _mark(row)] for row in others]
    return [*tables, _table(["other intervals", "size", "coverage in %"], body)]


def _took(found: dict[str, Any]) -> str:
    """How long it took, as the machine measured it; nothing where it did not."""
    parts = [("simulations", found.get("minutes")), ("whole runs", found.get("minutes_of_runs"))]
    told = [f"{name} {minutes} min" for name, minutes in parts if minutes is not None]
    return f"; {', '.join(told)}" if told else ""


def _missed(rows: list[dict[str, Any]]) -> str:
    """The rows outside of 93 to 97 %: those that hold the truth too seldom first, and why as far as is known."""
    missed = {
        "narrow": [row for row in rows if not row["passes"] and row["coverage"] < row["aim"]],
        "wide": [row for row in rows if not row["passes"] and row["coverage"] > row["aim"]],
    }
    words = MISSED.format(
        narrow=_told(missed["narrow"], "Too narrow, so surer than they may be", "the truth is held in fewer than 93 %"),
        wide=_told(missed["wide"], "Wider than need be, so safe but vague", "the truth is held in more than 97 %"),
    )  # fmt: skip
    if not any(missed.values()):
        return words
    body = [
        [row["of"], row["size"], f"too {way}", _percent(row["coverage"]), _percent(row["above"])]
        for way, each in missed.items()
        for row in each
    ]
    reasons = dict.fromkeys((row["kind"], way) for way, each in missed.items() for row in each)
    notes = "\n".join(f"* {NOTES[reason]}" for reason in reasons if reason in NOTES)
    return (
        f"{words}\n{_table(['interval', 'size', 'is', 'coverage in %', 'lies above in %'], body)}\n\n{notes}"
    )


def _told(rows: list[dict[str, Any]], what: str, how: str) -> str:
    """In words: which intervals miss in one direction, and where the truth lies that they do not hold."""
    if not rows:
        return f"**{what}** ({how} of studies): none."
    lines = [f"* {row['of']}, {row['size']}: {_percent(row['coverage'])} %; {_where(row)}" for row in rows]
    return f"**{what}** ({how} of studies):\n\n" + "\n".join(lines)


def _where(row: dict[str, Any]) -> str:
    above = row["above"]
    below = 1 - row["coverage"] - above
    if max(above, below) < 2 * min(above, below):
        return "misses fall on both sides"
    return f"where it misses, it mostly lies too {'high' if above > below else 'low'}"


def _conformal(rows: list[dict[str, Any]]) -> str:
    body = [[row["of"], row["size"], f"{100 * row['aim']:.0f}", _mark(row)] for row in rows]
    table = _table(["single predictions", "calibrated on", "promised in %", "kept in %"], body)
    return (
        "## Intervals around single predictions keep their promise\n\nThe share of new records, from new groups where "
        "there are groups, that intervals and sets hold.\n\n"
        + table
        + "\n\nNone of these may keep less than it promises by more than chance. Where there are few groups, or few "
        "records of a class (sets are calibrated for each class), more is kept, by 1 / (their number + 1) at most for "
        "each: the promise holds for every likeness within groups, also where that is complete."
    )


def _shuffled(found: dict[str, Any]) -> str:
    runs, codes = found["runs"], found["codes"]
    claimed = runs - codes.get("no_signal", 0) - codes.get("leaky_test", 0) - codes.get("too_few", 0)
    comment = "" if claimed <= 0.05 * runs else (
        "The second row misses the aim: the network and three rivals are each held against guessing, and four looks find "
        "luck more often than one.\n"
    )  # fmt: skip
    values = found | {
        "network_share": found["network"] / runs,
        "signal": claimed,
        "signal_share": claimed / runs,
        "leaky": codes.get("leaky_test", 0),
        "leaky_share": codes.get("leaky_test", 0) / runs,
        "wins_share": found["wins"] / runs,
        "codes": ", ".join(f"`{code}` {count}" for code, count in codes.items()),
        "comment": comment,
    }
    shares = {name: f"{_percent(each)} %" for name, each in values.items() if isinstance(each, float)}
    return SHUFFLED.format(**values | shares)


def _leaks(found: dict[str, dict[str, int]]) -> str:
    body = [
        f"| {words} | {' | '.join(str(counts[kind]) for counts in found.values())} |"
        for kind, words in WORDS.items()
    ]
    return LEAKS.format(each=40) + "\n".join(body)


def _poisoned(found: dict[str, dict[str, Any]]) -> str:
    body = []
    for name, each in found.items():
        same = [f"`{file}`" for file, equal in each["files"].items() if equal]
        differ = [f"`{file}`" for file, equal in each["files"].items() if not equal]
        scores = [
            f"{each['metric']} {'not defined' if score is None else f'{score:.3f}'}"
            for score in each["scores"]
        ]
        body.append(f"| {name} | {', '.join(same)} | {', '.join(differ) or 'none'} | {' | '.join(scores)} |")
    return POISON + "\n".join(body) + "\n" + POISON_END
