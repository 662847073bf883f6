"""Where training runs: processor or graphics card, how many threads, which number format."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from bioloom.errors import UserError
from bioloom.processors import processors

DEVICES = ("auto", "cpu", "cuda", "mps")

PAYS_FROM = 2**32
"""Multiplications of one batch from which a second thread is used. Threads wait for each other at every layer:
where another process wants a processor too, two have been seen to take 12 times as long as one. Below this size
that risk weighs more than the gain on an idle machine; see docs/decisions/0008-one-thread-by-default.md."""


def choose(name: str) -> str:
    """The device to run on: the one asked for, or for "auto" a graphics card where there is one.

    Raises UserError for a device that this machine (or this build of PyTorch) does not have.
    """
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if here[device])
    if name not in here:
        raise UserError(f'There is no device called "{name}".', fix=f"use one of: {', '.join(DEVICES)}")
    if not here[name]:
        what = {
            "cuda": "an NVIDIA graphics card that PyTorch can use",
            "mps": "an Apple graphics processor that PyTorch can use",
        }[name]
        raise UserError(
            f"This machine does not have {what}.",
            where=f"--device {name}",
            fix="use --device auto or cpu; bioloom doctor shows what was found",
        )
    return name


def has_bfloat16(device: str) -> bool:
    """Whether bfloat16 arithmetic is built into the hardware; whether that is faster, `measured` says."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and bool({"avx512_bf16", "amx_bf16"} & processor_flags())


def processor_flags() -> frozenset[str]:
    """What the processor says it can do; empty where the system does not tell."""
    return frozenset(_told("flags").split())


def processor_name(device: str) -> str:
    """What the processor or graphics card is called."""
    if device == "cuda":
        return str(torch.cuda.get_device_name())
    return _told("model name") or platform.processor() or platform.machine()


def _told(key: str) -> str:
    """What Linux tells of the first processor; empty on other systems."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    line = next((line for line in text.splitlines() if line.startswith(key)), "")
    return line.partition(":")[2].strip()


def threads_for(multiplications: int, asked: int = 0) -> int:
    """How many threads to use for batches of that much work; 0 asks for a choice by size.

    Never more than there are processors: threads that wait for each other in turns make hours of seconds.
    """
    if asked:
        return min(asked, processors())
    return processors() if multiplications >= PAYS_FROM else 1


@contextmanager
def session(threads: int) -> Iterator[None]:
    """Within it: that many threads and repeatable arithmetic; afterwards everything is as before."""
    cudnn = torch.backends.cudnn
    before = torch.get_num_threads(), cudnn.deterministic, cudnn.benchmark
    torch.set_num_threads(threads)
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cudnn.deterministic, cudnn.benchmark = before[1:]
