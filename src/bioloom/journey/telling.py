"""What is told after each epoch of a training: to whoever listens in a line, to trackers in numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bioloom.events import EpochTold, Listener
from bioloom.journey.learnable import Learnable
from bioloom.journey.trainee import Stand
from bioloom.metrics import METRICS


def teller(
    learnable: Learnable, listener: Listener, watchers: Sequence[Callable[[EpochTold], None]] = ()
) -> Callable[[Stand], None]:
    """Tells a listener after each epoch how far training is, and watchers all numbers of the epoch.

    The validation score is in the task's own metric, before probabilities are corrected.
    """

    def tell(stand: Stand) -> None:
        epoch, job = stand.epoch, stand.job
        metric, score = METRICS[job.task.primary], None
        if epoch.raw is not None:
            score = metric(learnable.truth[job.validation], job.task.activate(epoch.raw, learnable.targets))
        told = EpochTold(
            member=stand.member + 1,
            members=stand.number,
            number=epoch.number,
            epochs=epoch.epochs,
            loss=epoch.loss,
            validation_loss=epoch.validation_loss,
            learning_rate=epoch.learning_rate,
            metric=metric.name,
            validation_score=None if score is None else float(score),
            best=epoch.best,
            seconds=round(epoch.seconds, 4),
        )
        for watch in watchers:
            watch(told)
        note = f"{stand.words}, loss {epoch.loss:.3f}"
        if epoch.validation_loss is not None and score is not None:
            note += f", validation {epoch.validation_loss:.3f}, {metric.title} {metric.text(score)}"
        listener.progress(stand.share, note)

    return tell
