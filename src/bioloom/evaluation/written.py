"""What a language model is worth: how much it is surprised by held-out text, beside models that count."""

from __future__ import annotations

from bioloom.data.wording import counted
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.restored import Restored

MEASURED = {
    "nats": (
        "each next token",
        "Write with it (bioloom generate), or let it judge records (bioloom predict gives nats per token)",
    ),
    "masked_nats": (
        "each hidden token",
        "Begin with it where labels are few (bioloom train --from), or describe records by it (bioloom embed)",
    ),
}
"""By the measure that decides: what is predicted, and what a model that does it well is good for."""


def written(facts: Facts) -> Restored | None:
    """The conclusion of a run that learned to predict tokens; None where it learned anything else."""
    score, compared = facts.score(), facts.difference("simple")
    if facts.task.primary not in MEASURED or score is None or compared is None:
        return None
    asked, uses = MEASURED[facts.task.primary]
    rival, title = facts.score("simple"), facts.title("simple")
    text = f"On {counted(facts.tested, 'test record')} {asked} surprises the network by {_span(score)} nats"
    if rival is not None and rival.value is not None:
        text += f", {title} by {rival.value:.3f}"
    apart = f"{abs(compared.difference or 0.0):.3f}"
    if compared.wins:
        return Restored("network_wins", f"{text}: {apart} less.", f"{uses}.")
    advice = f"Judge records by {title}, which is what predict offers; give more text, or train for longer (training.epochs)."
    if compared.loses:
        return Restored("simple_better", f"{text}: {apart} more.", advice, "simple")
    return Restored("simple_as_good", f"{text}: the two are not clearly apart.", advice, "simple")


def _span(score: object) -> str:
    """Such as "1.52 (1.49 to 1.55)"."""
    value, low, high = (getattr(score, name) for name in ("value", "low", "high"))
    if value is None:
        return "an unknown number of"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f} to {high:.3f})"
