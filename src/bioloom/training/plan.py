"""What the recipe leaves open, decided by rules that anyone can look up: batch size, epochs, learning rate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Literal

from bioloom.errors import UserError
from bioloom.models import Network
from bioloom.recipe import TrainingRecipe
from bioloom.training.measured import gains_from_bfloat16
from bioloom.training.optimisers import Optimiser, optimisers

Budget = Literal["fast", "normal", "thorough"]


@dataclass(frozen=True)
class Plan:
    """How a network learns, with nothing left open.

    epochs:        passes over the training records at most
    batch_size:    records per step
    learning_rate: peak of the schedule
    weight_decay:  decoupled weight decay
    patience:      epochs without a better validation loss before stopping
    clip:          largest norm of the gradient
    precision:     "float32" or "bf16"
    accumulate:    batches whose gradients make one step
    average:       of the weights, which is validated and kept
    l1, l2:        weight penalties
    loss:          "auto" is that of the task; those of `bioloom.heads.HEADS` learn the spread too
    label_smoothing: share of each class label that is spread over all classes
    class_weights: "balanced": each class counts as much as any other
    focal:         exponent by which easy records count less
    lora:          rank of the changes that are learned beside layers that were learned before; 0: the layers themselves
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    patience: int
    clip: float
    precision: str
    optimiser: str = "adamw"
    schedule: str = "one_cycle"
    accumulate: int = 1
    average: str = "ema"
    l1: float = 0.0
    l2: float = 0.0
    loss: str = "auto"
    label_smoothing: float = 0.0
    focal: float = 0.0
    class_weights: str = "none"
    lora: int = 0


BATCH_SIZES = ((1_000, 32), (5_000, 64), (200_000, 128), (1_000_000, 256))
"""Below so many training records, batches of so many; 512 above the last."""

PASSES: dict[Budget, tuple[int, int, int]] = {
    "fast": (150_000, 3, 30),
    "normal": (330_000, 6, 60),
    "thorough": (1_200_000, 10, 150),
}
"""By budget: records to pass through the network in all, and at least and at most so many epochs."""


MEMBERS: dict[Budget, int] = {"fast": 1, "normal": 5, "thorough": 5}
"""By budget: networks that differ in their seed, whose mean predicts. Of what a mean of very many would gain, five bring
four fifths (the part of the error that differs between seeds shrinks as 1 / members)."""


def plan(recipe: TrainingRecipe, records: int, network: type[Network], budget: Budget, device: str) -> Plan:
    """Fill in what the recipe leaves open (0 or "auto"); the same question always gets the same answer.

    records: training records
    Raises UserError for an unknown optimiser.
    """
    passes, fewest, most = PASSES[budget]
    passes = round(passes * network.passes)
    batch_size = recipe.batch_size or min(network.batch_size or _batch_size(records), max(1, records))
    optimiser = _optimiser(recipe.optimiser)
    usual = network.learning_rate * optimiser.rate * sqrt(batch_size * recipe.accumulate / 128)
    epochs = recipe.epochs or min(max(round(passes / max(1, records)), fewest), most)
    return Plan(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=recipe.learning_rate or usual,
        weight_decay=optimiser.decay if recipe.weight_decay is None else recipe.weight_decay,
        patience=recipe.patience or max(3, ceil(epochs / 2)),
        clip=recipe.clip,
        precision=_precision(recipe.precision, network, device),
        optimiser=optimiser.name,
        schedule=recipe.schedule,
        accumulate=recipe.accumulate,
        average=recipe.average,
        l1=recipe.l1,
        l2=recipe.l2,
        loss=recipe.loss,
        label_smoothing=recipe.label_smoothing,
        focal=recipe.focal,
        class_weights=recipe.class_weights,
        lora=recipe.lora,
    )


def of_long_records(usual: Plan, recipe: TrainingRecipe, size: float) -> Plan:
    """The plan where each place of a record has a target: a step of as many places, so of fewer records.

    usual: of `size` times as many records
    """
    batch_size = recipe.batch_size or max(8, round(usual.batch_size / size))
    rate = recipe.learning_rate or usual.learning_rate * sqrt(batch_size / usual.batch_size)
    return replace(usual, batch_size=batch_size, learning_rate=rate)


def _optimiser(name: str) -> type[Optimiser]:
    try:
        return optimisers[name]
    except UserError as error:
        raise UserError(error.what, where="training.optimiser", fix=error.fix) from None


def _batch_size(records: int) -> int:
    return next((size for below, size in BATCH_SIZES if records < below), 512)


def _precision(asked: str, network: type[Network], device: str) -> str:
    if asked != "auto":
        return asked
    return "bf16" if network.mixed_precision and gains_from_bfloat16(device) else "float32"
