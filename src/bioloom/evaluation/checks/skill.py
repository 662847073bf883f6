"""Whether the model knows more than guessing, memory, a simpler model or a control, and whether more records help."""

from __future__ import annotations

from bioloom.evaluation.advice import doubled, unlike_records
from bioloom.evaluation.checks import Answer, check
from bioloom.evaluation.comparison import Difference
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


def _against(facts: Facts, role: str, fix: str = "") -> Answer | None:
    """The network beside another model, in words that name both; the answer to "does it do as well?"."""
    difference = facts.difference(role)
    if difference is None or difference.low is None or difference.high is None:
        return None
    title, metric = facts.title(role), METRICS[difference.metric].title
    if difference.wins:
        span = f"{difference.low:.3f} to {difference.high:.3f}"
        return Answer("ok", f"No: the network is better than {title} by {span} in {metric}.")
    if difference.loses:
        span = f"{-difference.high:.3f} to {-difference.low:.3f}"
        return Answer("warning", f"Yes: the network is worse than {title} by {span} in {metric}.", fix)
    return Answer("warning", f"Perhaps: {_open(difference, title)} in {metric}.", fix)


def _open(difference: Difference, title: str) -> str:
    """An interval that includes zero, in words: neither side is better for sure."""
    worse, better = max(0.0, -(difference.low or 0.0)), max(0.0, difference.high or 0.0)
    return f"compared with {title} the network is between {worse:.3f} worse and {better:.3f} better"


@check(
    "skill.nearest",
    question="Does the nearest training record do as well?",
    fix="the test may be too like the training records: split by similarity (--split similarity) and look again",
)
def nearest(facts: Facts) -> Answer | None:
    """What a look-up can answer needs no understanding."""
    return _against(facts, "nearest", unlike_records(facts))


@check(
    "skill.simple",
    question="Does a simple model do as well?",
    fix="use the model that the verdict prefers: a simple one is faster, and easier to explain",
)
def simple(facts: Facts) -> Answer | None:
    """A network has to earn its cost."""
    return _against(facts, "simple")


@check(
    "skill.boosting",
    question="Does gradient boosting do as well?",
    fix="use the model that the verdict prefers: boosting learns in seconds and needs no graphics card, and on tables it is "
    "often the better choice",
)
def boosting(facts: Facts) -> Answer | None:
    """Trees on simple features are what a network on a table, or on few records, has to be better than."""
    return _against(facts, "boosting")


@check(
    "skill.forest",
    question="Does a random forest do as well?",
    fix="use the model that the verdict prefers: with more features than records a forest is often the better choice",
)
def forest(facts: Facts) -> Answer | None:
    """Deep trees on random parts of the features are what a network on a profile has to be better than."""
    return _against(facts, "forest")


@check(
    "skill.untrained",
    question="Does the same network with random weights do as well?",
    fix="train longer (--budget thorough) or with another learning rate, or take a simpler model: what the network learned "
    "adds little to what random filters see",
)
def untrained(facts: Facts) -> Answer | None:
    """Random filters below a simple model already see much; training should add to it."""
    return _control(facts, "untrained")


@check(
    "skill.properties",
    question="Do length, composition and missing cells alone do as well?",
    fix="choose negatives of the same length and composition as the positives, or give these properties as the result: the "
    "explanation will show little else",
)
def properties(facts: Facts) -> Answer | None:
    """A shortcut that has nothing to do with a motif can carry the whole score."""
    return _control(facts, "properties")


def _control(facts: Facts, role: str) -> Answer | None:
    """A control is asked about only where there is skill that it could explain."""
    if not facts.beats_guessing() and not facts.beats_guessing(role):
        return None
    return _against(facts, role)


@check(
    "skill.more_data",
    question="Would twice the training records help?",
    fix="where the gain is worth the work, measure more records rather than trying other networks",
)
def more_data(facts: Facts) -> Answer | None:
    """The learning curve, followed to twice the records and no further."""
    found = doubled(facts)
    if found is None:
        return None
    title, span = found.metric.title, f"{found.gain:.3f} ({found.low:.3f} to {found.high:.3f})"
    if found.outlook == "little":
        return Answer("ok", f"Hardly: the {title} would change by {max(found.high, 0.001):.3f} at most.")
    does = f"would add {span} to the" if found.metric.higher_is_better else f"would take {span} off the"
    if found.outlook == "open":
        return Answer("ok", f"Not clear: they {does} {title}.")
    hope = "; with so few sizes this is the hopeful side" if found.hopeful else ""
    return Answer("note", f"Yes: they {does} {title}{hope}.")
