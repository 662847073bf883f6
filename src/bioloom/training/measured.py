"""Whether this machine gains from bfloat16: measured once, kept in the user's cache folder, and read from there on.

The hardware's word alone is not enough: some processors have the instructions and gain nothing from them. A kept
measurement is never repeated, so that a run gives the same numbers each time; remove the file to measure anew.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.files import cache_folder, write_json
from bioloom.training.device import has_bfloat16, processor_name, session

PAYS_FROM = 1.1
"""Times as fast as float32 from which bfloat16 is used: its rounding is no gain for nothing."""

RECORDS, CHANNELS, POSITIONS, WIDTH = 128, 64, 50, 7
"""The layer that is timed: one like those in which the default network for sequences spends its time."""

ROUNDS, STEPS = 5, 3


@dataclass(frozen=True)
class Arithmetic:
    """How long a step of a convolution takes on this machine.

    processor: what it was measured on
    torch:     the version of PyTorch
    float32, bfloat16: milliseconds, on one thread
    """

    processor: str
    torch: str
    float32: float
    bfloat16: float

    @property
    def gain(self) -> float:
        """How many times as fast bfloat16 is."""
        return self.float32 / self.bfloat16


def gains_from_bfloat16(device: str) -> bool:
    """Whether training in bfloat16 is worth it here: the hardware has it, and it was measured to be faster."""
    found = arithmetic(device)
    return has_bfloat16(device) if found is None else found.gain >= PAYS_FROM


def arithmetic(device: str) -> Arithmetic | None:
    """The measurement of this machine, made now if it is the first time.

    None where the hardware has no bfloat16, so that there is nothing to measure, and where the measurement cannot be
    kept: then the hardware's word counts, because a measurement that is made anew may decide otherwise each time.
    """
    if not has_bfloat16(device):
        return None
    here = processor_name(device)
    path = _file(device, here)
    kept = _read(path)
    if kept is not None:
        return kept
    found = Arithmetic(here, torch.__version__, *_milliseconds(device))
    try:
        write_json(path, asdict(found))
    except UserError:
        return None
    return _read(path)  # where two runs measure at once, both go by the file


def _file(device: str, here: str) -> Path:
    """One file for each processor and version of PyTorch: a home folder may be shared by many machines."""
    key = json.dumps([device, here, platform.machine(), torch.__version__])
    return cache_folder() / f"arithmetic-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def _read(path: Path) -> Arithmetic | None:
    try:
        found = Arithmetic(**json.loads(path.read_text(encoding="utf-8")))
        return found if found.gain > 0 else None
    except (OSError, ValueError, TypeError, ZeroDivisionError):
        return None


def _milliseconds(device: str) -> tuple[float, float]:
    """The shortest of several interleaved rounds in float32 and in bfloat16: what other programs do only adds."""
    with session(1), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        x = torch.randn(RECORDS, CHANNELS, 1, POSITIONS).to(device).to(memory_format=torch.channels_last)
        layer = nn.Conv2d(CHANNELS, CHANNELS, (1, WIDTH), padding="same").to(device)
        steps = [_step(layer, x.requires_grad_(), half) for half in (False, True)]
        rounds = [[_timed(step, device) for step in steps] for _ in range(1 + ROUNDS)]
        float32, bfloat16 = (min(times) for times in zip(*rounds[1:], strict=True))  # the first warms up
    return float32, bfloat16


def _step(layer: nn.Module, x: Tensor, half: bool) -> Callable[[], None]:
    def step() -> None:
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=half):
            raw = layer(x)
        torch.autograd.grad(raw.float().square().sum(), [x, *layer.parameters()])

    return step


def _timed(step: Callable[[], None], device: str) -> float:
    """Milliseconds of a step; of the processor alone where it does the work, so that waiting for it does not count."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    began = clock()
    for _ in range(STEPS):
        step()
    if device == "cuda":
        torch.cuda.synchronize()
    return 1000 * (clock() - began) / STEPS
