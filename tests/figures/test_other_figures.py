"""Scatter, bars, confusion, heat map, profile and histograms: what they count and what they say."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.figures import bars, confusion, heatmap, histogram, profile, scatter, style
from bioloom.figures.positions import Region, SequenceAxis

rng = np.random.default_rng(0)


def test_scatter_leaves_out_what_was_not_measured_and_says_so() -> None:
    truth = np.array([1.0, np.nan, 3.0])
    figure = scatter.scatter(truth, np.array([1.0, 2.0, 2.0]))
    assert "2 records" in style.alt_text(figure)
    assert "1 records without a value" in style.alt_text(figure)
    assert len(figure.axes[0].collections[0].get_offsets()) == 2


def test_scatter_has_one_scale_for_both_axes() -> None:
    ax = scatter.scatter(np.array([0.0, 10.0]), np.array([4.0, 5.0])).axes[0]
    assert ax.get_xlim() == ax.get_ylim()
    assert ax.get_xlim()[0] < 0 < 10 < ax.get_xlim()[1]


def test_scatter_of_many_records_counts_every_one_of_them() -> None:
    x = rng.normal(0, 1, 2500)
    figure = scatter.scatter(x, x + rng.normal(0, 1, 2500))
    assert figure.axes[0].collections[0].get_array().sum() == 2500
    assert figure.axes[1].get_ylabel() == "Records per cell"


def test_scatter_of_constant_predictions_is_drawn() -> None:
    style.svg(scatter.scatter(np.ones(5), np.ones(5)))


def test_scatter_without_any_value_says_so() -> None:
    assert "No figure" in style.alt_text(scatter.scatter(np.full(3, np.nan), np.ones(3)))


def test_a_score_is_written_with_its_interval_in_equal_places() -> None:
    assert str(bars.Bar("cnn", 0.65, 0.6, 0.7)) == "0.650 [0.600, 0.700]"
    assert str(bars.Bar("mean", float("nan"))) == "not defined"
    assert str(bars.Bar("drop", -12.345, -13, -11)) == "−12.35 [−13.00, −11.00]"


def test_comparison_tells_every_score_and_what_guessing_gives() -> None:
    rows = [bars.Bar("cnn", 0.9, 0.8, 0.95, strong=True), bars.Bar("mean", float("nan"))]
    figure = bars.comparison(rows, metric="ROC AUC", chance=0.5)
    assert "cnn 0.900 [0.800, 0.950]; mean not defined; guessing gives 0.5" in style.alt_text(figure)
    assert "higher is better" in figure.axes[0].get_xlabel()
    assert (
        "lower is better" in bars.comparison(rows, metric="RMSE", higher_is_better=False).axes[0].get_xlabel()
    )


def test_attributions_come_largest_first_and_the_rest_is_counted() -> None:
    rows = [bars.Bar(f"column {i}", (-1) ** i * i / 10) for i in range(30)]
    figure = bars.attributions(rows, at_most=5)
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names == [f"column {i}" for i in (29, 28, 27, 26, 25)]
    assert "25 smaller ones are not shown" in figure.axes[0].get_xlabel()
    assert "No figure" in style.alt_text(bars.attributions([]))


def test_sizes_have_one_colour_though_some_are_below_zero_by_chance() -> None:
    rows = [bars.Bar("needed", 0.4), bars.Bar("not needed", -0.01)]
    faces = {patch.get_facecolor() for patch in bars.attributions(rows, sizes=True).axes[0].patches}
    assert len({face[:3] for face in faces if face[2] > face[0]}) == 1
    assert len({patch.get_facecolor() for patch in bars.attributions(rows).axes[0].patches}) == 2


def test_confusion_shares_are_of_the_true_class() -> None:
    figure = confusion.confusion(np.array([[9, 1], [2, 2]]), ["no", "yes"])
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written == ["90 %", "9", "10 %", "1", "50 %", "2", "50 %", "2"]
    assert "no 90 %, yes 50 %" in style.alt_text(figure)
    assert "yes taken for no (50 %)" in style.alt_text(figure)


def test_a_class_without_records_has_an_empty_row() -> None:
    figure = confusion.confusion(np.array([[3, 0], [0, 0]]), ["a", "b"])
    assert "no records of this class" in style.svg(figure)
    assert "b has no record" in style.alt_text(figure)


@pytest.mark.parametrize("classes", [3, 10, 25])
def test_confusion_of_many_classes_is_drawn(classes: int) -> None:
    counts = rng.integers(0, 9, (classes, classes))
    style.svg(confusion.confusion(counts, [f"a long class name {i}" for i in range(classes)]))


def test_the_heat_map_has_one_colour_scale_around_zero() -> None:
    values = np.array([[1.0, -4.0], [0.0, 2.0]])
    figure = heatmap.heatmap(values, "AC", observed="CA")
    assert figure.axes[0].images[0].get_clim() == (-4, 4)
    assert figure.axes[0].collections[0].get_offsets().tolist() == [[0.5, 1.5], [1.5, 0.5]]
    assert "Lowest: A at position 2 (−4)" in style.alt_text(figure)


def test_a_heat_map_of_nothing_is_drawn() -> None:
    style.svg(heatmap.heatmap(np.zeros((4, 3)), "ACGT"))
    with pytest.raises(ValueError, match="do not fit"):
        heatmap.heatmap(np.zeros((3, 3)), "ACGT")


def test_the_profile_names_its_peak_and_its_regions() -> None:
    values = np.zeros(20)
    values[7] = 2
    figure = profile.profile(values, axis=SequenceAxis(first=-20, regions=(Region("-10 box", 6, 12),)))
    assert "Highest at position -13" in style.alt_text(figure)
    assert "-10 box" in style.alt_text(figure)
    assert "All zero" in style.alt_text(profile.profile(np.zeros(5)))


def test_distributions_are_in_percent_of_each_part() -> None:
    figure = histogram.distribution({"train": rng.normal(0, 1, 900), "test": rng.normal(0, 1, 50)}, label="y")
    steps = [patch for patch in figure.axes[0].patches if not patch.get_fill()]
    assert [patch.get_data().values.sum() for patch in steps] == pytest.approx([100, 100])


def test_whole_numbers_get_a_bin_each() -> None:
    figure = histogram.distribution({"all": np.array([0.0, 1, 1, 2, 9])})
    edges = figure.axes[0].patches[0].get_data().edges
    assert edges.tolist() == [i - 0.5 for i in range(11)]


@pytest.mark.parametrize(
    "values", [np.full(5, 2.5), np.array([np.nan]), np.array([1e9, 1e9 + 1]), np.r_[np.zeros(99), 1e6]]
)
def test_awkward_distributions_are_drawn(values: np.ndarray) -> None:
    style.svg(histogram.distribution({"train": values, "test": np.empty(0)}))


def test_a_class_missing_from_a_part_counts_zero() -> None:
    figure = histogram.class_shares({"train": {"a": 3, "b": 1}, "test": {"a": 2}})
    assert "test: a 2, b 0" in style.alt_text(figure)


def test_nearness_counts_what_lies_at_or_above_the_threshold() -> None:
    figure = histogram.nearness(np.array([50.0, 80.0, 95.0, np.nan]), threshold=80)
    assert "3 test records" in style.alt_text(figure)
    assert "2 at or above the threshold of 80 %" in style.alt_text(figure)
    assert sum(patch.get_height() for patch in figure.axes[0].patches) == 3
    assert "1 exact copies" in style.alt_text(histogram.nearness(np.array([60.0, 100.0])))
    assert "No figure" in style.alt_text(histogram.nearness(np.array([np.nan])))


@pytest.mark.parametrize("identity", [np.array([0.0, 3.0]), np.full(4, 100.0), np.array([87.5])])
def test_nearness_shows_every_record_wherever_it_lies(identity: np.ndarray) -> None:
    figure = histogram.nearness(identity, threshold=30)
    assert sum(patch.get_height() for patch in figure.axes[0].patches) == len(identity)
