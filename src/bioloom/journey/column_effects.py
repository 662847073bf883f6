"""What the columns of a table do to a model as a whole: importance, partial dependence, interaction, on test records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioloom.data.wording import listed
from bioloom.errors import UserError
from bioloom.explanation.dependence import Dependence, Interactions, dependence_of_each, interactions_of_each
from bioloom.figures import style
from bioloom.figures.bars import Bar, attributions
from bioloom.figures.dependence import Curve, dependences
from bioloom.files import word, write_text
from bioloom.journey.importance import Asked, Effort, Importance, Unseen, importances
from bioloom.journey.sought import OUTPUTS_AT_MOST
from bioloom.metrics import METRICS
from bioloom.modalities import Kind
from bioloom.models import networks
from bioloom.targets import Targets
from bioloom.tasks import task
from bioloom.trained import Model

PAIRED = 60
"""Records whose columns are exchanged with one another to see interactions: the cost grows with their square."""


@dataclass(frozen=True)
class Place:
    """Where files go, and what is known before.

    prefix:    begins every file name
    ending:    of figures: svg, png or pdf
    strongest: by input, columns from the strongest on, as attributions found them
    """

    folder: Path
    prefix: str = ""
    ending: str = "svg"
    strongest: Mapping[str, Sequence[str]] = field(default_factory=dict)


def tables(model: Model, widest: int = 1_000_000) -> list[str]:
    """The inputs of a model that are made of columns, not more than so many."""
    return [
        name
        for name, each in model.modalities.items()
        if each.kind is Kind.VECTOR and each.columns == "many" and len(model.inputs[name].columns) <= widest
    ]


def column_effects(
    model: Model, unseen: Unseen, effort: Effort, methods: Sequence[str], place: Place
) -> list[dict[str, Any]]:
    """Work out what is asked about each table of a model, write it, and give the entries of `result.json`.

    Raises UserError where the model has no table.
    """
    names = tables(model, effort.widest)
    if not names:
        raise UserError(
            "These methods ask about columns, and no input of this model is made of columns.",
            where=", ".join(methods),
            fix="name explainers that bioloom parts lists",
        )
    entries = []
    some = unseen.some(effort.rows)
    for name in names:
        asked = Asked(
            model, some, name, _columns(some.frames[name], place.strongest.get(name, ()), effort), effort
        )
        found = importances(asked)
        for method in methods:
            entries.append(METHODS[method].tell(asked, found, place))
    return entries


def _columns(frame: pd.DataFrame, strongest: Sequence[str], effort: Effort) -> tuple[str, ...]:
    """The columns that are asked about: those that differ between records, the strongest where there are too many."""
    there = set(frame.columns)
    ordered = list(dict.fromkeys([*(name for name in strongest if name in there), *frame.columns]))
    varying = (name for name in ordered if frame[name].nunique(dropna=False) > 1)
    chosen = set(islice(varying, effort.columns))
    return tuple(name for name in frame.columns if name in chosen)


# ---- entries of the result ------------------------------------------------------------------------------------------


def _tell_importance(asked: Asked, found: list[Importance], place: Place) -> dict[str, Any]:
    metric = METRICS[task(asked.model.targets.task).primary]
    label = f"{'Fall' if metric.higher_is_better else 'Rise'} of {metric.title} when shuffled"
    bars = [_bar(each, each.score.value) for each in found if each.score.value is not None]
    rows = [
        {"columns": " + ".join(each.columns), "importance": each.score.value, "low": each.score.low,
         "high": each.score.high, "error_of_shuffling": each.chance}
        for each in found
    ]  # fmt: skip
    title = "Which columns the model needs to predict well"
    return _entry(asked, "permutation_importance") | {
        "effect": f"{label}, with its 95 % interval over records; above 0 the model needs the column",
        "reference": f"the same {asked.unseen.part} records, the cells of a column shuffled between them",
        "settings": {"metric": metric.name, "repeats": asked.effort.repeats, "draws": asked.effort.draws},
        "text": _whose(asked.model) + _importance_words(found, metric.title),
        **_written(
            asked,
            place,
            "permutation_importance",
            [("columns", title, attributions(bars, label=fill(label, 36), sizes=True))],
            rows,
        ),
    }


def _bar(found: Importance, value: float) -> Bar:
    low, high = (np.nan if end is None else end for end in (found.score.low, found.score.high))
    return Bar(found.name, value, low, high)


def _whose(model: Model) -> str:
    """Which model was asked, where it is another one than that whose predictions are explained record by record."""
    if model.delivered == "network":
        return ""
    return (
        f"This is about {_called(model)}, which predict uses; single records are explained for the network. "
    )


def _importance_words(found: Sequence[Importance], metric: str) -> str:
    """Which columns are needed, and which nobody would miss."""
    single = [each for each in found if len(each.columns) == 1 and each.score.value is not None]
    if not single:
        return f"{metric} is not defined on these records, so nothing can be said."
    needed = [each for each in single if each.score.low is not None and each.score.low > 0]
    unsure = len(single) - len(needed)
    words = []
    if not needed:
        words.append(
            "No column by itself can be told from one that the model does not need: all intervals hold 0."
        )
    else:
        told = ", ".join(f"{each.name} ({each.score.value:.2g})" for each in needed[:3])
        words.append(
            f"Shuffled between records, these columns make predictions worse the most, in {metric}: {told}."
        )
        if unsure == 1:
            words.append("One other column cannot be told from one that the model does not need.")
        elif unsure:
            words.append(f"{unsure} other columns cannot be told from columns that the model does not need.")
    for each in [each for each in found if len(each.columns) > 1 and each.score.value is not None][:2]:
        words.append(
            f"{listed(each.columns, 4)} go along with each other and can stand in for one another: shuffled together they "
            f"cost {each.score.value:.2g}."
        )
    return " ".join(words)


def _tell_dependence(asked: Asked, found: list[Importance], place: Place) -> dict[str, Any]:
    names, predict = _numbers(asked)
    top = [each.columns[0] for each in found if len(each.columns) == 1][: max(1, asked.effort.followed)]
    every = [dependence_of_each(predict, asked.frame, column) for column in top]
    by_output = {what: [each[number] for each in every] for number, what in enumerate(names)}
    several = len(names) > 1
    all_names = listed(names, OUTPUTS_AT_MOST) if several else names[0]
    figures, words, rows = [], [], []
    for number, (what, followed) in enumerate(by_output.items(), 1):
        curves = [Curve(each.column, each.values, each.curves, each.seen) for each in followed]
        title = f"How predicted {what} follows the columns that matter most"
        figures.append(
            (
                f"curves{number}" if several else "curves",
                title,
                dependences(curves, label=f"Predicted {what}"),
            )
        )
        words += _dependence_words(followed[:1] if several else followed, what)
        rows += [
            ({"output": what} if several else {}) | row for each in followed for row in _curve_rows(each)
        ]
    words.append(
        "Where thin lines run in different directions, what the column does depends on other columns."
    )
    return _entry(asked, "partial_dependence") | {
        "effect": f"Predicted {all_names} with one value in all records: thin lines are records, the thick one their mean",
        "reference": f"the same {asked.unseen.part} records with the column set to other values",
        "settings": {"columns": top, "output": all_names},
        "text": " ".join(words),
        **_written(asked, place, "partial_dependence", figures, rows),
    }


def _curve_rows(followed: Dependence) -> Iterator[dict[str, Any]]:
    ends = np.quantile(followed.curves, [0.05, 0.95], axis=0)
    for value, mean, low, high in zip(followed.values, followed.mean, *ends, strict=True):
        yield {"column": followed.column, "value": value, "mean": mean, "low": low, "high": high}


def _dependence_words(followed: Sequence[Dependence], what: str) -> list[str]:
    words = []
    for each in followed:
        low, high = int(each.mean.argmin()), int(each.mean.argmax())
        ends = " to ".join(f"{float(each.mean[place]):.3g}" for place in (low, high))
        where = [value if isinstance(value, str) else f"{value:.3g}" for value in each.values]
        words.append(
            f"Over {each.column}, mean predicted {what} goes from {ends}: lowest at {where[low]}, highest at {where[high]}."
        )
    return words


def _tell_interactions(asked: Asked, found: list[Importance], place: Place) -> dict[str, Any]:
    some = asked.unseen.some(PAIRED)
    names, predict = _numbers(replace(asked, unseen=some))
    top = [each.columns[0] for each in found if len(each.columns) == 1][: max(2, asked.effort.followed)]
    by_output = dict(zip(names, interactions_of_each(predict, some.frames[asked.input], top), strict=True))
    label = fill("Share of what both do that is interaction (H²)", 36)
    several = len(names) > 1
    figures, rows, words = [], [], []
    for number, (what, shares) in enumerate(by_output.items(), 1):
        bars = [Bar(" × ".join(pair), share) for pair, share in shares.pairs.items() if np.isfinite(share)]
        title = "Which columns act together" + (f" on {what}" if several else "")
        figures.append(
            (f"pairs{number}" if several else "pairs", title, attributions(bars, label=label, sizes=True))
        )
        words.append(
            (f"{what[:1].upper()}{what[1:]}: " if several else "") + _interaction_words(shares.pairs)
        )
        rows += [({"output": what} if several else {}) | row for row in _interaction_rows(shares)]
    return _entry(asked, "interactions") | {
        "effect": "Friedman's H squared: 0 where the effects of two columns add up, 1 where neither does anything alone",
        "reference": f"{len(some.truth)} {asked.unseen.part} records that exchange their cells",
        "records": len(some.truth),
        "settings": {"columns": top, "output": listed(names, OUTPUTS_AT_MOST) if several else names[0]},
        "text": " ".join(words),
        **_written(asked, place, "interactions", figures, rows),
    }


def _interaction_rows(shares: Interactions) -> Iterator[dict[str, Any]]:
    for pair, share in shares.pairs.items():
        yield {"columns": " x ".join(pair), "h_squared": share}
    for name, share in shares.alone.items():
        yield {"columns": f"{name} x all others", "h_squared": share}


def _interaction_words(pairs: Mapping[tuple[str, str], float]) -> str:
    known = {pair: share for pair, share in pairs.items() if np.isfinite(share)}
    if not known:
        return "These columns have no effect on predictions that could interact."
    (one, other), share = max(known.items(), key=lambda each: each[1])
    if share < 0.01:
        return "What these columns do adds up: less than 1 % of what any two of them do is interaction."
    return (
        f"The strongest interaction is that of {one} and {other}: {share:.0%} of what both do is more than the sum of what "
        "each does. A large share of a small effect is still small: look at their importance first."
    )


def _outputs(targets: Targets) -> list[str]:
    """What is predicted, in words: each of the first targets, or the probability of each of the first classes."""
    if targets.positive:
        return [f"probability of {targets.positive}"]
    if targets.classes:
        return [f"probability of {each}" for each in targets.classes[:OUTPUTS_AT_MOST]]
    return list(targets.names[:OUTPUTS_AT_MOST])


def _numbers(asked: Asked) -> tuple[list[str], Callable[[pd.DataFrame], NDArray[np.float64]]]:
    """What columns are followed in, in words, and how these numbers are predicted, (rows, numbers)."""
    names = _outputs(asked.model.targets)
    return names, lambda frame: asked.values(frame)[:, : len(names)].astype(np.float64)


def _entry(asked: Asked, method: str) -> dict[str, Any]:
    return {
        "input": asked.input,
        "method": method,
        "title": METHODS[method].title,
        "output": "",
        "records": len(asked.unseen.truth),
        "delta": None,
        "model": _called(asked.model),
    }


def _called(model: Model) -> str:
    """The model that was asked: the one that predict uses."""
    if model.rival is not None and model.delivered != "network":
        return model.rival.title
    return networks[model.recipe.model.network].title


def _written(
    asked: Asked,
    place: Place,
    method: str,
    figures: Sequence[tuple[str, str, Figure]],
    rows: list[dict[str, Any]],
) -> dict[str, Any]:
    """Write a table of numbers and figures; their places in the run folder."""
    stem = f"{place.prefix}{word(asked.input, also='')}-{method}"
    file = f"explanations/{stem}.csv"
    table = pd.DataFrame(rows)
    write_text(place.folder / file, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    return {"file": file, "figures": list(_drawn(place, stem, figures))}


def _drawn(place: Place, stem: str, figures: Sequence[tuple[str, str, Figure]]) -> Iterator[dict[str, str]]:
    for name, title, figure in figures:
        file = f"figures/{stem}-{name}.{place.ending}"
        style.save(figure, place.folder / file)
        yield {"file": file, "title": title, "alt": style.alt_text(figure)}


# ---- the methods -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ColumnEffect:
    """One way of saying what columns do to the whole model; `tell` gives the entry of `result.json`."""

    name: str
    title: str
    tell: Callable[[Asked, list[Importance], Place], dict[str, Any]]


METHODS: dict[str, ColumnEffect] = {
    each.name: each
    for each in (
        ColumnEffect(
            "permutation_importance",
            "Permutation importance (what predictions lose when a column is shuffled)",
            _tell_importance,
        ),
        ColumnEffect(
            "partial_dependence", "Partial dependence (how predictions follow a column)", _tell_dependence
        ),
        ColumnEffect(
            "interactions",
            "Interactions (which columns do together what neither does alone)",
            _tell_interactions,
        ),
    )
}
"""What can be asked of a table as a whole, by name, beside the explainers of single records."""
