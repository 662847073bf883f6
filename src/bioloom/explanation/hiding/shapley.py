"""SHAP by asking: what each segment adds to the output, averaged over all orders in which segments could be added."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import comb, factorial
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import Field

from bioloom.errors import UserError
from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.engine import untouched
from bioloom.explanation.hiding.segments import (
    WINDOW_HELP,
    Segments,
    Ways,
    answers,
    backgrounds,
    hidden_at_all,
    segments_of,
    shared_out,
)
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

_KINDS = frozenset(Kind)

ALL_OF = 11
"""Up to so many segments all coalitions are asked, 2048 of them, and the result is exact."""

BUDGET = 2048
"""Evaluations of a record, all backgrounds together, where coalitions are drawn; beside two for each segment."""

MOST_SEGMENTS = 3000
"""More would need a system of equations that does not fit a usual computer's memory."""

GROUPS = 10
"""Drawn coalitions are left out in so many groups, one after the other, to tell how far chance moves the result."""


@explainers.register
class KernelShap(Explainer):
    """Shapley values of segments from a regression on coalitions of segments that stay.

    value(i) = sum over coalitions S without i of |S|! (M - |S| - 1)! / M! (v(S + i) - v(S))

    M counts the segments that hold anything; v(S) is the mean output over the backgrounds from which all but S are taken.
    Up to 11 segments that sum is taken as it stands, exactly. With more, v is fitted by a linear function of membership,
    each coalition counting by the kernel (M - 1) / (C(M, s) s (M - s)) for its size s: sizes are asked completely from
    the outside in (s and M - s together) while the budget lasts, of the others coalitions are drawn, each with its
    complement. That the values of a record add up to f(x) - mean f(background) is built into the fit, and `delta` is
    rounding. `error` is the standard error by the draw, from leaving out a tenth of the drawn coalitions at a time; 0
    where none was drawn. The value of a segment is shared evenly among its places.

    Cost: 2 evaluations for each segment and background and 2048 more for each record; up to 11 segments 2^M for each
    background.
    Do not use it on many segments (`permutation_shap` needs no equations and its errors are simpler), nor on strongly
    correlated columns without a thought: coalitions mix a record with backgrounds into rows that may not exist.
    Source: Lundberg & Lee 2017, NeurIPS, https://arxiv.org/abs/1705.07874; the constrained fit in closed form, Covert &
    Lee 2021, AISTATS, https://arxiv.org/abs/2012.01536.
    """

    name = "kernel_shap"
    title = "Kernel SHAP (what each part adds, averaged over all orders, by regression)"
    accepts = _KINDS
    needs_background = True

    class Settings(ExplainerSettings):
        """What is hidden together."""

        window: int | None = Field(default=None, ge=1, description=WINDOW_HELP)

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to segments; see `kernel_shap`."""
        return kernel_shap(question, segments=segments_of(question, cls.told(question).window))


@explainers.register
class PermutationShap(Explainer):
    """Shapley values of segments from random orders: add them one by one, forward and backward.

    value(i) = mean over orders of f(with i and all before it) - f(with all before it); what is not there yet is taken
    from a background. Each order is walked both ways (antithetic), and backgrounds take turns, equally often: without a
    draw of infinitely many orders the values are unbiased, and those of a record add up to f(x) - mean f(background)
    exactly, `delta` being rounding. `error` is their standard error over pairs of orders; it holds what backgrounds
    differ by. The value of a segment is shared evenly among its places.

    Cost: 2 evaluations for each segment and pair of orders, about 2048 and never less than 4 for each segment of a record.
    Do not use it for up to 11 segments, where `kernel_shap` is exact; and see there about correlated columns.
    Source: Strumbelj & Kononenko 2014, Knowledge and Information Systems 41:647; antithetic orders, Mitchell et al. 2022,
    JMLR 23:43, https://arxiv.org/abs/2104.12199.
    """

    name = "permutation_shap"
    title = "Permutation SHAP (what each part adds, averaged over random orders)"
    accepts = _KINDS
    needs_background = True
    compared = True

    class Settings(ExplainerSettings):
        """What is hidden together, and in how many orders."""

        window: int | None = Field(default=None, ge=1, description=WINDOW_HELP)
        pairs: int | None = Field(
            default=None, ge=1, description="orders, each walked both ways; empty: by the number of parts"
        )

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to segments; see `permutation_shap`."""
        told = cls.told(question)
        cut = segments_of(question, told.window)
        return permutation_shap(question, segments=cut, pairs=told.pairs)


def kernel_shap(question: Question, *, segments: Segments | None = None) -> Explanation:
    """Shapley values of segments from a regression on coalitions of segments that stay.

    `KernelShap` says how, at what cost, and by whom.

    segments: what is hidden together; columns, tokens, windows, nodes or squares if left out

    Raises UserError for more than 3000 segments.
    """
    x = question.batch[question.input].x
    cut = segments or segments_of(question)
    if cut.count > MOST_SEGMENTS:
        raise UserError(
            f"Kernel SHAP fits all {cut.count:,} parts of a record at once, and that is too many.",
            where=f'input "{question.input}"',
            fix="use --method permutation_shap",
        )
    with untouched(question.network, question.seed, x.device):
        found = _by_regression(question, cut)
    return _explanation(KernelShap.name, question, cut, found)


def _by_regression(question: Question, cut: Segments) -> _Found:
    """Values of the segments that hold anything; the others add nothing and are not asked about."""
    present = hidden_at_all(question, cut).cpu()
    value, error = np.zeros(present.shape), np.zeros(present.shape)
    whole, evaluations, done = np.zeros(len(present)), 0, 0
    patterns, which = torch.unique(present, dim=0, return_inverse=True)
    for number, pattern in enumerate(patterns.numpy()):
        rows, players = np.flatnonzero(which.numpy() == number), np.flatnonzero(pattern)
        if not len(players):
            continue
        exact = _affordable(len(players), question.effort)
        plan = _all_coalitions(len(players)) if exact else _coalitions(len(players), question)
        said = _said(question, cut, _Asked(rows, players, plan.kept, done / len(present))).cpu().numpy()
        place = np.ix_(rows, players)
        value[place], error[place] = _exact(plan, said) if exact else _fitted(plan, said)
        whole[rows], done = said[:, 1] - said[:, 0], done + len(rows)
        evaluations = max(evaluations, len(plan.kept))
    return _Found(value, error, whole, evaluations)


def _affordable(count: int, effort: float) -> bool:
    """Whether all coalitions are asked."""
    return count <= ALL_OF and 2**count <= 2 * count + BUDGET * effort


@dataclass(frozen=True)
class _Asked:
    """Coalitions of some segments, (coalitions, players), about which some records are asked; and the share done."""

    rows: NDArray[np.int64]
    players: NDArray[np.int64]
    kept: NDArray[np.bool_]
    done: float


def _said(question: Question, cut: Segments, asked: _Asked) -> Tensor:
    """What the network says of each record and coalition, (rows, coalitions)."""
    x = question.batch[question.input].x
    kept = torch.ones(len(asked.kept), cut.count, dtype=torch.bool)
    kept[:, asked.players] = torch.from_numpy(asked.kept)
    kept, rows = kept.to(x.device), torch.from_numpy(asked.rows).to(x.device)
    share = len(rows) / len(x)
    told = replace(question, progress=lambda part: question.progress(asked.done + share * part))
    return answers(told, cut, Ways(len(kept), kept.__getitem__), rows)


def permutation_shap(
    question: Question, *, segments: Segments | None = None, pairs: int | None = None
) -> Explanation:
    """Shapley values of segments from random orders: add them one by one, forward and backward.

    `PermutationShap` says how, at what cost, and by whom.

    segments: what is hidden together; columns, tokens, windows, nodes or squares if left out
    pairs:    orders, each walked both ways; as many as Kernel SHAP's budget allows, and at least two
    """
    x = question.batch[question.input].x
    cut, nothing = segments or segments_of(question), backgrounds(question).shape[1]
    pairs = pairs or _pairs(cut.count, nothing, question.effort)
    generator = torch.Generator().manual_seed(question.seed)
    orders = [torch.randperm(cut.count, generator=generator) for _ in range(pairs)]
    place = torch.stack(orders).argsort(dim=1).to(x.device)  # (pairs, segments): when each is added
    steps = cut.count + 1

    def kept(way: Tensor) -> Tensor:
        pair, backward, step = way // (2 * steps), way // steps % 2, way % steps
        when = torch.where(backward[:, None] > 0, cut.count - 1 - place[pair], place[pair])
        return when < step[:, None]

    ways = Ways(pairs * 2 * steps, kept, lambda way: way // (2 * steps) % nothing)
    with untouched(question.network, question.seed, x.device):
        said = answers(question, cut, ways).view(len(x), pairs, 2, steps)
    added = said.diff(dim=3)  # (records, pairs, directions, steps)
    there = place.expand(len(x), -1, -1)
    each = (added[:, :, 0].gather(2, there) + added[:, :, 1].gather(2, cut.count - 1 - there)) / 2
    error = each.std(dim=1) / pairs**0.5 if pairs > 1 else torch.full_like(each[:, 0], torch.nan)
    whole = (said[:, :, 0, -1] - said[:, :, 0, 0]).mean(dim=1)
    found = _Found(each.mean(dim=1).cpu().numpy(), error.cpu().numpy(), whole.cpu().numpy(), ways.count)
    return _explanation(PermutationShap.name, question, cut, found)


def _pairs(count: int, nothing: int, effort: float) -> int:
    """How many orders are drawn: a multiple of the backgrounds, at least two."""
    usual = effort * (BUDGET + 2 * count) / (2 * count)
    rounds = max(1, round(usual / nothing), -(-2 // nothing))
    return rounds * nothing


@dataclass(frozen=True)
class _Found:
    """Values of segments and their errors, (records, segments), what they should add up to, (records,), and their cost."""

    value: NDArray[np.float64]
    error: NDArray[np.float64]
    whole: NDArray[np.float64]
    evaluations: int


def _explanation(name: str, question: Question, cut: Segments, found: _Found) -> Explanation:
    device = question.batch[question.input].x.device
    value, error = (torch.from_numpy(each).to(device) for each in (found.value, found.error))
    attribution = shared_out(question, cut, value).float().cpu().numpy()
    sums = attribution.reshape(len(attribution), -1).sum(axis=1, dtype=np.float64)
    count = backgrounds(question).shape[1]
    question.progress(1.0)
    return Explanation(
        attribution=attribution,
        method=name,
        input=question.input,
        reference=f"{count} background{'s' * (count > 1)} of each record, {cut.words} taken from there",
        delta=(sums - found.whole).astype(np.float32),
        settings={
            "segments": cut.words,
            "evaluations": found.evaluations * (1 if name == "permutation_shap" else count),
        },
        error=shared_out(question, cut, error).float().cpu().numpy(),
    )


# ---- coalitions of Kernel SHAP ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """Coalitions that are asked; the first is empty, the second is whole.

    kept:   (coalitions, segments) bool
    weight: (coalitions,) how much each counts in the fit; 0 for the first two, which the fit meets exactly
    group:  (coalitions,) in which group it is left out; -1 for those that were not drawn
    """

    kept: NDArray[np.bool_]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]


def _all_coalitions(count: int) -> _Plan:
    number = np.arange(2**count)
    number[1:] = np.r_[number[-1], number[1:-1]]  # the whole one second
    kept = (number[:, None] >> np.arange(count)) & 1 > 0
    return _Plan(kept, np.zeros(len(kept)), np.full(len(kept), -1))


def _coalitions(count: int, question: Question) -> _Plan:
    """Sizes from the outside in while the budget lasts; of the others a draw, each coalition with its complement."""
    left = 2 * count + round(BUDGET * question.effort / backgrounds(question).shape[1])
    sizes = list(range(1, count // 2 + 1))
    kept: list[NDArray[np.bool_]] = []
    weight: list[float] = []
    while sizes and (2 - (2 * sizes[0] == count)) * comb(count, sizes[0]) <= left:
        size = sizes.pop(0)
        whole = list(_of_size(count, size))
        whole += [] if 2 * size == count else [~each for each in whole]
        kept += whole
        weight += [_kernel(count, size)] * len(whole)
        left -= len(whole)
    fixed = len(kept)
    drawn = left // 2 if sizes else 0
    if drawn:
        mass = np.array(
            [_kernel(count, size) * comb(count, size) / (1 + (2 * size == count)) for size in sizes]
        )
        random = np.random.default_rng(question.seed)
        for size in random.choice(sizes, size=drawn, p=mass / mass.sum()):
            each = np.zeros(count, dtype=bool)
            each[random.choice(count, size=size, replace=False)] = True
            kept += [each, ~each]
        weight += [mass.sum() / drawn] * (2 * drawn)
    group = np.r_[np.full(fixed, -1), np.arange(drawn).repeat(2) % GROUPS]
    ends = np.stack([np.zeros(count, dtype=bool), np.ones(count, dtype=bool)])
    return _Plan(
        np.concatenate([ends, *([np.stack(kept)] if kept else [])]),
        np.r_[0.0, 0.0, weight],
        np.r_[-1, -1, group],
    )


def _of_size(count: int, size: int) -> Iterator[NDArray[np.bool_]]:
    for chosen in combinations(range(count), size):
        each = np.zeros(count, dtype=bool)
        each[list(chosen)] = True
        yield each


def _kernel(count: int, size: int) -> float:
    """How much a coalition of this size counts."""
    return (count - 1) / (comb(count, size) * size * (count - size))


def _exact(plan: _Plan, said: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The sum over all coalitions, with no error; both (records, segments)."""
    count = plan.kept.shape[1]
    size = plan.kept.sum(axis=1)
    share = np.array([factorial(s) * factorial(count - s - 1) / factorial(count) for s in range(count)])
    inside = np.where(size > 0, share[np.maximum(size - 1, 0)], 0)
    outside = np.where(size < count, share[np.minimum(size, count - 1)], 0)
    value = said @ np.where(plan.kept, inside[:, None], -outside[:, None])
    return value, np.zeros_like(value)


def _fitted(plan: _Plan, said: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The fit and its standard error by the draw (jackknife over groups), both (records, segments)."""
    value = _solved(plan, said, plan.weight)
    groups = int(plan.group.max()) + 1
    if groups < 2:
        return value, np.zeros_like(value) if groups < 1 else np.full_like(value, np.nan)
    again = []
    for number in range(groups):
        weight = np.where(plan.group == number, 0, plan.weight)
        drawn = plan.group >= 0
        weight[drawn] *= plan.weight[drawn].sum() / weight[drawn].sum()
        again.append(_solved(plan, said, weight))
    spread = np.square(np.stack(again) - np.mean(again, axis=0)).sum(axis=0)
    return value, np.sqrt(spread * (groups - 1) / groups)


def _solved(plan: _Plan, said: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted fit whose values add up to v(all) - v(none), (records, segments)."""
    z = plan.kept.astype(np.float64)
    weighted = z * weight[:, None]
    matrix = z.T @ weighted
    target = weighted.T @ (said - said[:, :1]).T  # (segments, records)
    solved = np.linalg.solve(matrix, np.column_stack([target, np.ones(z.shape[1])]))
    free, ones = solved[:, :-1], solved[:, -1:]
    excess = (free.sum(axis=0) - (said[:, 1] - said[:, 0])) / ones.sum()
    return np.asarray((free - ones * excess).T)
