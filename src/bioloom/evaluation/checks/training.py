"""Whether the training did what it should: learned the rule rather than the records."""

from __future__ import annotations

import numpy as np

from bioloom.evaluation.checks import Answer, check
from bioloom.evaluation.facts import Facts


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
    lost = facts.metric.gain(facts.train_score, score.value) / learned if learned > 0 else 0.0
    if lost <= 0.2:
        return Answer("ok", f"No: {figures}.")
    return Answer("warning" if lost > 0.5 else "note", f"Yes: {figures}.")


@check(
    "training.constant",
    question="Are the predictions all alike?",
    fix="train longer or with another learning rate (--set training.learning_rate=0.001); if that does not "
    "help, the inputs may hold nothing about the target",
)
def constant(facts: Facts) -> Answer | None:
    """A model that says the same of every record has learned the mean and nothing else."""
    if not len(facts.value):
        return None
    if (facts.value == facts.value[:1]).all():
        return Answer("problem", "Every test record gets the same prediction.")
    if facts.targets.classes:
        value = facts.value
        called = value.argmax(axis=1) if value.shape[1] > 1 else (value[:, 0] >= 0.5).astype(np.int64)
        if len(np.unique(called)) == 1:
            name = facts.targets.classes[int(called[0])]
            return Answer(
                "warning", f'Every test record is called "{name}", though with differing probabilities.'
            )
        return Answer("ok", "No: several classes are called.")
    if any(spread < 0.05 for spread in _spreads(facts)):
        return Answer(
            "warning", "The predictions differ by less than a twentieth of what the measurements do."
        )
    return Answer("ok", "No: the predictions differ between records.")


def _spreads(facts: Facts) -> list[float]:
    """How far predictions spread in units of the measurements, for each target measured in the test."""
    pairs = zip(facts.value.T.astype(np.float64), facts.truth[facts.test].T.astype(np.float64), strict=True)
    known = [(value, truth[np.isfinite(truth)]) for value, truth in pairs]
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
    return Answer("ok" if facts.shuffle.reads_as_guessing else "problem", facts.shuffle.text)
