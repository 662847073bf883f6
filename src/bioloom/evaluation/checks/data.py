"""Whether the records are enough, even enough, and complete enough for the score to mean something."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioloom.data.wording import counted, listed
from bioloom.evaluation.advice import larger_test
from bioloom.evaluation.checks import Answer, Severity, check, graded, percent
from bioloom.evaluation.facts import Facts

PARTS = ("train", "validation", "test")

FEW_GROUPS, ENOUGH_GROUPS = 10, 20
"""Groups below which an interval by group is a warning, and a note (Cameron, Gelbach and Miller 2008)."""


def _class_counts(facts: Facts, part: str | None = None) -> NDArray[np.int64]:
    """Records of each class, in one part or in all, (classes,)."""
    return _counts(facts.truth if part is None else facts.truth[facts.part == part], facts)


def _counts(truth: NDArray[np.float32], facts: Facts) -> NDArray[np.int64]:
    """Records, or places, of each class among some truths (records, 1, *places), (classes,)."""
    labels = truth[:, 0][np.isfinite(truth[:, 0])]
    return np.bincount(labels.astype(np.int64), minlength=len(facts.targets.classes))


@check(
    "data.few_test_records",
    question="Are there enough test records?",
    fix="give the test more records where the split leaves that open (--set split.test=0.3), test every record once "
    "(--set split.folds=5), or collect more",
)
def few_test_records(facts: Facts) -> Answer | None:
    """With few records any score is luck; the interval says how much."""
    score = facts.score()
    told = np.isfinite(facts.scored_truth)
    known = int(told.any(axis=tuple(range(1, told.ndim))).sum())
    fewest = int(_counts(facts.scored_truth, facts).min()) if facts.targets.classes else known
    if known < 30 or (facts.task.name == "binary" and fewest < 5):
        rare = f", {fewest} of the rarer class," if facts.task.name == "binary" else ""
        verb = "is" if known == 1 else "are"
        answer = f"{counted(known, 'test record')}{rare} {verb} too few to judge a model by."
        return Answer("problem", answer, larger_test(facts))
    if score is None or score.value is None:
        return None
    if score.low is None or score.high is None:
        return Answer("problem", f"The score has {score.undefined}.", larger_test(facts))
    low, high = score.low, score.high
    width, text = high - low, facts.metric.text
    if not np.isfinite(facts.metric.range).all():  # in the target's units: as a share of what can be gained
        width /= max(abs(facts.metric.gain(facts.metric.best, facts.guessing)), 1e-30)
    severity: Severity = "ok" if width <= 0.1 else "note" if width <= 0.2 else "warning"
    return Answer(
        severity,
        f"{counted(known, 'test record')}: {facts.metric.title} lies between {text(low)} and {text(high)}.",
        larger_test(facts),
    )


@check(
    "data.few_groups",
    question="Does the score rest on enough groups?",
    fix="collect records of more groups: more records of the same ones make the interval hardly better",
)
def few_groups(facts: Facts) -> Answer | None:
    """Records of one group stand or fall together, so groups are what counts; without an interval see above."""
    score, count = facts.score(), facts.independent
    if not facts.units or count is None or score is None or score.low is None:
        return None
    if count >= ENOUGH_GROUPS:
        return Answer("ok", f"The interval rests on {facts.units}.")
    severity: Severity = "warning" if count < FEW_GROUPS else "note"
    return Answer(
        severity,
        f"The interval rests on only {facts.units}, however many records they hold ({facts.tested:,}): it may be too "
        "narrow, and one unusual group moves the score.",
    )


@check(
    "data.imbalance",
    question="Are the classes very uneven?",
    fix="read average precision or balanced accuracy rather than accuracy",
)
def imbalance(facts: Facts) -> Answer | None:
    """Where one class is rare, naming the common one is right most of the time."""
    if not facts.targets.classes:
        return None
    counts = _class_counts(facts)
    rarest, share = facts.targets.classes[int(counts.argmin())], counts.min() / max(counts.sum(), 1)
    even = 1 / len(counts)
    severity: Severity = "ok" if share >= 0.4 * even else "note" if share >= 0.1 * even else "warning"
    return Answer(
        severity, f'The rarest class, "{rarest}", holds {percent(float(share))} of the {facts.labelled}.'
    )


@check(
    "data.rare_class",
    question="Is there a class with hardly any record?",
    fix="collect more of it, join it with another class, or leave it out",
)
def rare_class(facts: Facts) -> Answer | None:
    """A class of one record is either learned or tested, never both."""
    if not facts.targets.classes:
        return None
    counts = _class_counts(facts)
    rare = [name for name, count in zip(facts.targets.classes, counts, strict=True) if count < 5]
    if not rare:
        return Answer("ok", f"Every class has five {facts.labelled} or more.")
    return Answer("warning", f"Fewer than five {facts.labelled} are of class {listed(rare)}.")


@check(
    "data.absent_class",
    question="Is a class missing from training, validation or test?",
    fix="split with the classes in the same shares everywhere (--split stratified), or collect more",
)
def absent_class(facts: Facts) -> Answer | None:
    """What is not in training cannot be learned; what is not in the test is not judged."""
    if not facts.targets.classes:
        return None
    absent = [
        f"{name} from {part}"
        for part in PARTS
        if (facts.part == part).any()
        for name, count in zip(facts.targets.classes, _class_counts(facts, part), strict=True)
        if count == 0
    ]
    if not absent:
        return Answer("ok", "Every class is in training, validation and test.")
    worst: Severity = "problem" if any(entry.endswith("train") for entry in absent) else "warning"
    return Answer(worst, f"Missing: {listed(absent)}.")


@check(
    "data.dropped",
    question="Were many rows left out?",
    fix="read the reasons beside the dropped rows, and correct the cells where you can",
)
def dropped(facts: Facts) -> Answer | None:
    """Rows that could not be used are not a random choice of rows."""
    rows = facts.dropped + len(facts.part)
    share = facts.dropped / max(rows, 1)
    if not facts.dropped:
        return Answer("ok", "Every row of the file was used.")
    return Answer(
        graded(share, 0.1), f"{facts.dropped:,} of {rows:,} rows ({percent(share)}) could not be used."
    )


@check(
    "data.missing_targets",
    question="Are many targets unknown?",
    fix="ask why they are unknown: where that has to do with their value, the score holds for the known ones only",
    labels=True,
)
def missing_targets(facts: Facts) -> Answer | None:
    """Several targets may each be known for other records."""
    unknown = ~np.isfinite(facts.truth)
    share = float(unknown.mean()) if unknown.size else 0.0
    if not share:
        return Answer("ok", "Every target is known for every record.")
    worst = facts.targets.names[int(unknown.mean(axis=0).argmax())]
    most = f", most of them in {worst}" if len(facts.targets.names) > 1 else ""
    return Answer(graded(share, 0.2), f"{percent(share)} of the target values are unknown{most}.")


@check(
    "data.repeated",
    question="Does the file hold the same record several times?",
    fix="average repeated measurements, or give them as the column replicate; where labels of copies differ, find "
    "out which is right",
)
def repeated(facts: Facts) -> Answer | None:
    """Copies count several times in training, and are not independent in the test."""
    if "repeated_in_file" not in facts.leakage:
        return None
    count, conflicts = facts.leakage["repeated_in_file"], facts.leakage.get("conflicting_in_file", 0)
    share = count / max(len(facts.part), 1)
    if not count:
        return Answer("ok", "No record stands in the file twice.")
    labels = f", {conflicts:,} of them with another label" if conflicts else ""
    verb = "repeats" if count == 1 else "repeat"
    return Answer(
        graded(share, 0.05), f"{counted(count, 'record')} ({percent(share)}) {verb} an earlier one{labels}."
    )
