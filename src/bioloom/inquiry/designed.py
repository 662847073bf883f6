"""New sequences by a model of a run, scored by an independent judge too, and told apart from what was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data import readers
from bioloom.data.wording import counted
from bioloom.design.choose import differences, disagreement, expected_improvement, unlike_each_other
from bioloom.design.goals import Goal, Objective, weighted
from bioloom.design.methods import METHODS, Effort
from bioloom.design.pool import Order, as_fasta, oligos, refuse_order
from bioloom.design.rules import Rules, checked
from bioloom.errors import UserError, did_you_mean
from bioloom.events import Listener
from bioloom.files import write_json, write_text
from bioloom.inquiry.model import SequenceModel
from bioloom.modalities.protein import AMINO_ACIDS

LOOKED_AT = 20
"""Proposals that are looked at for each design that is wanted."""


BEYOND = 3.0
"""Standard deviations of the training target beyond which hardly any record was measured."""


@dataclass(frozen=True)
class Brief:
    """What is to be designed.

    runs:    folders of runs, each with an aim: "raise", "lower" or a number, with a weight where it is not 1: "lower*0.5"
    judge:   folder of a run that shares no random number with the first one; None: not judged
    rules:   what a sequence must and must not be
    method:  how proposals are made
    effort:  how much is tried
    count:   designs that are wanted
    apart:   positions at which any two designs differ, at least
    explore: choose by expected improvement over the parent, which favours what the networks are unsure of
    unlike:  keep designs that are unlike what the model learned from
    order:   how oligos are made; None: no pool
    """

    runs: tuple[tuple[Path, str], ...]
    rules: Rules
    judge: Path | None = None
    method: str = "evolve"
    effort: Effort = field(default_factory=Effort)
    count: int = 20
    apart: int = 2
    explore: bool = False
    unlike: bool = False
    order: Order | None = None


@dataclass(frozen=True)
class Designs:
    """What was designed.

    table:   one row for each design, the best first
    summary: in words and numbers: how much designer and judge expect, how far they differ, what was left out
    pool:    oligos to order; None where none were asked for
    """

    table: pd.DataFrame
    summary: dict[str, Any]
    pool: pd.DataFrame | None


def design(brief: Brief, listener: Listener) -> Designs:
    """Propose sequences, score them with the judge, leave out what is unlike the training records, and choose.

    Raises UserError for rules that cannot be kept, an unknown method, and where nothing is left to choose from.
    """
    if brief.method not in METHODS:
        raise UserError(
            f'There is no way to design called "{brief.method}".{did_you_mean(brief.method, METHODS)}',
            fix=f"use one of: {', '.join(METHODS)}",
        )
    designers = [SequenceModel(run) for run, _ in brief.runs]
    brief = replace(brief, rules=_rules_for(designers, brief.rules))
    rules = brief.rules
    if brief.order is not None:
        _refuse_pool(rules, brief.order)
    _refuse_letters(rules, designers)
    goals = [
        _goal(designer, aim, number)
        for number, (designer, (_, aim)) in enumerate(zip(designers, brief.runs, strict=True))
    ]
    objective = Objective(goals)
    listener.stage("design", f"Designing by {brief.method}")
    METHODS[brief.method](rules, objective, brief.effort)
    listener.message(f"{objective.asked:,} sequences were asked about")
    picked, unlike = _picked(brief, objective, designers[0])
    if len(picked) < brief.count:
        listener.message(
            f"{len(picked)} of {brief.count} designs were found that differ at {brief.apart} positions or more: ask for more "
            "with --steps, or for less with --apart"
        )
    table = _table(picked, rules.parent, objective, designers[0], brief)
    summary = _summary(table, brief, objective, unlike, listener)
    return Designs(table, summary, None if brief.order is None else _pool(picked, brief.order, rules))


def _picked(brief: Brief, objective: Objective, designer: SequenceModel) -> tuple[list[str], int]:
    """The best designs that are unlike each other, and how many were left out as unlike the training records.

    Raises UserError where nothing is left to choose from.
    """
    ranked = [text for text, _ in objective.best(objective.asked) if text != brief.rules.parent]
    if not ranked:
        raise UserError(
            "No sequence but the parent keeps all rules.", fix="free more positions, or loosen a rule"
        )
    left: list[str] = []
    odd = 0
    for start in range(0, len(ranked), LOOKED_AT * brief.count):
        some = ranked[start : start + LOOKED_AT * brief.count]
        unlike = [bool(why) and not brief.unlike for why in designer.unlike(some)]
        left += [text for text, out in zip(some, unlike, strict=True) if not out]
        odd += sum(unlike)
        chosen = unlike_each_other(left, _wish(brief, objective, designer, left), brief.count, brief.apart)
        if len(chosen) == brief.count:
            break
    if not left:
        raise UserError(
            "All that was found is unlike what the model learned from, so that its answers mean little there.",
            fix="allow fewer changes of the parent (--edits), or keep such designs with --keep-unlike",
        )
    return [left[number] for number in chosen], odd


def _rules_for(designers: Sequence[SequenceModel], rules: Rules) -> Rules:
    """The rules for what the models read: RNA is designed as the DNA that it is made from, so that T stands for U.

    Raises UserError for rules that cannot be kept, and for models of which one reads proteins and another does not.
    """
    nucleic = {set(each.letters) <= set("ACGTU") for each in designers}
    if len(nucleic) > 1:
        raise UserError(
            "One model reads proteins, and another does not.", where="--also", fix="design for one of them"
        )
    if not nucleic.pop():
        return checked(replace(rules, letters=AMINO_ACIDS))
    return checked(replace(rules, parent=rules.parent.replace("U", "T")))


def _refuse_pool(rules: Rules, order: Order) -> None:
    if not rules.nucleic:
        raise UserError(
            "Oligos are made of DNA, and these designs are proteins.",
            where="--pool",
            fix="leave out --pool, and have the designs translated back where they are made",
        )
    refuse_order(order, len(rules.parent))


def _pool(picked: Sequence[str], order: Order, rules: Rules) -> pd.DataFrame:
    """The oligos; the wild type, where it is one of them, in letters of DNA too."""
    return oligos(picked, replace(order, wild_type=rules.parent if order.wild_type else ""), rules.without)


def _refuse_letters(rules: Rules, designers: Sequence[SequenceModel]) -> None:
    for each in designers:
        if not each.usable([rules.parent]).all():
            raise UserError(
                "A model cannot read the parent.",
                where=rules.parent[:60],
                fix="give a sequence as it was trained on: letters and length",
            )


def _goal(model: SequenceModel, aim: str, number: int) -> Goal:
    """What a model is asked for; one unit is the spread of its training target, or of log-odds."""
    targets = model.model.targets
    scale = 1.0 if targets.classes else float(targets.scale[model.number])
    name = f"predicted {model.target}" + (f" (model {number + 1})" if number else "")
    wanted, weight = weighted(aim)
    return Goal(
        name,
        lambda texts: model.of_each(texts).mean(axis=0),
        wanted,
        weight,
        scale=scale or 1.0,
        slope=model.slope,
    )


def _wish(
    brief: Brief, objective: Objective, designer: SequenceModel, texts: Sequence[str]
) -> NDArray[np.float64]:
    """By what designs are chosen: their score, or what they may be worth by the first model's disagreement."""
    scores = objective(texts)
    if not brief.explore:
        return scores
    goal = objective.goals[0]
    each = goal.weight * goal.score(designer.of_each(texts))
    return expected_improvement(scores, disagreement(each), float(objective([brief.rules.parent])[0]))


def _table(
    picked: Sequence[str], parent: str, objective: Objective, designer: SequenceModel, brief: Brief
) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "name": [f"design_{number + 1}" for number in range(len(picked))],
        "sequence": [designer.spelled(text) for text in picked],
        "score": objective(picked),
    }
    for name, values in objective.values(picked).items():
        columns[name] = values
    each = designer.of_each(picked)
    if len(each) > 1:
        columns["spread"] = disagreement(each)
    if brief.judge is not None:
        columns["judge"] = SequenceModel(brief.judge).of_each(picked).mean(axis=0)
    columns["edits"] = differences(parent, picked)
    if brief.rules.nucleic:
        columns["gc"] = [(text.count("G") + text.count("C")) / len(text) for text in picked]
    columns["unlike"] = designer.unlike(picked)
    return pd.DataFrame(columns)


def _summary(
    table: pd.DataFrame, brief: Brief, objective: Objective, unlike: int, listener: Listener
) -> dict[str, Any]:
    """What designer and judge expect of the designs, against the parent."""
    goal = objective.goals[0]
    _tell_beyond(table, brief, goal, listener)
    before = float(goal.answer([brief.rules.parent])[0])
    after = table[goal.name].to_numpy(dtype=np.float64)
    gain = float(after.mean()) - before
    told: dict[str, Any] = {
        "method": brief.method,
        "asked": objective.asked,
        "designs": len(table),
        "left_out_as_unlike": 0 if brief.unlike else unlike,
        "goal": goal.name,
        "parent": before,
        "designer_expects": gain,
    }
    if brief.judge is not None:
        first = float(SequenceModel(brief.judge).of_each([brief.rules.parent]).mean())
        judged = float(table["judge"].mean()) - first
        (
            better,
            agreed,
        ) = (  # in units of the goal, higher is better, so that optimism has one sign for every aim
            float((goal.score(values) - goal.score(np.array([begun]))).mean())
            for values, begun in ((after, before), (table["judge"].to_numpy(dtype=np.float64), first))
        )
        told |= {"judge_expects": judged, "optimism": better - agreed}
        listener.message(
            f"{counted(len(table), 'design')}: the designer expects {gain:+.3g} of {goal.name}, the judge {judged:+.3g}; "
            + _trust(better, agreed)
        )
    else:
        listener.message(
            f"{counted(len(table), 'design')}: the model expects {gain:+.3g} of {goal.name}; nobody else has judged them"
        )
    return told


def _tell_beyond(table: pd.DataFrame, brief: Brief, goal: Goal, listener: Listener) -> None:
    """Predictions far from all that was measured are guesses, however sure a network sounds."""
    targets = SequenceModel(brief.runs[0][0]).model.targets
    if targets.classes:
        return
    mean, scale = float(targets.mean[0]), float(targets.scale[0])
    beyond = int((np.abs(table[goal.name] - mean) > BEYOND * scale).sum())
    if beyond:
        listener.message(
            f"{beyond} of {counted(len(table), 'design')} are predicted more than {BEYOND:g} standard deviations from the mean "
            f"of the training records ({mean:.3g}), where hardly any was measured: read these numbers as an order, not as values"
        )


def _trust(gain: float, judged: float) -> str:
    """What the difference of designer and judge means, in words."""
    if gain == 0 or judged / gain <= 0:
        return "the judge does not see the gain: the designer may have found its own mistakes"
    if judged / gain < 0.5:
        return "the judge sees less than half of it: expect disappointment"
    return (
        "both agree within a factor of two"
        if judged <= 2 * gain
        else "the judge expects more than twice as much"
    )


def read_usage(path: Path | None) -> dict[str, float]:
    """The frequency of each codon from a table with the columns codon and frequency; empty without a file.

    Raises UserError where a column is missing or a frequency is no number.
    """
    if path is None:
        return {}
    frame = readers.read(str(path)).frame
    names = {str(name).lower(): name for name in frame.columns}
    if "codon" not in names or "frequency" not in names:
        raise UserError(
            "A table of codon usage needs the columns codon and frequency.",
            where=str(path),
            fix=f"its columns are: {', '.join(map(str, frame.columns))}",
        )
    frequency = pd.to_numeric(frame[names["frequency"]], errors="coerce")
    if frequency.isna().any():
        row = int(np.flatnonzero(frequency.isna())[0]) + 2
        raise UserError(
            "A frequency is no number.", where=f"{path}, line {row}", fix="write numbers such as 17.6"
        )
    codons = [str(codon).upper().replace("U", "T") for codon in frame[names["codon"]]]
    return dict(zip(codons, frequency.tolist(), strict=True))


def write(found: Designs, folder: Path) -> list[Path]:
    """Write designs.csv, designs.fasta, summary.json, and the pool as CSV and FASTA; returns the files."""
    paths = [folder / "designs.csv", folder / "designs.fasta", folder / "summary.json"]
    write_text(paths[0], found.table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    named = zip(found.table["name"], found.table["sequence"], strict=True)
    write_text(paths[1], "".join(f">{name}\n{text}\n" for name, text in named))
    write_json(paths[2], found.summary)
    if found.pool is not None:
        paths += [folder / "pool.csv", folder / "pool.fasta"]
        write_text(paths[3], found.pool.to_csv(index=False, lineterminator="\n"))
        write_text(paths[4], as_fasta(found.pool))
    return paths
