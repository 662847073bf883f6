"""Profiles: which columns are one, how numbers become comparable, and what a new file may lack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bioloom.data.gene_sets import read_gene_sets
from bioloom.data.profiles import as_counts, scaled, smallest_share, tell_scale, usual_total
from bioloom.data.records import take_rows
from bioloom.errors import UserError
from bioloom.modalities import Across, Similarity, encoding_settings
from bioloom.modalities.omics import Omics

DEMO = Omics.demo(60, 0)
COUNTS = DEMO.records.inputs["expression"]


def settings(**values) -> Omics.Settings:
    return Omics.Settings(**values)


# ---- which columns ----------------------------------------------------------------------------------------------


def test_columns_named_as_genes_are_claimed_and_what_describes_the_records_is_not() -> None:
    frame = COUNTS.assign(age=40.0, sex="f", TP53=1.0)
    assert Omics.claims(frame) == tuple(COUNTS.columns)


def test_few_genes_or_plain_numbers_are_a_table() -> None:
    assert Omics.claims(COUNTS.iloc[:, :20]) == ()
    assert Omics.claims(pd.DataFrame(np.zeros((5, 300)), columns=[f"pixel{n}" for n in range(300)])) == ()
    assert Omics.claims(pd.DataFrame(np.zeros((5, 300)), columns=[f"V{n}" for n in range(300)])) == ()


@pytest.mark.parametrize(
    "name",
    ["ENSG00000141510.18", "k__Bacteria|p__Firmicutes|s__x_y", "ASV12", "cg00000029", "1007_s_at", "hsa-miR-21-5p",
     "P04637", "AT1G01010", "YAL001C", "b0002", "chr1:100-200", "d__Bacteria;p__Bacillota", "NM_000546.6"],
)  # fmt: skip
def test_identifiers_are_told_from_words(name: str) -> None:
    assert Omics.detect(pd.Series([0.0, 1.5, 2.0] * 5, name=name)) > 0.9
    assert Omics.detect(pd.Series(["a", "b", "c"] * 5, name=name)) == 0


def test_a_gene_of_an_odd_name_between_others_is_claimed_too() -> None:
    frame = COUNTS.copy()
    frame.insert(30, "7SK", 1.0)
    assert "7SK" in Omics.claims(frame)


# ---- one scale --------------------------------------------------------------------------------------------------


def test_the_scale_is_told_from_the_numbers() -> None:
    counts = COUNTS.to_numpy()
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert tell_scale(counts).scale == "counts"
    assert tell_scale(shares).scale == tell_scale(100 * shares).scale == "clr"
    assert tell_scale(np.log2(counts + 1) + 0.5).scale == "none"
    assert tell_scale(np.log(shares + 1e-3)).scale == "none"
    assert tell_scale(counts * 1.37 + 0.1).scale == "log"


def test_counts_and_shares_do_not_depend_on_depth() -> None:
    counts = COUNTS.to_numpy()
    for scale in ("counts", "clr"):
        once, deeper = (scaled(each, scale, usual_total(counts), 1e-4) for each in (counts, 7 * counts))
        np.testing.assert_allclose(once, deeper, rtol=1e-4, atol=1e-5)


def test_centred_log_ratios_are_those_of_the_definition() -> None:
    shares = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]], dtype=np.float32)
    pseudocount = smallest_share(shares)
    assert pseudocount == pytest.approx(0.1)
    logs = np.log(shares + 0.1)
    np.testing.assert_allclose(
        scaled(shares, "clr", 1, 0.1), logs - logs.mean(axis=1, keepdims=True), rtol=1e-5
    )


def test_counts_come_back_from_logarithms_of_counts_per_ten_thousand() -> None:
    counts = COUNTS.to_numpy(copy=True)
    counts[:, 0] = 1  # each cell holds a gene of a single molecule
    logs = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4).astype(np.float32)
    np.testing.assert_array_equal(as_counts(logs), counts)
    assert as_counts(counts) is counts
    assert as_counts(counts * 1.37) is None
    assert as_counts(-logs) is None


def test_training_features_have_mean_0_and_spread_1() -> None:
    values = Omics.fit(COUNTS).encode(COUNTS).values
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-3)


def test_features_that_hardly_a_record_holds_or_that_do_not_vary_are_left_out() -> None:
    frame = COUNTS.assign(gene_91=0.0, gene_92=7.0, gene_93=[5.0, 3.0] + [0.0] * 58)
    fitted = Omics.fit(frame)
    assert set(frame.columns) - set(fitted.names) == {"gene_91", "gene_92", "gene_93"}
    assert "3 of 63 features" in fitted.notes(frame)[1].message
    assert "gene_93" in Omics.fit_as(frame, settings(fewest=2)).names


def test_settings_choose_the_scale_and_the_number_of_features() -> None:
    fitted = Omics.fit_as(COUNTS, settings(scale="log", most=10))
    assert fitted.scale == "log"
    assert len(fitted.names) == 10
    with pytest.raises(UserError, match="scael"):
        encoding_settings("omics", {"omics": {"scael": "log"}})


# ---- new files --------------------------------------------------------------------------------------------------


def test_the_order_of_features_and_further_ones_do_not_matter() -> None:
    fitted = Omics.fit(COUNTS)
    other = COUNTS.iloc[:, ::-1].assign(gene_999=1e6)
    np.testing.assert_array_equal(fitted.encode(other).values, fitted.encode(COUNTS).values)


def test_a_missing_feature_is_read_as_its_training_mean() -> None:
    fitted = Omics.fit(COUNTS)
    for frame in (COUNTS.drop(columns="gene_5"), COUNTS.assign(gene_5=np.nan)):
        values = fitted.encode(frame).values
        assert (values[:, fitted.names.index("gene_5")] == 0).all()
        np.testing.assert_allclose(values, fitted.encode(COUNTS).values, atol=3.5)
    (told,) = fitted.notes(COUNTS.assign(gene_5=np.nan))[-1:]
    assert "numbers are missing and are read as the training mean" in told.message
    assert len(told.rows) == 60


def test_cells_that_are_no_numbers_or_cannot_be_are_told_by_what_they_are() -> None:
    odd = COUNTS.astype(object)
    odd.iloc[3, 4], odd.iloc[5, 4], odd.iloc[7, 6] = "lost", None, -2
    told = {each.code: each.rows.tolist() for each in Omics.fit(COUNTS).notes(odd)}
    assert told["omics.number"] == [3]
    assert told["omics.missing"] == [5]
    assert told["omics.negative"] == [7]


def test_a_file_of_other_genes_is_refused() -> None:
    with pytest.raises(UserError, match="Fewer than half"):
        Omics.fit(COUNTS).encode(COUNTS.add_prefix("x"))


def test_text_cells_are_read_as_numbers_and_others_drop_their_row() -> None:
    text = COUNTS.astype(str).astype(object)
    np.testing.assert_array_equal(
        Omics.fit(text).encode(text).values, Omics.fit(COUNTS).encode(COUNTS).values
    )
    text.iloc[4, 2] = "<5"
    (problem,) = Omics.check(text)
    assert (problem.code, problem.rows.tolist()) == ("omics.number", [4])
    empty = COUNTS.copy()
    empty.iloc[7] = 0
    (problem,) = Omics.check(empty)
    assert (problem.severity, problem.rows.tolist()) == ("drop", [7])


# ---- likeness ---------------------------------------------------------------------------------------------------


def repeated() -> pd.DataFrame:
    """The demo and, as the last record, the first one sequenced again."""
    random = np.random.default_rng(1)
    again = random.poisson(3 * COUNTS.iloc[0]).astype(float)
    return pd.concat([COUNTS, pd.DataFrame([again], columns=COUNTS.columns)], ignore_index=True)


def test_a_sample_that_was_measured_twice_is_kept_together_and_others_are_not() -> None:
    clusters = Omics.clusters(repeated())
    assert clusters.labels[0] == clusters.labels[60]
    assert len(set(clusters.labels)) == 60
    assert len(set(Omics.clusters(repeated(), Similarity(1.0)).labels)) == 61


def test_the_most_alike_profile_across_a_split_is_found() -> None:
    alike = Omics.alike(repeated(), Across(np.array([60, 5]), np.arange(60)))
    assert alike.kind.tolist() == ["near", "exact"]
    assert alike.partner.tolist() == [0, 5]
    assert 0.97 < alike.identity[0] < 1


# ---- gene sets --------------------------------------------------------------------------------------------------


def test_gene_sets_are_read_and_summed_in_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "sets.gmt"
    path.write_text("GROWTH\thttp://x\tGENE_1\tgene_2\tgene_3\tgene_999\nSMALL\t\tgene_1\n")
    fitted = Omics.fit_as(COUNTS, settings(gene_sets=str(path)))
    assert fitted.sets == (("GROWTH", (0, 1, 2)),)
    figure = fitted.draw(take_rows(COUNTS, np.array([0])), np.ones(60, dtype=np.float32), "Effect")
    figure.draw_without_rendering()
    assert len(figure.axes) == 2
    assert Omics.from_state(fitted.state()) == fitted


def test_gene_sets_of_other_genes_and_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sets.gmt"
    path.write_text("GROWTH\thttp://x\tA\tB\tC\n")
    with pytest.raises(UserError, match="None of the 1 sets"):
        read_gene_sets(path, ("gene_1", "gene_2"))
    path.write_text("no tabs at all\n")
    with pytest.raises(UserError, match="no gene set"):
        read_gene_sets(path, ("gene_1", "gene_2"))
    with pytest.raises(UserError, match="cannot be read"):
        read_gene_sets(tmp_path / "none.gmt", ("gene_1",))
