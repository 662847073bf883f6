"""Settings of modalities: how an input is read, as a recipe has it below `encoding`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bioloom.errors import UserError, did_you_mean


class ModalitySettings(BaseModel):
    """Settings of a modality, how it encodes; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def checked_settings(
    name: str, settings: type[ModalitySettings], asked: Mapping[str, Any]
) -> ModalitySettings:
    """The settings of the modality of that name; raises UserError with all mistakes at once."""
    try:
        return settings(**asked)
    except ValidationError as error:
        mistakes = [_mistake(settings, detail) for detail in error.errors()]
        raise UserError(
            f'The settings of the modality "{name}" are not right: {"; ".join(mistakes)}.',
            where=f"encoding.{name}",
            fix=f"its settings are: {', '.join(settings.model_fields) or 'none'}",
        ) from None


def _mistake(settings: type[BaseModel], detail: Any) -> str:
    key = ".".join(map(str, detail["loc"]))
    if detail["type"] == "extra_forbidden":
        return f'"{key}" is no setting.{did_you_mean(key, settings.model_fields)}'
    return f'"{key}": {detail["msg"]} (got {detail["input"]!r})'
