"""What this machine and this installation offer, and whether a tiny training works."""

from __future__ import annotations

import os
import platform
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

import torch

import bioloom
from bioloom import workflow
from bioloom.data.large import memory
from bioloom.events import Listener, Silent
from bioloom.processors import processors
from bioloom.training import device, measured

State = Literal["ok", "note", "problem"]
GIGABYTE = 1e9
LIBRARIES = ("numpy", "pandas", "scipy", "matplotlib", "pydantic")

MEMORY_NEEDED, DISK_NEEDED = 2.0, 1.0  # gigabytes


@dataclass(frozen=True)
class Fact:
    """One thing that was looked at.

    name:  what
    found: what was found, in words
    state: "ok", "note" (worth knowing) or "problem"
    fix:   what to do about it
    """

    name: str
    found: str
    state: State = "ok"
    fix: str = ""


def examine(folder: Path, listener: Listener) -> list[Fact]:
    """Look at everything; runs would be written below the folder."""
    listener.stage("doctor", "Looking at this machine, and trying a tiny training")
    return [
        Fact("bioloom", f"{bioloom.__version__}, in {Path(bioloom.__file__).parent}"),
        Fact("Python", f"{platform.python_version()}, {sys.executable}"),
        Fact("System", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        _pytorch(),
        Fact("Libraries", ", ".join(f"{name} {version(name)}" for name in LIBRARIES)),
        *_extras(),
        _graphics(),
        _processor(),
        _memory(),
        _disk(folder),
        _training(),
    ]


def _pytorch() -> Fact:
    cuda, rocm = torch.version.cuda, torch.version.hip
    build = f"for CUDA {cuda}" if cuda else f"for ROCm {rocm}" if rocm else "for processors"
    return Fact("PyTorch", f"{torch.__version__}, {build}")


def _extras() -> Iterator[Fact]:
    """The optional parts of the installation, but not what only developers need."""
    for line in requires("bioloom") or ():
        found = re.match(r"""([\w.-]+).*extra == ['"](\w+)['"]""", line)
        if found is None or found[2] == "dev":
            continue
        package, extra = found[1], found[2]
        try:
            yield Fact(f"Extra {extra}", f"{package} {version(package)}")
        except PackageNotFoundError:
            fix = f'pip install "bioloom[{extra}]", if you need it'
            yield Fact(f"Extra {extra}", f"{package} is not installed", "note", fix)


def _graphics() -> Fact:
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        found = f"{card.name}, {card.total_memory / GIGABYTE:.0f} GB, {_half('cuda')} (--device cuda)"
        return Fact("Graphics card", found)
    if torch.backends.mps.is_available():
        return Fact("Graphics card", "Apple graphics processor (--device mps)")
    if shutil.which("nvidia-smi") and not torch.version.cuda:
        return Fact(
            "Graphics card",
            "there is an NVIDIA driver, and this PyTorch is built without CUDA",
            "note",
            "install a PyTorch for CUDA to use the card",
        )
    return Fact("Graphics card", "none that PyTorch can use; the processor does the work")


def _processor() -> Fact:
    found = f"{os.cpu_count()} cores, at most {processors()} of them for bioloom, {_half('cpu')}"
    return Fact("Processor", found)


def _half(name: str) -> str:
    """What was measured of bf16 arithmetic, and whether it is used."""
    found = measured.arithmetic(name)
    if found is None:
        return f"{'with' if device.has_bfloat16(name) else 'without'} bf16 arithmetic"
    used = "used" if measured.gains_from_bfloat16(name) else "not used"
    return f"bf16 arithmetic {found.gain:.1f} times as fast as float32 ({used} where a network gains from it)"


def _memory() -> Fact:
    known = memory()
    if known is None:
        return Fact("Memory", "this system does not tell", "note")
    total = known / GIGABYTE
    if total < MEMORY_NEEDED:
        fix = f"{MEMORY_NEEDED:.0f} GB are enough for the data sets that come with bioloom"
        return Fact("Memory", f"{total:.1f} GB", "problem", fix)
    return Fact("Memory", f"{total:.1f} GB")


def _disk(folder: Path) -> Fact:
    free = shutil.disk_usage(folder).free / GIGABYTE
    if free < DISK_NEEDED:
        return Fact("Disk", f"{free:.1f} GB free in {folder}", "problem", "free some space, or use --outdir")
    return Fact("Disk", f"{free:.0f} GB free in {folder}")


def _training() -> Fact:
    begun = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="bioloom-doctor-") as folder:
            run = workflow.train(_tiny(), Path(folder) / "run", Silent())
            prediction = run.model.predict(["ACGTTGCA" * 3])
    except Exception as error:  # noqa: BLE001 -- whatever goes wrong is what the doctor was asked for
        found = f"{type(error).__name__}: {error}"
        return Fact("Tiny training", found, "problem", "install bioloom anew; if it stays, report it")
    if prediction.iloc[:, 0].isna().any():
        return Fact("Tiny training", "it gave no prediction", "problem", "report this")
    return Fact("Tiny training", f"works, {time.monotonic() - begun:.1f} s")


def _tiny() -> workflow.Request:
    """Random sequences of 24 nt with the share of G and C as the number to predict."""
    draw = random.Random(0)
    sequences = ["".join(draw.choices("ACGT", k=24)) for _ in range(120)]
    values = [(text.count("G") + text.count("C")) / 24 for text in sequences]
    settings = {
        "training.epochs": 1,
        "model.network": "cnn",
        "evaluation.draws": 100,
        "explanation.methods": ["occlusion"],
        "explanation.records": 3,
    }
    source = {"sequence": sequences, "share": values}
    return workflow.Request(source=source, target=("share",), settings=settings, budget="fast", device="cpu")
