"""Evaluation: what the same procedure scores where there is nothing to learn."""

from __future__ import annotations

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import metric_title, number, plural, score
from bioloom.report.templating import fill, typeset
from bioloom.report.words import capital


def render(facts: Facts) -> Markup | None:
    """The label-shuffle control."""
    shuffle = facts.part("controls").get("label_shuffle")
    if not shuffle:
        return None
    metric = facts["scores"]["primary"]
    given = shuffle.get("values") or []
    rows = [("This model", score(metric, facts["scores"]["model"][metric].get("value")))]
    if shuffle.get("real") is not None:
        rows.append(("True labels, the same short training", score(metric, shuffle["real"])))
    if given:
        rows.append(
            (
                f"Shuffled labels, {plural(len(given), 'training')}",
                ", ".join(score(metric, value) for value in given),
            )
        )
    if shuffle.get("guessing") is not None:
        rows.append(("Guessing", score(metric, shuffle["guessing"])))
    if shuffle.get("p") is not None:
        rows.append(("p value of the true labels", _p_value(shuffle["p"], len(given))))
    values = {
        "text": str(shuffle.get("text") or ""),
        "rows": [(name, typeset(value)) for name, value in rows],
        "metric": capital(metric_title(metric)),
    }
    return fill("controls.html", values)


def _p_value(p: float, shuffles: int) -> str:
    """The p value, saying where so few shuffles cannot give a smaller one."""
    least = abs(p * (1 + shuffles) - 1) < 1e-3
    return number(p, 2) + (f" (no p value of {plural(shuffles, 'shuffle')} can be smaller)" if least else "")


controls = sections.register(Section("controls", "evaluation", 50, "With shuffled labels", render))
