"""The sentence about a network that writes answers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bioloom.evaluation.answered import answered


def facts(
    network: tuple[float, float, float], simple: tuple[float, float, float], difference: float
) -> SimpleNamespace:
    """Value and interval of both, and by how much the network is better, within 0.05."""
    guessing, scores = 0.17, {"model": network, "simple": simple}
    told = {role: SimpleNamespace(value=v, low=low, high=high) for role, (v, low, high) in scores.items()}
    return SimpleNamespace(
        task=SimpleNamespace(written=True),
        tested=200,
        guessing=guessing,
        score=lambda role="model": told[role],
        title=lambda role: {"simple": "the nearest record", "trivial": "the commonest answer"}[role],
        beats_guessing=lambda role="model": told[role].low > guessing,
        difference=lambda role: SimpleNamespace(wins=difference > 0.05, loses=difference < -0.05),
    )


@pytest.mark.parametrize(
    ("network", "simple", "code"),
    [
        ((0.166, 0.14, 0.19), (0.156, 0.13, 0.18), "no_signal"),
        ((0.90, 0.88, 0.92), (0.20, 0.18, 0.22), "network_wins"),
        ((0.20, 0.18, 0.22), (0.60, 0.58, 0.62), "simple_better"),
        ((0.60, 0.57, 0.63), (0.60, 0.57, 0.63), "simple_as_good"),
        ((0.16, 0.14, 0.19), (0.60, 0.58, 0.62), "simple_better"),
    ],
)
def test_nothing_that_is_no_better_than_the_commonest_answer_is_praised(
    network: tuple[float, float, float], simple: tuple[float, float, float], code: str
) -> None:
    found = answered(facts(network, simple, network[0] - simple[0]))  # type: ignore[arg-type]
    assert found is not None
    assert found.code == code
    assert ("the commonest answer has 17 %" in found.text) == (code == "no_signal")
