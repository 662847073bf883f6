"""Records that stand on both sides of the split, or are like those that do: the model has seen part of its test."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bioloom.data.wording import counted
from bioloom.evaluation.checks import Answer, Severity, check, graded, percent
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.identity import Bin

SPLIT_BY_SIMILARITY = "split so that copies stay together: --split similarity"

EXACT = ("an exact copy of a training record", "exact copies of training records")
REVERSED = ("the reverse complement of a training record", "reverse complements of training records")
CONTAINED = (
    "a piece of a longer training record, or holds one",
    "pieces of longer training records, or hold one",
)
NEAR = ("nearly the same as a training record", "nearly the same as training records")


def _share(facts: Facts, kind: str) -> tuple[int, float] | None:
    """How many test records, and which share of them, have a copy of that kind in training."""
    if kind not in facts.leakage or not facts.tested:
        return None
    return facts.leakage[kind], facts.leakage[kind] / _asked(facts, kind)


def _asked(facts: Facts, kind: str) -> int:
    """For how many test records copies of that kind were looked for."""
    sampled = kind in ("near_copies", "contained_copies") and "near_asked" in facts.leakage
    return facts.leakage["near_asked"] if sampled else facts.tested


def _answer(facts: Facts, kind: str, words: tuple[str, str], worst: tuple[float, float]) -> Answer | None:
    """The count in words; `words` say what one, and what several test records are."""
    found = _share(facts, kind)
    if found is None:
        return None
    count, share = found
    severity: Severity = graded(share, *worst)
    one, several = words
    asked = _asked(facts, kind)
    where = " in the sample that was looked at" if asked < facts.tested else ""
    if severity == "ok":
        return Answer("ok", f"No test record is {one}{where}.")
    of_all = f"of {asked:,} ({percent(share)}){where}"
    if count == 1:
        return Answer(severity, f"1 test record {of_all} is {one}.")
    return Answer(severity, f"{count:,} test records {of_all} are {several}.")


@check(
    "leak.exact_copies",
    question="Are test records exact copies of training records?",
    fix=SPLIT_BY_SIMILARITY,
)
def exact_copies(facts: Facts) -> Answer | None:
    """A copy is answered from memory; from one in twenty on, the score is no longer one of new records."""
    return _answer(facts, "exact_copies", EXACT, (0.01, 0.05))


@check(
    "leak.reverse_complements",
    question="Are test records training records read from the other strand?",
    fix=SPLIT_BY_SIMILARITY,
)
def reverse_complements(facts: Facts) -> Answer | None:
    """The same molecule, written the other way round."""
    return _answer(facts, "reverse_complements", REVERSED, (0.01, 0.05))


@check(
    "leak.contained_copies",
    question="Do test records lie inside training records, or the other way round?",
    fix=SPLIT_BY_SIMILARITY,
)
def contained_copies(facts: Facts) -> Answer | None:
    """Windows cut from one molecule share what decides the label as copies do."""
    return _answer(facts, "contained_copies", CONTAINED, (0.01, 0.05))


@check(
    "leak.near_copies",
    question="Are test records nearly the same as training records?",
    fix="split by similarity (--split similarity) to see how well the model does on unrelated records; "
    "in a library of variants of one parent near copies are expected, and the score then holds for further "
    "variants of that parent only",
)
def near_copies(facts: Facts) -> Answer | None:
    """Relatives on both sides make a score too good for anything less related."""
    return _answer(facts, "near_copies", NEAR, (0.05, 2.0))


@check(
    "leak.start_copies",
    question="Had the model that training began with learned from test records?",
    fix="test on records that the first run had not learned from: the same data with the same split and seed as in "
    "that run, or new data; or train without --from",
)
def start_copies(facts: Facts) -> Answer | None:
    """What a network knew before its training is in its weights, whatever it is shown afterwards."""
    if not facts.start or not facts.tested:
        return None
    if "start_copies" not in facts.leakage:
        return Answer(
            "warning",
            f"What the model of {facts.start} had learned from is not known: it was stored without a list.",
            "train the first run anew with this version, and begin with that one",
        )
    count = facts.leakage["start_copies"]
    share = count / facts.tested
    if not count:
        return Answer(
            "ok", f"The model of {facts.start} had learned from none of the {facts.tested:,} test records."
        )
    return Answer(
        graded(share, 0.01, 0.05),
        f"The model of {facts.start} had learned from {count:,} of the {facts.tested:,} test records ({percent(share)}).",
    )


@check(
    "leak.validation_copies",
    question="Are validation records copies of training records?",
    fix="split so that copies stay together (--split similarity); until then training stops too late, because the "
    "validation records reward remembering",
)
def validation_copies(facts: Facts) -> Answer | None:
    """Early stopping on records that the network remembers does not see it overfit; the test stays honest."""
    validation = facts.folds * int((facts.part == "validation").sum())  # counts are summed over folds
    if "validation_copies" not in facts.leakage or not validation:
        return None
    count = facts.leakage["validation_copies"]
    share = count / validation
    if not count:
        return Answer("ok", "No validation record is a copy of a training record.")
    verb = "is a copy of a training record" if count == 1 else "are copies of training records"
    return Answer(
        graded(share, 0.1),
        f"{counted(count, 'validation record')} of {validation:,} ({percent(share)}) {verb}: when to stop training "
        "was decided partly on records the network remembers.",
    )


@check(
    "leak.conflicting_labels",
    question="Do copies carry different labels?",
    fix="look at these records; where both labels are right, something that decides the label is not in the input",
    labels=True,
)
def conflicting_labels(facts: Facts) -> Answer | None:
    """Copies with different labels bound what any model can reach."""
    found = _share(facts, "conflicting_labels")
    if found is None:
        return None
    count, share = found
    if not count:
        return Answer("ok", "No test record has a copy with another label.")
    verb = "has" if count == 1 else "have"
    return Answer(
        graded(share, 0.01),
        f"{counted(count, 'test record')} ({percent(share)}) {verb} a copy in training with another label.",
    )


@check(
    "leak.groups",
    question="Does a group stand on both sides of the split?",
    fix="keep groups together: --split group",
)
def groups(facts: Facts) -> Answer | None:
    """Records of one group (a patient, a plate) resemble each other more than new ones would."""
    if facts.groups is None:
        return None
    test, names = facts.narrowed().test, pd.Series(np.asarray(facts.groups, dtype=object))
    tested = set(names[test].dropna())
    learned = set(names[~test].dropna())
    shared = len(tested & learned)
    if not shared:
        return Answer("ok", "No group stands on both sides of the split.")
    verb = "is" if shared == 1 else "are"
    share = float(names[test].isin(learned).mean())
    return Answer(
        graded(share, 0.01, 0.25),
        f"{counted(shared, 'group')} of {len(tested):,} in the test {verb} also in training or validation; "
        f"{percent(share)} of the test records belong to them.",
    )


EXPECT_THE_LEAST = "for new kinds of records expect the score of the least alike"


@check(
    "leak.identity",
    question="Does the score fall on records unlike the training records?",
    fix=f"{EXPECT_THE_LEAST}; split by similarity (--split similarity) to make that the score of the run",
)
def identity(facts: Facts) -> Answer | None:
    """A mean over records that are like training records says little of records that are not."""
    curve = facts.evidence.identity
    bins = [] if curve is None else [each for each in curve.bins if each.value is not None]
    if curve is None or len(bins) < 2:
        return None
    far, near = bins[0], bins[-1]
    if far.low95 is None or far.high95 is None or near.low95 is None or near.high95 is None:
        return None
    if not _clearly_worse(far, near, facts):
        return Answer("ok", curve.text)
    close = far.low95 if facts.metric.higher_is_better else far.high95
    lost = not facts.metric.gain(close, curve.guessing) > 0
    end = "; on the least alike the model is not clearly better than guessing." if lost else "."
    fix = EXPECT_THE_LEAST if facts.split == "similarity" else ""
    return Answer("warning" if lost else "note", f"{curve.text.rstrip('.')}{end}", fix)


def _clearly_worse(far: Bin, near: Bin, facts: Facts) -> bool:
    """Whether the whole interval of one bin lies on the worse side of that of the other."""
    if facts.metric.higher_is_better:
        return (far.high95 or 0.0) < (near.low95 or 0.0)
    return (far.low95 or 0.0) > (near.high95 or 0.0)
