"""Drawn candidates lie within the space, follow from the seed and the scores, and go where scores are good."""

from __future__ import annotations

import math

import pytest

from bioloom.models.candidates import Candidate, Choice, Range, Space
from bioloom.training.proposals import Scored, propose

SPACE: Space = {
    "settings.width": Choice(((8,), (16, 16), (32,))),
    "settings.filters": Range(4, 64, log=True, step=1),
    "settings.odd": Range(3, 15, step=2),
    "training.weight_decay": Range(1e-3, 1.0, log=True),
    "rate": Range(0.1, 10.0, log=True),
}
USUAL = {"settings.width": (16, 16), "settings.filters": 10, "settings.odd": 5, "training.weight_decay": 0.0}


def scored(network: str, number: int, score: float, rate: float = 1.0) -> Scored:
    return Scored(network, Candidate(f"drawn {number}", rate=rate), USUAL, score)


def test_drawn_settings_lie_within_the_space_and_are_named_as_in_a_recipe() -> None:
    for network, drawn in propose({"cnn": SPACE, "mlp": {}}, [], 20, seed=1):
        assert network in ("cnn", "mlp")
        if network == "mlp":
            assert (drawn.settings, drawn.training, drawn.rate) == ({}, {}, 1.0)
            continue
        assert drawn.settings["width"] in ((8,), (16, 16), (32,))
        assert 4 <= drawn.settings["filters"] <= 64
        assert drawn.settings["odd"] in range(3, 16, 2)
        assert 1e-3 <= drawn.training["weight_decay"] <= 1.0
        assert 0.1 <= drawn.rate <= 10.0
        assert float(f"{drawn.rate:.3g}") == drawn.rate


def test_the_same_seed_and_scores_draw_the_same_and_others_draw_others() -> None:
    told = [scored("cnn", number, 0.1 * number) for number in range(5)]
    first = propose({"cnn": SPACE}, told, 4, seed=3)
    assert propose({"cnn": SPACE}, told, 4, seed=3) == first
    assert propose({"cnn": SPACE}, told, 4, seed=4) != first
    assert propose({"cnn": SPACE}, [scored("other", 9, 1.0), *told], 4, seed=3) == first, "no space, no part"


def test_draws_go_where_scores_are_good() -> None:
    """The score peaks at a rate of 5: later batches are closer to it than the first."""
    told: list[Scored] = []
    space: Space = {"rate": Range(0.1, 10.0, log=True)}
    far = []
    for batch in range(8):
        drawn = propose({"cnn": space}, told, 4, seed=batch)
        distances = [abs(math.log(each.rate / 5.0)) for _, each in drawn]
        far.append(sum(distances) / 4)
        told += [Scored("cnn", each, {}, -away) for (_, each), away in zip(drawn, distances, strict=True)]
    assert sum(far[-3:]) / 3 < 0.6 * far[0]


def test_failed_ones_and_values_outside_the_space_are_no_obstacle() -> None:
    odd = Scored("cnn", Candidate("odd", {"filters": 1000, "width": (7,)}, rate=99.0), USUAL, 0.5)
    assert len(propose({"cnn": SPACE}, [scored("cnn", 1, math.nan), odd], 3, seed=0)) == 3


@pytest.mark.parametrize("count", [1, 4])
def test_so_many_are_drawn(count: int) -> None:
    assert len(propose({"cnn": SPACE}, [], count, seed=0)) == count
