"""What a model that writes an answer for each record is worth, beside ones that only remember answers."""

from __future__ import annotations

from bioloom.data.wording import counted
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.percent import percent
from bioloom.evaluation.restored import Restored

NOTHING = "Give more records, or train for longer (training.epochs); look whether the inputs say what the answer is."


def answered(facts: Facts) -> Restored | None:
    """The conclusion of a run that learned to write answers; None where it learned anything else."""
    score, compared = facts.score(), facts.difference("simple")
    if not facts.task.written or score is None or score.value is None or compared is None:
        return None
    rival, title = facts.score("simple"), facts.title("simple")
    span = (
        "" if score.low is None or score.high is None else f" ({percent(score.low)} to {percent(score.high)})"
    )
    known = "nearly 100 %" if 0.995 <= score.value < 1 else percent(score.value)
    told = counted(facts.tested, "test record")
    text = f"In {told} {known}{span} of the tokens that the network writes are right"
    if rival is not None and rival.value is not None:
        text += f"; {title} has {percent(rival.value)}"
    if not (facts.beats_guessing() or facts.beats_guessing("simple")):
        told = f"{facts.title('trivial')} has {percent(facts.guessing)}, and nothing is better for sure"
        return Restored("no_signal", f"{text}; {told}.", NOTHING, "simple")
    if compared.wins:
        return Restored("network_wins", f"{text}.", "Write answers for new records with bioloom predict.")
    advice = f"Take {title}, which is what predict offers; give more records, or train for longer (training.epochs)."
    if compared.loses:
        return Restored("simple_better", f"{text}.", advice, "simple")
    return Restored("simple_as_good", f"{text}: the two are not clearly apart.", advice, "simple")
