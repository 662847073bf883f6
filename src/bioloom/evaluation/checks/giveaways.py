"""Something that gives the target away without any biology: a column, an id, a length."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from bioloom.data.wording import counted
from bioloom.evaluation.alone import strength
from bioloom.evaluation.checks import Answer, Severity, check
from bioloom.evaluation.facts import Facts

GIVES_AWAY = 0.96
"""Share of the way from guessing to perfect at which one column is as good as the target (AUC 0.98)."""

FEWEST_NAMES = 8
"""A column of fewer different words is a category, not a list of names."""

TELLING = 0.1
"""Share of the way from guessing to perfect from which names of patients or plates say something of the target."""

SUSPICIOUS = 0.5
"""Share of that way from which an id is worth a word."""


def _giving_away(frame: pd.DataFrame, facts: Facts) -> tuple[str, float] | None:
    """The column that predicts the target best by itself; None where there is no column to ask."""
    strengths = {str(name): strength(frame[name], facts) for name in frame.columns}
    known = {name: value for name, value in strengths.items() if np.isfinite(value)}
    return max(known.items(), key=lambda entry: entry[1]) if known else None


@check(
    "leak.input_column",
    question="Does one input column give the target away?",
    fix="ask whether this column is known before the target is; if not, leave it out with --exclude",
    labels=True,
)
def input_column(facts: Facts) -> Answer | None:
    """A column measured after the target, or computed from it, makes every score meaningless."""
    found = _giving_away(facts.inputs, facts)
    if found is None:
        return None
    name, value = found
    if value < GIVES_AWAY:
        return Answer("ok", f'No input column predicts the target by itself; "{name}" comes nearest.')
    return Answer("problem", f'The input column "{name}" predicts the target almost perfectly by itself.')


@check(
    "leak.unused_column",
    question="Does a column that is not an input give the target away?",
    fix="do not use this column as an input unless it is known before the target is",
    labels=True,
)
def unused_column(facts: Facts) -> Answer | None:
    """The network does not see it; whoever adds it as an input should know."""
    found = _giving_away(facts.columns, facts)
    if found is None:
        return None
    name, value = found
    if value < GIVES_AWAY:
        return Answer("ok", "No other column of the file predicts the target by itself.")
    return Answer(
        "note",
        f'The column "{name}" predicts the target almost perfectly by itself; the model does not see it.',
    )


@check(
    "leak.ids",
    question="Do the names or the order of the records predict the target?",
    fix="ask how the records were named and ordered: a file sorted by label is harmless, but where batches were "
    "measured together, give them as the column group and split by it (--split group)",
    labels=True,
)
def ids(facts: Facts) -> Answer | None:
    """Names such as pos_17, or a number that counts up with the label, tell of batches or of sorting."""
    if facts.ids is None:
        return None
    names = pd.Series([str(name) for name in facts.ids])
    numbers = names.str.extract(r"(\d+)\D*$")[0]
    letters = names.map(lambda name: re.sub(r"\d+", "", name))
    found = _giving_away(pd.DataFrame({"number": numbers, "text": letters}), facts)
    if found is None or found[1] < SUSPICIOUS:
        return Answer("ok", "Neither the names nor the order of the records predict the target.")
    what = f"The {found[0]} in the ids"
    if found[0] == "number" and pd.to_numeric(numbers).is_monotonic_increasing:
        what = "The order of the records in the file"
    return Answer("note", f"{what} predicts the target; the model does not see it.")


@check(
    "leak.repeated_names",
    question="Is there a column of names that stand on several records, on both sides of the split?",
    fix="where the name is a patient, a plate, a clone or a day, name the column as the group (--set data.group=COLUMN), "
    "so that the test asks about new ones",
    labels=True,
)
def repeated_names(facts: Facts) -> Answer | None:
    """Rows of one patient resemble each other; a test on patients that were seen tells nothing of new ones."""
    if facts.groups is not None or facts.folds > 1:
        return None
    columns = pd.concat([facts.inputs, facts.columns], axis=1)
    names = [str(name) for name in columns.columns if _names_units(columns[name], facts)]
    known = {name: strength(columns[name], facts) for name in names}
    telling = {name: value for name, value in known.items() if np.isfinite(value) and value >= TELLING}
    if not names:
        return None
    if not telling:
        return Answer("ok", "No: no column of repeated names says anything about the target.")
    worst = max(telling, key=lambda name: telling[name])
    count = columns[worst].nunique()
    return Answer(
        "warning",
        f'Records of one "{worst}" ({count} in all) are alike in the target and stand on both sides of the split.',
    )


def _names_units(column: pd.Series[Any], facts: Facts) -> bool:
    """Whether cells are names with several records each, most of them both learned from and tested."""
    if pd.api.types.is_numeric_dtype(column) or not FEWEST_NAMES <= column.nunique() <= len(column) / 2:
        return False
    test = facts.narrowed().test
    tested, learned = set(column[test].dropna()), set(column[~test].dropna())
    return len(tested & learned) > len(tested) / 2


@check(
    "leak.simple_properties",
    question="Does length or composition alone predict the target?",
    fix="choose negatives of the same length and composition as the positives, or ask what the model adds to them",
    labels=True,
)
def simple_properties(facts: Facts) -> Answer | None:
    """Two classes that differ in length or GC content are told apart without any motif.

    Whether a weighted sum of all such properties does as well is asked by skill.properties; where that one warns,
    this one only names the property.
    """
    found = _giving_away(pd.DataFrame(dict(facts.properties)), facts)
    score = facts.score()
    if found is None or score is None or score.value is None or not facts.beats_guessing():
        return None
    name, value = found
    best = facts.metric.gain(facts.metric.best, facts.guessing)
    model = facts.metric.gain(score.value, facts.guessing) / best
    if value < SUSPICIOUS * model:
        return Answer("ok", "Neither length nor composition alone explains the score.")
    reached = facts.metric.text(facts.guessing + value * (facts.metric.best - facts.guessing))
    text = (
        f"{name[0].upper()}{name[1:]} alone reaches {reached} in {facts.metric.title}; "
        f"{facts.title('model')} reaches {facts.metric.text(score.value)}."
    )
    together = facts.difference("properties")
    warned = together is not None and not together.wins
    return Answer("warning" if value >= 0.9 * model and not warned else "note", text)


@check(
    "leak.missing_values",
    question="Does it predict the target which cells are missing?",
    fix="ask why these cells are missing; where the reason is the target itself, leave the column out",
    labels=True,
)
def missing_values(facts: Facts) -> Answer | None:
    """Cells may be missing because of the outcome: a sick patient was not measured."""
    missing: dict[str, Any] = {
        str(name): facts.inputs[name].isna().astype(int) for name in facts.inputs.columns
    }
    holes = {name: marks for name, marks in missing.items() if marks.any()}
    if not holes:
        return None
    total = sum(int(marks.sum()) for marks in holes.values())
    found = _giving_away(pd.DataFrame(holes), facts)
    if found is None or found[1] < SUSPICIOUS:
        return Answer("ok", f"{counted(total, 'cell')} missing, and which ones says little about the target.")
    together = facts.difference("properties")  # warns already, where these do as well as the network
    severity: Severity = "warning" if together is None or together.wins else "note"
    return Answer(severity, f'Whether "{found[0]}" is missing predicts the target.')
