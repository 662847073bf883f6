"""Measures of maps against closed forms: an additive network tells what every part is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy import stats

from bioloom.explanation import Explainer, Explanation, Question, Scale, Target
from bioloom.explanation.letters.mutagenesis import Mutagenesis
from bioloom.explanation.quality.masking import Ground, by_part, scaled
from bioloom.explanation.quality.measures import (
    THRESHOLDS,
    agreement,
    better,
    infidelity,
    measured,
    random_map,
    ranks,
)
from bioloom.explanation.quality.randomise import cascade, randomised
from bioloom.modalities import Kind, Signal
from toy_networks import Additive, Conv, letters, shuffles, signal

WEIGHT = torch.tensor([[4.0, 3.0, 2.0, 1.0, 0.0]])


def additive(records: int = 3, scale: Scale = Scale.RAW) -> tuple[Ground, np.ndarray]:
    """Columns of ones whose weights are what they contribute, and that map."""
    x = torch.ones(records, 5)
    question = Question(Additive(WEIGHT), {"x": Signal(x)}, "x", Target(0, scale))
    return Ground(question, torch.zeros(records, 1, 5)), np.repeat(WEIGHT.numpy().astype(float), records, 0)


def test_insertion_and_deletion_of_an_additive_network_are_sums_of_weights() -> None:
    ground, values = additive()
    found = measured(ground, values)
    order = np.sort(WEIGHT.numpy().reshape(-1))[::-1]
    kept = [int((np.arange(5) / 5 >= 1 - share - 1e-12).sum()) for share in THRESHOLDS]
    expected = np.array([order[:count].sum() for count in kept]) / 10
    assert found.inserted == pytest.approx(expected)
    assert found.deleted == pytest.approx(1 - expected)
    assert found.insertion == pytest.approx(np.trapezoid(expected, THRESHOLDS))
    assert found.gap == pytest.approx(2 * np.trapezoid(expected, THRESHOLDS) - 1)
    assert measured(ground, -values).gap.mean() < 0


def test_a_map_that_tells_every_part_has_no_infidelity_and_one_of_zeros_has_all() -> None:
    ground, values = additive()
    assert infidelity(ground, values) == pytest.approx(0, abs=1e-12)
    assert infidelity(ground, 7 * values) == pytest.approx(0, abs=1e-12)
    assert infidelity(ground, np.zeros_like(values)) == 1
    assert 0 < infidelity(ground, random_map(ground.filled, 0)) <= 1


def test_a_map_that_keeps_everything_loses_nothing_which_is_why_it_has_a_row() -> None:
    ground, values = additive()
    found = measured(ground, np.ones_like(values), keeps_all=True)
    for kept in (found.value, found.rank):
        assert not kept.apd.any()
        assert not kept.dr.any()
        assert not kept.ir.any()
        assert (kept.area == 1).all()


def test_drop_and_increase_of_a_value_mask_are_those_worked_out_by_hand() -> None:
    ground, values = additive()
    found = measured(ground, values)
    unit = values[0] / 4
    for number, threshold in enumerate(THRESHOLDS):
        kept = np.where(unit >= threshold, unit, 0)
        left = (WEIGHT.numpy()[0] * kept).sum() / 10
        assert found.value.apd[number] == pytest.approx(1 - left)
        assert found.value.area[number] == pytest.approx(kept.mean())
        assert found.value.dr[number] == 1
        assert found.value.api[number] == 0


def test_an_increase_is_counted_where_what_speaks_against_is_taken_away() -> None:
    weight = torch.tensor([[2.0, -1.0]])
    question = Question(Additive(weight), {"x": Signal(torch.ones(1, 2))}, "x", 0)
    found = measured(Ground(question, torch.zeros(1, 1, 2)), weight.numpy().astype(float))
    assert found.rank.api[5] == pytest.approx(1.0)  # 2 instead of 1
    assert found.rank.ir[5] == 1


def test_a_record_below_its_backgrounds_is_judged_by_what_lowers_it() -> None:
    ground, values = additive()
    low = Ground(replace(ground.question, network=Additive(-WEIGHT)), ground.background)
    assert measured(low, -values).gap == pytest.approx(measured(ground, values).gap)


def test_probabilities_are_judged_as_they_are() -> None:
    ground, values = additive(scale=Scale.PROBABILITY)
    found = measured(ground, values)
    assert found.inserted[-1] == pytest.approx(1 / (1 + np.exp(-10.5)))
    assert found.inserted[0] == pytest.approx(1 / (1 + np.exp(-0.5)))


def test_letters_are_replaced_whole_and_empty_positions_left_alone() -> None:
    x = letters(2, 12)
    short = signal(x, [12, 7])
    seen: list[torch.Tensor] = []

    class Watching(Conv):
        def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
            seen.append(x.clone())
            return super().forward(x, mask)

    background = shuffles(x, 2) * short.mask[:, None, None]
    ground = Ground(Question(Watching(4, 12), {"x": short}, "x", 0), background)
    ground.keeping(np.full((1, 2, 12), 0.7))
    ground.keeping(np.full((1, 2, 12), 0.2))
    for batch in seen:
        assert set(batch.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(seen[0][0], short.x[0])
    assert torch.equal(seen[1][0], background[0, 0])
    assert ground.filled.sum(axis=1).tolist() == [12, 7]


def test_maps_of_letters_are_read_at_the_letter_that_stands_there() -> None:
    x = letters(2, 6).numpy()
    attribution = np.arange(48, dtype=np.float32).reshape(2, 4, 6)
    assert (by_part(attribution, x, True) == (attribution * x).sum(axis=1)).all()
    assert (by_part(attribution, x, False) == attribution.sum(axis=1)).all()
    assert by_part(np.ones((2, 3, 4, 5), dtype=np.float32), np.ones((2, 3, 4, 5)), False).shape == (2, 20)


def test_a_map_that_is_the_same_everywhere_becomes_zero_and_its_ranks_are_random() -> None:
    filled = np.ones((2, 6), dtype=bool)
    assert not scaled(np.full((2, 6), 3.0), filled).any()
    found = ranks(np.full((2, 6), 3.0), filled, 0)
    assert np.sort(found, axis=1) == pytest.approx(np.tile(np.arange(6) / 6, (2, 1)))
    assert (found[0] != found[1]).any()
    filled[1, 4:] = False
    assert (ranks(np.random.default_rng(0).random((2, 6)), filled, 0)[1, 4:] == -1).all()


def test_agreement_is_the_correlation_of_ranks() -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 1, 30))
    expected = stats.spearmanr(one[0], other[0]).statistic
    assert agreement(one, other, np.ones((1, 30), dtype=bool)) == pytest.approx(expected)
    assert np.isnan(agreement(np.zeros((1, 30)), other, np.ones((1, 30), dtype=bool)))


def test_the_interval_of_a_difference_covers_it() -> None:
    generator = np.random.default_rng(0)
    mean, low, high = better(generator.normal(1, 1, 200), np.zeros(200))
    assert low < mean < high
    assert mean - low == pytest.approx(1.96 / np.sqrt(200), rel=0.3)


def question_of_letters() -> Question:
    x = letters(4, 20)
    return Question(Conv(), {"x": Signal(x)}, "x", 0, shuffles(x, 2))


class Record(Explainer):
    """Shows the record and not what the network makes of it, as edge detectors do."""

    name: ClassVar[str] = "record"
    title: ClassVar[str] = "the record itself"
    accepts: ClassVar[frozenset[Kind]] = frozenset(Kind)

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        x = question.batch["x"].x.numpy()
        return Explanation(x * np.arange(20, dtype=np.float32), "record", "x", "nothing")


def test_maps_that_follow_the_weights_change_with_them_and_others_do_not() -> None:
    question = question_of_letters()
    ground = Ground(question, question.background)
    stays = randomised(Record, question, ground)
    assert stays.alike == pytest.approx([1.0] * len(stays.alike))
    assert stays.entropy == pytest.approx(0.0)
    changes = randomised(Mutagenesis, question, ground)
    assert abs(changes.alike[-1]) < 0.6
    assert len(changes.alike) == len(changes.layers) == 3


def test_a_cascade_begins_at_the_end_and_leaves_the_network_as_it_is() -> None:
    network = Conv()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first, *_, last = list(cascade(network, 0, 3))
    assert first[0] == "dense"
    assert torch.equal(first[1].convolution.weight, network.convolution.weight)
    assert not torch.equal(first[1].dense.weight, network.dense.weight)
    assert not torch.equal(last[1].convolution.weight, network.convolution.weight)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
