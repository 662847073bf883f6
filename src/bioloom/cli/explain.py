"""`bioloom explain`: what moves a model's prediction."""

from bioloom.cli import options


def command(run: options.RunFolder) -> None:
    """Explain."""
