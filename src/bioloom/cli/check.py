"""`bioloom check`: what is in a file."""

from bioloom.cli import options


def command(files: options.Files) -> None:
    """Check."""
