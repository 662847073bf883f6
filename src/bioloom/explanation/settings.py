"""Settings of methods from dotted words such as `lrp.composite`, checked before anything is worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bioloom.errors import UserError, did_you_mean
from bioloom.explanation import Explainer, ExplainerSettings, explainers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bioloom.modalities import Kind


def settings_of_methods(asked: Mapping[str, Any], used: Iterable[str]) -> dict[str, ExplainerSettings]:
    """The settings of each method that has any, by its name.

    asked: such as {"lrp.composite": "gamma"}
    used:  the methods that are asked, so that a setting which nobody would read is refused
    Raises UserError for a method or setting that does not exist, a value that does not fit, or a method that is not used.
    """
    own: dict[str, dict[str, Any]] = {}
    for dotted, value in asked.items():
        method, dot, setting = dotted.partition(".")
        if not dot:
            raise UserError(
                f'"{dotted}" does not say which method it is a setting of.',
                where="--set",
                fix="write it like --set lrp.composite=gamma",
            )
        own.setdefault(explainers[method].name, {})[setting] = value
    unused = sorted(set(own) - set(used))
    if unused:
        raise UserError(
            f"There are settings of {' and '.join(unused)}, which is not used here.",
            where="--set",
            fix=f"name it as a method too: --method {','.join(unused)}",
        )
    return {method: checked(explainers[method], settings) for method, settings in own.items()}


def refuse_unsuited(methods: Iterable[str], kinds: Iterable[Kind]) -> None:
    """Refuse methods that explain no input of these kinds, by name: none is left out in silence."""
    there = frozenset(kinds)
    fitting = [name for name, each in explainers.items() if each.accepts & there]
    for method in methods:
        if not explainers[method].accepts & there:
            raise UserError(
                f'The method "{method}" does not explain inputs of the kind {" or ".join(sorted(there))}.',
                where="--method",
                fix=f"use one of: {', '.join(fitting)}",
            )


def refuse_layer(layer: str, used: Iterable[str]) -> None:
    """Refuse the name of a layer where no method that is used looks at the maps of one."""
    if layer and not any(explainers[method].looks for method in used):
        looking = [name for name, each in explainers.items() if each.looks]
        raise UserError(
            "None of the methods used here looks at the maps of a layer.",
            where=f"--layer {layer}",
            fix=f"leave it out, or use one of: {', '.join(looking)}",
        )


def checked(explainer: type[Explainer], asked: Mapping[str, Any]) -> ExplainerSettings:
    """The settings of a method, with the usual ones filled in; all mistakes are reported at once."""
    try:
        return explainer.Settings(**asked)
    except ValidationError as error:
        known = explainer.Settings.model_fields
        mistakes = [_mistake(known, detail) for detail in error.errors()]
        raise UserError(
            f"The settings of {explainer.name} are not right: {'; '.join(mistakes)}",
            where="--set",
            fix=f"its settings are: {', '.join(known)}" if known else "leave them out: it has none",
        ) from None


def _mistake(known: Mapping[str, Any], detail: Any) -> str:
    key = ".".join(map(str, detail["loc"]))
    if detail["type"] == "extra_forbidden":
        return f'"{key}" is no setting.{did_you_mean(key, known)}'
    return f'"{key}": {detail["msg"]} (got {detail["input"]!r}).'
