#!/usr/bin/env python3
"""Sets bioloom up in its own environment (.venv) and runs it.

    python3 tools/bootstrap.py setup   everything needed to use and develop bioloom
    python3 tools/bootstrap.py demo    the main job on real data: check, split, train, evaluate, explain, report
    python3 tools/bootstrap.py test    the whole test suite; more words go to pytest
    python3 tools/bootstrap.py check   formatting, lint, types, layers

Needs Python 3.11 or later and nothing else. Each step is done once: running it again skips what is there.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST = (3, 11)
TORCH = "torch==2.13.0"
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "bioloom-setup.json"
LOG = VENV / "bioloom-setup.log"
TORCH_PIN = VENV / "bioloom-torch.txt"
DEMO = ["train", "lac_promoter", "--target", "expression", "--budget", "fast", "--outdir", "demo-run"]
CHECKS = (("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy",), ("lint-imports",))


class Trouble(Exception):  # noqa: N818 -- it is told to a person
    """Something stands in the way; the text says what, and what to do."""


def main(words: list[str]) -> int:
    """Do what the first word says; returns the exit code."""
    actions = {"setup": setup, "demo": demo, "test": test, "check": check}
    if not words or words[0] not in actions:
        print(__doc__)
        return 0 if words in ([], ["--help"], ["-h"]) else 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # our words before those of the commands we start
    try:
        need_python(words)
        return actions[words[0]](words[1:])
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130


# ---- what can be asked for --------------------------------------------------------------------------------


def setup(_: list[str]) -> int:
    """Prepare the environment for use and development."""
    prepare("dev")
    print("Ready. Try:  make demo   or   .venv/bin/bioloom --help")
    return 0


def demo(more: list[str]) -> int:
    """Run the main job on the real data that come with bioloom."""
    prepare("")
    print("Demo: 50,518 variants of the E. coli lac promoter, which drive a fluorescent protein.")
    print("  bioloom " + " ".join(DEMO + more))
    return run([str(PYTHON), "-m", "bioloom", *DEMO, *more])


def test(more: list[str]) -> int:
    """Run the whole test suite on as many processes as there are cores, four at most."""
    prepare("dev")
    workers = min(os.cpu_count() or 1, 4)
    print(f"Tests on {workers} processes.")
    environment = {"OMP_NUM_THREADS": "1", **os.environ}  # the processes already share the cores
    return run([str(PYTHON), "-m", "pytest", "-n", str(workers), *more], environment)


def check(_: list[str]) -> int:
    """Run every check of style; returns 1 when one of them fails."""
    prepare("dev")
    codes = []
    for words in CHECKS:
        print("$ " + " ".join(words))
        codes.append(run([str(BIN / words[0]), *words[1:]]))
    return int(any(codes))


def run(command: list[str], environment: dict[str, str] | None = None) -> int:
    """Run a command in the project folder with the terminal as it is; Ctrl-C is the command's to answer."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal sent it to the command as well, which ends in order


def ask(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a short command and keep its words; a program that is not there counts as failed."""
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


# ---- preparing --------------------------------------------------------------------------------------------


def prepare(extra: str) -> None:
    """Make the environment hold bioloom and the packages of an extra ("" or "dev")."""
    if is_prepared(extra):
        return
    print("Setting up bioloom in .venv (once).")
    make_environment()
    install_torch()
    install_bioloom(extra)
    STAMP.write_text(json.dumps({"needs": fingerprint(), "extra": extra}))
    LOG.unlink(missing_ok=True)
    print("Set-up done.")


def is_prepared(extra: str) -> bool:
    """Whether an earlier set-up still holds; the one for developers serves users too."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return False
    return stamp.get("needs") == fingerprint() and stamp.get("extra") in (extra, "dev") and works()


def fingerprint() -> str:
    """A hash of all that decides what is installed, and where."""
    parts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join([*parts, str(ROOT).encode()])).hexdigest()


def need_python(words: list[str]) -> None:
    """Go on with a newer Python of this machine where this one is too old."""
    if sys.version_info >= OLDEST:
        return
    for name in ("python3.13", "python3.12", "python3.11"):
        newer = shutil.which(name)
        if newer and ask([newer, "-c", "import venv"]).returncode == 0:
            print(f"This Python is {platform.python_version()}; going on with {name}.")
            os.execv(newer, [newer, str(Path(__file__).resolve()), *words])
    raise Trouble(
        f"bioloom needs Python 3.11 or later, and this is {platform.python_version()} ({sys.executable}).\n"
        "  fix: install Python 3.13 (python.org, your package manager, conda or uv) and run the same command with it"
    )


def make_environment() -> None:
    """Create .venv, also where an earlier attempt was broken off."""
    if works():
        return
    print("  1/3 creating .venv")
    done = ask([sys.executable, "-m", "venv", str(VENV)])
    if not works():
        borrow_pip()
    if not works():
        words = (done.stdout + done.stderr).strip()[-600:]
        raise Trouble(
            f"The environment in {VENV} could not be created. {words}\n"
            "  fix: on Debian and Ubuntu: sudo apt install python3-venv; elsewhere: delete the folder .venv\n"
            "       and install a Python that brings venv and pip (python.org, conda or uv)"
        )


def borrow_pip() -> None:
    """Where pip is missing (Debian splits ensurepip off, uv leaves pip out), let the machine's own pip fill .venv."""
    ask([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    ask([sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--ignore-installed", "pip"])


def works() -> bool:
    """Whether the Python of .venv starts, is new enough and has pip."""
    question = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    return ask([str(PYTHON), "-c", question]).returncode == 0


# ---- the right PyTorch ------------------------------------------------------------------------------------


def install_torch() -> None:
    """Install PyTorch once, in the smallest build that suits the machine, and pin it for what follows."""
    if not torch_version():
        for way in torch_ways():
            if way():
                break
    version = torch_version()
    if not version:
        raise failed("PyTorch could not be installed.")
    TORCH_PIN.write_text(f"torch=={version}\n")
    print(f"  2/3 PyTorch {version}")


def torch_version() -> str:
    """The version of PyTorch in .venv, or nothing."""
    question = "from importlib.metadata import version; print(version('torch'))"
    return ask([str(PYTHON), "-c", question]).stdout.strip()


def torch_ways() -> list[Callable[[], bool]]:
    """The ways to get PyTorch, best first."""
    if quietly(pip("install", "--no-index", "--no-deps", "--dry-run", TORCH)):
        return [torch_from_wheel, torch_from_index]
    if has_nvidia() or platform.system() != "Linux":
        return [torch_from_index]
    return [torch_for_processors, torch_from_index]


def torch_from_wheel() -> bool:
    """Take the wheel that pip finds on this machine."""
    print("  2/3 PyTorch: from a wheel on this machine, no download")
    return quietly(pip("install", "--no-index", "--no-deps", TORCH))


def torch_for_processors() -> bool:
    """Take the build for processors, with uv, which knows where it is kept."""
    print("  2/3 PyTorch: the build for processors, about 190 MB to download")
    uv = shutil.which("uv")
    if not uv:
        quietly(pip("install", "uv"))
        uv = str(BIN / ("uv.exe" if os.name == "nt" else "uv"))
    return quietly([uv, "pip", "install", "--python", str(PYTHON), "--torch-backend=cpu", TORCH])


def torch_from_index() -> bool:
    """Take what pip takes: on Linux with support for NVIDIA cards, which is large."""
    large = platform.system() == "Linux" and platform.machine() in ("x86_64", "AMD64")
    size = (
        "about 2.7 GB to download, because it supports NVIDIA cards" if large else "about 100 MB to download"
    )
    print(f"  2/3 PyTorch: {size}")
    return quietly(pip("install", TORCH))


def has_nvidia() -> bool:
    """Whether the driver of an NVIDIA card is there."""
    return bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia/version").exists()


# ---- everything else --------------------------------------------------------------------------------------


def install_bioloom(extra: str) -> None:
    """Install bioloom as it stands in this folder, with tested versions and without another PyTorch."""
    size = "260 MB" if extra else "110 MB"
    print(f"  3/3 bioloom and the libraries it uses: about {size} to download")
    what = f".[{extra}]" if extra else "."
    # byte code of all modules: 114 MB
    command = pip("install", "--no-compile", "-c", str(TORCH_PIN), "-e", what)
    if quietly([*command, "-c", "constraints.txt"]):
        return
    print("      the tested versions could not be had; taking the newest that fit")
    if not quietly(command):
        raise failed("bioloom could not be installed.")


def pip(*words: str) -> list[str]:
    """A pip command of .venv that asks nothing."""
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", *words]


def quietly(command: list[str]) -> bool:
    """Run an installing command, its words kept in a log; large downloads are announced."""
    with LOG.open("a", encoding="utf-8") as log:
        log.write("\n$ " + " ".join(command) + "\n")
        try:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            log.write(f"{error}\n")
            return False
        with process:
            for line in process.stdout or ():
                log.write(line)
                announce(line)
    return process.returncode == 0


def announce(line: str) -> None:
    """Show the download of a package above ten megabytes."""
    found = re.search(r"Downloading (?:\S*/)?([A-Za-z0-9_.]+)(?:-\S+)? \(([\d.]+) ?Mi?B\)", line)
    if found and float(found[2]) >= 10:
        print(f"      downloading {found[1]} ({float(found[2]):.0f} MB)")


def failed(what: str) -> Trouble:
    """What to tell when installing failed: the end of the log and the usual causes."""
    lines = LOG.read_text(encoding="utf-8").splitlines()[-12:]
    tail = "\n".join("    " + line for line in lines)
    free = shutil.disk_usage(ROOT).free / 1e9
    return Trouble(
        f"{what} The last words of the installer:\n{tail}\n"
        f"  where: {LOG} holds all of them; free disk space here: {free:.1f} GB (3 GB are enough)\n"
        "  fix: check the network (a proxy is set with HTTPS_PROXY) and the disk, then run the same command again;\n"
        "       what was installed stays"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
