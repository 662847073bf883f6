"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the checkout; tests that need it are skipped where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("BIOLOOM_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip("the folder of real data sets is not here (set BIOLOOM_TEST_DATA)")
    return folder
