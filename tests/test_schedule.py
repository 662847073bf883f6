from __future__ import annotations

from typing import get_args

import pytest
import torch

from bioloom.recipe import TrainingRecipe
from bioloom.training.average import AVERAGES
from bioloom.training.job import Epoch
from bioloom.training.schedule import FACTOR, SCHEDULES, WAIT, one_cycle, plateau


def epochs(losses: list[float], validated: bool = True) -> list[Epoch]:
    return [
        Epoch(number, len(losses), loss, loss if validated else None, 0.1, False, 0.0)
        for number, loss in enumerate(losses, start=1)
    ]


def test_the_recipe_names_every_schedule_and_average() -> None:
    fields = TrainingRecipe.model_fields
    assert set(get_args(fields["schedule"].annotation)) == set(SCHEDULES)
    assert set(get_args(fields["average"].annotation)) == set(AVERAGES)


def test_one_cycle_rises_to_its_peak_at_30_percent_and_falls_to_almost_nothing() -> None:
    rates = [one_cycle(step / 1000) for step in range(1001)]
    assert (rates[0], rates[300], rates[1000]) == pytest.approx((0.04, 1.0, 1e-4))
    assert rates[:301] == sorted(rates[:301])
    assert rates[300:] == sorted(rates[300:], reverse=True)
    assert one_cycle(0.15) == pytest.approx(0.52), "half way up"
    assert one_cycle(0.65) == pytest.approx(0.50005), "half way down"


def test_one_cycle_and_cosine_are_those_of_torch() -> None:
    def theirs(make: object) -> list[float]:
        optimiser = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
        schedule = make(optimiser)
        rates = []
        for _ in range(101):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            if len(rates) <= 100:
                schedule.step()
        return rates

    def cycle(optimiser: torch.optim.Optimizer) -> object:
        return torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            max_lr=1.0,
            total_steps=101,
            pct_start=31 / 101,  # torch counts one step less, so that its peak is step 30 too
            div_factor=25,
            final_div_factor=400,
            cycle_momentum=False,
        )

    ours = [one_cycle(step / 100) for step in range(101)]
    assert ours == pytest.approx(theirs(cycle), abs=1e-9)
    half = [SCHEDULES["cosine"](step / 100, []) for step in range(101)]
    assert half == pytest.approx(
        theirs(lambda optimiser: torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 100)), abs=1e-9
    )


@pytest.mark.parametrize("validated", [True, False])
def test_the_plateau_schedule_is_that_of_torch(validated: bool) -> None:
    random = torch.Generator().manual_seed(0)
    losses = (torch.linspace(1, 0.5, 60) + 0.1 * torch.randn(60, generator=random)).tolist()
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, patience=WAIT - 1, factor=FACTOR, threshold=0.0, eps=0.0
    )
    for number in range(1, 61):
        theirs.step(losses[number - 1])
        ours = plateau(0.5, epochs(losses[:number], validated))
        assert ours == pytest.approx(optimiser.param_groups[0]["lr"])
    assert ours < 0.1


def test_a_constant_rate_stays() -> None:
    assert {SCHEDULES["constant"](step / 10, []) for step in range(11)} == {1.0}
