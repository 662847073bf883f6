"""What is predicted, as labels: which task fits them, which class is positive, and how they become numbers.

Nothing here depends on a network; what is learned (the scale of a number) is learned from training rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.answers import SAID, answer_truth
from bioloom.data.columns import as_numbers
from bioloom.data.masks import mask_classes, mask_grid
from bioloom.data.positions import class_grid, classes_of, number_grid
from bioloom.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LARGEST = 1e15
"""Target values beyond this are not computed with: sums of their squares leave the numbers of float32."""


def target_numbers(column: pd.Series[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The numbers of a target column, (rows,), NaN where unknown, and which filled cells are no usable number."""
    numbers, wrong = as_numbers(column)
    wrong = wrong | (np.abs(numbers) > LARGEST)
    return np.where(wrong, np.nan, numbers), wrong


NUMBERS = ("regression", "position_values")
"""Tasks whose targets are numbers with a scale of their own."""


@dataclass(frozen=True)
class Targets:
    """How labels become numbers, learned from training rows; its fields are JSON.

    names:    the target columns
    classes:  the class names in order of their number (binary: negative, positive); empty for regression
    mean, scale: per target, for standardising regression targets (1 and 0 otherwise unused)
    places:   where every place of the input has a target, how many there are along each axis: (positions,); else empty
    tokens:   where the answer is written token by token, what stands between two tokens, the end, and the tokens; else empty
    longest:  of the longest such answer, its end counted
    """

    task: str
    names: tuple[str, ...]
    classes: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    places: tuple[int, ...] = ()
    tokens: tuple[str, ...] = ()
    longest: int = 0

    @property
    def positive(self) -> str | None:
        """The class whose probability a binary model predicts."""
        return self.classes[1] if self.task == "binary" else None

    @property
    def outputs(self) -> int:
        """How many numbers a network gives for one record."""
        if self.tokens:
            return SAID + self.longest
        several = self.task == "multiclass" or bool(self.places and self.classes)
        return len(self.classes) if several else len(self.names)

    @property
    def explained(self) -> int:
        """How many numbers of an answer can be explained: of an answer that is written one, how likely it is."""
        return 1 if self.tokens else self.outputs

    def truth(self, labels: pd.DataFrame) -> NDArray[Any]:
        """Labels as numbers in the target's own units, (records, targets, *places); unknown ones are NaN."""
        if self.tokens:
            return answer_truth(labels[self.names[0]], self.tokens, self.longest)
        if self.places:
            column = labels[self.names[0]]
            if len(self.places) == 2:
                return mask_grid(column, self.classes, (self.places[0], self.places[1]))
            (width,) = self.places
            return class_grid(column, self.classes, width) if self.classes else number_grid(column, width)
        if not self.classes:
            return np.column_stack([target_numbers(labels[name])[0] for name in self.names]).astype(
                np.float32
            )
        codes = {name: number for number, name in enumerate(self.classes)}
        place, words = pd.factorize(labels[self.names[0]])
        numbers = np.array([*(codes.get(_text(word), np.nan) for word in words), np.nan], dtype=np.float32)
        return numbers[place][:, None]  # the last is that of missing cells, whose place is -1

    def column_names(self) -> tuple[str, ...]:
        """A name for each column of a prediction."""
        if self.tokens:
            each = (f"token {number + 1}" for number in range(self.longest))
            return ("nats_per_token", "share_right", "tokens", *each)
        if not self.classes:
            return self.names
        if self.task == "binary":
            return (f"p({self.classes[1]})",)
        return tuple(f"p({name})" for name in self.classes)

    def called(self, value: NDArray[np.float32], threshold: float = 0.5) -> NDArray[np.int64]:
        """The number of the class each record is called, (records, *places), from (records, 1 or classes, *places).

        threshold: probability from which a record of two classes is called positive
        """
        if value.shape[1] > 1:
            return np.asarray(value.argmax(axis=1), dtype=np.int64)
        return np.asarray(value[:, 0] >= threshold, dtype=np.int64)


def standardise(truth: NDArray[np.float32], targets: Targets) -> NDArray[np.float32]:
    """Regression truths in units of their training spread, as networks see them; classes stay as they are."""
    if targets.task not in NUMBERS:
        return truth
    mean, scale = (
        np.array(each).reshape(-1, *[1] * (truth.ndim - 2)) for each in (targets.mean, targets.scale)
    )
    return np.asarray((truth - mean) / scale, dtype=np.float32)


# ---- choosing and fitting -------------------------------------------------------------------------------

CLASSES_AT_MOST = 20
"""A column of whole numbers with at most this many distinct values and no order is still taken as numbers;
text columns with more distinct values than this (and than a tenth of the records) are refused as classes."""


UNITS_FROM = 5
"""More distinct numbers with a unit than this, such as "12 %", are measurements; fewer may be classes ("7 days")."""


def infer(labels: pd.DataFrame) -> tuple[str, str]:
    """The task that fits the target columns, and the reason in words.

    Numbers with two distinct values are two classes; other numbers are a regression; text is classes.
    Raises UserError where no task fits (text that never repeats, several class columns, no value at all).
    """
    kinds = {name: _target_kind(labels[name], str(name)) for name in labels.columns}
    if len(kinds) > 1:
        wrong = [name for name, (kind, _) in kinds.items() if kind != "regression"]
        if wrong and not all(_is_numeric(labels[name]) for name in wrong):
            raise UserError(
                f"Several targets must all be numbers, and {', '.join(map(str, wrong))} is not.",
                fix="name one class column, or several columns of numbers, with --target",
            )
        return "regression", f"{len(kinds)} columns of numbers"
    return next(iter(kinds.values()))


def refuse_unfit(labels: pd.DataFrame, task_name: str) -> None:
    """Refuse target columns that a task named by the user cannot be trained on.

    Raises UserError for several columns of classes, and for a column without a value or with only one.
    """
    if task_name != "regression" and len(labels.columns) > 1:
        raise UserError(
            f"Only one column of classes can be predicted, and {len(labels.columns)} are named: "
            f"{', '.join(map(str, labels.columns))}.",
            where=f"--task {task_name}, --target",
            fix="name one of them, or train a model for each",
        )
    for name in labels.columns:
        _distinct(labels[name], str(name))


def _distinct(column: pd.Series[Any], name: str) -> int:
    """How many different values a target has, at least two."""
    values = column.dropna()
    if values.empty:
        raise UserError(
            f'The target column "{name}" has no value.',
            where="--target",
            fix="choose another column with --target",
        )
    distinct = len({_text(value) for value in values.unique()})
    if distinct == 1:
        raise UserError(
            f'The target column "{name}" is constant: every value is {_text(values.iloc[0])!r}.',
            where="--target",
            fix="a model can only learn what differs between records; choose another column with --target",
        )
    return distinct


def _target_kind(column: pd.Series[Any], name: str) -> tuple[str, str]:
    values, distinct = column.dropna(), _distinct(column, name)
    if distinct == 2:
        return "binary", f'"{name}" has two distinct values'
    if _is_numeric(column):
        return "regression", f'"{name}" holds numbers ({distinct} distinct values)'
    _refuse_spoilt_numbers(values, name)
    if distinct > max(CLASSES_AT_MOST, len(values) // 10):
        example = _text(values[~_numeric(values)].iloc[0])
        raise UserError(
            f'The target column "{name}" is neither numbers nor classes: {distinct} distinct texts, such as {example!r}.',
            where="--target",
            fix="choose another column with --target, or add --task multiclass if each text is a class",
        )
    return "multiclass", f'"{name}" has {distinct} classes'


_WITH_UNIT = re.compile(r"[<>~]?\s*[+-]?\d+(?:[.,]\d+)?\s*([%‰]|[^\W\d]\S*)")  # "12 %", "3.5 nM"


def _refuse_spoilt_numbers(values: pd.Series[Any], name: str) -> None:
    """Refuse numbers with words between them or a unit behind them, which would be read as classes."""
    plain = _numeric(values)
    texts = values.map(_text)
    if plain.mean() >= 0.5 and texts[plain].nunique() > 2:
        raise UserError(
            f'The target column "{name}" mixes numbers and text: {int((~plain).sum()):,} of {len(values):,} cells '
            f"are no number, such as {texts[~plain].iloc[0]!r}.",
            where="--target",
            fix="correct or empty these cells; or add --task regression to leave these rows out, "
            "or --task multiclass if each value is a class",
        )
    found = [_WITH_UNIT.fullmatch(text) for text in texts]
    units = {match[1] for match in found if match}
    if all(found) and len(units) == 1 and texts.nunique() > UNITS_FROM:
        raise UserError(
            f'The target column "{name}" holds numbers with a unit, such as {texts.iloc[0]!r}.',
            where="--target",
            fix=f'remove "{units.pop()}" from the cells, or add --task multiclass if each value is a class',
        )


def _numeric(column: pd.Series[Any]) -> NDArray[np.bool_]:
    numbers, _ = as_numbers(column)
    return np.isfinite(numbers)


def _is_numeric(column: pd.Series[Any]) -> bool:
    known = column.notna().to_numpy()
    return bool(_numeric(column)[known].mean() >= 0.95)


_WHOLE = re.compile(r"([+-]?\d+)\.0*")  # "1.0", as tables with empty cells write whole numbers


def _text(cell: object) -> str:
    """A label as text: 1, 1.0 and "1.0" are the same class."""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    text = str(cell).strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


POSITIVE_WORDS = ("1", "+", "yes", "true", "positive", "pos", "active", "case", "disease", "bound", "present")
NEGATIVE_WORDS = (
    "0",
    "-",
    "-1",
    "no",
    "n",
    "false",
    "negative",
    "neg",
    "inactive",
    "control",
    "healthy",
    "unbound",
    "absent",
    "normal",
    "untreated",
)


def against_rest(labels: pd.DataFrame, positive: str) -> tuple[pd.DataFrame, str]:
    """One class against all others as one, where a column holds three classes or more; and which those are, in words."""
    name, known = labels.columns[0], labels.iloc[:, 0].dropna()
    others = sorted({_text(cell) for cell in known.unique()} - {_text(positive)})
    if len(labels.columns) > 1 or len(others) < 2 or len(others) == known.nunique():
        return labels, ""
    texts = labels.iloc[:, 0].map(_text, na_action="ignore")
    merged = texts.where(texts.isna() | (texts == _text(positive)), f"not {_text(positive)}")
    return pd.DataFrame({name: merged}, index=labels.index), f"against {', '.join(others)} together"


def class_order(labels: pd.Series[Any], task_name: str, positive: str | None) -> tuple[tuple[str, ...], str]:
    """The classes in order of their number, and how the positive class was chosen, in words."""
    if task_name == "position_classes" and positive is None:
        return classes_of(labels), ""
    if task_name == "segmentation" and positive is None:
        return mask_classes(labels), ""
    classes = sorted({_text(cell) for cell in labels.dropna().unique()})
    if task_name != "binary":
        if positive is not None:
            raise UserError(
                f"A positive class can only be named for two classes, and there are {len(classes)}.",
                where="--positive",
                fix=f'add --task binary to tell "{positive}" from all others, or leave out --positive',
            )
        return tuple(classes), ""
    if positive is not None and _text(positive) not in classes:
        raise UserError(
            f'The positive class "{positive}" is not among: {", ".join(classes)}.',
            fix="correct --positive",
        )
    if len(classes) != 2:
        raise UserError(
            f'Binary classification needs exactly two classes, and "{labels.name}" has {len(classes)}: '
            f"{', '.join(classes[:8])}.",
            fix="leave out --task; or name one of them with --positive, to tell it from all others",
        )
    if positive is not None:
        positive = _text(positive)
        return (
            next(c for c in classes if c != positive),
            positive,
        ), f'"{positive}" was named with --positive'
    for first, second in (classes, classes[::-1]):
        if first.lower() in NEGATIVE_WORDS or second.lower() in POSITIVE_WORDS:
            return (first, second), f'"{second}" reads as the positive class; name another with --positive'
    counts = labels.dropna().map(_text).value_counts()
    rare = min(classes, key=lambda name: (counts[name], name))
    other = next(name for name in classes if name != rare)
    return (
        other,
        rare,
    ), f'"{rare}" was taken as positive because it is not the more frequent; name another with --positive'


def fit_targets(
    labels: pd.DataFrame, task_name: str, classes: tuple[str, ...], places: tuple[int, ...] = ()
) -> Targets:
    """Learn the scale of regression targets from training rows; classes are given, and places where each has a target."""
    names = tuple(map(str, labels.columns))
    if places:
        return _fit_places(labels, Targets(task_name, names, classes=classes, places=places))
    if task_name != "regression":
        return Targets(task_name, names, classes=classes)
    raw = Targets(task_name, names).truth(labels)
    if not np.isfinite(raw).any(axis=0).all():
        empty = names[int(np.argmin(np.isfinite(raw).any(axis=0)))]
        raise UserError(
            f'The target "{empty}" has no value in the training rows.', fix="choose another split or target"
        )
    mean = np.nanmean(raw.astype(np.float64), axis=0)
    scale = np.nanstd(raw.astype(np.float64), axis=0)
    scale[scale == 0] = 1.0
    return Targets(task_name, names, mean=tuple(map(float, mean)), scale=tuple(map(float, scale)))


def _fit_places(labels: pd.DataFrame, targets: Targets) -> Targets:
    """The scale of numbers over all known places; classes have none."""
    if targets.classes:
        return targets
    known = targets.truth(labels).astype(np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        raise UserError(
            f'The target "{targets.names[0]}" has no value in the training rows.',
            fix="choose another split or target",
        )
    return replace(targets, mean=(float(known.mean()),), scale=(float(known.std()) or 1.0,))


def known_together(truth: NDArray[np.floating]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Targets that are known for the same records: their columns in truth, (records, targets), and these records."""
    known, which = np.unique(np.isfinite(truth), axis=1, return_inverse=True)
    return [
        (np.flatnonzero(which.reshape(-1) == i), np.flatnonzero(known[:, i])) for i in range(known.shape[1])
    ]


def targets_from_json(state: Mapping[str, Any]) -> Targets:
    """The inverse of `dataclasses.asdict` after a trip through JSON."""
    return Targets(
        task=state["task"],
        names=tuple(state["names"]),
        classes=tuple(state["classes"]),
        mean=tuple(state["mean"]),
        scale=tuple(state["scale"]),
        places=tuple(state.get("places", ())),  # older models have none
        tokens=tuple(state.get("tokens", ())),
        longest=int(state.get("longest", 0)),
    )
