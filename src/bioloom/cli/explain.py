"""`bioloom explain`: what in a record moves a model's prediction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, hanging, table
from bioloom.data.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

Records = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE]",
        help="Records to explain; test records of the run if left out.",
        show_default=False,
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        metavar="NAME",
        help="An explainer that bioloom parts lists; several as a,b or by repeating it. The usual ones if left out; "
        "with --compare one of each family, or all.",
        rich_help_panel=options.LEARNING,
    ),
]


Position = Annotated[
    int | None,
    typer.Option(
        "--position",
        metavar="NUMBER",
        help="Explain the answer at this position, counted from 1, where the model answers at every position; the mean over "
        "all if left out.",
        rich_help_panel=options.LEARNING,
        show_default=False,
    ),
]


Target = Annotated[
    str,
    typer.Option(
        "--target",
        metavar="NAME",
        help="Explain this class or target column; each of the first four if left out.",
        rich_help_panel=options.LEARNING,
        show_default=False,
    ),
]
Against = Annotated[
    str,
    typer.Option(
        "--against",
        metavar="CLASS",
        help="Explain why it is the class of --target and not this one.",
        rich_help_panel=options.LEARNING,
        show_default=False,
    ),
]
Scale = Annotated[
    str,
    typer.Option(
        "--scale",
        metavar="SCALE",
        help="Of classes: raw (logits), probability or log_odds.",
        rich_help_panel=options.LEARNING,
    ),
]
Figures = Annotated[
    str,
    typer.Option(
        "--figures",
        metavar="FORMAT",
        help="Store figures as svg, png or pdf.",
        rich_help_panel=options.LEARNING,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="METHOD.KEY=VALUE",
        help="A setting of a method, such as lrp.composite=epsilon_gamma_box; bioloom parts show METHOD lists them.",
        rich_help_panel=options.LEARNING,
    ),
]
Layer = Annotated[
    str,
    typer.Option(
        "--layer",
        metavar="NAME",
        help="Look at the maps of this layer, by methods that look at maps, such as grad_cam; the last ones if left out.",
        rich_help_panel=options.LEARNING,
        show_default=False,
    ),
]
References = Annotated[
    int | None,
    typer.Option(
        "--references",
        metavar="NUMBER",
        min=1,
        help='Backgrounds of each record, for methods that compare with "nothing here"; as suits the method if left out.',
        rich_help_panel=options.LEARNING,
        show_default=False,
    ),
]
Compare = Annotated[
    bool,
    typer.Option(
        "--compare",
        help="Measure several methods on a few records, and say which to trust there.",
        rich_help_panel=options.LEARNING,
    ),
]


def command(
    run: options.RunFolder,
    files: Records = None,
    *,
    methods: Methods = None,
    compare: Compare = False,
    target: Target = "",
    against: Against = "",
    scale: Scale = "raw",
    position: Position = None,
    settings: Settings = None,
    layer: Layer = "",
    references: References = None,
    figures: Figures = "svg",
    seed: options.Seed = None,
    device: options.DeviceOption = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Say what in a record moves the prediction; attributions and figures go to the run folder."""
    from bioloom import workflow
    from bioloom.recipe import parse_settings

    wanted = workflow.Wanted(
        methods=tuple(name for words in methods or () for name in words.split(",") if name),
        seed=seed or 0,
        device=device or "cpu",
        place=None if position is None else position - 1,
        sought=workflow.Sought(target, against, scale),
        figures=figures,
        settings=parse_settings(settings or ()),
        layer=layer,
        references=references,
    )
    terminal = Terminal(quiet, json)
    source = options.one_or_several(files) if files else None
    if compare:
        wanted = replace(wanted, records=workflow.COMPARED)
        with terminal.listening() as listener:
            tables = workflow.compare(run, source, wanted, listener)
        terminal.show({"comparisons": tables}, *(line for each in tables for line in _comparison(run, each)))
        return
    with terminal.listening() as listener:
        found = workflow.explain(run, source, wanted, listener)
    terminal.show({"explanations": found}, *(line for entry in found for line in _entry(run, entry)))


COLUMNS = {
    "insertion": "put back",
    "deletion": "taken",
    "ahead_of_random": "ahead of random",
    "infidelity": "untold",
    "like_random_weights": "random weights",
    "like_other_seed": "other seed",
    "like_other_members": "other networks",
    "sensitivity": "moves",
}
"""What the table in the terminal shows; all else is in the files."""

LEGEND = (
    "put back, taken: the prediction while parts are put back into nothing (higher is better) or taken away (lower), most "
    "important first; untold: what hiding random parts does that the map does not tell (lower); random weights: "
    "likeness to the map of an untrained network (lower); other seed, other networks: likeness of repeats (higher); "
    "moves: change of the map when records change slightly (lower)"
)


def _comparison(run: Path, found: Mapping[str, Any]) -> list[RenderableType]:
    """One table over methods, and which to trust."""
    rows = [[str(row["method"]), *(_number(row, name) for name in COLUMNS)] for row in found["methods"]]
    shown = [name for number, name in enumerate(COLUMNS.values(), 1) if any(row[number] for row in rows)]
    kept = [0, *(number for number, name in enumerate(COLUMNS.values(), 1) if name in shown)]
    heading = Text.assemble(
        ("Methods beside each other", "bold"), f", {found['records']} records of {found['input']}"
    )
    lines: list[RenderableType] = [heading, Text(f"  explained: {found['about']} ({found['scale']})")]
    lines.append(table(["method", *shown], [[row[number] for number in kept] for row in rows], right=shown))
    lines += [Text(LEGEND, style="dim"), Text(str(found["trust"]), style="bold")]
    if found.get("agreed"):
        lines.append(Text(str(found["agreed"])))
    lines += [
        hanging(f"  not used: {each['method']}: ", Text(str(each["reason"]))) for each in found["refused"]
    ]
    places = [found[name] for name in ("file", "table", "figure", "maps") if name in found]
    return [*lines, *(hanging("  ", Text(str(run / place))) for place in places), ""]


def _number(row: Mapping[str, Any], name: str) -> str:
    """A number of the table, with its interval where it has one; empty where it was not measured."""
    if row[name] is None:
        return ""
    if name != "ahead_of_random" or row["ahead_low"] is None:
        return f"{row[name]:.2f}"
    return f"{row[name]:.2f} [{row['ahead_low']:.2f}, {row['ahead_high']:.2f}]"


def _entry(run: Path, entry: Mapping[str, Any]) -> list[RenderableType]:
    """One explanation: what it says, how it can be trusted, and where its files are."""
    heading = Text.assemble(
        (str(entry["title"]), "bold"), f", {counted(entry['records'], 'record')} of {entry['input']}"
    )
    lines: list[RenderableType] = [heading]
    facts = {"": entry.get("text"), "effect: ": entry.get("effect"), "against: ": entry.get("reference")}
    lines += [hanging(f"  {word}", Text(str(text))) for word, text in facts.items() if text]
    quality = entry.get("quality") or {}
    if quality.get("ahead_low") is not None:
        told = f"{_number(quality, 'ahead_of_random')} ahead of a map drawn at random, where a whole record counts 1"
        if quality["ahead_low"] <= 0:
            told += ": no better than chance, do not believe it"
        lines.append(hanging("  points: ", Text(told)))
    if quality.get("like_other_members") is not None:
        told = f"their maps are alike by {quality['like_other_members']:.2f} (Spearman; 1: the same)"
        lines.append(hanging("  networks of the mean, each by itself: ", Text(told)))
    fit = entry.get("fit")
    if fit:
        told = f"R² {fit['median']:.2f}, of the worst record {fit['worst']:.2f}; below 0.5 do not believe it"
        lines.append(hanging("  local fit: ", Text(told)))
    places = [entry["file"], *entry.get("tables", ()), *(each["file"] for each in entry["figures"])]
    return [*lines, *(hanging("  ", Text(str(run / place))) for place in places), ""]
