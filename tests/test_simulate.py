"""Simulated data: repeatable, of the promised kind, and true to their equations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bioloom.cli.app import main
from bioloom.data.simulate import bioreactor, simulate, simulators
from bioloom.errors import UserError
from bioloom.targets import infer
from bioloom.tasks import TASKS


@pytest.mark.parametrize("name", list(simulators))
def test_the_same_seed_makes_the_same_records_with_the_promised_target(name: str) -> None:
    made, again, other = (simulate(name, 20, seed) for seed in (3, 3, 4))
    assert made.frame.equals(again.frame)
    assert not made.frame.equals(other.frame)
    assert len(made.frame) >= 20
    assert "id" not in made.frame or made.frame["id"].is_unique
    if TASKS[simulators[name].task].labelled:  # texts of all kinds are no labels
        assert infer(made.frame[[simulators[name].target]])[0] == simulators[name].task
    assert made.truth


@pytest.mark.parametrize(
    ("name", "options"), [("codons", "--target protein --task translation"), ("motif", "--target motif")]
)
def test_the_line_about_simulated_data_says_how_to_train_on_it(
    name: str, options: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "simulate", name, "-n", "20", "--out", str(tmp_path / "made.csv")]) == 0
    assert " ".join(capsys.readouterr().out.split()).endswith(f"train with {options}")


def test_too_few_records_are_refused() -> None:
    with pytest.raises(UserError, match="too few"):
        simulate("bioreactor", 3)


def still(feed: float = 0.0, kla: float = 1e6, glucose: float = 10.0) -> bioreactor.Conditions:
    """One culture at its best temperature and pH, with hardly a limit of oxygen."""
    one = np.ones(1)
    return bioreactor.Conditions(
        37 * one, 7 * one, kla * one, feed * one, 300 * one, 0 * one, glucose * one, 0.1 * one
    )


def test_a_batch_with_plenty_of_everything_grows_exponentially() -> None:
    states = bioreactor.course(still(glucose=1e6))
    hours = 10
    growth = np.log(states[hours * 10, 0, 0] / states[0, 0, 0]) / hours
    assert growth == pytest.approx(bioreactor.MU_MAX * 100 / 102, rel=0.01)


def test_biomass_of_a_batch_comes_from_its_glucose() -> None:
    states = bioreactor.course(still(glucose=10.0))
    made, eaten = states[-1, 0, 0] - states[0, 0, 0], states[0, 1, 0] - states[-1, 1, 0]
    assert states[-1, 1, 0] < 0.01
    assert 0.9 * bioreactor.YIELD * eaten < made <= bioreactor.YIELD * eaten


def test_a_feed_dilutes_and_the_volume_is_what_was_fed() -> None:
    states = bioreactor.course(still(feed=0.01))
    assert states[-1, 3, 0] == pytest.approx(1 + 0.01 * bioreactor.HOURS)


def test_oxygen_balances_transfer_and_uptake() -> None:
    biomass, kla = np.array([0.0, 5.0, 50.0]), np.full(3, 200.0)
    dissolved = bioreactor.oxygen(biomass, kla)
    used = bioreactor.UPTAKE * biomass * dissolved / (bioreactor.KO + dissolved)
    np.testing.assert_allclose(kla * (100 - dissolved), used, rtol=1e-9)


def test_planted_genes_are_higher_in_treated_samples() -> None:
    made = simulate("pathway", 300, 0)
    counts = made.frame.drop(columns=["id", "condition", "batch"])
    share = counts.div(counts.sum(axis=1), axis=0)
    treated = made.frame["condition"] == "treated"
    fold = share[treated].mean() / share[~treated].mean()
    assert set(fold.nlargest(8).index) == set(made.truth["pathway"])
