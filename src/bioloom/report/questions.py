"""The questions a reader asks first, each answered in one line from `result.json`; no number is computed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bioloom.report.numbers import count, metric_title, number, plural, score, signed
from bioloom.report.words import capital, in_sentence, listed

Result = Mapping[str, Any]
Tone = Literal["good", "care", "bad", "plain"]
"""How a line reads: nothing to worry about, mind this, a problem, neither."""

BASELINES = {
    "simple": "Simple model",
    "boosting": "Gradient boosting",
    "forest": "Random forest",
    "nearest": "Nearest neighbour",
    "trivial": "Same answer for all",
}
"""The baselines from the hardest to beat to the easiest, with a title where the result has none."""


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


def answers(result: Result) -> tuple[Fact, ...]:
    """All lines that have something to say, in the order in which a reader asks."""
    metric = str(result["scores"]["primary"])
    found = (
        _delivered(result),
        _against(result, metric),
        _clean(result),
        _shuffled((result.get("controls") or {}).get("label_shuffle") or {}, metric),
        _learned_first(result),
        _more_data(result),
        _ceiling(result),
        _sure(result),
        _tested(result),
        _findings(result),
    )
    return tuple(fact for fact in found if fact is not None)


def baseline_title(name: str, baseline: Mapping[str, Any]) -> str:
    """How a baseline is called."""
    called = str(baseline.get("title") or BASELINES.get(name, name))
    return capital(called)


def in_order(names: Sequence[str]) -> list[str]:
    """Names of baselines, the hardest to beat first."""
    known = list(BASELINES)
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


def _delivered(result: Result) -> Fact | None:
    """Whose predictions are given, and how to ask for the other ones."""
    delivered, baselines = result["model"].get("delivered"), result["scores"]["baselines"]
    if delivered is None:
        return None
    if delivered == "network":
        other = in_sentence(baseline_title("simple", baselines["simple"])) if "simple" in baselines else ""
        answer = "The network" + (f"; with --model simple, {other}" if other else "")
    else:
        answer = (
            f"{baseline_title(delivered, baselines.get(delivered) or {})}; with --model network, the network"
        )
    return Fact("What does predict use?", answer, section="model-network")


def _against(result: Result, metric: str) -> Fact | None:
    """Which rivals the network beats for sure, and which it does not; the figures are in the section."""
    baselines = result["scores"]["baselines"]
    rows = [
        row
        for row in result.get("comparison") or ()
        if row["metric"] == metric and row.get("difference") is not None and row["against"] in baselines
    ]
    rows = [row for row in rows if row["against"] != "trivial"] or rows
    if not rows:
        return None
    order = in_order(list(baselines))
    groups: dict[Tone, list[str]] = {"bad": [], "care": [], "plain": [], "good": []}
    for row in sorted(rows, key=lambda row: order.index(row["against"])):
        rival = in_sentence(baseline_title(row["against"], baselines[row["against"]]))
        groups[difference(row).tone].append(rival)
    tone: Tone = next(tone for tone, rivals in groups.items() if rivals)
    return Fact("Better than simpler models?", _in_groups(groups), tone, "evaluation-comparison")


def _in_groups(groups: Mapping[Tone, Sequence[str]]) -> str:
    words: dict[Tone, str] = {
        "bad": "worse than",
        "care": "not clearly better than",
        "plain": "cannot be said for",
        "good": "better than",
    }
    used = [tone for tone, rivals in groups.items() if rivals]
    told = [f"{words[tone]} {listed(groups[tone])}" for tone in used]
    if used == ["good"]:
        return f"Yes: {told[0]}"
    if used[-1] == "good" and len(groups["good"]) > 1:
        told[-1] = "better than the others"
    return ("No: " if used[0] == "bad" else "") + (
        "; ".join(told) if used[0] == "bad" else capital("; ".join(told))
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
    "start_copies": ("record known to the start", "records known to the start"),
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
    answer = f"{word}: {kinds} of {'learned records' if found else 'a learned record'}{labels}"
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
    if shuffle.get("mean") is None:
        return None
    guess = shuffle.get("reads_as_guessing", True)
    level = f" ({score(metric, shuffle['guessing'])})" if shuffle.get("guessing") is not None else ""
    real = shuffle.get("real")
    beside = "" if real is None else f"; with true labels the same training reaches {score(metric, real)}"
    firm = shuffle.get("firm", True)
    chance = "and should not be" if firm else "perhaps by luck, because the labels were shuffled so few times"
    word = f"No better than guessing{level}" if guess else f"Better than guessing{level}, {chance}"
    answer = f"{word}: {score(metric, shuffle['mean'])}{beside}"
    return Fact(
        "With shuffled labels?", answer, "good" if guess else "bad" if firm else "care", "evaluation-controls"
    )


def _learned_first(result: Result) -> Fact | None:
    """What learning without labels first is worth, where a network began with it."""
    found = result.get("pretrained") or {}
    apart, own, other = (found.get(key) or {} for key in ("difference", "with", "without"))
    if own.get("value") is None or other.get("value") is None:
        return None
    metric = str(found["metric"])
    word: str
    tone: Tone
    word, tone = "Not for sure", "plain"
    if (apart.get("low") or 0.0) > 0:
        word, tone = "Yes", "good"
    elif apart.get("high") is not None and apart["high"] < 0:
        word, tone = "No, it does harm", "care"
    figures = f"{score(metric, own['value'])} with it and {score(metric, other['value'])} without"
    answer = f"{word}: {figures}, in {metric_title(metric)}"
    return Fact("Did learning without labels help?", answer, tone, "optimisation-pretraining")


SIZES = 3
"""Sizes of training set that a learning curve needs; with fewer there is no line about it."""


def _more_data(result: Result) -> Fact | None:
    curve = result.get("learning_curve") or {}
    own = [point for point in curve.get("points") or () if (point.get("role") or "model") == "model"]
    if len(own) < SIZES or not curve.get("text"):
        return None
    if curve.get("unsupported"):
        answer = f"Cannot be said: {curve['unsupported']}"
    else:
        answer = str(curve["text"]).partition(". ")[0].rstrip(".")
    return Fact("Would more data help?", answer, section="evaluation-learning_curve")


def _ceiling(result: Result) -> Fact | None:
    """How much of what the noise of the measurement allows is reached."""
    found = result.get("ceiling") or {}
    question, section = "How near is the ceiling?", "evaluation-ceiling"
    if found.get("accuracy") is not None:
        if not found.get("conflicting"):
            return None
        answer = f"Labels of repeated inputs allow an accuracy of {score('accuracy', found['accuracy'])}"
        return Fact(question, f"{answer} on them at most", section=section)
    if found.get("r2") is None:
        return None
    best = f"an R² of {score('r2', found['r2'])} is possible"
    if found.get("above"):
        answer = (
            f"Above it, so the stated noise is too large: {best}, {score('r2', found['reached'])} is reached"
        )
        return Fact(question, answer, "care", section)
    if found.get("explained") is None:
        return Fact(question, f"Given the noise of the measurement, {best}", section=section)
    share = f"{100 * min(1.0, max(0.0, found['explained'])):.0f} % of what can be explained is"
    reached, most = score("r2", found.get("reached")), score("r2", found["r2"])
    return Fact(question, f"{share}: R² is {reached}, and {most} is the most there can be", section=section)


def _sure(result: Result) -> Fact | None:
    """How wide prediction intervals are, and whether they kept their promise."""
    found = result.get("uncertainty") or {}
    first = next(iter(found.get("coverage") or ()), None)
    if first is None or first.get("value") is None:
        return None
    question, section = "How sure is one prediction?", "evaluation-uncertainty"
    if first.get("size") is None and None in (found.get("half") or (None,)):
        return Fact(question, f"No promise can be made: {found.get('reason')}", "care", section)
    level, held = f"{100 * found['level']:g} %", f"{100 * first['value']:.1f} % of the test records"
    named = f" of {first['name']}" if len(found["coverage"]) > 1 else ""
    answer = f"{level} intervals{named} are {number(first['size'])} wide and hold {held}"
    if found.get("kind") == "sets":
        classes = "class" if first["size"] == 1 else "classes"
        answer = f"{number(first['size'])} {classes} named on average, the true one among them for {held} (promised: {level})"
    if first.get("size") is None:
        answer = f"{level} intervals have no ends in some folds, where there were too few validation records"
        return Fact(question, f"{answer}; all of them hold {held}", "care", section)
    low = first.get("high") is not None and first["high"] < found["level"]
    return Fact(question, answer, "care" if low else "plain", section)


def measured_on(result: Result) -> str:
    """The records whose errors say how far a prediction may be off, in words."""
    found = result.get("uncertainty") or {}
    folds = bool(result["split"].get("folds"))
    records = plural(int(found.get("records") or 0), "record" if folds else "validation record")
    groups = f" in {plural(int(found['groups']), 'group')}" if found.get("groups") else ""
    return (
        f"{records}{groups}{', each as the fold predicted it that had not learned from it' if folds else ''}"
    )


MANY_LEFT_OUT = 0.1
"""Share of the rows of a file above which leaving them out asks for a second look."""


def _tested(result: Result) -> Fact:
    """Folds or one test, and from how many records was learned."""
    split, data = result["split"], result["data"]
    rows, dropped = data.get("rows") or 0, data.get("dropped") or 0
    answer = _in_folds(result) if split.get("folds") else _in_one_test(split)
    if not dropped:
        return Fact("How was it tested?", answer, section="data-split")
    tone: Tone = "care" if dropped > MANY_LEFT_OUT * rows else "plain"
    left_out = f"{count(dropped)} of {plural(rows, 'row')} left out"
    return Fact("How was it tested?", f"{answer}; {left_out}", tone, "data-records")


def _in_folds(result: Result) -> str:
    split = result["split"]
    times = f", {split['repeats']} times" if (split.get("repeats") or 1) > 1 else " once"
    first = next(iter((result.get("folds") or {}).get("folds") or ()), None)
    others = f"about {count(first['n_train'])} others" if first else "others"
    folds = plural(int(split["folds"]), "fold")
    return f"{folds} ({split['method']}): each record{times}, by a network that learned from {others}"


def _in_one_test(split: Mapping[str, Any]) -> str:
    counts = split["counts"]
    return (
        f"One test set ({split['method']}), {plural(counts['train'], 'record')} to learn from, "
        f"{count(counts['validation'])} that said when to stop"
    )


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
