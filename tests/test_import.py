"""Importing bioloom, and asking it for help, is quick and changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "numpy", "pandas", "sklearn", "scipy", "matplotlib")


def loaded_after(code: str) -> set[str]:
    """The heavy packages that a fresh Python has loaded after running some code."""
    script = f"{code}\nimport json, sys\nprint('\\n' + json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import bioloom",
        "import bioloom; bioloom.UserError; bioloom.__version__; dir(bioloom)",
        "import bioloom.cli",
        "from bioloom.cli import main; main(['--help'])",
        "from bioloom.cli import main; main(['train', '--help'])",
        "from bioloom.cli import main; main(['parts', 'show', '--help'])",
        "from bioloom.cli import main; main(['--version'])",
        "from bioloom.cli import main; main(['data', 'list', '--hepl'])",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_used(code: str) -> None:
    assert loaded_after(code) == set()


WATCHED = """
import json, logging, os, random, signal, sys, warnings
def state():
    return {
        "environment": dict(os.environ),
        "handlers": len(logging.getLogger().handlers),
        "level": logging.getLogger().level,
        "loggers": sorted(name for name in logging.Logger.manager.loggerDict if name.startswith("bioloom")),
        "filters": len(warnings.filters),
        "excepthook": str(sys.excepthook),
        "signal": str(signal.getsignal(signal.SIGINT)),
        "random": hash(random.getstate()),
        "folder": sorted(os.listdir()),
    }
before = state()
"""


CHANGED = "\nafter = state()\nchanged = [key for key in before if before[key] != after[key]]\n"


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import bioloom", []),
        ("import bioloom.cli.app", ["random"]),
    ],  # rich numbers its styles from a random start
)
def test_importing_leaves_logging_environment_and_warnings_alone(
    code: str, allowed: list[str], tmp_path: Path
) -> None:
    code = WATCHED + code + CHANGED + f"assert set(changed) <= set({allowed}), changed"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr


def test_using_the_library_leaves_the_random_state_and_threads_of_torch_alone(tmp_path: Path) -> None:
    code = (
        "import torch\nbefore = torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype()\n"
        "import bioloom\nbioloom.train, bioloom.Run\n"
        "after = torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype()\n"
        "assert torch.equal(before[0], after[0]) and before[1:] == after[1:]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
