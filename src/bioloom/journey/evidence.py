"""What the answers of a run tell beyond the score: learning curve, noise ceiling, calibration, likeness, folds."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.columns import as_numbers
from bioloom.data.noise import error_column, reads_column
from bioloom.data.wording import plural
from bioloom.evaluation.assessment import Assessment, assess
from bioloom.evaluation.bounds import Bounds, effective_size, error_bound, family
from bioloom.evaluation.capacity import Capacity, Size, capacity_curve
from bioloom.evaluation.ceiling import (
    Ceiling,
    ClassCeiling,
    Noise,
    class_ceiling,
    error_from_bounds,
    noise_ceiling,
    noise_from_counts,
    noise_from_errors,
    noise_from_repeats,
)
from bioloom.evaluation.curve import Curve, Trained, learning_curve
from bioloom.evaluation.decomposition import Decomposition, decompose_squared, decompose_zero_one
from bioloom.evaluation.evidence import Evidence
from bioloom.evaluation.folds import FoldScores, OutOfFold, fold_scores
from bioloom.evaluation.gain import Gain, Loss, gain, loss
from bioloom.evaluation.identity import IdentityCurve, Likeness, identity_curve
from bioloom.evaluation.learnability import vc_linear, vc_network
from bioloom.evaluation.pretrained import Pretrained, pretrained
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import Resampled, resample
from bioloom.evaluation.variance import VarianceComponents, variance_components
from bioloom.journey.everywhere import as_rows
from bioloom.journey.further import SCRATCH
from bioloom.journey.pretraining import groups_not_known
from bioloom.journey.promise import coverage
from bioloom.journey.rivals import BASELINE_RECORDS
from bioloom.journey.trainee import STUDENT, operating
from bioloom.models.layers import layer_table

if TYPE_CHECKING:
    from bioloom.journey.judge import Trial

Floats = NDArray[np.float64]

PLACES_LOOKED_AT = 50_000
"""Places of the tested records on which probabilities are held against what happened, at most."""

ROLES = ("model", "simple")
"""Whose learning curves are drawn."""

FIRST = "seed 0"
"""The answers of the first member, where the network is a mean of several."""

MOST = {"simple": BASELINE_RECORDS}
"""Records that a role learns from at most, however many there are."""


def gather(trial: Trial) -> Evidence:
    """Work out every part for which the run has what is needed."""
    variance = _variance(trial)
    return Evidence(
        folds=_folds(trial),
        variance=variance,
        identity=_identity(trial),
        ceiling=_ceiling(trial) if trial.task.by_record else None,
        curve=_curve(trial, variance),
        calibration=_calibration(trial) if trial.task.labelled else None,
        uncertainty=coverage(trial, "model") if trial.task.by_record else None,
        bounds=_bounds(trial) if trial.task.by_record else None,
        decomposition=_decomposition(trial) if trial.task.by_record else None,
        capacity=_capacity(trial),
        ensemble=_ensemble(trial),
        distilled=_distilled(trial),
        pretrained=_pretrained(trial),
    )


def _folds(trial: Trial) -> FoldScores | None:
    folds = trial.division.folds
    if folds is None:
        return None
    answers, records = trial.answers, len(trial.trainee.records)
    roles = ("model", *trial.rivals.models)
    values = {
        role: np.full((folds.repeats, records, *answers.values[role].shape[1:]), np.nan, dtype=np.float32)
        for role in roles
    }
    for role in roles:
        values[role][answers.repeat, answers.rows] = answers.values[role]
    trained = {divmod(number, folds.count): count for number, count in enumerate(answers.learned)}
    return fold_scores(
        OutOfFold(trial.trainee.job.task, trial.trainee.learnable.truth, values, folds.fold, trained)
    )


def _variance(trial: Trial) -> VarianceComponents | None:
    seeds = trial.once.named("seed ")
    if not seeds:
        return None
    # members of a mean of networks bring the first themselves
    found = {FIRST: trial.once.values["model"], **seeds}
    values = np.stack(list(found.values()))
    return variance_components(trial.task.primary, trial.truth, values, trial.plan)


def _ensemble(trial: Trial) -> Gain | None:
    """What the mean of several networks gains over one of them."""
    number, values = len(trial.trainee.members), trial.once.values
    if number == 1 or FIRST not in values:
        return None
    members = {name: value for name, value in trial.once.named("seed ").items() if int(name[5:]) < number}
    return gain(trial.task, trial.truth, values["model"], members, trial.plan)


def _pretrained(trial: Trial) -> Pretrained | None:
    """One network that began with what it learned without labels, beside the same that began at random."""
    values = trial.once.values
    if SCRATCH not in values:
        return None
    found = pretrained(
        trial.task, trial.truth, (values.get(FIRST, values["model"]), values[SCRATCH]), trial.plan
    )
    unknown = groups_not_known(trial.trainee.prepared)
    return replace(found, text=f"{found.text} {unknown}") if unknown else found


def _distilled(trial: Trial) -> Loss | None:
    """What is lost where the one network stands for all that learned to say what their mean says."""
    values = trial.once.values
    if STUDENT not in values:
        return None
    return loss(trial.task, trial.truth, values["model"], values[STUDENT], trial.plan)


def _identity(trial: Trial) -> IdentityCurve | None:
    found = trial.division.leakage
    likeness = Likeness(found.nearest, found.unlike, found.distance)
    return identity_curve(trial.task, trial.truth, trial.once.values["model"], likeness, trial.plan)


def _ceiling(trial: Trial) -> Ceiling | ClassCeiling | None:
    rows, targets = trial.once.rows, trial.trainee.learnable.targets
    truth, value = trial.truth[:, 0].astype(np.float64), trial.once.values["model"][:, 0].astype(np.float64)
    copies = trial.division.copies[rows]
    if targets.classes:
        return class_ceiling(truth, copies, trial.plan)
    if len(targets.names) > 1:
        return None
    data = trial.trainee.prepared.recipe.data
    columns = trial.trainee.records.columns.iloc[rows]
    noise = _noise(
        columns, (data.error, data.reads), targets.names[0], Tested(truth, value, copies, trial.plan)
    )
    return None if noise is None else noise_ceiling(noise, truth, value)


def _curve(trial: Trial, variance: VarianceComponents | None) -> Curve | None:
    """The learning curve of the network, and of the simple model beside it."""
    answers = trial.once
    shares = {"model": "share ", "simple": "simple "}
    named = {
        (role, float(name.removeprefix(prefix))): value
        for role, prefix in shares.items()
        for name, value in answers.named(prefix).items()
    } | {(role, 1.0): answers.values[role] for role in ROLES}
    # one network learns from each share, so one stands at the end of the curve too
    if FIRST in answers.values:
        named["model", 1.0] = answers.values[FIRST]
    if len(named) == len(ROLES):
        return None
    deciding = replace(trial.task, metrics=(trial.task.primary,))
    values = {f"{role} {share}": value for (role, share), value in named.items()}
    resampled = resample(deciding, trial.truth, values, trial.plan)
    luck = 0.0 if variance is None or variance.seeds is None else variance.seeds
    found = [each for key in sorted(named) if (each := _point(trial, key, resampled)) is not None]
    trained = [replace(each, seed_sd=luck) if each.role == "model" else each for each in found]
    if not any(each.role == "model" for each in trained):
        return None
    return learning_curve(trial.task.primary, trained, trial.plan.seed)


def _point(trial: Trial, key: tuple[str, float], resampled: Resampled) -> Trained | None:
    role, share = key
    drawn = resampled.drawn.get((f"{role} {share}", trial.task.primary))
    if drawn is None:
        return None
    n = min(round(share * float(np.mean(trial.answers.learned))), MOST.get(role, sys.maxsize))
    return Trained(n, drawn.value, drawn.draws, role=role)


def _calibration(trial: Trial) -> Assessment:
    trainee = trial.trainee
    made = None
    if trainee.calibration is not None:
        made = (trainee.calibration, operating(trainee.prepared.recipe))
    truth, value, plan = trial.truth, trial.once.values["model"], trial.plan
    if trial.task.everywhere:  # places of one record go together
        found = as_rows(value, truth, PLACES_LOOKED_AT, plan.seed)
        truth, value = found.truth, found.value
        plan = Resampling(len(truth), plan.codes[found.record], plan.draws, plan.seed)
    held = assess(truth, value, trainee.learnable.targets, plan, made)
    if held.reliability is None or not trial.task.place:
        return held
    return replace(held, reliability=replace(held.reliability, things=plural(trial.task.place)))


def _bounds(trial: Trial) -> Bounds | None:
    """What can be guaranteed about the share of new records that are named wrongly; for classes."""
    targets, trainee = trial.trainee.learnable.targets, trial.trainee
    known = np.isfinite(trial.truth[:, 0])
    if not targets.classes or not known.any():
        return None
    threshold = 0.5 if trainee.calibration is None else trainee.calibration.threshold
    called = targets.called(trial.once.values["model"][known], threshold)
    wrong = called != trial.truth[known, 0]
    groups = trial.trainee.groups(trial.once.rows[known])
    test = error_bound(int(wrong.sum()), len(wrong), effective_size(wrong, groups))
    if test is None:
        return None
    records, table = len(trainee.job.train), layer_table(trainee.fitted.network, trainee.job.shapes)
    features = len(trial.rivals.features.features.names)
    families = (
        family(f"weighted sums of {features:,} features", vc_linear(features), records),
        family(
            f"networks of {table.parameters:,} parameters",
            vc_network(table.parameters, len(table.layers)),
            records,
        ),
    )
    return Bounds(test, families)


def _decomposition(trial: Trial) -> Decomposition | None:
    """Bias and variance from trainings on bootstrap samples, for classes or one number."""
    found, targets = list(trial.once.named("resample ").values()), trial.trainee.learnable.targets
    if len(found) < 2 or len(targets.names) > 1:
        return None
    truth = trial.truth[:, 0].astype(np.float64)
    if targets.classes:
        return decompose_zero_one(np.stack([targets.called(value) for value in found]), truth)
    return decompose_squared(np.stack([value[:, 0].astype(np.float64) for value in found]), truth)


def _capacity(trial: Trial) -> Capacity | None:
    """The score by size of the network, where sizes were asked for."""
    asked = trial.trainee.prepared.recipe.evaluation.capacity
    answers, metric = trial.once, trial.task.primary
    values = answers.named("capacity ")
    if not values:
        return None
    ((setting, tried),) = asked.items()
    deciding = replace(trial.task, metrics=(metric,))
    resampled = resample(deciding, trial.truth, values, trial.plan)
    column = trial.trainee.job.task.metrics.index(metric)  # not the first where leave-one-out refuses it
    sizes = []
    for number, value in enumerate(tried):
        name = f"capacity {number}"
        parameters, *scores = answers.about[name].mean(axis=0)
        fitted = scores[column]
        sizes.append(Size(value, int(parameters), float(fitted), resampled.scores(name)[metric]))
    return capacity_curve(metric, setting, sizes)


@dataclass(frozen=True)
class Tested:
    """Tested records: truth and value of one target, numbers that copies share, and how they are drawn.

    truth, value, copies: (tested,)
    """

    truth: Floats
    value: Floats
    copies: NDArray[np.int64]
    plan: Resampling


def _noise(
    columns: pd.DataFrame, named: tuple[tuple[str, ...], str], target: str, tested: Tested
) -> Noise | None:
    """The noise of the tested records, from the first source there is: standard errors, repeats, reads.

    columns: of the tested records, those that are no input
    named:   the column of standard errors (or the two of bounds) and the column of reads, as the recipe names them
    """
    errors, reads = named
    errors = errors or error_column(list(columns.columns), target)
    if errors:
        ends = [_numbers(columns[name]) for name in errors]
        error = ends[0] if len(ends) == 1 else error_from_bounds(ends[0], ends[1])
        found = noise_from_errors(error, tested.plan)
        if found is not None:
            return found
    found = noise_from_repeats(tested.truth, tested.copies, tested.plan)
    reads = reads or reads_column(list(columns.columns))
    if found is None and reads:
        found = noise_from_counts(tested.truth, tested.value, _numbers(columns[reads]), tested.plan)
    return found


def _numbers(column: pd.Series[float]) -> Floats:
    return as_numbers(column)[0]
