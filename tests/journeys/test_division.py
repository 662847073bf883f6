"""Division: which columns a split looks at, when folds are made, and an audit that covers all folds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bioloom.data.folds import Folds
from bioloom.errors import UserError
from bioloom.journey.division import Division, divide
from bioloom.journey.prepare import Request, prepare


def divided(frame: pd.DataFrame, split: str = "", **settings: object) -> Division:
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    return divide(prepare(Request(frame, target=("y",), split=split, settings=dotted)))


def folds_of(division: Division) -> Folds:
    assert division.folds is not None
    return division.folds


def promoters(count: int, seed: int = 0) -> pd.DataFrame:
    """Unrelated DNA of 40 to 89 letters, half of it rich in GC."""
    random = np.random.default_rng(seed)
    sequences = [
        "".join(random.choice(list("ACGT"), random.integers(40, 90), p=shares))
        for shares in ([0.25] * 4, [0.1, 0.4, 0.4, 0.1])
        for _ in range(count // 2)
    ]
    frame = pd.DataFrame({"sequence": sequences, "y": random.normal(size=count)})
    return frame.sample(frac=1, random_state=seed, ignore_index=True)


def test_few_records_are_divided_into_folds_and_the_delivered_model_learns_from_all():
    division = divided(promoters(120))
    assert folds_of(division).count == 10
    assert division.split is folds_of(division).final
    assert division.split.counts["test"] == 0
    assert "would say little, so the records were dealt to folds. " in folds_of(division).reason
    assert len(division.leakage.nearest) == 120


def test_one_fold_is_a_single_split():
    division = divided(promoters(120), split__folds=1)
    assert division.folds is None
    assert division.split.counts["test"] == pytest.approx(18, abs=1)


def test_folds_and_repeats_are_made_as_asked():
    folds = folds_of(divided(promoters(120), split="copies", split__folds=3, split__repeats=2))
    assert (folds.count, folds.repeats, len(folds.splits)) == (3, 2, 6)
    with pytest.raises(UserError, match="A single split is not repeated"):
        divided(promoters(120), split__folds=1, split__repeats=2)


def test_leaving_out_each_group_needs_no_number_of_folds():
    frame = promoters(120).assign(group=np.arange(120) % 6)
    folds = folds_of(divided(frame, split="leave-one-group-out"))
    assert folds.count == 6


def test_the_parts_have_the_same_length_and_gc():
    frame = promoters(400)
    length = frame["sequence"].str.len().to_numpy()
    gc = frame["sequence"].str.count("[GC]").to_numpy() / length
    split = divided(frame, split="stratified", split__folds=1).split
    for values in (length, gc):
        for part in ("validation", "test"):
            away = values[split.index(part)].mean() - values.mean()
            assert abs(away) < 0.12 * values.std()  # a random part of 60 is 0.13 away in the root mean square


def test_the_leaks_of_all_folds_are_summed():
    """Every record has one copy; dealt one by one nearly all pairs stand in two folds."""
    frame = promoters(60)
    doubled = pd.concat([frame, frame], ignore_index=True)
    random = divided(doubled, split="random", split__folds=5)
    fold = folds_of(random).fold[0]
    assert random.leakage.exact_copies == 2 * int((fold[:60] != fold[60:]).sum()) > 60
    assert random.leakage.repeated == 60
    torn = np.flatnonzero(np.tile(fold[:60] != fold[60:], 2))
    np.testing.assert_array_equal(random.leakage.nearest[torn], 1.0)
    assert divided(doubled, split="copies", split__folds=5).leakage.exact_copies == 0


def test_a_column_of_dates_orders_the_records_and_is_no_input():
    frame = pd.DataFrame({"a": np.arange(90.0), "b": np.arange(90.0) % 7, "y": np.arange(90) % 2})
    frame["day"] = pd.date_range("2024-01-01", periods=90).strftime("%Y-%m-%d")[::-1]
    prepared = prepare(Request(frame, target=("y",), split="time", settings={"data.order": "day"}))
    assert prepared.recipe.data.inputs["table"].columns == ("a", "b")
    assert prepared.roles.reserved["order"] == "day"
    split = divide(prepared).split
    assert split.index("test").max() < split.index("validation").min() < split.index("train").min()


@pytest.mark.parametrize("column", ["Chrom", "seqname", "region"])
def test_chromosomes_are_found_by_the_name_of_a_column_or_named(column: str):
    frame = promoters(120).assign(**{column: [f"chr{n % 10}" for n in range(120)]})
    named = {"data__chromosome": "region"} if column == "region" else {}
    split = divided(frame, split="chromosome", **named).split
    assert all(len(set(split.part[np.arange(120) % 10 == n].tolist())) == 1 for n in range(10))


def test_ids_that_are_places_name_chromosomes():
    frame = promoters(120).assign(id=[f"chr{n % 10}:{n}-{n + 50}(+)" for n in range(120)])
    assert "read from the ids" in divided(frame, split="chromosome").split.reason


@pytest.mark.parametrize(
    ("settings", "message"), [({"data__order": "dya"}, "no column"), ({"data__order": "y"}, "is the target")]
)
def test_an_order_that_cannot_be_is_refused(settings: dict[str, object], message: str):
    with pytest.raises(UserError, match=message):
        divided(promoters(60).assign(day=1), split="time", **settings)


def test_the_chromosome_stays_with_its_record_when_rows_are_left_out():
    frame = promoters(120).assign(chrom=[f"chr{n % 10}" for n in range(120)])
    frame.loc[[0, 3, 50], "y"] = np.nan
    prepared = prepare(Request(frame, target=("y",), split="chromosome"))
    kept = np.delete(np.arange(120), [0, 3, 50])
    split = divide(replace(prepared)).split
    assert all(len(set(split.part[kept % 10 == n].tolist())) == 1 for n in range(10))
