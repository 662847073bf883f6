"""What the sentences of a verdict are put together from: scores, differences and records in words."""

from __future__ import annotations

from bioloom.evaluation.advice import doubled
from bioloom.evaluation.comparison import Difference
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.intervals import decimals
from bioloom.metrics import METRICS


def beside_guessing(facts: Facts) -> str:
    """The score with its interval, beside what guessing gives."""
    score, text = facts.score(), facts.metric.text
    assert score is not None
    return (
        f"{facts.metric.title} is {text(score.value)} ({text(score.low)} to {text(score.high)}) "
        f"on {tested(facts)}, and guessing gives {text(facts.guessing)}"
    )


def figures(difference: Difference, facts: Facts, turned: bool = False) -> str:
    """The difference with its interval, metric and records: "0.06 (0.04 to 0.08) in ... on ..."."""
    value, low, high = difference.difference, difference.low, difference.high
    assert value is not None
    assert low is not None
    assert high is not None
    if turned:
        value, low, high = -value, -high, -low
    digits = decimals(low, high)
    metric = METRICS[difference.metric].title
    return f"{value:z.{digits}f} ({low:z.{digits}f} to {high:z.{digits}f}) in {metric} on {tested(facts)}"


def more_data(facts: Facts, only: str = "", *, named: bool = False) -> str:
    """What twice the data would add, where the learning curve can say; as the end of a sentence.

    only: "only " where that is not enough; named: whether to say that the network is meant
    """
    found = doubled(facts)
    if found is None or found.outlook == "open":
        return ""
    if found.outlook == "little":
        return "; twice the data would add little"
    gain = f"{found.gain:.{decimals(found.low, found.high)}f}"
    if found.metric.higher_is_better:
        return f"; twice the data would add {only}about {gain}{' to the network' if named else ''}"
    whose = " of the network" if named else ""
    return f"; twice the data would take {only}about {gain} off the {found.metric.title}{whose}"


def tested(facts: Facts) -> str:
    """The test records in words, with what is known about copies."""
    families = f" of {facts.units}" if facts.units else ""
    count = f"{facts.tested:,} test record{'' if facts.tested == 1 else 's'}{families}"
    known = facts.leakage
    if "exact_copies" not in known:
        return count
    copies = known["exact_copies"] + known.get("reverse_complements", 0)
    if copies:
        return f"{count}, {copies:,} of them {'a copy' if copies == 1 else 'copies'} of training records"
    near = known.get("near_copies", 0)
    if near:
        share = "all" if near >= facts.tested else f"{near:,} of them"
        return f"{count}, {share} nearly the same as training records"
    return f"{count} with no copy in training"
