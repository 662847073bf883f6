"""Summaries of many explanations."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from bioloom.explanation import Question
from bioloom.explanation.letters.mutagenesis import mutagenesis
from bioloom.explanation.summary import (
    at_observed,
    average_logo,
    column_importance,
    concentrations,
    enrichment,
    importance,
    share_within,
    substitutions,
)
from bioloom.modalities import Signal
from toy_networks import Additive, letters

LAC_SITES = {"CRP": (4, 26), "-35": (39, 45), "-10": (63, 69)}
"""Sites of the 75-nt lac promoter window, 0-based half-open, found in the consensus of the library:
AATTAATGTGAGTTAGCTCACTCATTAGGCACCCCAGGCTTTACACTTTATGCTTCCGGCTCGTATGTTGTGTGG."""


def test_the_observed_letter_is_picked_and_mixtures_add_up() -> None:
    x = np.zeros((1, 4, 3), dtype=np.float32)
    x[0, 1, 0], x[0, :2, 1] = 1, 0.5  # C, then a mixture of A and C, then a gap
    attribution = np.arange(12, dtype=np.float32).reshape(1, 4, 3)
    assert at_observed(attribution, x).tolist() == [[3.0, 1 + 4, 2 + 5 + 8 + 11]]


def test_importance_is_the_mean_size_over_the_records_that_fill_a_position() -> None:
    x = letters(2, 3).numpy()
    attribution = x * np.array([[1.0, -2.0, 3.0], [-3.0, 4.0, 9.0]], dtype=np.float32)[:, None]
    assert importance(attribution, x).tolist() == [2.0, 3.0, 6.0]
    mask = np.array([[True, True, False], [True, False, False]])
    assert importance(attribution, x, mask)[:2].tolist() == [2.0, 2.0]
    assert np.isnan(importance(attribution, x, mask)[2])


def test_the_average_logo_is_the_mean_of_the_logos() -> None:
    x = np.zeros((2, 4, 1), dtype=np.float32)
    x[0, 0, 0] = x[1, 1, 0] = 1
    attribution = np.full((2, 4, 1), 5.0, dtype=np.float32)
    assert average_logo(attribution, x)[:, 0].tolist() == [2.5, 2.5, 0.0, 0.0]


def test_substitutions_are_counted_from_the_observed_letter() -> None:
    x = np.zeros((1, 4, 1), dtype=np.float32)
    x[0, 2, 0] = 1
    centred = np.array([[[-0.75], [-0.75], [2.25], [-0.75]]], dtype=np.float32)
    assert substitutions(centred, x)[0, :, 0].tolist() == [-3.0, -3.0, 0.0, -3.0]


def test_enrichment_is_the_ratio_of_means_inside_and_outside() -> None:
    values = np.array([1.0, 1.0, 4.0, 2.0, 1.0, 1.0])
    assert enrichment(values, [(2, 4)]) == 3.0
    assert enrichment(values, [(2, 3), (3, 4), (2, 4)]) == 3.0  # overlapping windows count once
    assert share_within(values, [(2, 4)]) == 0.6


@pytest.mark.parametrize("windows", [[], [(0, 3)]])
def test_enrichment_of_nothing_or_everything_is_not_defined(windows: list[tuple[int, int]]) -> None:
    assert np.isnan(enrichment(np.ones(3), windows))


def test_shares_of_nothing_are_not_defined() -> None:
    assert np.isnan(share_within(np.zeros(3), [(0, 1)]))
    assert np.isnan(enrichment(np.array([1.0, 0.0, 0.0]), [(0, 1)]))


def test_windows_of_concentration_are_found_strongest_first() -> None:
    values = np.full(60, 0.1)
    values[10:16], values[40:46] = 1.0, 2.0
    assert concentrations(values) == ((40, 46), (10, 16))
    values[46:52] = 2.0
    assert concentrations(values)[0] == (40, 52)


def test_even_importance_concentrates_nowhere() -> None:
    assert concentrations(np.ones(50)) == ()
    assert concentrations(np.zeros(50)) == ()
    assert concentrations(np.ones(3)) == ()


def test_the_interval_of_a_column_covers_its_mean_as_the_textbook_says() -> None:
    generator = np.random.default_rng(0)
    attribution = np.stack([generator.normal(3, 1, 400), -generator.normal(1, 0.2, 400)], axis=1)
    found = column_importance(attribution.astype(np.float32))
    error = np.abs(attribution).std(axis=0) / 20  # standard error of 400 records
    assert found.mean == pytest.approx(np.abs(attribution).mean(axis=0), abs=1e-5)
    assert found.high - found.mean == pytest.approx(1.96 * error, rel=0.15)
    assert found.mean - found.low == pytest.approx(1.96 * error, rel=0.15)


def test_one_record_gives_no_interval() -> None:
    found = column_importance(np.ones((1, 2), dtype=np.float32))
    assert found.mean.tolist() == [1.0, 1.0]
    assert np.isnan(found.low).all()


def lac_promoter(folder: Path, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    with gzip.open(folder / "dna" / "lac_promoter.csv.gz", "rt") as stream:
        table = [(row["sequence"], float(row["expression"])) for row in csv.DictReader(stream)][::5][:rows]
    tokens = np.array([["ACGT".index(letter) for letter in sequence] for sequence, _ in table])
    x = torch.nn.functional.one_hot(torch.from_numpy(tokens), 4).permute(0, 2, 1).float()
    return x, torch.tensor([value for _, value in table])


def test_the_sites_are_where_the_consensus_of_the_library_has_them(shared_data: Path) -> None:
    x, _ = lac_promoter(shared_data, 4000)
    consensus = "".join("ACGT"[letter] for letter in x.mean(dim=0).argmax(dim=0))
    sites = {name: consensus[start:end] for name, (start, end) in LAC_SITES.items()}
    assert sites == {"CRP": "AATGTGAGTTAGCTCACTCATT", "-35": "TTTACA", "-10": "TATGTT"}


def test_importance_concentrates_on_the_known_sites_of_the_lac_promoter(shared_data: Path) -> None:
    """Ridge regression as a network: what it learned of 8,000 promoters lies on the three sites."""
    x, y = lac_promoter(shared_data, 8000)
    flat = (x.flatten(1) - x.flatten(1).mean(dim=0)).double()
    weight = torch.linalg.solve(
        flat.T @ flat + 100 * torch.eye(300, dtype=torch.double), flat.T @ (y - y.mean()).double()
    )
    network = Additive(weight.float().view(1, 4, 75))
    found = mutagenesis(Question(network, {"sequence": Signal(x[:200])}, "sequence", 0))
    per_position = importance(found.attribution, x[:200].numpy())
    assert enrichment(per_position, list(LAC_SITES.values())) > 2.0
    for site, (start, end) in LAC_SITES.items():
        others = [window for name, window in LAC_SITES.items() if name != site]
        alone = per_position.copy()
        for other_start, other_end in others:
            alone[other_start:other_end] = np.nan
        assert enrichment(alone, [(start, end)]) > 1.3
    found_sites = concentrations(per_position)
    assert found_sites[:2] == (LAC_SITES["-10"], LAC_SITES["-35"])
    assert set(found_sites[2:]) == {(6, 12), (17, 23)}  # the two halves of the CRP site, TGTGA and TCACT
