"""In-silico mutagenesis against brute force and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bioloom.errors import UserError
from bioloom.explanation import Question
from bioloom.explanation.letters.mutagenesis import mutagenesis
from bioloom.explanation.summary import at_observed, substitutions
from bioloom.modalities import Signal
from toy_networks import Additive, Conv, Two, letters, signal


def by_hand(network: torch.nn.Module, x: torch.Tensor, mask: torch.Tensor | None, output: int) -> np.ndarray:
    """One change at a time, one evaluation each."""
    delta = torch.zeros_like(x)
    with torch.no_grad():
        for r in range(len(x)):
            own = None if mask is None else mask[r : r + 1]
            plain = network(x[r : r + 1], own)[0, output]
            for position in range(x.shape[2]):
                if own is not None and not own[0, position]:
                    continue
                for letter in range(x.shape[1]):
                    mutant = x[r : r + 1].clone()
                    mutant[0, :, position] = 0
                    mutant[0, letter, position] = 1
                    delta[r, letter, position] = network(mutant, own)[0, output] - plain
    return delta.numpy()


@pytest.mark.parametrize("output", [0, 1])
def test_every_change_equals_one_made_by_hand(output: int) -> None:
    x, network = letters(3, 20), Conv()
    found = mutagenesis(Question(network, {"dna": Signal(x)}, "dna", output), centred=False)
    assert np.allclose(found.attribution, by_hand(network, x, None, output), atol=1e-6)


def test_gaps_mixtures_and_short_records_equal_changes_made_by_hand() -> None:
    x, network = letters(3, 20), Conv()
    x[0, :, 3] = 0.25  # N
    x[1, :, 4] = torch.tensor([0.5, 0.0, 0.5, 0.0])  # R
    x[2, :, 5] = 0.0  # a gap
    short = signal(x, [20, 11, 7])
    found = mutagenesis(Question(network, {"dna": short}, "dna", 0), centred=False)
    assert np.allclose(found.attribution, by_hand(network, short.x, short.mask, 0), atol=1e-6)
    assert not found.attribution[1, :, 11:].any()
    assert not found.attribution[2, :, 7:].any()
    expected = 3 * (19 + 11 + 6) + 1 * (4 + 4) + 4 - 3  # one of the 11 is R; N, R and the gap need four each
    assert found.settings["substitutions"] == expected


def test_an_additive_network_gives_its_weights_back() -> None:
    """delta = w[letter] - w[observed], so centred over letters it is w minus its mean, whatever is observed."""
    weight = torch.randn(1, 4, 12, generator=torch.Generator().manual_seed(0))
    x = letters(5, 12)
    found = mutagenesis(Question(Additive(weight), {"dna": Signal(x)}, "dna", 0)).attribution
    centred = (weight - weight.mean(dim=1, keepdim=True)).numpy()
    assert np.allclose(found, np.broadcast_to(centred, found.shape), atol=1e-5)


def test_centring_keeps_what_each_change_does() -> None:
    x, network = letters(3, 20), Conv()
    question = Question(network, {"dna": Signal(x)}, "dna", 0)
    plain, centred = mutagenesis(question, centred=False), mutagenesis(question)
    assert np.allclose(centred.attribution.sum(axis=1), 0, atol=1e-5)
    assert np.allclose(substitutions(centred.attribution, x.numpy()), plain.attribution, atol=1e-6)
    alternatives = plain.attribution.sum(axis=1) / 3
    assert np.allclose(at_observed(centred.attribution, x.numpy()), -alternatives * 3 / 4, atol=1e-6)


def test_a_letter_that_raises_the_output_is_positive() -> None:
    weight = torch.zeros(1, 4, 8)
    weight[0, 2, 5] = 3.0  # G at position 5 is worth 3
    x = letters(1, 8)
    x[0, :, 5] = torch.tensor([0.0, 0.0, 1.0, 0.0])
    found = mutagenesis(Question(Additive(weight), {"dna": Signal(x)}, "dna", 0)).attribution[0]
    assert found[:, 5].tolist() == pytest.approx([-0.75, -0.75, 2.25, -0.75])


def test_positions_that_the_network_ignores_get_nothing() -> None:
    weight = torch.randn(1, 4, 10, generator=torch.Generator().manual_seed(0))
    weight[:, :, 4:] = 0
    found = mutagenesis(Question(Additive(weight), {"dna": Signal(letters(4, 10))}, "dna", 0)).attribution
    assert np.abs(found[:, :, 4:]).max() < 1e-6
    assert np.abs(found[:, :, :4]).max() > 0.1


def test_a_network_of_several_inputs_is_explained_for_the_named_one() -> None:
    batch = {"dna": Signal(letters(2, 20)), "table": Signal(torch.ones(2, 3))}
    found = mutagenesis(Question(Two(), batch, "dna", 0))
    assert found.attribution.shape == (2, 4, 20)
    assert found.input == "dna"


def test_many_records_in_blocks_equal_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    x, network = letters(7, 20), Conv()
    whole = mutagenesis(Question(network, {"dna": Signal(x)}, "dna", 0)).attribution
    monkeypatch.setattr("bioloom.explanation.letters.mutagenesis._NUMBERS_PER_BLOCK", 160)
    parts = mutagenesis(Question(network, {"dna": Signal(x)}, "dna", 0)).attribution
    assert np.allclose(whole, parts, atol=1e-6)


def test_an_input_without_letters_is_refused_with_advice() -> None:
    batch = {"trace": Signal(torch.randn(2, 4, 10))}
    with pytest.raises(UserError, match="not made of letters") as error:
        mutagenesis(Question(Conv(), batch, "trace", 0))
    assert error.value.where == 'input "trace"'
    assert "occlusion" in error.value.fix
