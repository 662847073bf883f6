"""The verbs joined into one program, and what becomes of everything that can go wrong."""

from __future__ import annotations

import io
import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from bioloom.cli import (
    align,
    check,
    data,
    denoise,
    design,
    doctor,
    embed,
    experiment,
    explain,
    generate,
    motifs,
    parts,
    predict,
    rehearse,
    report,
    scan,
    train,
    variants,
)
from bioloom.cli.terminal import print_error, print_json
from bioloom.errors import Interrupted, UserError, did_you_mean, out_of_memory

USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]  # typer gives it no public name
STOPPED = 130

app = typer.Typer(
    name="bioloom",
    help="Labelled biological data in; a trained, honestly evaluated, explained deep-learning model out.",
    epilog="bioloom train lac_promoter --target expression   trains on data that come with bioloom.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (check, train, predict, embed, explain, report):
    app.command(verb.__name__.rpartition(".")[2])(verb.command)
app.command("denoise")(denoise.command)
app.command("generate")(generate.command)
app.command("align")(align.command)
app.command("design")(design.command)
app.command("rehearse")(rehearse.command)
app.command("scan")(scan.command)
app.command("variants")(variants.command)
app.add_typer(experiment.app, name="experiment")
app.add_typer(motifs.app, name="motifs")
app.add_typer(parts.app, name="parts")
app.add_typer(data.app, name="data")
app.command("doctor")(doctor.command)


def _version(wanted: bool) -> None:
    if wanted:
        from bioloom import __version__

        sys.stdout.write(f"bioloom {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    _shown: Annotated[
        bool,
        typer.Option("--version", metavar="", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Labelled biological data in; a trained, honestly evaluated, explained deep-learning model out."""
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _accept_any_terminal()
    try:
        code = int(typer.main.get_command(app).main(words, prog_name="bioloom", standalone_mode=False) or 0)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as ended:  # the command-line library turns a broken pipe into exit code 1
        if isinstance(ended.__context__, BrokenPipeError):
            return _reader_gone()
        raise
    except (KeyboardInterrupt, Interrupted):
        code = STOPPED
    except UserError as error:
        code = _fixable(error, words)
    except Exception as error:  # noqa: BLE001 -- the last place where a mistake can be told to a person
        code = _other(error, words)
    if code == STOPPED:
        _stopped(words)
    return code


def _other(error: Exception, words: Sequence[str]) -> int:
    """Tell what is no mistake of a recipe or of data: a word that is not known, too little memory, or a bug."""
    if out_of_memory(error):
        return _fixable(UserError("The memory of this machine is not enough.", fix=MEMORY), words)
    return _fixable(_misspelt(error), words) if isinstance(error, USAGE_ERROR) else _bug()


MEMORY = "close other programs, use fewer records, or a smaller --set training.batch_size=32"


def _accept_any_terminal() -> None:
    """A terminal that knows only a few characters shows ? for the others, and nothing fails."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _reader_gone() -> int:
    """Whoever read our output has seen enough, as `head` does; there is nothing more to say."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())  # so that the interpreter's last flush finds somebody
    os.close(silence)
    return 0


def _fixable(error: UserError, words: Sequence[str]) -> int:
    if "--json" in words:
        print_json({"error": {"what": error.what, "where": error.where, "fix": error.fix}})
    print_error(error)
    return 2


def _misspelt(error: Exception) -> UserError:
    """A wrong word on the command line, with the closest one that is right."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "bioloom"
    what = str(getattr(error, "message", error))
    option = getattr(error, "option_name", "")
    if option and context is not None and what.startswith("No such option"):
        known = [name for each in context.command.params for name in each.opts if name.startswith("--")]
        what = f'"{option}" is no option of {path}.{did_you_mean(option, [*known, "--help"])}'
    elif hasattr(error, "format_message"):
        what = str(error.format_message()).replace("Value error, ", "")
    return UserError(what, fix=f"{path} --help shows how it is used")


def _bug() -> int:
    traceback.print_exc()
    sys.stderr.write(
        "\nThis is a mistake in bioloom, not in your data. Please report it with the lines above, the command,\n"
        'and what "bioloom doctor" prints. A run that was broken off goes on when the command is repeated.\n'
    )
    return 1


def _stopped(words: Sequence[str]) -> None:
    sys.stderr.write("\nStopped.")
    if words[:1] == ["train"] and "--dry-run" not in words:
        sys.stderr.write(" What was done is kept; the same command goes on from there:\n")
        sys.stderr.write("  " + shlex.join(["bioloom", *words]))
    sys.stderr.write("\n")
