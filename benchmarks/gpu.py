"""Claim: on a graphics card too, nobody trains these networks faster; without one this says so and stops.

    python -m benchmarks.gpu --peers PYTHON

Writes results/gpu.md: hardware, seconds, how many times as long plain torch takes, and which share of the card's bf16
arithmetic is used, which is measured with one large matrix product.
"""

from __future__ import annotations

import argparse
import sys

import torch

from benchmarks.measure import RESULTS, Side, fresh, timed
from benchmarks.ours import loss, reporter_job
from benchmarks.training import median
from bioloom.models import build
from bioloom.models.layers import layer_table
from bioloom.training.loop import fit

ROUNDS, SIZE = 5, 8192
EPOCHS = 3


def ours() -> None:
    """The second training in this process."""
    told = reporter_job(device="cuda")
    fit(told)
    timed(lambda: loss(fit(told)))


def peak() -> float:
    """bf16 multiplications and additions per second of a large matrix product."""
    a = torch.randn(SIZE, SIZE, device="cuda", dtype=torch.bfloat16)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    a @ a
    begin.record()
    for _ in range(10):
        a @ a
    end.record()
    torch.cuda.synchronize()
    return float(10 * 2 * SIZE**3 / (begin.elapsed_time(end) / 1000))


def work() -> float:
    """Multiplications and additions of the training: forward, and twice as many backward."""
    told = reporter_job()
    network = build(told.network, told.shapes, 1, {})
    return 6.0 * layer_table(network, told.shapes).multiplications * len(told.train) * EPOCHS


def main() -> None:
    parser = argparse.ArgumentParser(description="time a training on a graphics card")
    parser.add_argument("--peers", default=sys.executable, help="a Python that holds torch for the card")
    told = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("This machine has no graphics card that PyTorch can use; nothing was measured.")
    sides = [("benchmarks.gpu", Side("bioloom", "ours")), *_peers(told.peers)]
    found: dict[str, list[dict[str, float]]] = {side.name: [] for _, side in sides}
    for number in range(ROUNDS):
        for module, side in sides:
            environment = {"OMP_NUM_THREADS": "1", "BIOLOOM_ROUND": str(number), "BIOLOOM_DEVICE": "cuda"}
            found[side.name].append(fresh(module, side, environment))
    own = median(found["bioloom"], "seconds")
    lines = [
        f"## On a graphics card\n\n{torch.cuda.get_device_name()}: three convolutions of 120 filters of 8, "
        f"{EPOCHS} epochs of 16,384 sequences of 50 nt; {100 * work() / own / peak():.1f} % of the bf16 arithmetic of "
        "a large matrix product.\n",
        "| | seconds | ratio |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {name} | {median(runs, 'seconds'):.3f} | {median(runs, 'seconds') / own:.2f} |"
        for name, runs in found.items()
    ]
    (RESULTS / "gpu.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def _peers(python: str) -> list[tuple[str, Side]]:
    names = {"torch_reporter": "plain torch, tensors on the card", "lightning_reporter": "Lightning"}
    return [("benchmarks.peers", Side(title, function, python)) for function, title in names.items()]


if __name__ == "__main__":
    main()
