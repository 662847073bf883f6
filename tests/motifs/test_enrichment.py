"""Planted motifs are enriched, others are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from bioloom.errors import UserError
from bioloom.motifs import scan as scanning
from bioloom.motifs.enrichment import COLUMNS, enriched
from bioloom.motifs.motif import from_sites
from bioloom.motifs.scan import Wanted

MOTIFS = [from_sites("planted", ["TGACGTCA"] * 30), from_sites("absent", ["GGGAATTC"] * 30)]


def sequences(seed: int, number: int, planted: float) -> list[str]:
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list("ACGT"), 80)) for _ in range(number)]
    return [text[:30] + "TGACGTCA" + text[38:] if rng.random() < planted else text for text in texts]


def test_a_planted_motif_is_enriched_and_another_is_not():
    found = enriched(MOTIFS, sequences(0, 300, 0.4), sequences(1, 300, 0.02))
    assert tuple(found.columns) == COLUMNS
    planted, absent = found.iloc[0], found.iloc[1]
    assert planted["motif"] == "planted"
    assert planted["q_value"] < 1e-10
    assert planted["fold_low"] > 5
    assert absent["q_value"] > 0.01
    table = [
        [planted["with_site"], planted["sequences"] - planted["with_site"]],
        [planted["others_with_site"], planted["others"] - planted["others_with_site"]],
    ]
    assert planted["p_value"] == pytest.approx(fisher_exact(table, alternative="greater").pvalue)


def test_a_sequence_with_many_sites_counts_once_also_across_blocks(monkeypatch):
    texts = ["TGACGTCA" * 20, "A" * 160]
    once = enriched(MOTIFS[:1], texts, texts)
    assert once.iloc[0]["with_site"] == 1
    monkeypatch.setattr(scanning.Scanner, "block", 40)
    again = enriched(MOTIFS[:1], texts, texts)
    assert again.equals(once)


def test_without_a_difference_p_values_are_not_small():
    p = [
        enriched(MOTIFS[:1], sequences(seed, 60, 0.3), sequences(seed + 500, 60, 0.3), Wanted(1e-3))[
            "p_value"
        ][0]
        for seed in range(40)
    ]
    assert np.mean(np.array(p) < 0.05) <= 0.125


def test_an_empty_side_is_refused_and_short_sequences_are_told():
    with pytest.raises(UserError, match="one is empty"):
        enriched(MOTIFS, [], ["ACGT"])
    row = enriched(MOTIFS[:1], ["ACG"], ["ACGTACGTACGT"]).iloc[0]
    assert row["sequences"] == 0
    assert np.isnan(row["fold"])
