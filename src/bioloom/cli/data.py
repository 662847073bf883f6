"""`bioloom data`: the data sets that come with bioloom, and data that it can simulate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, table

app = typer.Typer(invoke_without_command=True)


@app.callback()
def data(context: typer.Context) -> None:
    """List the data sets that come with bioloom, tell where one is, or simulate data: list, path, simulate."""
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
    from bioloom.data.simulate import simulate, simulators
    from bioloom.files import write_json, write_text
    from bioloom.tasks import TASKS

    terminal = Terminal(json=json)
    if not name:
        known = [simulators[each] for each in simulators]
        rows = [(each.name, each.target, each.task, each.title) for each in known]
        document = {
            each.name: {"target": each.target, "task": each.task, "title": each.title} for each in known
        }
        terminal.show(document, table(("name", "target", "task", "what it is"), rows))
        return
    made, path = simulate(name, records, seed), Path(out or f"{name}.csv")
    truth = path.with_suffix(".truth.json")
    write_text(path, made.frame.to_csv(index=False, lineterminator="\n"))
    write_json(truth, dict(made.truth))
    others = {each: path.with_name(f"{each}.csv") for each in made.beside}
    for each, frame in made.beside.items():
        write_text(others[each], frame.to_csv(index=False, lineterminator="\n"))
    target, task = simulators[name].target, simulators[name].task
    asked = f"--target {target}" + (f" --task {task}" if TASKS[task].written else "")  # texts are no labels
    told = f"{records:,} records in {path}, what was planted in {truth}"
    if TASKS[task].labelled or TASKS[task].written:
        told += f"; train with {asked}"
    else:
        told += f"; first train with --task {task} on what is beside it, then align with {path.name}"
    if others:
        told += f"; beside it {', '.join(str(each) for each in others.values())}"
    beside = {each: str(other) for each, other in others.items()}
    terminal.show({"file": str(path), "truth": str(truth), "records": records, "beside": beside}, told)
