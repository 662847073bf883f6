"""`bioloom parts show NETWORK --input SIZE`, `parts layer` and `parts convolve`: sizes and sums of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, table
from bioloom.errors import UserError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bioloom.modalities import Shape
    from bioloom.models.layers import LayerTable
    from bioloom.models.sums import Window

Picture = Annotated[
    str, typer.Argument(metavar="PICTURE", help='Rows of numbers: "110 011 001", "0,50 30,0".')
]


def layers(
    network: str, inputs: list[str], outputs: int, words: list[str]
) -> tuple[dict[str, Any], list[RenderableType]]:
    """The layers of a network as JSON and as a table.

    inputs: sizes, "20x4", or with the names of inputs, "utr5=20x4"
    words:  settings of the network, "key=value"
    """
    from bioloom.models.layers import layers_of
    from bioloom.recipe import parse_settings

    sizes = _named(inputs)
    settings = {key.removeprefix("model.settings."): value for key, value in parse_settings(words).items()}
    found = layers_of(network, sizes, outputs, settings)
    return _document(found), _shown(found, sizes)


def show_layer(
    size: Annotated[str, typer.Argument(metavar="SIZE", help="What enters, such as 32x32x3, 20x4 or 40.")],
    *,
    covers: Annotated[
        int, typer.Option("--covers", metavar="F", min=0, help="Places that a filter or pool covers.")
    ] = 0,
    filters: Annotated[
        int,
        typer.Option(
            "--filters", metavar="NUMBER", min=0, help="Filters; without it a pool, which has no weights."
        ),
    ] = 0,
    stride: Annotated[
        int, typer.Option("--stride", metavar="S", min=1, help="Places from stop to stop.")
    ] = 1,
    padding: Annotated[
        int, typer.Option("--padding", metavar="P", min=0, help="Empty places at each end.")
    ] = 0,
    units: Annotated[
        int, typer.Option("--units", metavar="NUMBER", min=0, help="Units of a dense layer instead.")
    ] = 0,
    json: options.Json = False,
) -> None:
    """Work out one layer: places after a filter or pool, (W - F + 2P)/S + 1, and how many numbers it learns."""
    from bioloom.models.layers import parse_shape
    from bioloom.models.sums import Window

    if bool(covers) == bool(units):
        raise UserError(
            "A layer covers some places (--covers F) or has units (--units NUMBER).",
            fix="bioloom parts layer 32x32x3 --covers 5 --filters 10 --padding 2",
        )
    shape = parse_shape(size)
    if units:
        document, lines = _dense(shape, units)
    else:
        document, lines = _sliding(shape, Window(covers, stride, 2 * padding), filters)
    Terminal(json=json).show(document, *lines)


def show_convolution(
    picture: Picture,
    kernel: Annotated[str, typer.Argument(metavar="FILTER", help='Rows of its weights: "101 010 101".')],
    *,
    stride: Annotated[
        int, typer.Option("--stride", metavar="S", min=1, help="Places from stop to stop.")
    ] = 1,
    padding: Annotated[
        int, typer.Option("--padding", metavar="P", min=0, help="Empty places at each end.")
    ] = 0,
    json: options.Json = False,
) -> None:
    """Slide one filter over a small picture and show what it makes of it, with the sum behind the first place."""
    from bioloom.models.sums import convolve, grid, products

    rows, weights = grid(picture), grid(kernel)
    values = convolve(rows, weights, stride, padding)
    first = products(rows, weights) if padding == 0 else ""
    cells = [[f"{value:g}" for value in row] for row in values]
    width = max(len(cell) for row in cells for cell in row)
    lines: list[RenderableType] = [Text("  ".join(cell.rjust(width) for cell in row)) for row in cells]
    if first:
        lines += ["", Text(f"first place: {first}")]
    Terminal(json=json).show({"values": values, "first": first}, *lines)


# ---- one layer ---------------------------------------------------------------------------------------------


def _dense(shape: Shape, units: int) -> tuple[dict[str, Any], list[RenderableType]]:
    from math import prod

    from bioloom.models.layers import in_words
    from bioloom.models.sums import dense_weights

    inputs = prod(shape.sizes)
    document = {"shape": [units], "parameters": (inputs + 1) * units, "sum": dense_weights(inputs, units)}
    flat = (
        f", {_size(_places_first(shape.sizes))} = {inputs:,} numbers in a row" if len(shape.sizes) > 1 else ""
    )
    return document, [
        Text(f"from {in_words(shape)}{flat}"),
        Text(f"to {units:,} units"),
        Text(f"parameters: {document['sum']} = {document['parameters']:,}"),
    ]


def _sliding(shape: Shape, window: Window, filters: int) -> tuple[dict[str, Any], list[RenderableType]]:
    from bioloom.models.layers import in_words
    from bioloom.models.sums import filter_weights, strides_that_fit

    channels, *sides = shape.sizes
    if not sides:
        raise UserError(
            "A filter slides along places, and columns of a table have none.",
            where="SIZE",
            fix="write positions x letters, such as 20x4, or --units for a dense layer",
        )
    after = [window.after(side) for side in sides]
    weights = filter_weights([window.covers] * len(sides), channels, filters) if filters else ""
    parameters = (window.covers ** len(sides) * channels + 1) * filters
    sizes = (*(each.places for each in after), filters or channels)
    document = {
        "shape": sizes,
        "size": list(dict.fromkeys(each.sentence for each in after)),
        "fits": all(each.left == 0 for each in after),
        "parameters": parameters,
        "sum": weights,
    }
    lines: list[RenderableType] = [Text(f"from {in_words(shape)}"), Text(f"to {_size(sizes)}", style="bold")]
    lines += [Text(f"places: {words}") for words in document["size"]]
    if not document["fits"]:
        fitting = ", ".join(map(str, strides_that_fit(sides[0], window)))
        lines.append(Text(f"strides that fit {sides[0]} places: {fitting}"))
    lines.append(
        Text(f"parameters: {weights} = {parameters:,}" if filters else "parameters: none, it is a pool")
    )
    return document, lines


# ---- layers of a network -----------------------------------------------------------------------------------


def _named(words: list[str]) -> dict[str, str]:
    """Sizes by the name of an input: "20x4", or "utr5=75x4" and "table=11"."""
    sizes = {}
    for number, word in enumerate(words, start=1):
        name, equals, size = word.rpartition("=")
        sizes[name if equals else "input" if len(words) == 1 else f"input{number}"] = size
    return sizes


def _document(found: LayerTable) -> dict[str, Any]:
    return {
        "layers": [
            {
                "name": each.name,
                "operation": each.operation,
                "shape": each.shape,
                "size": each.size,
                "parameters": each.parameters,
                "sum": each.sum,
            }
            for each in found.layers
        ],
        "other_parameters": found.others,
        "parameters": found.parameters,
        "multiplications": found.multiplications,
    }


def _shown(found: LayerTable, sizes: dict[str, str]) -> list[RenderableType]:
    from bioloom.models.layers import HEADINGS, in_words, parse_shape

    shapes = {name: parse_shape(size) for name, size in sizes.items()}
    rows = [(name, "input", _size(_places_first(shape.sizes)), "", "", "") for name, shape in shapes.items()]
    read = [Text(f"{name}: {in_words(shape)}", style="dim") for name, shape in shapes.items()]
    total = f"{found.parameters:,} parameters; {found.multiplications:,} multiplications for one record"
    shown = table(HEADINGS, [*rows, *found.rows], right=("shape after it", "parameters"))
    return [*read, "", shown, "", Text(total, style="bold")]


def _places_first(sizes: tuple[int, ...]) -> tuple[int, ...]:
    return (*sizes[1:], sizes[0])


def _size(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))
