"""The result block: what the score is worth, in a few lines that terminal, notebook and page share.

`block` reads it from `result.json`, `summary` writes it as lines of text. No number is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bioloom.metrics import METRICS
from bioloom.report.numbers import interval, metric_title, plural, score, with_interval, without_number
from bioloom.report.questions import Fact, Result, answers, baseline_title, in_order
from bioloom.report.words import capital

NEARLY_ALL = 0.9
"""Share of the network's training records below which a rival is said to have learned from fewer."""

NETWORK = "Network"
"""How the network is called beside its rivals; `predict` may use one of these instead."""


@dataclass(frozen=True)
class Compared:
    """The deciding metric of the model or of one baseline.

    text:  the value as people read it, or why there is none
    span:  its 95 % interval in words; empty where there is none
    """

    name: str
    title: str
    text: str
    span: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Block:
    """The result of a run on one screen.

    metric:   the name of the metric that decides
    caption:  what the scores are, in one sentence
    guessing: what guessing gives; None where that is not known
    """

    title: str
    verdict: str
    next: str
    metric: str
    caption: str
    compared: tuple[Compared, ...]
    guessing: float | None
    facts: tuple[Fact, ...]


def summary(result: Result) -> list[str]:
    """The result block as lines of plain text."""
    shown = block(result)
    lines = [shown.title, "", shown.verdict]
    if shown.next:
        lines.append(f"Next: {shown.next}")
    lines += ["", shown.caption]
    lines += [f"  {'  '.join(cells)}".rstrip() for cells in aligned(shown)]
    lines.append("")
    width = max(len(fact.question) for fact in shown.facts)
    lines += [f"{fact.question:<{width}}  {fact.answer}" for fact in shown.facts]
    return lines


def aligned(shown: Block) -> list[tuple[str, str, str]]:
    """Title, value and interval of each row, padded so that numbers stand below each other."""
    title_width = max(len(row.title) for row in shown.compared)
    known = [row for row in shown.compared if row.value is not None]
    value_width = max((len(row.text) for row in known), default=1)
    ends = [row.span.split(" to ") for row in known if row.low is not None]
    low_width, high_width = (max((len(each[place]) for each in ends), default=0) for place in (0, 1))
    rows = []
    for row in shown.compared:
        value, span = (row.text, row.span) if row.value is not None else ("-", row.text)
        if row.value is not None and row.low is not None:
            low, high = row.span.split(" to ")
            span = f"{low:>{low_width}} to {high:>{high_width}}"
        rows.append((f"{row.title:<{title_width}}", f"{value:>{value_width}}", span))
    return rows


def block(result: Result) -> Block:
    """Read the result block from the content of `result.json`."""
    metric = str(result["scores"]["primary"])
    shuffle = (result.get("controls") or {}).get("label_shuffle") or {}
    return Block(
        title=title(result),
        verdict=str(result["verdict"]["text"]),
        next=str(result["verdict"].get("next") or ""),
        metric=metric,
        caption=_caption(result, metric),
        compared=_compared(result, metric),
        guessing=shuffle.get("guessing"),
        facts=answers(result),
    )


def title(result: Result) -> str:
    """What was predicted from what: "lac_promoter: expression from sequence"."""
    inputs = ", ".join(str(each["name"]) for each in result["data"]["inputs"])
    target = result["data"]["target"]
    if target.get("labelled") is False and not target.get("written"):
        return f"{result['name']}: {inputs}, learned without labels"
    targets = ", ".join(map(str, result["data"]["target"]["names"]))
    return f"{result['name']}: {targets} from {inputs}"


def network_title(result: Result) -> str:
    """How the network is called in tables: "Network", or "Mean of 5 networks"."""
    number = int(result["model"].get("members") or 1)
    return NETWORK if number == 1 else f"Mean of {number} networks"


def _caption(result: Result, metric: str) -> str:
    scored = result["scores"]["model"][metric]
    records = plural(int(scored.get("n") or result["split"]["counts"]["test"]), "test record")
    known = METRICS.get(metric)
    direction = f"; {'higher' if known.higher_is_better else 'lower'} is better" if known else ""
    name = metric_title(metric)
    return f"{capital(name)} on {records}, with 95 % intervals{direction}"


def _compared(result: Result, metric: str) -> tuple[Compared, ...]:
    baselines = result["scores"]["baselines"]
    model = _row("model", network_title(result), metric, result["scores"]["model"][metric])
    rows = [
        _row(
            name,
            f"{baseline_title(name, baselines[name])}{_fewer(baselines[name], result)}",
            metric,
            (baselines[name].get("scores") or {}).get(metric),
        )
        for name in in_order(list(baselines))
    ]
    return (model, *(_pooled_constant(row, result, metric) if row.name == "trivial" else row for row in rows))


def _fewer(baseline: Mapping[str, Any], result: Result) -> str:
    """What to add to the name of a rival that learned from clearly fewer records than the network did."""
    records, network = baseline.get("records"), result["split"]["counts"]["train"]
    return f" on {records:,} records" if records is not None and records < NEARLY_ALL * network else ""


def _pooled_constant(row: Compared, result: Result, metric: str) -> Compared:
    """One answer for all, over folds: it differs a little from fold to fold, against the fold's own records.

    Where records are ranked, the folds joined then fall below guessing by construction, which would mislead here.
    """
    known, shuffle = METRICS.get(metric), (result.get("controls") or {}).get("label_shuffle") or {}
    guessing = shuffle.get("guessing")
    if not result.get("folds") or known is None or guessing is None or row.value is None:
        return row
    if known.gain(row.value, guessing) >= 0:
        return row
    return Compared(row.name, row.title, f"guessing, which gives {score(metric, guessing)}")


def _row(name: str, title: str, metric: str, scored: Mapping[str, Any] | None) -> Compared:
    if scored is None or scored.get("value") is None:
        return Compared(name, title, with_interval(metric, scored or {}))
    low, high = scored.get("low"), scored.get("high")
    value = score(metric, scored["value"])
    span = interval(metric, scored) or without_number(scored)
    return Compared(name, title, value, span, scored["value"], low, high)
