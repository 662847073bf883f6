"""The training loop, and what stands around it.

job         Job: what a training is told; Epoch, Fitted: what comes out of it
loop        fit: epochs, early stopping, resuming
plan        what the recipe leaves open: batch size, epochs, learning rate, number format
begin       the first weights: at random, or learned before
loss        that of the task, with what the recipe changes about it
optimisers  how weights follow gradients, one file each
average     which average of the weights is kept
schedule    the learning rate along the run
order       in which order records are learned from
augment     records changed at random while they are learned from; pictures: how those of pictures are moved
checkpoint  one file from which a killed run goes on
diagnosis   what is told where a training cannot go on
device      processor or graphics card, threads
measured    whether this machine gains from bfloat16

members     many trainings at once
ensemble    the members of the network that is delivered: trainings that differ in their seed
distil      one network that learns to say what the mean of several says
halving     candidates of a search: who gets how much of a training, and who goes on
proposals   further candidates, drawn from what earlier ones scored

rates       range_test: which learning rates work
recording   record: every number of a small training, for lessons
lessons     the few steps by which a language model is aligned, whose losses compare two networks
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
