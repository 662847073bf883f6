"""Methods beside each other on a network whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch

from bioloom.errors import UserError
from bioloom.explanation import Explainer, Explanation, Question, explainers
from bioloom.explanation.quality.compare import KNOWS_NOTHING, Comparison, Contest, agreed, compare, suited
from bioloom.explanation.quality.masking import Ground
from bioloom.modalities import Kind, Signal
from bioloom.models.ensemble import Ensemble
from toy_networks import Additive, Conv, letters, shuffles


class Random(Explainer):
    """Knows nothing, and says so with great detail."""

    name: ClassVar[str] = "dice"
    title: ClassVar[str] = "dice"
    accepts: ClassVar[frozenset[Kind]] = frozenset(Kind)

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        shape = tuple(question.batch[question.input].x.shape)
        values = np.random.default_rng(question.seed).normal(size=shape).astype(np.float32)
        return Explanation(values, cls.name, question.input, "nothing")


class Refusing(Random):
    name: ClassVar[str] = "refusing"

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        raise UserError("There is no rule for this.")


def contest(network: torch.nn.Module, methods: list[str], checks: bool = True) -> Contest:
    x = letters(6, 20)
    question = Question(network, {"x": Signal(x)}, "x", 0, shuffles(x, 2))  # type: ignore[arg-type]
    return Contest(
        lambda seed: replace(question, seed=seed),
        Ground(question, question.background),
        methods,
        checks=checks,
    )


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(explainers)  # loaded
    for each in (Random, Refusing):
        monkeypatch.setitem(explainers._parts, each.name, each)


def sited() -> Additive:
    """Only positions 4 to 9 count, some for and some against."""
    weight = torch.zeros(1, 4, 20)
    weight[:, :, 4:10] = torch.randn(1, 4, 6, generator=torch.Generator().manual_seed(0))
    return Additive(weight)


@pytest.mark.usefixtures("registered")
def test_a_method_that_knows_is_trusted_and_dice_are_not() -> None:
    found = compare(contest(sited(), ["dice", "mutagenesis", "refusing"]))
    assert found.trusted == "mutagenesis"
    assert found.trust.startswith("Trust mutagenesis here: the fifth of the parts that it names first moves")
    assert [row.method for row in found.rows] == ["mutagenesis", "dice", *KNOWS_NOTHING]
    assert found.refused == (("refusing", "There is no rule for this."),)
    best, dice = found.rows[:2]
    assert best.quality.infidelity < 0.3 < dice.quality.infidelity
    assert best.seeds == pytest.approx(1.0)
    assert abs(dice.seeds) < 0.5
    assert best.sensitivity < dice.sensitivity or best.sensitivity < 1
    assert agreed(found).methods == ("mutagenesis",)
    assert set(agreed(found).parts) <= set(range(4, 10))


@pytest.mark.usefixtures("registered")
def test_where_no_method_knows_none_is_trusted() -> None:
    found = compare(contest(sited(), ["dice"], checks=False))
    assert found.trusted == ""
    assert found.trust.startswith("Trust none of these pictures")
    assert agreed(found).parts == ()


def test_networks_of_a_mean_are_compared_with_each_other() -> None:
    one, other = Conv(seed=0), Conv(seed=1)
    same = compare(contest(Ensemble([one, one]), ["mutagenesis"]))
    apart = compare(contest(Ensemble([one, other]), ["mutagenesis"]))
    assert same.rows[0].members == pytest.approx(1.0)
    assert apart.rows[0].members < 0.9
    assert np.isnan(compare(contest(one, ["mutagenesis"])).rows[0].members)


def test_everything_measured_is_written_and_what_is_not_known_is_empty() -> None:
    found: Comparison = compare(contest(sited(), ["mutagenesis"], checks=False))
    numbers = found.rows[0].numbers()
    assert numbers["like_other_seed"] is None
    assert numbers["insertion"] == pytest.approx(float(found.rows[0].quality.insertion.mean()))
    for name in ("api", "apd", "ir", "dr", "area"):
        assert len(numbers[f"{name}_value"]) == len(numbers[f"{name}_rank"]) == 11
    keeps = next(row for row in found.rows if row.method == KNOWS_NOTHING[0]).numbers()
    assert not any(keeps["apd_value"])
    assert not any(keeps["dr_rank"])


def test_usual_methods_suit_the_input_and_misspelt_ones_are_refused() -> None:
    assert "mutagenesis" in suited(Kind.SEQUENCE)
    assert "mutagenesis" not in suited(Kind.VECTOR)
    assert set(suited(Kind.SEQUENCE)) < set(suited(Kind.SEQUENCE, ["all"]))
    with pytest.raises(UserError, match="mutagensis"):
        suited(Kind.SEQUENCE, ["mutagensis"])


def test_a_network_that_says_the_same_of_everything_is_refused() -> None:
    with pytest.raises(UserError, match="nothing to explain"):
        compare(contest(Additive(torch.zeros(1, 4, 20)), ["occlusion"]))
