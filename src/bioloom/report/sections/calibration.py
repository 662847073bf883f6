"""Evaluation: whether stated probabilities, and the size of predicted numbers, can be taken at their word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bioloom.figures.reliability import Point, reliability
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import Image, from_figure
from bioloom.report.numbers import number, plural
from bioloom.report.templating import fill, typeset

TARGETS_AT_MOST = 12
"""Targets whose slopes are listed."""


def render(facts: Facts) -> Markup | None:
    """The reliability diagram of probabilities; slopes of predicted numbers."""
    block = facts.part("calibration")
    stated, numbers = block.get("probability") or {}, block.get("numbers") or []
    if not stated and not numbers:
        return None
    values = {
        "text": str(block.get("text") or ""),
        "image": _image(stated) if stated.get("bins") else None,
        "rows": [(name, typeset(value)) for name, value in _rows(stated, block)],
        "numbers": [_line(each) for each in numbers[:TARGETS_AT_MOST] if each.get("slope")],
        "left": max(0, len(numbers) - TARGETS_AT_MOST),
    }
    return fill("calibration.html", values)


def _image(stated: Mapping[str, Any]) -> Image:
    points = [Point(*(float(each[field]) for field in Point._fields)) for each in stated["bins"]]
    event = str(stated.get("event") or "it happened")
    caption = (
        "Each dot gathers records with similar stated probabilities. On the dashed line a stated 80 % happens in 80 % of "
        "records; dots inside the grey band cannot be told from it. Below: how often each probability is stated."
    )
    return from_figure(reliability(points, stated["counts"], event=event), caption=caption)


def _rows(stated: Mapping[str, Any], block: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Numbers behind the diagram, and how probabilities were adjusted."""
    rows = []
    if stated.get("error") is not None:
        expected = stated["expected_error"]
        rows += [
            ("Calibration error", f"{stated['error']:.1%}".replace("%", " %")),
            (
                "The same for a perfect model",
                f"{expected['low']:.1%} to {expected['high']:.1%}".replace("%", " %"),
            ),
            ("p value of the calibration error", number(stated["p"], 2)),
            ("Calibration error beyond scatter", f"{stated['debiased_error']:.1%}".replace("%", " %")),
        ]
    if stated.get("recalibration"):
        line = stated["recalibration"]
        rows += [("Slope on the logit scale (1 is right; below, too sure)", _ends(line["slope"]))]
        rows += [("Intercept on the logit scale (0 is right)", _ends(line["intercept"]))]
    return rows + _fitted(block)


def _fitted(block: Mapping[str, Any]) -> list[tuple[str, str]]:
    fitted = block.get("fitted") or {}
    rows = []
    if fitted.get("after") is not None:
        records = plural(int(fitted["records"]), "validation record")
        rows.append(("Temperature (1 changes nothing)", f"{number(fitted['temperature'])}, from {records}"))
    elif fitted.get("reason"):
        rows.append(("Temperature", f"1, because {fitted['reason']}"))
    if fitted.get("threshold", 0.5) != 0.5:
        rows.append(("Called positive from a probability of", number(fitted["threshold"])))
    operating = block.get("operating") or {}
    if operating.get("prevalence") is not None and block.get("precision_at_prevalence") is not None:
        share = f"{block['precision_at_prevalence']:.0%}".replace("%", " %")
        where = f"{operating['prevalence']:.3g}"
        rows.append((f"Positive calls that are right where the share of positives is {where}", share))
    return rows


def _line(each: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return str(each["name"]), _ends(each["slope"]), _ends(each["intercept"]), number(each.get("spread_ratio"))


def _ends(part: Mapping[str, Any]) -> str:
    return f"{number(part['value'])} ({number(part['low'])} to {number(part['high'])})"


calibration = sections.register(
    Section("calibration", "evaluation", 70, "Can the numbers be taken at their word?", render)
)
