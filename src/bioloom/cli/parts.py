"""`bioloom parts`: what bioloom is made of, and what a network looks like inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.text import Text

from bioloom.cli import calculator, options
from bioloom.cli.terminal import Terminal, hanging, table
from bioloom.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType

app = typer.Typer(invoke_without_command=True)
app.command("layer")(calculator.show_layer)
app.command("convolve")(calculator.show_convolution)

COLLECTIONS = {
    "modalities": ("what an input is", "bioloom.modalities", "modalities"),
    "tasks": ("what is predicted (--task)", "bioloom.tasks", "TASKS"),
    "splits": ("how records are divided (--split)", "bioloom.data.split", "splitters"),
    "networks": ("what can learn (--set model.network=NAME)", "bioloom.models", "networks"),
    "simple models": ("what a network has to beat", "bioloom.models", "simple_models"),
    "metrics": ("how good predictions are", "bioloom.metrics", "METRICS"),
    "checks": ("what is looked at before a score is believed", "bioloom.evaluation.checks", "checks"),
    "explainers": ("why a model answers as it does (--method)", "bioloom.explanation", "explainers"),
    "effects of columns": (
        "what the columns of a table do to the whole model (--method)",
        "bioloom.journey.column_effects",
        "METHODS",
    ),
    "report sections": ("what the report is made of", "bioloom.report.contract", "sections"),
    "file formats": ("what can be read", "bioloom.data.readers", "readers"),
    "trackers": ("where the course of a training is written too (--track)", "bioloom.trackers", "trackers"),
    "data sets": ("what comes with bioloom", "bioloom.data.datasets", "datasets"),
}
"""Where the parts of each kind are found; the parts themselves are listed nowhere but in their files."""


class Found(NamedTuple):
    """A part and the collection it is from."""

    collection: str
    name: str
    part: Any


@app.callback()
def list_parts(context: typer.Context, json: options.Json = False) -> None:
    """List what can be combined: modalities, networks, explainers, ..."""
    if context.invoked_subcommand is not None:
        return
    document = {name: {each.name: title(each.part) for each in collect(name)} for name in COLLECTIONS}
    shown: list[RenderableType] = []
    width = max(len(part) for parts in document.values() for part in parts)
    for collection, parts in document.items():
        shown.append(
            Text.assemble((collection.capitalize(), "bold"), (f": {COLLECTIONS[collection][0]}", "dim"))
        )
        shown += [hanging(f"  {name:<{width}}  ", Text(words)) for name, words in parts.items()]
        shown.append("")
    shown.append("bioloom parts show NAME   tells more about one, such as the settings of a network")
    Terminal(json=json).show(document, *shown)


@app.command("show")
def show_part(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that bioloom parts lists.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="SIZE",
            help="Size of the input of a network: positions x letters, such as 20x4, a picture, such as 28x28x1, or the "
            "number of columns. Repeat it (name=SIZE) for a network that joins several.",
        ),
    ] = None,
    outputs: Annotated[int, typer.Option("--outputs", metavar="NUMBER", min=1, help="Numbers it gives.")] = 1,
    settings: options.Settings = None,
    json: options.Json = False,
) -> None:
    """Tell what a part is and its settings; with --input the layers of a network, with shapes and parameters."""
    found = find(name)
    document: dict[str, Any] = {}
    shown: list[RenderableType] = []
    for each in found:
        document |= {"name": each.name, "collection": each.collection, "title": title(each.part)}
        document["settings"] = settings_of(each.part)
        shown += [
            Text.assemble((each.name, "bold"), (f"  {each.collection}", "dim")),
            Text(title(each.part)),
            "",
        ]
        shown += _paragraphs(each.part)
        shown += _settings(document["settings"], _section(each))
    networks = [each.part for each in found if each.collection == "networks"]
    if inputs and networks:
        layers, lines = calculator.layers(name, inputs, outputs, settings or [])
        document["layers"] = layers
        shown += lines
    elif inputs:
        raise UserError(
            f'"{name}" is no network and has no layers.', where="--input", fix="leave out --input"
        )
    elif networks:
        example = "28x28x1" if networks[0].accepts == {"image"} else "20x4"
        shown.append(
            f"bioloom parts show {name} --input {example} --outputs 2   shows its layers for such an input"
        )
    Terminal(json=json).show(document, *shown)


# ---- finding -----------------------------------------------------------------------------------------------


def collect(collection: str) -> Iterator[Found]:
    """All parts of one collection, in its order."""
    _, module, attribute = COLLECTIONS[collection]
    parts: Mapping[str, Any] = getattr(import_module(module), attribute)
    for name in parts:
        yield Found(collection, name, parts[name])


def find(name: str) -> list[Found]:
    """The parts of that name; there may be one in several collections."""
    everything = [each for collection in COLLECTIONS for each in collect(collection)]
    found = [each for each in everything if each.name == name]
    if not found:
        known = [each.name for each in everything]
        raise UserError(
            f'There is no part called "{name}".{did_you_mean(name, known)}',
            fix=_with_depth(name) or "bioloom parts lists them all",
        )
    return found


def _with_depth(name: str) -> str:
    """The command for a network of pictures that is named with its depth, such as resnet18 or VGG-16; else empty."""
    family = name.lower().rstrip("0123456789").rstrip("-_")
    depth = name[len(family) :].strip("-_")
    parts = [each.part for each in collect("networks") if each.name == family and depth]
    deep = [part for part in parts if "depth" in settings_of(part) and part.accepts == {"image"}]
    asked = f"bioloom parts show {family} --set depth={depth} --input 224x224x3 --outputs 1000"
    return asked if deep else ""


def title(part: Any) -> str:
    """What a part is, in one line."""
    return str(getattr(part, "title", "") or getattr(part, "question", ""))


def settings_of(part: Any) -> dict[str, dict[str, Any]]:
    """The settings of a part by name: kind of value, default, what it is for."""
    model: type[BaseModel] | None = getattr(part, "Settings", None)
    if model is None:
        return {}
    described = model.model_json_schema()["properties"] if model.model_fields else {}
    return {
        name: {
            "type": _kind(described.get(name, {})),
            "default": each.get_default(call_default_factory=True),
            "description": each.description or "",
        }
        for name, each in model.model_fields.items()
    }


def _section(found: Found) -> str:
    """Where `--set` finds the settings of a part."""
    own = {"modalities": f"encoding.{found.name}", "explainers": found.name}
    return own.get(found.collection, "model.settings")


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"] if each.get("type") != "null")
    if schema.get("type") == "array" and "items" in schema:
        return f"list of {_kind(schema['items'])}"
    limits = [
        f">= {schema['minimum']}" if "minimum" in schema else "",
        f"<= {schema['maximum']}" if "maximum" in schema else "",
    ]
    limits += [f"> {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""]
    limits += [f"< {schema['exclusiveMaximum']}" if "exclusiveMaximum" in schema else ""]
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true | false"}
    return " ".join(
        filter(
            None,
            [words.get(schema.get("type", ""), schema.get("type", "any")), ", ".join(filter(None, limits))],
        )
    )


# ---- showing -----------------------------------------------------------------------------------------------


def _paragraphs(part: Any) -> list[RenderableType]:
    """What the file of a part says about it; a row of a table says it in `plain`."""
    text = part.__doc__ if isinstance(part, type) else getattr(part, "plain", "")
    lines = [line.strip() for line in (text or "").strip().splitlines()]
    paragraphs = " ".join(line or "\n" for line in lines).split("\n")
    shown: list[RenderableType] = []
    for paragraph in filter(None, map(str.strip, paragraphs)):
        shown += [Text(paragraph), ""]
    return shown


def _settings(settings: Mapping[str, Mapping[str, Any]], section: str) -> list[RenderableType]:
    if not settings:
        return []
    rows = [
        (f"{section}.{name}", str(each["default"]), each["type"], each["description"])
        for name, each in settings.items()
    ]
    return [table(("setting (--set)", "default", "value", "what it is"), rows), ""]
