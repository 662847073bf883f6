"""Going on from a language model by small steps: epochs over lessons, with the weights of the best one kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Pace:
    """How small the steps are.

    patience: epochs without a lower loss on the validation records before it stops
    silenced: whether numbers are silenced (dropout) while it learns; not where its likelihoods are compared with another's
    """

    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 3e-4
    patience: int = 4
    clip: float = 1.0
    seed: int = 0
    silenced: bool = True


@dataclass(frozen=True)
class Course:
    """How it went: the losses of the validation records, the first of them before any step, and the best epoch, from 0."""

    losses: tuple[float, ...]
    best: int


def learn(
    network: nn.Module,
    loss: Callable[[Tensor], Tensor],
    rows: tuple[Tensor, Tensor],
    pace: Pace,
    told: Callable[[float], None] | None = None,
) -> Course:
    """Learn by AdamW, and leave the network with the weights whose validation loss was lowest, in evaluation mode.

    loss: (numbers of records) -> their mean loss
    rows: numbers of the training and of the validation records
    The same seed takes the same steps.
    """
    train, held = rows
    generator = torch.Generator().manual_seed(pace.seed)
    step = torch.optim.AdamW(
        [each for each in network.parameters() if each.requires_grad], pace.learning_rate
    )
    losses, best = [_held(network, loss, held)], 0
    kept = {name: each.clone() for name, each in network.state_dict().items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(pace.seed)
        for epoch in range(1, pace.epochs + 1):
            network.train(pace.silenced)
            order = train[torch.randperm(len(train), generator=generator)]
            for part in torch.split(order, pace.batch_size):
                step.zero_grad()
                loss(part).backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(network.parameters(), pace.clip)
                step.step()
            losses.append(_held(network, loss, held))
            if told is not None:
                told(epoch / pace.epochs)
            if losses[-1] < losses[best]:
                best, kept = epoch, {name: each.clone() for name, each in network.state_dict().items()}
            elif epoch - best >= pace.patience:
                break
    network.load_state_dict(kept)
    network.eval()
    return Course(tuple(losses), best)


def _held(network: nn.Module, loss: Callable[[Tensor], Tensor], held: Tensor) -> float:
    """The mean loss of the validation records, each of which counts alike."""
    network.eval()
    with torch.no_grad():
        parts = [(float(loss(part)), len(part)) for part in torch.split(held, 256)]
    return sum(each * number for each, number in parts) / max(sum(number for _, number in parts), 1)
