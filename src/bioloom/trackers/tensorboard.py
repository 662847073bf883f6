"""TensorBoard: event files in the folder `tensorboard` of the run, to be looked at with `tensorboard --logdir runs`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from bioloom.events import EpochTold
from bioloom.trackers import Tracker, trackers


@trackers.register
class TensorBoard(Tracker):
    """Curves over the epochs, the recipe and the scores as text."""

    name = "tensorboard"
    title = "TensorBoard: curves over the epochs, in the run folder"
    module = "tensorboard"

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder, self._settings = folder / "tensorboard", settings
        self._writer: Any = None

    @classmethod
    def open(cls, folder: Path, settings: Mapping[str, Any]) -> Self:
        """Nothing is written before the first epoch."""
        cls.refuse_missing()
        return cls(folder, settings)

    def epoch(self, told: EpochTold) -> None:
        """One point on each curve."""
        writer = self._opened(told.number)
        for name, value in told.numbers().items():
            writer.add_scalar(name, value, told.number)
        writer.flush()

    def finish(self, scores: Mapping[str, float], report: Path) -> None:
        """The scores as a table, and where the report is."""
        rows = "\n".join(f"| {name} | {value:.4g} |" for name, value in scores.items())
        writer = self._opened(0)
        writer.add_text("test", f"| score on the test records | |\n|---|---|\n{rows}\n\nReport: {report}")
        writer.flush()

    def close(self) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()

    def _opened(self, first: int) -> Any:
        """The writer; of a run that was stopped, epochs from this one on are drawn anew."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder), purge_step=first or None)
            rows = "\n".join(f"| {key} | {value} |" for key, value in self._settings.items())
            self._writer.add_text("recipe", f"| setting | value |\n|---|---|\n{rows}")
        return self._writer
