"""Questions asked about every run, each a registered part: what was looked at, the answer, what to do.

copies       records that stand on both sides of the split, or are like those that do
giveaways    a column, an id or a length that gives the target away
skill        whether simpler models, chance or memory do as well, and what more records would add
data         too few, too uneven, missing
measurement  a target smoother than its own errors, a few records that decide the score
calibration  whether probabilities, numbers and intervals can be taken at their word
training     overfitting, predictions that are all alike, luck of the seed, shuffled labels

A check looks at `Facts` and answers, or answers None where the question does not apply. New checks are one
function with a decorator; entry points of the group `bioloom.checks` add checks from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from bioloom.evaluation.facts import Facts
from bioloom.registry import Registry

Severity = Literal["ok", "note", "warning", "problem"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note", "ok")
"""From worst to best; a problem means that the score cannot be taken at its word."""


class Answer(NamedTuple):
    """What a check saw: how bad it is, and one sentence with the figures in it.

    fix: what to do, where the usual advice of the check does not fit this run; empty where it does
    """

    severity: Severity
    text: str
    fix: str = ""


@dataclass(frozen=True)
class Check:
    """A question asked about every run.

    code: family and name, such as "leak.exact_copies"
    look: facts -> answer; None where the question does not apply
    fix:  what to do where the answer is not "ok"
    labels: whether it asks about labels that people gave; not asked of a run that learns without
    """

    code: str
    question: str
    fix: str
    look: Callable[[Facts], Answer | None]
    labels: bool = False

    @property
    def name(self) -> str:
        """The code."""
        return self.code


@dataclass(frozen=True)
class Finding:
    """The answer to one question about one run."""

    code: str
    question: str
    answer: str
    severity: Severity
    fix: str

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return asdict(self)


checks: Registry[Check] = Registry("check", "bioloom.evaluation.checks", "bioloom.checks")


def check(
    code: str, question: str, fix: str, labels: bool = False
) -> Callable[[Callable[[Facts], Answer | None]], Check]:
    """Register a function as a check; the name then stands for the check."""
    return lambda look: checks.register(Check(code, question, fix, look, labels))


def run_checks(facts: Facts) -> tuple[Finding, ...]:
    """Ask every question; worst answers first, then in order of code."""
    findings = []
    for entry in checks.values():
        answer = entry.look(facts) if facts.task.by_record or not entry.labels else None
        if answer is not None:
            fix = "" if answer.severity == "ok" else answer.fix or entry.fix
            findings.append(Finding(entry.code, entry.question, answer.text, answer.severity, fix))
    return tuple(sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code)))


def percent(share: float) -> str:
    """A share as people read it; what is there is never shown as 0 %, what is missing never as 100 %."""
    if 0 < share < 0.0005:
        return "under 0.1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %" if share >= 0.0995 or share == 0 else f"{100 * share:.1f} %"


def graded(share: float, warning: float, problem: float = 2.0) -> Severity:
    """How bad a share is: any is a note, and from these shares on a warning, a problem."""
    if share >= problem:
        return "problem"
    if share >= warning:
        return "warning"
    return "note" if share > 0 else "ok"
