"""One network that learns to say what the mean of several says, and so predicts in a fraction of their time.

It learns the raw outputs of the mean, not the measurements, as numbers (Ba and Caruana 2014, arXiv:1312.6184; Hinton 2015,
arXiv:1503.02531): these say more of each record than one noisy measurement does.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioloom.tasks import TASKS
from bioloom.training.device import session
from bioloom.training.ensemble import Learned
from bioloom.training.loop import Job, fit, predict

OTHER_SEED = 500
"""Between the seed of the run and that of the student, which is none of those of members."""


def lesson(job: Job, raw: NDArray[np.float32]) -> Job:
    """The training of the student of a mean of networks.

    job: of the first member; raw: what the mean says of all records, (records, outputs). The labels are not seen: what
    changes their loss (smoothing, focal, class weights, quantiles) is left out, and it stops where it comes no nearer to
    the mean on the validation records.
    """
    plan = replace(job.plan, loss="auto", label_smoothing=0.0, focal=0.0, class_weights="none")
    return replace(
        job,
        outputs=raw.shape[1],
        truth=np.ascontiguousarray(raw, dtype=np.float32),
        weight=np.ones(len(raw), dtype=np.float32),
        task=TASKS["regression"],
        plan=plan,
        seed=job.seed + OTHER_SEED,
        start={},
    )


def distil(job: Job, raw: NDArray[np.float32], saved: Path | None) -> Learned:
    """Train the student, or go on with it; saved: the checkpoint of the first member, beside which its own lies."""
    place = None if saved is None else saved.with_name(f"{saved.stem} student{saved.suffix}")
    fitted = fit(lesson(job, raw), checkpoint=place)
    with session(fitted.threads):
        return Learned(fitted, predict(fitted.network, job.inputs, device=job.device))
