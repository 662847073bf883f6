"""What a description of records by few numbers is worth: how much of them can be restored from it, and beside what."""

from __future__ import annotations

from typing import NamedTuple

from bioloom.data.wording import counted
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.percent import percent

START = "a training with labels may begin with it (--from)"


class Restored(NamedTuple):
    """What stands in the verdict: code, sentence, next step, and the model to use by its role."""

    code: str
    text: str
    next: str
    prefer: str = "model"


def restored(facts: Facts) -> Restored | None:
    """The conclusion of a run that learned to restore records; None where it learned anything else, or has no figures."""
    score, compared = facts.score(), facts.difference("simple")
    if (
        not facts.task.restores
        or score is None
        or score.low is None
        or compared is None
        or compared.low is None
    ):
        return None
    described = "of the network" if facts.code is None else counted(facts.code, "number")
    share = _span(score.value, score.low, score.high)
    text = f"From {described} the network restores {share} of the differences between {counted(facts.tested, 'test record')}"
    if not facts.beats_guessing():
        return Restored(
            "no_signal",
            f"{text}: not clearly more than the mean of each feature does.",
            "Ask whether the features have anything in common, or give more records.",
        )
    other = facts.score("simple")
    rival = facts.title("simple")
    text += f", {rival} with as many {percent((other.value if other else None) or 0.0, 1)}"
    apart = _span(abs(compared.difference or 0.0), *sorted((abs(compared.low), abs(compared.high or 0.0))))
    if compared.wins:
        advice = f"Describe new records with it (bioloom embed); {START}."
        return Restored("network_wins", f"{text}: {apart} more.", advice)
    advice = f"Describe records by {rival}, which is what predict and embed offer; of the network, {START}."
    if compared.loses:
        return Restored("simple_better", f"{text}: {apart} less.", advice, "simple")
    return Restored("simple_as_good", f"{text}: the two are not clearly apart.", advice, "simple")


def _span(value: float | None, low: float, high: float | None) -> str:
    """Such as "71.0 % (68.2 to 73.9 %)"."""
    return f"{percent(value or 0.0, 1)} ({100 * low:.1f} to {percent(high or 0.0, 1)})"
