"""One file and one finished run on it, shared by all journeys."""

from __future__ import annotations

from pathlib import Path

import pytest

import bioloom
from bioloom.run import Run
from small_runs import FAST, motif_table


@pytest.fixture(scope="session")
def motif_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV file of 240 sequences."""
    path = tmp_path_factory.mktemp("data") / "motif.csv"
    motif_table().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def finished(motif_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on it."""
    folder = tmp_path_factory.mktemp("runs") / "motif"
    return bioloom.train(motif_file, target="bound", settings=FAST, outdir=folder, quiet=True)
