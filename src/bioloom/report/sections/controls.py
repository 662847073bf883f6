"""Evaluation: what the same procedure scores where there is nothing to learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bioloom.report.contract import Facts, Section, sections
from bioloom.report.numbers import interval, metric_title, number, plural, score, signed
from bioloom.report.templating import fill, typeset
from bioloom.report.words import capital


def render(facts: Facts) -> Markup | None:
    """The label-shuffle control, and models that know little."""
    shuffle, others = facts.part("controls").get("label_shuffle"), facts.part("controls").get("others") or ()
    if not shuffle and not others:
        return None
    metric = facts["scores"]["primary"]
    values = {
        "text": str((shuffle or {}).get("text") or ""),
        "rows": [(name, typeset(value)) for name, value in _shuffled(facts, metric, shuffle or {})],
        "size": _size(shuffle or {}),
        "metric": capital(metric_title(metric)),
        "reasons": _reasons(others),
        "learned": next(
            (plural(each["records"], "training record") for each in others if each.get("records")), ""
        ),
        "others": [_other(metric, each) for each in others],
        "untrained": any(each["name"] == "untrained" for each in others),
        "properties": any(each["name"] == "properties" for each in others),
    }
    return fill("controls.html", values)


def _size(shuffle: Mapping[str, Any]) -> str:
    """How short the trainings on shuffled labels were; empty where an earlier version did not say so."""
    if not shuffle.get("records"):
        return ""
    records, epochs = plural(shuffle["records"], "training record"), plural(shuffle["epochs"], "epoch")
    return f" ({records} for at most {epochs}, and asked about no more test records than that)"


def _shuffled(facts: Facts, metric: str, shuffle: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    if not shuffle:
        return ()
    given = shuffle.get("values") or []
    rows = [("Network", score(metric, facts["scores"]["model"][metric].get("value")))]
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
    return rows


def _other(metric: str, control: Mapping[str, Any]) -> tuple[str, str, str]:
    """A model that knows little: its score, and by how much the network is better."""
    scored, difference = control.get("score") or {}, control.get("difference") or {}
    if scored.get("value") is None:
        value = "not defined"
    else:
        value = f"{score(metric, scored['value'])} ({interval(metric, scored) or 'no interval'})"
    if difference.get("difference") is None:
        return capital(str(control["title"])), value, "not defined"
    called, low, high = str(difference["metric"]), difference.get("low"), difference.get("high")
    span = "no interval" if low is None else f"{signed(called, low)} to {signed(called, high)}"
    ahead = f"{signed(called, difference['difference'])} ({span})"
    ahead += f" in {metric_title(called)}" if called != metric else ""
    return capital(str(control["title"])), value, ahead


def _reasons(others: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why a number or an interval is missing, once for each control."""
    found = [(each["title"], each.get("score") or {}, each.get("difference") or {}) for each in others]
    told = [(title, scored.get("undefined") or ahead.get("undefined")) for title, scored, ahead in found]
    return [f"{capital(str(title))}: {why}." for title, why in told if why]


def _p_value(p: float, shuffles: int) -> str:
    """The p value, saying where so few shuffles cannot give a smaller one."""
    least = abs(p * (1 + shuffles) - 1) < 1e-3
    return number(p, 2) + (f" (no p value of {plural(shuffles, 'shuffle')} can be smaller)" if least else "")


controls = sections.register(Section("controls", "evaluation", 50, "Controls", render))
