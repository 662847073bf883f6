"""Which number of an answer is explained, as users name it, and what its attributions are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bioloom.errors import UserError, did_you_mean
from bioloom.explanation import Scale, Target
from bioloom.targets import Targets

OUTPUTS_AT_MOST = 4
"""Targets or classes explained by default: the first ones."""


@dataclass(frozen=True)
class Sought:
    """What users ask about.

    target:  a class or a target column by its name; empty: each of the first ones
    against: another class, whose number is subtracted: "why this and not that"
    scale:   "raw" (logits, or the target's own units), "probability" or "log_odds"
    """

    target: str = ""
    against: str = ""
    scale: str = Scale.RAW.value


EACH = Sought()
"""Each class or target by itself."""


@dataclass(frozen=True)
class Number:
    """A number of an answer.

    output: what explainers are told
    name:   of the target or class; empty where there is only one
    effect: what an attribution is, with its unit
    factor: by which attributions are multiplied to be in that unit
    """

    output: int | Target
    name: str
    effect: str
    factor: float = 1.0


def numbers_of(targets: Targets, sought: Sought, outputs: Sequence[int] = ()) -> list[Number]:
    """The numbers that are explained; UserError where a name is not known or a scale makes no sense."""
    scale = _scale(targets, sought)
    if not sought.target:
        if sought.against:
            raise UserError(
                "It is not said which class is compared with that one.",
                where="--against",
                fix="name the class to compare with --target",
            )
        chosen = outputs or range(min(targets.explained, OUTPUTS_AT_MOST))
        return [_number(targets, each, scale) for each in chosen]
    first = _found(targets, sought.target, "--target")
    if not targets.classes:
        return [_number(targets, first, scale)]
    second = _found(targets, sought.against, "--against") if sought.against else None
    if second == first:
        raise UserError("A class is compared with itself.", where="--against", fix="name another class")
    output = Target(first, scale, second, classes=targets.outputs == 1)
    name = targets.classes[first]
    effect = _of_class(targets, name, scale)
    if second is not None:
        name = f"{name} against {targets.classes[second]}"
        effect = f"{effect} less that of {targets.classes[second]}"
    return [Number(output, name, effect)]


def _scale(targets: Targets, sought: Sought) -> Scale:
    if sought.scale not in tuple(Scale):
        raise UserError(
            f'There is no scale "{sought.scale}".{did_you_mean(sought.scale, tuple(Scale))}',
            where="--scale",
            fix=f"use one of: {', '.join(Scale)}",
        )
    scale = Scale(sought.scale)
    if not targets.classes and (scale is not Scale.RAW or sought.against):
        raise UserError(
            "This model predicts numbers and no classes, which have no probabilities.",
            where="--against" if sought.against else "--scale",
            fix="leave it out",
        )
    return scale


def _found(targets: Targets, name: str, where: str) -> int:
    known = targets.classes or targets.names
    if name not in known:
        what = "class" if targets.classes else "target"
        raise UserError(
            f'There is no {what} "{name}".{did_you_mean(name, known)}',
            where=where,
            fix=f"use one of: {', '.join(known[:20])}",
        )
    return known.index(name)


def _number(targets: Targets, output: int, scale: Scale) -> Number:
    """One of the first outputs, as they are numbered."""
    if targets.tokens:
        return Number(0, "", f"Change of the log-likelihood of {targets.names[0]} as it is written")
    several = targets.outputs > 1
    if not targets.classes:
        name = targets.names[output]
        return Number(output, name if several else "", f"Change of {name}", targets.scale[output])
    name = targets.classes[1] if targets.outputs == 1 else targets.classes[output]
    told = output if scale is Scale.RAW else Target(output, scale)
    return Number(told, name if several else "", _of_class(targets, name, scale))


def _of_class(targets: Targets, name: str, scale: Scale) -> str:
    if scale is Scale.PROBABILITY:
        return f"Change of the probability of {name}"
    logits = scale is Scale.RAW and targets.outputs > 1
    return f"Change of the {'logit' if logits else 'log odds'} of {name}"
