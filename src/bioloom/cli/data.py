"""`bioloom data`: the data sets that come with bioloom."""

from __future__ import annotations

from typing import Annotated

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, table

app = typer.Typer(invoke_without_command=True)


@app.callback()
def data(context: typer.Context) -> None:
    """List the data sets that come with bioloom, or tell where one is: list, path."""
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
