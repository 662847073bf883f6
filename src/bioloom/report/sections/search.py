"""Optimisation: which candidates were tried on validation records, what each reached, and which was taken and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bioloom.figures.candidates import candidates as draw
from bioloom.metrics import METRICS
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import Image, from_figure
from bioloom.report.numbers import count, duration, metric_title, score, short
from bioloom.report.questions import baseline_title, in_order
from bioloom.report.templating import fill
from bioloom.report.words import capital, listed

CAPTION = (
    "The longest of the short trainings of each candidate. All were scored on the same validation records."
)

SHOWN = 12
"""Candidates in the table; the others are in result.json."""


def render(facts: Facts) -> Markup | None:
    """What was tried, as a table, and what was decided."""
    found = facts.part("search")
    if not found:
        return None
    tried: list[Mapping[str, Any]] = list(found.get("candidates") or ())
    values: dict[str, Any] = {"text": str(found.get("text") or ""), "rows": [], "folds": ""}
    if tried:
        metric = str(found["metric"])
        seconds = (facts.part("timing").get("search")) or {}
        ranked = sorted(tried, key=lambda each: _rank(each, metric))
        rows = [_row(each, metric, str(found["default"]), seconds) for each in ranked]
        values |= {
            "head": ("Candidate", "What differs", "Records", "Epochs", "Time", capital(metric_title(metric))),
            "rows": rows[:SHOWN] + _whole(found, metric, facts),
            "left": max(0, len(rows) - SHOWN),
            "image": _image(found, tried),
            "folds": _folds(found.get("folds") or {}),
            "unfit": [f"{name}: {why}" for name, why in (found.get("unfit") or {}).items()],
        }
    return fill("search.html", values)


def _rank(candidate: Mapping[str, Any], metric: str) -> tuple[float, ...]:
    """Those that came further first, then the better ones; those that failed last."""
    last = candidate["rounds"][-1]["score"]
    lower = metric in METRICS and not METRICS[metric].higher_is_better
    value = 0.0 if last is None else last if lower else -last
    return -len(candidate["rounds"]), last is None, value


def _row(
    candidate: Mapping[str, Any], metric: str, default: str, seconds: Mapping[str, float]
) -> tuple[str, ...]:
    last, name = candidate["rounds"][-1], str(candidate["name"])
    roles = [*(["default"] if name == default else []), *(["taken"] if candidate["chosen"] else [])]
    reached = str(candidate.get("failed") or "") or score(metric, last["score"])
    return (
        f"{name} ({', '.join(roles)})" if roles else name,
        _changes(candidate["changes"]) or "nothing: the network as it is",
        count(last["records"]),
        count(last["epochs"]),
        duration(seconds[name]) if name in seconds else "",
        reached,
    )


def _changes(changes: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{'learning rate ×' if key == 'rate' else key.rpartition('.')[2].replace('_', ' ')} {_value(value)}"
        for key, value in changes.items()
    )


def _value(value: Any) -> str:
    if isinstance(value, list):
        return " + ".join(map(_value, value)) or "none"
    return short(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _whole(found: Mapping[str, Any], metric: str, facts: Facts) -> list[tuple[str, ...]]:
    """What the whole training and the simple models reach on the same records."""
    learned, ran = count(facts["split"]["counts"]["train"]), count(facts["training"]["epochs_run"])
    rows: list[tuple[str, ...]] = [
        ("What was trained in the end", "", learned, ran, "", score(metric, found.get("trained")))
    ]
    simple, known = found.get("simple") or {}, facts["scores"]["baselines"]
    for role in in_order([role for role in simple if role != "trivial"]):
        title = baseline_title(role, known[role]) if role in known else role
        rows.append((capital(title), "a simpler model", "", "", "", score(metric, simple[role])))
    return rows


def _image(found: Mapping[str, Any], tried: Sequence[Mapping[str, Any]]) -> Image:
    losses = {
        str(each["name"]): [loss for loss in each["validation_loss"] if loss is not None] for each in tried
    }
    figure = draw(losses, default=str(found["default"]), chosen=str(found["chosen"]))
    return from_figure(figure, caption=CAPTION)


def _folds(folds: Mapping[str, int]) -> str:
    """In how many folds which candidate was taken."""
    total = sum(folds.values())
    if not total:
        return ""
    counted = listed([f"{name} in {number} of {total}" for name, number in folds.items()])
    return f"Each fold of the cross-validation searched anew on its own training and validation records, and took {counted}."


search = sections.register(Section("search", "optimisation", 5, "What was tried", render))
