"""Advice that depends on how the records were divided: what would be wrong for some runs is not said there."""

from __future__ import annotations

from bioloom.evaluation.facts import Facts

FREE = ("random", "stratified", "copies", "group", "similarity")
"""Methods that choose the test by lot, so that its share is the user's choice; elsewhere a column, a time, a
chromosome or a position decides what the test is."""


def larger_test(facts: Facts) -> str:
    """How to test more records, as advice that begins in lower case."""
    what = "groups" if facts.units else "records"
    if facts.folds > 1:
        return f"collect more {what}: every record is tested already"
    if facts.split in FREE:
        return (
            f"give the test more {what} (--set split.test=0.3), test every record once (--set split.folds=5), "
            f"or collect more {what}"
        )
    return f"collect more {what} for the test"


def unlike_records(facts: Facts) -> str:
    """What to do where the nearest training record answers as well, as advice that begins in lower case."""
    if facts.split == "similarity":
        return (
            "collect records of more families, or take the look-up: the test records are of families that the network "
            "did not learn from, and it knows no more of them than their nearest relative does"
        )
    return (
        "the test may be too like the training records: split by similarity (--split similarity) to see what is left "
        "on records unlike them"
    )
