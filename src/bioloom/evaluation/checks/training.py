"""Whether the training did what it should: learned the rule rather than the records, and each time anew."""

from __future__ import annotations

import numpy as np

from bioloom.evaluation.checks import Answer, Severity, check
from bioloom.evaluation.comparison import RIVALS
from bioloom.evaluation.facts import Facts
from bioloom.metrics import METRICS

LITTLE = 0.1
"""Share of the way from guessing to perfect on the training records below which there is nothing to hold too fast."""

LARGE_FOLD = 10
"""A fold of fewer test records says too little by itself."""

SEVERAL = 5
"""So many test records must be predicted alike before it says something of the model: a fold may test a single one."""

UNEVEN = 0.5
"""Standard deviation over folds, in units of what the mean gains over guessing, that is worth a word."""


@check(
    "training.overfitting",
    question="Does the model do much better on the records it learned from?",
    fix="more records, a smaller network, more weight decay or dropout; the test score stands as it is",
)
def overfitting(facts: Facts) -> Answer | None:
    """Part of what was learned holds for the training records only."""
    score = facts.score()
    if score is None or score.value is None or facts.train_score is None:
        return None
    text = facts.metric.text
    figures = (
        f"{facts.metric.title} is {text(facts.train_score)} in training and {text(score.value)} in the test"
    )
    learned = facts.metric.gain(facts.train_score, facts.guessing)
    if learned < LITTLE * abs(facts.metric.gain(facts.metric.best, facts.guessing)):
        return Answer("ok", f"No, it learned little from either: {figures}.")
    lost = facts.metric.gain(facts.train_score, score.value) / learned if learned > 0 else 0.0
    if lost <= 0.2:
        return Answer("ok", f"No: {figures}.")
    return Answer("warning" if lost > 0.5 else "note", f"Yes: {figures}.")


@check(
    "skill.pretraining",
    question="Did learning without labels first help?",
    fix="train without --pretrain or --from, or learn first from more records that are like those with labels",
)
def pretraining(facts: Facts) -> Answer | None:
    """Weights that were learned elsewhere have to earn their place."""
    found = facts.evidence.pretrained
    if found is None:
        return None
    severity: Severity = "ok" if found.difference.wins else "warning" if found.difference.loses else "note"
    return Answer(severity, found.text)


@check(
    "training.constant",
    question="Are the predictions all alike?",
    fix="train longer or with another learning rate (--set training.learning_rate=0.001); if that does not "
    "help, the inputs may hold nothing about the target",
)
def constant(facts: Facts) -> Answer | None:
    """A model that says the same of every record has learned the mean and nothing else."""
    # what is said of a record is no prediction of a label
    if len(facts.value) < SEVERAL or facts.task.seen is not None:
        return None
    if (facts.value == facts.value[:1]).all():
        return Answer("problem", "Every test record gets the same prediction.")
    if facts.targets.classes:
        value = facts.value
        called = value.argmax(axis=1) if value.shape[1] > 1 else (value[:, 0] >= 0.5).astype(np.int64)
        if facts.task.everywhere:
            called = called[np.isfinite(facts.truth[facts.test][:, 0])]
        if len(np.unique(called)) == 1:
            name = facts.targets.classes[int(called[0])]
            return Answer(
                "warning",
                f'Every test {facts.task.place or "record"} is called "{name}", though with differing probabilities.',
            )
        return Answer("ok", "No: several classes are called.")
    if any(spread < 0.05 for spread in _spreads(facts)):
        return Answer(
            "warning", "The predictions differ by less than a twentieth of what the measurements do."
        )
    return Answer("ok", "No: the predictions differ between records.")


def _spreads(facts: Facts) -> list[float]:
    """How far predictions spread in units of the measurements, for each target measured in the test."""
    truths, told = facts.truth[facts.test].astype(np.float64), np.isfinite(facts.truth[facts.test])
    columns = range(truths.shape[1])
    values = facts.value.astype(np.float64)
    known = [
        (values[:, i][told[:, i]] if facts.task.everywhere else values[:, i], truths[:, i][told[:, i]])
        for i in columns
    ]
    return [float(value.std() / max(truth.std(), 1e-30)) for value, truth in known if len(truth)]


@check(
    "leak.shuffled_labels",
    question="Does the same pipeline find something in shuffled labels?",
    fix="something other than the labels tells the model the answer: look for test records among the training "
    "records, and for columns made from the target",
)
def shuffled_labels(facts: Facts) -> Answer | None:
    """Where nothing can be learned, a score above guessing is an artefact."""
    if facts.shuffle is None:
        return None
    if facts.shuffle.reads_as_guessing:
        return Answer("ok", facts.shuffle.text)
    if not facts.shuffle.firm:
        return Answer("note", facts.shuffle.text, MORE_SHUFFLES)
    return Answer("problem", facts.shuffle.text)


MORE_SHUFFLES = (
    "shuffle the labels more often to tell luck from a leak (--set evaluation.shuffles=5): a model of shuffled labels is one "
    "random function of the input, and may happen to lie along the true one"
)


@check(
    "folds.spread",
    question="Do the folds agree?",
    fix="look at what the worst fold tests (a patient, a family, a plate): new records of such a kind may be predicted as "
    "badly, whatever the mean says",
)
def spread(facts: Facts) -> Answer | None:
    """A mean over folds hides a fold on which the model fails."""
    found, metric = facts.evidence.folds, facts.metric
    each = [] if found is None else [fold for fold in found.folds if fold.n_test >= LARGE_FOLD]
    values = [value for fold in each if (value := fold.values.get(metric.name)) is not None]
    if len(values) < 3:
        return None
    mean, worst = float(np.mean(values)), min(values, key=lambda value: metric.gain(value, facts.guessing))
    best = max(values, key=lambda value: metric.gain(value, facts.guessing))
    told = (
        f"over {len(values)} folds {metric.title} is {metric.text(mean)} on average, {metric.text(worst)} in the worst and "
        f"{metric.text(best)} in the best"
    )
    gained = metric.gain(mean, facts.guessing)
    if gained <= 0:
        return None
    if metric.gain(worst, facts.guessing) <= 0:
        return Answer("warning", f"No: {told}, where guessing gives {metric.text(facts.guessing)}.")
    if float(np.std(values, ddof=1)) > UNEVEN * gained:
        return Answer("note", f"Hardly: {told}.")
    return Answer("ok", f"Yes: {told}.")


@check(
    "training.seed",
    question="Would another seed have told another story?",
    fix="train with several seeds and compare their mean (--set evaluation.seeds=5), and do not report the best of them",
)
def seed(facts: Facts) -> Answer | None:
    """Trainings that differ in nothing but the seed show how far one of them can be lucky."""
    found, metric = facts.evidence.variance, facts.metric
    gain, over = _smallest_gain(facts)
    if found is None or found.seeds is None or found.metric != metric.name or gain <= 0:
        return None
    title = METRICS[found.metric].title
    told = (
        f"{len(found.scores)} trainings differ by {found.seeds:.3f} (standard deviation) in {title}, and the network is "
        f"{gain:.3f} better than {over}"
    )
    if found.seeds >= gain:
        return Answer("warning", f"Yes: {told}.")
    return Answer(
        "note" if 2 * found.seeds >= gain else "ok",
        f"{'Perhaps' if 2 * found.seeds >= gain else 'No'}: {told}.",
    )


def _smallest_gain(facts: Facts) -> tuple[float, str]:
    """By how much the network is better than the closest of the models it beats, or than guessing; and what that is."""
    compared = [
        entry for entry in facts.comparison if entry.against in RIVALS and entry.metric == facts.metric.name
    ]
    beaten = [
        (entry.difference, facts.title(entry.against))
        for entry in compared
        if entry.difference and entry.wins
    ]
    if beaten:
        return min(beaten)
    score = facts.score()
    if score is None or score.value is None:
        return 0.0, "guessing"
    return facts.metric.gain(score.value, facts.guessing), "guessing"
