"""What is told where a training cannot go on, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bioloom.errors import UserError, out_of_memory
from bioloom.heads import HEADS
from bioloom.training.plan import Plan


def not_finite(plan: Plan, number: int) -> UserError:
    """The loss, or a weight, is not a finite number after so many epochs."""
    slower = f"--set training.learning_rate={plan.learning_rate / 10:.2g} (now {plan.learning_rate:.2g})"
    exact = ", or --set training.precision=float32" if plan.precision != "float32" else ""
    exact += _plain(plan)
    return UserError(
        f"Training broke down in epoch {number}: the loss is not a finite number any more.",
        where="the learning rate, or extreme values in the inputs or the target",
        fix=f"look for extreme values with bioloom check; then try {slower}{exact}, and add --force",
    )


def _plain(plan: Plan) -> str:
    """The advice to learn no spread, where one is learned: an early small one takes hold of the whole training."""
    return ", or --set training.loss=auto, which learns no spread" if plan.loss in HEADS else ""


def constant(plan: Plan, number: int) -> UserError:
    """The network has learned to say the same of every record."""
    return UserError(
        f"After {number} epochs the network gives every validation record the same prediction.",
        where="the inputs hold nothing that differs between records, or the learning rate killed the network",
        fix="check that the input column is the right one; then try "
        f"--set training.learning_rate={plan.learning_rate / 10:.2g}{_plain(plan)}",
    )


@contextmanager
def memory_told(plan: Plan) -> Iterator[None]:
    """Within it, memory that runs out is told with what helps; other errors are left as they are."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        half = f"--set training.batch_size={max(1, plan.batch_size // 2)} (now {plan.batch_size})"
        raise UserError(
            "There is not enough memory for this training.",
            where="the size of the network, of a record, or of a batch",
            fix=f"try {half}, smaller settings of the network (bioloom parts show lists them), or another --device",
        ) from None
