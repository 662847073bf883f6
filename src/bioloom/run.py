"""A run: the folder in which a training was done, seen from Python."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom import recipe as recipes
from bioloom import trained
from bioloom.data.assets import from_program
from bioloom.data.records import Records, take_rows
from bioloom.errors import UserError
from bioloom.events import Listener, Silent
from bioloom.journey import explained
from bioloom.journey.chapter import strongest
from bioloom.journey.column_effects import Place, column_effects, tables
from bioloom.journey.compared import RECORDS, Compared, compare_methods
from bioloom.journey.division import divide
from bioloom.journey.explained import Answer, Wanted, spread
from bioloom.journey.importance import ASKED, Unseen
from bioloom.journey.predicted import read_records
from bioloom.journey.prepare import Prepared, Request, Source, prepare
from bioloom.journey.sought import Sought
from bioloom.journey.unlabelled import refuse_unexplained
from bioloom.report import fragment
from bioloom.report.summary import summary
from bioloom.trained import Model, Values
from bioloom.trained.references import with_references
from bioloom.training.device import session

SOME = 12
"""Test records whose attributions say which of very many columns to ask about."""


@dataclass(frozen=True)
class Run:
    """A finished run; everything it shows is read from its folder.

    folder: where it lies
    """

    folder: Path

    @cached_property
    def result(self) -> dict[str, Any]:
        """Everything that was found, as in `result.json`."""
        try:
            content = json.loads((self.folder / "result.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise _not_finished(self.folder) from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise UserError(
                "The result of this run is damaged.", where=str(self.folder), fix="train again"
            ) from None
        if not isinstance(content, dict):
            raise UserError("The result of this run is damaged.", where=str(self.folder), fix="train again")
        return content

    @property
    def verdict(self) -> str:
        """What the score is worth, in one sentence."""
        return str(self.result["verdict"]["text"])

    @property
    def scores(self) -> dict[str, Any]:
        """The scores of the model on the test records: by metric, value with its 95 % interval."""
        return dict(self.result["scores"]["model"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was checked, what came out, and what to do about it."""
        return list(self.result["findings"])

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.folder / "report.html"

    @cached_property
    def model(self) -> Model:
        """The trained model, ready to predict."""
        return with_references(trained.load(self.folder / "model"), self.folder, self._training_records)

    def _training_records(self) -> Records:
        """The records that the network learned from, read again."""
        prepared = self._prepared("use another method, such as grad_cam or occlusion")
        return prepared.records.take(self._parts(len(prepared.records)) == "train")

    def explain(
        self,
        records: Values | None = None,
        *,
        method: str | Sequence[str] = (),
        target: str = "",
        against: str = "",
        scale: str = "raw",
        settings: Mapping[str, Any] | None = None,
        layer: str = "",
        references: int | None = None,
        count: int = 32,
        seed: int = 0,
    ) -> list[Answer]:
        """Say what in records moves the prediction, by one or several methods.

        records: sequences, or a table with the model's input columns; without them `count` test records of the
                 run are explained, read again from its data
        method:  explainers such as "mutagenesis"; without them those of the modality
        target:  a class or target column by its name; without it each of the first four
        against: another class, for why it is the one and not the other
        scale:   "raw" (logits, or units of the target), "probability" or "log_odds"
        settings: of methods, such as {"lrp.composite": "gamma"}; `bioloom parts show METHOD` lists them
        layer:   whose maps are looked at, by methods that look at maps; without it the last ones
        references: backgrounds of each record, for methods that compare with "nothing here"
        Returns one answer for each method, input and output; nothing is written.
        """
        frames, ids = self.test_records(count) if records is None else self._given(records)
        wanted = Wanted(
            methods=_names(method),
            seed=seed,
            sought=Sought(target, against, scale),
            settings=settings or {},
            layer=layer,
            references=references,
        )
        return explained.explain(self.model, frames, ids, wanted, Silent())

    def compare(
        self,
        records: Values | None = None,
        *,
        method: str | Sequence[str] = (),
        target: str = "",
        settings: Mapping[str, Any] | None = None,
        layer: str = "",
        count: int = RECORDS,
        seed: int = 0,
    ) -> list[Compared]:
        """Measure methods of explanation on the same records, and say which to trust there.

        method: explainers; without them one of each family; "all" for every one that suits the input
        settings, layer: of methods, as for `explain`
        Returns one table for each input; nothing is written.
        """
        frames, _ = self.test_records(count) if records is None else self._given(records)
        wanted = Wanted(
            methods=_names(method), seed=seed, sought=Sought(target), settings=settings or {}, layer=layer
        )
        return compare_methods(self.model, frames, wanted, Silent())

    def asked_about(
        self, source: Source | None, count: int, listener: Listener
    ) -> tuple[dict[str, pd.DataFrame], list[str]]:
        """The usable records of a file, or `count` test records where none is named, which are to be explained."""
        refuse_unexplained(self.model.targets, str(self.folder))
        listener.stage("explain", "Explaining predictions")
        return self.test_records(count) if source is None else read_records(self.model, source, listener)

    def _given(self, records: Values) -> tuple[dict[str, pd.DataFrame], list[str]]:
        frames = {name: from_program(each) for name, each in self.model.frames(records).items()}
        count = len(next(iter(frames.values())))
        return frames, [str(number + 1) for number in range(count)]

    def test_records(self, count: int, others: bool = False) -> tuple[dict[str, pd.DataFrame], list[str]]:
        """Test records spread over the range of predictions, as the report explains them.

        others: where there are fewer, records that the network learned from come behind them, drawn at random: what a model
                uses is asked, and not how good it is
        A cross-validated run has no test records of its own; validation records stand in for them.
        """
        prepared, test, _ = self._unseen()
        frames = {name: take_rows(frame, test) for name, frame in prepared.records.inputs.items()}
        chosen = test[spread(self.model.raw(frames)[:, 0], count)]
        if others and len(chosen) < count:
            parts = self._parts(len(prepared.records))
            learned = np.setdiff1d(np.flatnonzero(np.isin(parts, ("train", "validation"))), test)
            drawn = np.random.default_rng(prepared.recipe.seed).permutation(learned)
            chosen = np.append(chosen, drawn[: count - len(chosen)])
        frames = {name: take_rows(frame, chosen) for name, frame in prepared.records.inputs.items()}
        return frames, [str(name) for name in prepared.records.ids[chosen]]

    def effects_of_columns(
        self, methods: Sequence[str], source: Any, prefix: str, ending: str = "svg"
    ) -> list[dict[str, Any]]:
        """What columns do to the whole model, by some of `METHODS`, on its test records; written to the run folder.

        source: has to be None, because truths are needed; prefix: begins every file name; ending: of figures
        """
        if source is not None:
            raise UserError(
                "What columns do to the whole model is worked out on the test records of the run.",
                where=", ".join(methods),
                fix="leave out the file",
            )
        count = sum(len(self.model.inputs[name].columns) for name in tables(self.model))
        answers = []
        if count > ASKED.columns:
            frames, ids = self.test_records(SOME)
            answers = explained.explain(self.model, frames, ids, Wanted(usual=1), Silent())
        place = Place(self.folder, prefix, ending, strongest(self.model, answers))
        with session(self.model.threads):
            return column_effects(self.model, self.unseen(), ASKED, methods, place)

    def unseen(self) -> Unseen:
        """All test records with their truths, in groups where they were split by groups or families; validation records in
        a cross-validated run."""
        prepared, test, part = self._unseen()
        records = prepared.records
        groups = records.group if records.group is not None else divide(prepared).split.alike
        return Unseen(
            {name: take_rows(frame, test) for name, frame in records.inputs.items()},
            self.model.targets.truth(take_rows(records.targets, test)),
            None if groups is None else groups[test],
            prepared.recipe.seed,
            part,
        )

    def _unseen(self) -> tuple[Prepared, NDArray[np.int64], str]:
        """The data of the run, read again, and which records the network did not learn from, of which part."""
        prepared = self._prepared("name the records to explain")
        parts = self._parts(len(prepared.records))
        part = "test" if (parts == "test").any() else "validation"
        return prepared, np.flatnonzero(parts == part), part

    def _prepared(self, instead: str) -> Prepared:
        """The records of the run, read again; `instead`: what to do where that cannot be."""
        recipe = recipes.load(self.folder / "recipe.toml")
        if not recipe.data.file:
            raise UserError(
                "This run was trained on data in memory or on several files, which its recipe does not name.",
                where=str(self.folder),
                fix=instead,
            )
        # Records alone are asked for: the run that this one began with need not be there any more.
        without = {"model.start": "", "model.start_sha256": ""}
        return prepare(Request(source=str(self.folder / "recipe.toml"), settings=without))

    def _parts(self, records: int) -> NDArray[np.object_]:
        """Which part each record is in, (records,)."""
        path = self.folder / "split.csv"
        try:
            parts = pd.read_csv(path, dtype=str, keep_default_na=False)["part"].to_numpy(dtype=object)
        except (OSError, KeyError, ValueError):
            parts = np.empty(0, dtype=object)
        if len(parts) != records:
            raise UserError(
                "The split of this run is missing or damaged.",
                where=str(path),
                fix="name the records to explain, or train again",
            )
        return parts

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})\n" + "\n".join(summary(self.result))

    def _repr_html_(self) -> str:
        return fragment(self.result)


def _names(method: str | Sequence[str]) -> tuple[str, ...]:
    return (method,) if isinstance(method, str) else tuple(method)


def load(folder: Path | str) -> Run:
    """Open a finished run.

    Raises UserError where the folder is none, or the run has not finished.
    """
    run = Run(Path(folder))
    _ = run.result  # read now, so that a wrong folder is noticed here and not later
    return run


def _not_finished(folder: Path) -> UserError:
    if not folder.exists():
        return UserError("There is no such folder.", where=str(folder), fix="correct the path")
    if (folder / "recipe.toml").exists():
        return UserError(
            "This run has not finished.",
            where=str(folder),
            fix="repeat the command that started it; it goes on from there",
        )
    return UserError(
        "This is not a run folder: it holds no result.json.",
        where=str(folder),
        fix="name the folder that bioloom train wrote",
    )
