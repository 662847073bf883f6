"""The result block: what the score is worth, in a few lines that terminal, notebook and page share.

`block` reads it from `result.json`, `summary` writes it as lines of text. No number is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bioloom.metrics import METRICS
from bioloom.report.numbers import (
    count,
    interval,
    metric_title,
    plural,
    score,
    signed,
    with_interval,
    without_number,
)
from bioloom.report.words import capital, in_sentence, listed

Result = Mapping[str, Any]
Tone = Literal["good", "care", "bad", "plain"]
"""How a line reads: nothing to worry about, mind this, a problem, neither."""

BASELINES = {
    "simple": "Simple model",
    "nearest": "Nearest neighbour",
    "trivial": "Same answer for all",
}
"""The baselines from the hardest to beat to the easiest, with a title where the result has none."""


@dataclass(frozen=True)
class Compared:
    """The deciding metric of the model or of one baseline.

    text:  the value as people read it, or why there is none
    span:  its 95 % interval in words; empty where there is none
    """

    name: str
    title: str
    text: str
    span: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Fact:
    """One line below the scores.

    tone:    how the answer reads
    section: the section of the page that says more
    """

    question: str
    answer: str
    tone: Tone = "plain"
    section: str = ""


@dataclass(frozen=True)
class Block:
    """The result of a run on one screen.

    metric:   the name of the metric that decides
    caption:  what the scores are, in one sentence
    guessing: what guessing gives; None where that is not known
    """

    title: str
    verdict: str
    next: str
    metric: str
    caption: str
    compared: tuple[Compared, ...]
    guessing: float | None
    facts: tuple[Fact, ...]


def summary(result: Result) -> list[str]:
    """The result block as lines of plain text."""
    shown = block(result)
    lines = [shown.title, "", shown.verdict]
    if shown.next:
        lines.append(f"Next: {shown.next}")
    lines += ["", shown.caption]
    title_width = max(len(row.title) for row in shown.compared)
    value_width = max(len(row.text) for row in shown.compared if row.value is not None or row.name == "model")
    for row in shown.compared:
        lines.append(f"  {row.title:<{title_width}}  {row.text:<{value_width}}  {row.span}".rstrip())
    lines.append("")
    width = max(len(fact.question) for fact in shown.facts)
    lines += [f"{fact.question:<{width}}  {fact.answer}" for fact in shown.facts]
    return lines


def block(result: Result) -> Block:
    """Read the result block from the content of `result.json`."""
    metric = str(result["scores"]["primary"])
    shuffle = (result.get("controls") or {}).get("label_shuffle") or {}
    found = (
        _against(result, metric),
        _clean(result),
        _shuffled(shuffle, metric),
        _size(result),
        _findings(result),
    )
    return Block(
        title=title(result),
        verdict=str(result["verdict"]["text"]),
        next=str(result["verdict"].get("next") or ""),
        metric=metric,
        caption=_caption(result, metric),
        compared=_compared(result, metric),
        guessing=shuffle.get("guessing"),
        facts=tuple(fact for fact in found if fact is not None),
    )


def title(result: Result) -> str:
    """What was predicted from what: "lac_promoter: expression from sequence"."""
    inputs = ", ".join(str(each["name"]) for each in result["data"]["inputs"])
    targets = ", ".join(map(str, result["data"]["target"]["names"]))
    return f"{result['name']}: {targets} from {inputs}"


def baseline_title(name: str, baseline: Mapping[str, Any]) -> str:
    """How a baseline is called."""
    called = str(baseline.get("title") or BASELINES.get(name, name))
    return capital(called)


def in_order(names: Sequence[str]) -> list[str]:
    """Names of baselines, the hardest to beat first."""
    known = list(BASELINES)
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


def _caption(result: Result, metric: str) -> str:
    scored = result["scores"]["model"][metric]
    records = plural(int(scored.get("n") or result["split"]["counts"]["test"]), "test record")
    known = METRICS.get(metric)
    direction = f"; {'higher' if known.higher_is_better else 'lower'} is better" if known else ""
    name = metric_title(metric)
    return f"{capital(name)} on {records}, with 95 % intervals{direction}"


def _compared(result: Result, metric: str) -> tuple[Compared, ...]:
    baselines = result["scores"]["baselines"]
    model = _row("model", "This model", metric, result["scores"]["model"][metric])
    rows = [
        _row(
            name,
            baseline_title(name, baselines[name]),
            metric,
            (baselines[name].get("scores") or {}).get(metric),
        )
        for name in in_order(list(baselines))
    ]
    return (model, *rows)


def _row(name: str, title: str, metric: str, scored: Mapping[str, Any] | None) -> Compared:
    if scored is None or scored.get("value") is None:
        return Compared(name, title, with_interval(metric, scored or {}))
    low, high = scored.get("low"), scored.get("high")
    value = score(metric, scored["value"])
    span = interval(metric, scored) or without_number(scored)
    return Compared(name, title, value, span, scored["value"], low, high)


def _against(result: Result, metric: str) -> Fact | None:
    """The paired difference to the baseline that comes closest."""
    rows = [
        row
        for row in result.get("comparison") or ()
        if row["metric"] == metric
        and row.get("difference") is not None
        and row["against"] in result["scores"]["baselines"]
    ]
    if not rows:
        return None
    row = min(rows, key=lambda row: float(row["difference"]))
    hardest = baseline_title(row["against"], result["scores"]["baselines"][row["against"]])
    answer = difference(row)
    word = f"{capital(answer.word)}: " if answer.word else ""
    return Fact(
        "Better than simpler models?",
        f"{word}{answer.span} (against the strongest, {in_sentence(hardest)})",
        answer.tone,
        "evaluation-comparison",
    )


@dataclass(frozen=True)
class Difference:
    """A paired difference as people read it."""

    word: str
    span: str
    tone: Tone


def difference(row: Mapping[str, Any]) -> Difference:
    """A paired difference in words; positive means that the model is better, whatever the metric."""
    name, low, high = str(row["metric"]), row.get("low"), row.get("high")
    value = signed(name, row["difference"])
    if low is None or high is None:
        return Difference("", f"{value}, without an interval", "plain")
    span = f"{value}, 95 % interval {signed(name, low)} to {signed(name, high)}"
    if low > 0:
        return Difference("yes", span, "good")
    if high < 0:
        return Difference("no, it is worse", span, "bad")
    return Difference("not clearly", span, "care")


COPIES = {
    "exact_copies": ("exact copy", "exact copies"),
    "reverse_complements": ("reverse complement", "reverse complements"),
    "contained_copies": ("contained copy", "contained copies"),
    "near_copies": ("near copy", "near copies"),
}
"""What stands on both sides of a split, by its key in `leakage`."""


CLEAN: dict[str, tuple[str, Tone]] = {
    "ok": ("Yes", "good"),
    "note": ("Nearly", "care"),
    "warning": ("Not quite", "care"),
    "problem": ("No", "bad"),
}
"""How the worst finding about copies reads."""


def _clean(result: Result) -> Fact | None:
    leakage, counted = result["leakage"] or {}, looked_for(result)
    if not counted:
        return None
    found = [plural(n, *COPIES[key]) for key, n in counted.items() if n]
    conflicts = leakage.get("conflicting_labels") or 0
    labels = f"; {count(conflicts)} with conflicting labels" if conflicts else ""
    word, tone = CLEAN[_worst_copy(result) if found else "ok"]
    kinds = listed(found) if found else f"no {listed([COPIES[key][0] for key in counted], 'or')}"
    answer = f"{word}: {kinds} of {'records' if found else 'a record'} the model learned from{labels}"
    return Fact("Is the test set clean?", answer, tone, "data-leakage")


def looked_for(result: Result) -> dict[str, int]:
    """Copies across the split by kind; kinds that were not looked for are left out."""
    leakage = result["leakage"] or {}
    return {key: int(leakage[key]) for key in COPIES if leakage.get(key) is not None}


def _worst_copy(result: Result) -> str:
    """How bad the copies are, as the checks graded them; a warning where no check looked."""
    about = {f"leak.{key}" for key in COPIES}
    severities = {finding["severity"] for finding in result.get("findings") or () if finding["code"] in about}
    return next(
        (severity for severity in ("problem", "warning", "note") if severity in severities), "warning"
    )


def _shuffled(shuffle: Mapping[str, Any], metric: str) -> Fact | None:
    if shuffle.get("text"):
        answer = str(shuffle["text"])
    elif shuffle.get("mean") is not None:
        answer = f"{score(metric, shuffle['mean'])} on average"
    else:
        return None
    tone: Tone = "good" if shuffle.get("reads_as_guessing", True) else "bad"
    return Fact("With shuffled labels?", answer, tone, "evaluation-controls")


MANY_LEFT_OUT = 0.1
"""Share of the rows of a file above which leaving them out asks for a second look."""


def _size(result: Result) -> Fact:
    counts = result["split"]["counts"]
    parts = f"{count(counts['train'])} for training and {count(counts['validation'])} for validation"
    answer = f"{count(counts['test'])} for the test, beside {parts}"
    data = result["data"]
    rows, dropped = data.get("rows") or 0, data.get("dropped") or 0
    if not dropped:
        return Fact("How many records?", answer, section="data-split")
    tone: Tone = "care" if dropped > MANY_LEFT_OUT * rows else "plain"
    left_out = f"{count(dropped)} of {plural(rows, 'row')} left out"
    return Fact("How many records?", f"{answer}; {left_out}", tone, "data-records")


def _findings(result: Result) -> Fact | None:
    severities = [finding["severity"] for finding in result.get("findings") or ()]
    if not severities:
        return None
    problems, warnings = severities.count("problem"), severities.count("warning")
    if not problems and not warnings:
        answer = f"Nothing to act on in {plural(len(severities), 'check')}"
        return Fact("What did the checks find?", answer, "good", "evaluation-findings")
    words = [plural(n, word) for n, word in ((problems, "problem"), (warnings, "warning")) if n]
    answer = f"{' and '.join(words)} in {plural(len(severities), 'check')}"
    return Fact("What did the checks find?", answer, "bad" if problems else "care", "evaluation-findings")
