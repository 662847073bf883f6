"""`bioloom data`: the data sets that come with bioloom, data that it can simulate, and targets that structures tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, table
from bioloom.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from bioloom.data.simulate import Made, Simulator

app = typer.Typer(invoke_without_command=True)


@app.callback()
def data(context: typer.Context) -> None:
    """The data sets that come with bioloom, simulated data, and targets from structures: list, path, simulate, residues."""
    if context.invoked_subcommand is None:
        list_data()


@app.command("list")
def list_data(json: options.Json = False) -> None:
    """List the data sets with what is predicted and the licence."""
    from bioloom.data.datasets import datasets

    known = [datasets[name] for name in datasets]
    rows = [(each.name, f"{each.rows:,}", each.target, each.task, each.licence, each.title) for each in known]
    document = {
        each.name: {
            "title": each.title,
            "rows": each.rows,
            "target": each.target,
            "task": each.task,
            "licence": each.licence,
            "source": each.source,
            "citation": each.citation,
        }
        for each in known
    }
    headings = ("name", "records", "target", "task", "licence", "what it is")
    Terminal(json=json).show(document, table(headings, rows, right=("records",)))


@app.command("path")
def path_of(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that bioloom data list shows.")],
    json: options.Json = False,
) -> None:
    """Print where the file of a data set is."""
    from bioloom.data import datasets

    found = datasets.path(name)
    Terminal(json=json).show({"name": name, "path": str(found)}, str(found))


@app.command("residues")
def residues_of(
    files: options.Files,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The CSV file to write.")] = Path(
        "residues.csv"
    ),
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """From structures, a table with what to predict at each residue: exposure to water, and contacts."""
    from bioloom.journey.residues import tell_residues

    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        found = tell_residues(options.one_or_several(files), out, listener)
    document = {"file": str(out), "chains": found.chains, "left_out": list(found.left_out)}
    told = (
        f"{found.chains:,} chains in {out}; train with --input sequence --target accessibility (or contacts) "
        "--task position_values"
    )
    terminal.show(document, told, *(f"left out: {each}" for each in found.left_out))


@app.command("simulate")
def simulate_data(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A simulator; without a name all are listed.")
    ] = "",
    records: Annotated[int, typer.Option("--records", "-n", help="Records to make.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed makes the same records.")] = 0,
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="FILE", help="The CSV file to write; empty: NAME.csv here.")
    ] = "",
    json: options.Json = False,
) -> None:
    """Make data with known truth, and write what was planted beside them."""
    from bioloom.data.simulate import made

    terminal = Terminal(json=json)
    known = _simulators(name)
    if not name:
        rows = [(each.name, each.target, each.task, each.title) for each in known.values()]
        document = {
            each.name: {"target": each.target, "task": each.task, "title": each.title}
            for each in known.values()
        }
        terminal.show(document, table(("name", "target", "task", "what it is"), rows))
        return
    path = Path(out or f"{name}.csv")
    written = _write(made(known[name], records, seed), path)
    terminal.show({**written, "records": records}, _told(known[name], records, path, written))


def _simulators(name: str) -> Mapping[str, Simulator]:
    """The simulators by name: those of a subject, and one for each kind of input, which are made only where needed."""
    from bioloom.data.simulate import simulators as of_subjects

    if name in of_subjects:
        return of_subjects
    from bioloom.modalities.simulated import simulators as of_inputs

    known = {**of_subjects, **of_inputs()}
    if name and name not in known:
        raise UserError(
            f'There is no simulator called "{name}".{did_you_mean(name, list(known))}',
            fix="bioloom data simulate lists them all",
        )
    return known


def _write(found: Made, path: Path) -> dict[str, Any]:
    """Write everything that was made; returns where it is."""
    from bioloom.files import write_bytes, write_json, write_text

    truth = path.with_suffix(".truth.json")
    write_text(path, found.frame.to_csv(index=False, lineterminator="\n"))
    write_json(truth, dict(found.truth))
    others = {each: path.with_name(f"{each}.csv") for each in found.beside}
    for each, frame in found.beside.items():
        write_text(others[each], frame.to_csv(index=False, lineterminator="\n"))
    for each, content in found.files.items():
        write_bytes(path.parent / each, content)
    beside = {each: str(other) for each, other in others.items()}
    return {"file": str(path), "truth": str(truth), "beside": beside}


def _told(simulator: Simulator, records: int, path: Path, written: Mapping[str, Any]) -> str:
    """What was written where, and how to train on it."""
    from bioloom.tasks import TASKS

    task = simulator.task
    written_out = f"--task {task}" if TASKS[task].written else ""  # texts are no labels
    asked = " ".join(filter(None, (f"--target {simulator.target}", written_out, simulator.words)))
    told = f"{records:,} records in {path}, what was planted in {written['truth']}"
    if TASKS[task].labelled or TASKS[task].written:
        told += f"; train with {asked}"
    else:
        told += f"; first train with --task {task} on what is beside it, then align with {path.name}"
    return told + (f"; beside it {', '.join(written['beside'].values())}" if written["beside"] else "")
