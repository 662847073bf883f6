"""Near rows of tables, against brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bioloom.data.similarity.rows import compare_rows, near_rows, read_rows
from bioloom.modalities import Across, Similarity
from bioloom.modalities.table import Table


def table(rows: int = 300, columns: int = 6) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(5, 3, (rows, columns)), columns=[f"c{n}" for n in range(columns)])
    frame["strain"] = random.choice(["K12", "BL21", "W3110"], rows)
    frame.loc[random.random(rows) < 0.1, "c1"] = np.nan
    return frame


def with_near(frame: pd.DataFrame, count: int = 40) -> pd.DataFrame:
    """The first rows again, numbers shifted by 0.01 to 0.04 standard deviations."""
    random = np.random.default_rng(1)
    more = frame.head(count).copy()
    numbers = more.select_dtypes("number").columns
    more[numbers] += (
        random.uniform(0.01, 0.04, (count, len(numbers))) * 3 * random.choice([-1, 1], (count, 1))
    )
    return pd.concat([frame, more], ignore_index=True)


def test_near_rows_are_those_of_brute_force() -> None:
    frame = with_near(table())
    rows = read_rows(frame)
    assert rows.tolerance == 0.05
    found = near_rows(rows)
    pairs = set(
        zip(
            np.minimum(found.left, found.right).tolist(),
            np.maximum(found.left, found.right).tolist(),
            strict=True,
        )
    )
    numbers = frame.select_dtypes("number")
    scaled = (numbers / numbers.std(ddof=0)).to_numpy()
    apart = np.abs(scaled[:, None] - scaled[None])
    missing = np.isnan(scaled)
    close = ((apart <= 0.05) | (missing[:, None] & missing[None])).all(axis=2)
    close &= frame["strain"].to_numpy()[:, None] == frame["strain"].to_numpy()[None]
    expected = {(i, j) for i, j in np.argwhere(close).tolist() if i < j}
    assert pairs == expected
    assert len(pairs) == 40


def test_near_rows_across_a_split_are_found_and_gone_after_a_similarity_split() -> None:
    frame = with_near(table())
    found = Table.alike(frame, across(np.arange(300, 340), np.arange(300)))
    assert (found.kind == "near").all()
    assert found.partner.tolist() == list(range(40))
    labels = Table.clusters(frame).labels
    assert (labels[300:] == labels[:40]).all()
    assert len(set(labels.tolist())) == 300


def test_another_category_or_a_missing_cell_makes_no_near_row() -> None:
    frame = table()
    other, missing = frame.iloc[[2]].copy(), frame.iloc[[3]].copy()
    other["strain"], missing["c0"] = "new", np.nan
    both = pd.concat([frame, other, missing], ignore_index=True)
    assert compare_rows(both, np.array([300, 301]), np.arange(300)).kind.tolist() == ["", ""]


def test_the_identity_of_a_row_is_the_share_of_columns_equal_to_its_nearest() -> None:
    frame = table()
    changed = frame.iloc[[7]].copy()
    changed["c0"] += 1.5
    changed["c2"] -= 1.5
    found = compare_rows(pd.concat([frame, changed], ignore_index=True), np.array([300]), np.arange(300))
    assert np.isclose(found.identity[0], 5 / 7)
    assert not found.unlike.any()


def test_rows_of_a_dense_table_are_not_called_near() -> None:
    """A thousand numbers in one column lie close to each other by chance; a plan of few levels repeats itself."""
    random = np.random.default_rng(2)
    dense = pd.DataFrame({"x": random.normal(size=1000)})
    found = compare_rows(dense, np.arange(100), np.arange(100, 1000))
    assert set(found.kind) == {""}
    assert found.notion == ""
    assert len(set(Table.clusters(dense).labels.tolist())) > 300


def test_asked_for_equal_rows_only_nothing_is_near() -> None:
    frame = with_near(table())
    found = Table.alike(frame, across(np.arange(300, 340), np.arange(300), 1.0))
    assert set(found.kind) == {""}


def across(queries: np.ndarray, targets: np.ndarray, similarity: float | None = None) -> Across:
    return Across(queries, targets, Similarity(similarity))
