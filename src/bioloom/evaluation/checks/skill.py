"""Whether the model knows more than guessing, memory or a simple model."""

from __future__ import annotations

from bioloom.evaluation.checks import Answer, check
from bioloom.evaluation.facts import Facts
from bioloom.metrics import METRICS


@check(
    "skill.guessing",
    question="Does the model do better than guessing?",
    fix="look at the inputs: they may hold nothing about the target, or too few records to find it",
)
def guessing(facts: Facts) -> Answer | None:
    """The interval of the score must lie above what guessing gives."""
    score = facts.score()
    if score is None or score.value is None or score.low is None:
        return None
    text = facts.metric.text
    figures = f"{facts.metric.title} is {text(score.value)} ({text(score.low)} to {text(score.high)})"
    if facts.beats_guessing():
        return Answer("ok", f"Yes: {figures}, and guessing gives {text(facts.guessing)}.")
    return Answer("problem", f"Not for sure: {figures}, and guessing gives {text(facts.guessing)}.")


def _against(facts: Facts, role: str) -> Answer | None:
    difference = facts.difference(role)
    if difference is None or difference.low is None or difference.high is None:
        return None
    metric = METRICS[difference.metric].title
    low, high = difference.low, difference.high
    if difference.wins:
        return Answer("ok", f"No: the network is better by {low:.3f} to {high:.3f} in {metric}.")
    if difference.loses:
        return Answer(
            "warning", f"Yes: it is better than the network by {-high:.3f} to {-low:.3f} in {metric}."
        )
    return Answer(
        "warning", f"Perhaps: the network minus it is between {low:.3f} and {high:.3f} in {metric}."
    )


@check(
    "skill.nearest",
    question="Does the nearest training record do as well?",
    fix="the test may be too like the training records: split by similarity (--split similarity) and look again",
)
def nearest(facts: Facts) -> Answer | None:
    """What a look-up can answer needs no understanding."""
    return _against(facts, "nearest")


@check(
    "skill.simple",
    question="Does a simple model do as well?",
    fix="use the simple model: it is faster, and easier to explain",
)
def simple(facts: Facts) -> Answer | None:
    """A network has to earn its cost."""
    return _against(facts, "simple")
