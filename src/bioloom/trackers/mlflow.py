"""MLflow: settings, curves, scores and the report, where MLFLOW_TRACKING_URI says, else in the run folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from bioloom.errors import UserError
from bioloom.events import EpochTold
from bioloom.files import write_text
from bioloom.trackers import Tracker, trackers

LONGEST = 500
"""Letters of a setting that every MLflow server takes."""


@trackers.register
class MLflow(Tracker):
    """One MLflow run for one run; a run that was stopped goes on as the same one."""

    name = "mlflow"
    title = "MLflow: settings, curves, scores and report, on your server or in the run folder"
    module = "mlflow"

    def __init__(self, client: Any, run: str, note: Path) -> None:
        self._client, self._run, self._note = client, run, note
        self._done = False

    @classmethod
    def open(cls, folder: Path, settings: Mapping[str, Any]) -> Self:
        """Begin an MLflow run, or go on with that of an earlier start of the same run."""
        cls.refuse_missing()
        from mlflow.exceptions import MlflowException

        try:
            return cls._begun(folder, settings)
        except (MlflowException, ImportError) as error:
            raise UserError(
                f"MLflow cannot be written to: {str(error).splitlines()[0]}",
                where=os.environ.get("MLFLOW_TRACKING_URI") or str(folder / "mlflow"),
                fix="correct MLFLOW_TRACKING_URI, or leave out --track mlflow",
            ) from None

    @classmethod
    def _begun(cls, folder: Path, settings: Mapping[str, Any]) -> Self:
        client, note = _client(folder), folder / "checkpoint" / "mlflow.txt"
        if note.exists():
            run = note.read_text(encoding="utf-8").strip()
            client.update_run(run, status="RUNNING")
            return cls(client, run, note)
        created = client.create_run(_experiment(client), run_name=folder.resolve().name)
        run = str(created.info.run_id)
        write_text(note, run + "\n")
        for key, value in settings.items():
            client.log_param(run, key, str(value)[:LONGEST])
        return cls(client, run, note)

    def epoch(self, told: EpochTold) -> None:
        """One point on each curve."""
        for name, value in told.numbers().items():
            self._client.log_metric(self._run, name, value, step=told.number)

    def finish(self, scores: Mapping[str, float], report: Path) -> None:
        """The scores as metrics, the report as an artifact."""
        for name, value in scores.items():
            self._client.log_metric(self._run, name, value)
        self._client.log_artifact(self._run, str(report))
        self._done = True

    def close(self) -> None:
        """Say whether the run came to its end; one that was stopped can go on."""
        self._client.set_terminated(self._run, "FINISHED" if self._done else "KILLED")


def _client(folder: Path) -> Any:
    """Of the server or store that MLFLOW_TRACKING_URI names, else of a folder of files, which needs no database."""
    from mlflow import MlflowClient

    named = os.environ.get("MLFLOW_TRACKING_URI")
    if not named:  # MLflow asks for this word since it prefers databases; it is for this process alone
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    return MlflowClient(tracking_uri=named or (folder / "mlflow").resolve().as_uri())


def _experiment(client: Any) -> str:
    """The experiment that MLFLOW_EXPERIMENT_NAME names, else one called bioloom."""
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "bioloom"
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)
