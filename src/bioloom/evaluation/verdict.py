"""What a run is worth, in one sentence and a next step: a decision table read from top to bottom.

| code              | when                                                                                  |
|-------------------|---------------------------------------------------------------------------------------|
| undefined         | the metric that decides is not defined on these test records                          |
| too_few           | there are too few test records, or no interval can be given                           |
| leaky_test        | a check of the family "leak" found a problem: the test does not ask for new knowledge |
| no_signal         | neither the network nor a baseline is better than guessing for sure                   |
| simple_better     | a simple model (or boosting) is better than the network for sure                      |
| simple_as_good    | the network is not better than a simple model (or boosting) for sure                  |
| neighbour_as_good | the network is not better than the nearest training record for sure                   |
| network_wins      | the network is better than guessing and than both, and no interval includes zero      |

The first row that fits counts. Of several models that are not beaten the one that comes out ahead is named, those
first that are better than guessing for sure. Such a model is what `predict` offers; the nearest training record only
where it is better for sure, and none whose numbers are worse than guessing by another metric while those of the network are
better. Where the score is higher than the noise of the measurements allows, the next step of
every row begins with that.
"For sure" means that the whole 95 % interval of the difference lies on one side of zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bioloom.evaluation.advice import doubled, larger_test, unlike_records
from bioloom.evaluation.answered import answered
from bioloom.evaluation.ceiling import Ceiling
from bioloom.evaluation.checks import Finding
from bioloom.evaluation.comparison import RIVALS, Difference
from bioloom.evaluation.conclusion import Verdict
from bioloom.evaluation.facts import Facts
from bioloom.evaluation.intervals import Score
from bioloom.evaluation.phrases import beside_guessing, figures, more_data, tested
from bioloom.evaluation.restored import restored
from bioloom.evaluation.written import written
from bioloom.metrics import METRICS, Metric


@dataclass(frozen=True)
class Case:
    """What a rule of the decision table looks at.

    asked: the role of the model that the recipe has predict use; empty where that is for the table to say
    """

    facts: Facts
    findings: Sequence[Finding] = ()
    asked: str = ""

    def offers(self, role: str) -> bool:
        """Whether predict uses this model where the table prefers it."""
        return self.asked in ("", role)

    def offering(self, role: str, words: str = ", which is what predict offers") -> str:
        """Words that are said only where that is so."""
        return words if self.offers(role) else ""

    def problem(self, family: str) -> Finding | None:
        """The first problem found by a check whose code starts like that."""
        problems = (finding for finding in self.findings if finding.severity == "problem")
        return next((finding for finding in problems if finding.code.startswith(family)), None)

    def rivals(self) -> list[Difference]:
        """The network against the baselines it has to beat, in the metric that decides.

        A baseline for which that metric is not defined predicts the same everywhere: beating guessing is
        beating it, so it is no rival.
        """
        compared = [self.facts.difference(role) for role in RIVALS]
        return [entry for entry in compared if entry is not None and entry.metric == self.facts.metric.name]

    def unbeaten(self) -> list[Difference]:
        """The rivals that the network does not beat for sure, the strongest first.

        Those come first that are better than guessing for sure, then those that are better than the network for sure.
        """
        open_ = [entry for entry in self.rivals() if not entry.wins]
        return sorted(
            open_,
            key=lambda entry: (
                not self.facts.beats_guessing(entry.against),
                not entry.loses,
                entry.difference or 0.0,
            ),
        )

    def off(self, role: str) -> str:
        """By which other metric a model is worse than guessing for sure, and the network better, in words; or nothing.

        A model may rank records as well as the network while its numbers lie far off, as where the test records differ
        from those it learned from.
        """
        facts = self.facts
        truth = facts.scored_truth.astype(np.float64)
        for metric in (METRICS[name] for name in facts.task.metrics if name != facts.task.primary):
            ours, theirs = (facts.scores.get(each, {}).get(metric.name) for each in ("model", role))
            chance = metric.chance(truth)
            if _gain(metric, ours, chance, near=True) > 0 > _gain(metric, theirs, chance, near=False):
                assert ours is not None
                assert theirs is not None
                return (
                    f"{metric.title} is {metric.text(theirs.value)} ({metric.text(theirs.low)} to "
                    f"{metric.text(theirs.high)}), worse than guessing, and {metric.text(ours.value)} for the network"
                )
        return ""


def _gain(metric: Metric, score: Score | None, chance: float, *, near: bool) -> float:
    """How much better than guessing a model is at the end of its interval that lies nearer to guessing, or at the other."""
    if score is None or score.low is None or score.high is None or not np.isfinite(chance):
        return 0.0
    return metric.gain(score.low if near == metric.higher_is_better else score.high, chance)


SEVERAL_LOOKS = 1.22
"""Three rivals share the 2.5 % of luck that one interval leaves above guessing, z(0.025 / 3) / z(0.025): where there
is nothing to find, one of four models would else be called better than guessing in 6 % of runs."""

Rule = Callable[[Case], Verdict | None]


def verdict(facts: Facts, findings: Sequence[Finding], asked: str = "") -> Verdict:
    """The first row of the decision table that fits.

    asked: the role of the model that the recipe has predict use, whatever the table prefers; empty: none
    """
    case = Case(facts, findings, asked)
    found = next((each for rule in RULES if (each := rule(case)) is not None), None)
    return _asked_for(case, _doubted(case, found or _network_wins(case)))


def _asked_for(case: Case, found: Verdict) -> Verdict:
    """Where the recipe has predict use another model than the table prefers, that is said at the end."""
    if case.offers(found.prefer):
        return found
    uses = f"predict uses {case.facts.title(case.asked)}, as the recipe asks"
    return replace(found, next=f"{found.next.rstrip('.')}; {uses}.")


def _doubted(case: Case, found: Verdict) -> Verdict:
    """Where the score is better than the measurements allow, that is the first thing to ask about."""
    if not isinstance(case.facts.evidence.ceiling, Ceiling) or not case.facts.evidence.ceiling.above:
        return found
    first = "First find out how the target was made, because the score is higher than the noise of the measurements allows"
    return replace(found, next=f"{first}; then {found.next[0].lower()}{found.next[1:]}")


def _undefined(case: Case) -> Verdict | None:
    facts = case.facts
    score = facts.score()
    if score is not None and score.value is not None:
        return None
    reason = "not scored" if score is None else score.undefined
    return Verdict(
        "undefined",
        f"{_capital(facts.metric.title)} is {reason} (on {tested(facts)}).",
        "Choose a split whose test records differ in the target, or another target.",
    )


def _too_few(case: Case) -> Verdict | None:
    few = case.problem("data.few_test_records")
    unclear = next((entry for entry in case.rivals() if entry.low is None), None)
    if few is None and unclear is None:
        return None
    if few is not None:
        text = f"The score says little: {few.answer[0].lower()}{few.answer[1:]}"
    else:
        assert unclear is not None
        text = (
            f"The network cannot be compared with {case.facts.title(unclear.against)}: {unclear.undefined}."
        )
    simple, compared = case.facts.score("simple"), case.facts.difference("simple")
    beaten = compared is not None and compared.wins
    safer = simple is not None and simple.value is not None and not beaten
    offered = case.offering("simple", "; until then predict offers the simpler model") if safer else ""
    advice = _sentence(larger_test(case.facts).rstrip(".") + offered)
    return Verdict("too_few", text, advice, prefer="simple" if safer else "model")


def _leaky_test(case: Case) -> Verdict | None:
    leak = case.problem("leak.")
    if leak is None:
        return None
    answer = leak.answer.rstrip(".")
    return Verdict(
        "leaky_test",
        f"This test does not show what the network knows: {answer[0].lower()}{answer[1:]}.",
        _sentence(leak.fix),
    )


def _no_signal(case: Case) -> Verdict | None:
    facts = case.facts
    if facts.beats_guessing() or any(facts.beats_guessing(role, SEVERAL_LOOKS) for role in RIVALS):
        return None
    return _guessing(case.facts)


def _guessing(facts: Facts) -> Verdict:
    ceiling = facts.evidence.ceiling
    advice = (
        "Ask whether the inputs can hold the answer, and whether labels and records are joined correctly; "
        "then collect more records."
    )
    if isinstance(ceiling, Ceiling) and ceiling.r2 == 0:
        advice = (
            "Measure again with more replicates or reads, because the noise of these measurements is as large as all "
            "differences between records."
        )
    return Verdict(
        "no_signal", f"The network is not clearly better than guessing: {beside_guessing(facts)}.", advice
    )


def _not_beaten(case: Case) -> Verdict | None:
    """The strongest of the baselines that the network does not beat for sure."""
    unbeaten = case.unbeaten()
    if not unbeaten:
        return None
    rival = unbeaten[0]
    if not case.facts.beats_guessing() and not case.facts.beats_guessing(rival.against):
        return _guessing(case.facts)
    return _neighbour(case, rival) if rival.against == "nearest" else _simple(case, rival)


def _simple(case: Case, rival: Difference) -> Verdict:
    facts, title, far = case.facts, case.facts.title(rival.against), case.off(rival.against)
    if far:
        return _far_off(case, rival, far)
    if rival.loses:
        return Verdict(
            "simple_better",
            f"{_capital(title)} beats the network by {figures(rival, facts, turned=True)}.",
            f"Use {_named(rival)}{case.offering(rival.against)}; the network would need {_needed(rival, facts)}.",
            prefer=rival.against,
        )
    text = f"The network is not clearly better than {title}: the difference is {figures(rival, facts)}"
    if not facts.beats_guessing(rival.against):
        offers = "Predict offers the network, but do not say that it"
        return Verdict(
            "simple_as_good",
            f"{text}, though only the network is better than guessing for sure.",
            f"{offers if case.offers('model') else 'Do not say that the network'} is better; {_parted(facts)}.",
        )
    if not facts.beats_guessing():
        text += ", and only the latter is better than guessing for sure"
    easier = "faster and easier to explain" if rival.against == "simple" else "faster to train"
    offered = case.offering(rival.against, ", and is what predict offers")
    return Verdict(
        "simple_as_good",
        f"{text}.",
        f"Prefer {_named(rival)}, which is {easier}{offered}; {_parted(facts)}.",
        prefer=rival.against,
    )


def _far_off(case: Case, rival: Difference, far: str) -> Verdict:
    """A rival that does as well in the metric that decides, and whose numbers nobody could use."""
    facts, title, metric = case.facts, case.facts.title(rival.against), METRICS[rival.metric].title
    offers = "Use the network for numbers" + case.offering("model")
    if rival.loses:
        return Verdict(
            "simple_better",
            f"{_capital(title)} beats the network by {figures(rival, facts, turned=True)}, but its numbers lie far off: {far}.",
            f"{offers}, and {_named(rival)} where only the {metric} matters.",
        )
    return Verdict(
        "simple_as_good",
        f"The network is not clearly better than {title} in one respect: the difference is {figures(rival, facts)}. But the "
        f"numbers of the latter lie far off: {far}.",
        f"{offers}, but do not say that it is better in {metric}; {_parted(facts)}.",
    )


def _named(rival: Difference) -> str:
    """A baseline in the next step; its full title stands in the sentence before."""
    trees = {"boosting": "gradient boosting", "forest": "the random forest"}
    return trees.get(rival.against, "the simpler model")


def _needed(rival: Difference, facts: Facts) -> str:
    """What the network would need to catch up with a better model."""
    found, behind = doubled(facts), -(rival.difference or 0.0)
    if found is None or found.outlook == "open" or found.metric.name != rival.metric:
        return "more records, longer training, or another architecture"
    if found.outlook == "little":
        return "longer training or another architecture, because twice the data would add little to it"
    far = "only " if found.high < behind else ""
    return f"more records, longer training, or another architecture{more_data(facts, far, named=True)}"


def _parted(facts: Facts) -> str:
    """Whether more records could tell which of two models is better."""
    found = doubled(facts)
    if found is not None and found.outlook == "little":
        return "more test records may part the two, but twice the data would add little to the network"
    return f"more records may part the two{more_data(facts, named=True)}"


def _neighbour(case: Case, rival: Difference) -> Verdict:
    facts, title = case.facts, case.facts.title("nearest")
    advice = _sentence(unlike_records(facts))
    if rival.loses:
        return Verdict(
            "neighbour_as_good",
            f"{_capital(title)} is a better guide than the network, by {figures(rival, facts, turned=True)}.",
            f"Use it as a look-up{case.offering('nearest')}; {advice[0].lower()}{advice[1:]}",
            prefer="nearest",
        )
    text = (
        f"The network is not clearly better than {title}, so the score may rest on likeness to training records alone: "
        f"the difference is {figures(rival, facts)}."
    )
    others = [entry.against for entry in case.unbeaten() if entry.against != "nearest"]
    as_good = next((role for role in others if facts.beats_guessing(role)), None)
    if as_good is None:
        return Verdict("neighbour_as_good", text, advice)
    offered = f"{_capital(facts.title(as_good))} is not beaten either"
    offered += case.offering(as_good, ", and is what predict offers")
    return Verdict("neighbour_as_good", text, f"{offered}; {advice[0].lower()}{advice[1:]}", prefer=as_good)


def _network_wins(case: Case) -> Verdict:
    facts, rivals = case.facts, case.rivals()
    if not facts.beats_guessing():
        return _guessing(facts)
    if not rivals:
        text = f"The network does better than guessing: {beside_guessing(facts)}."
        return Verdict("network_wins", text, "Compare it with a simple model before you rely on it.")
    closest = min(rivals, key=lambda entry: entry.difference or 0.0)
    return Verdict(
        "network_wins",
        f"The network beats {facts.title(closest.against)} by {figures(closest, facts)}{more_data(facts)}.",
        _advice(case),
    )


def _advice(case: Case) -> str:
    """What to read before using a network that wins: the finding that says most about what it knows."""
    open_ = [finding for finding in case.findings if finding.severity in ("problem", "warning")]
    open_ = [finding for finding in open_ if finding.code != "data.too_smooth"]  # comes first in any case
    if not open_:
        return "Use the network, and look at the explanation before you trust it on other kinds of records."
    first = min(open_, key=_urgency)
    what = (
        "what the checks found"
        if len(open_) == 1
        else f"the {len(open_)} warnings of the checks, first of all"
    )
    return f"Before you use the network, read {what}: {first.answer}"


URGENT = ("skill", "leak", "folds", "training", "data", "calibration")
"""Families of checks by how much they say about what a network that wins knows."""


def _urgency(finding: Finding) -> tuple[bool, int]:
    family = finding.code.partition(".")[0]
    return finding.severity != "problem", URGENT.index(family) if family in URGENT else len(URGENT)


def _restored(case: Case) -> Verdict | None:
    """Without labels the question is how much of a record is kept, or how little it surprises."""
    found = restored(case.facts) or written(case.facts) or answered(case.facts)
    return None if found is None else Verdict(*found)


RULES: tuple[Rule, ...] = (_undefined, _too_few, _leaky_test, _restored, _no_signal, _not_beaten)
"""The decision table, first row first; where none fits, the network wins."""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return f"{_capital(text)}." if text else ""
