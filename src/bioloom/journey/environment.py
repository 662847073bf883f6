"""On what machine and with which versions a run was done, for repeating it."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bioloom.processors import processors
from bioloom.training import measured

PACKAGES = ("torch", "numpy", "scipy", "pandas", "matplotlib", "safetensors")


def describe(device: str, threads: int) -> dict[str, Any]:
    """The content of `environment.json`."""
    return {
        "python": platform.python_version(),
        "bioloom": version("bioloom"),
        "packages": dict(_versions(PACKAGES)),
        "platform": platform.platform(),
        "processors": processors(),
        "device": device,
        "threads": threads,
        "bf16_gain": _bf16_gain(device),
    }


def _bf16_gain(device: str) -> float | None:
    """How many times as fast as float32, as it was measured once on this machine; None without such hardware."""
    found = measured.arithmetic(device)
    return None if found is None else round(found.gain, 2)


def _versions(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    for name in names:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
