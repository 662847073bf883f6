"""The only training loop.

job         Job: what a training is told; Epoch, Fitted: what comes out of it
loop        fit: epochs, early stopping, resuming
plan        what the recipe leaves open: batch size, epochs, learning rate, number format
loss        that of the task, with what the recipe changes about it
optimisers  how weights follow gradients, one file each
average     which average of the weights is kept
schedule    the learning rate along the run
rates       range_test: which learning rates work
augment     records changed at random while they are learned from
recording   record: every number of a small training, for lessons
checkpoint  one file from which a killed run goes on
members     many trainings at once
ensemble    the members of the network that is delivered: trainings that differ in their seed
device      processor or graphics card, threads
measured    whether this machine gains from bfloat16
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bioloom.training.rates import range_test
    from bioloom.training.recording import record

__all__ = ["range_test", "record"]


def __getattr__(name: str) -> Any:
    # loaded on first use: everything below imports this file, and the loop comes last
    if name == "range_test":
        from bioloom.training.rates import range_test

        return range_test
    if name == "record":
        from bioloom.training.recording import record

        return record
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
