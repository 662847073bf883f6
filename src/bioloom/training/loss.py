"""The loss of a training: that of its task, with what the recipe changes about it."""

from __future__ import annotations

from bioloom.losses import Loss, LossOptions, balanced
from bioloom.training.job import Job

USUAL = {"loss": "auto", "label_smoothing": 0.0, "focal": 0.0, "class_weights": "none"}
"""The keys of a recipe that change a loss, with the values that change nothing."""


def loss_of(job: Job) -> Loss:
    """The loss that a training makes small; weights of classes follow from the training records.

    Raises UserError for a change that does not go with the task.
    """
    plan = job.plan
    job.task.refuse_others(key for key, usual in USUAL.items() if getattr(plan, key) != usual)
    weights: tuple[float, ...] = ()
    if plan.class_weights == "balanced":
        weights = balanced(job.truth[job.train], job.weight[job.train], max(2, job.outputs))
    return job.task.loss_with(LossOptions(plan.loss, plan.label_smoothing, plan.focal, weights))
