"""One look for every figure, the same bytes each time, safe to put into a page."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from bioloom.errors import UserError
from bioloom.figures import (
    bars,
    confusion,
    curves,
    dependence,
    heatmap,
    histogram,
    logos,
    profile,
    reliability,
    scatter,
    style,
)
from bioloom.figures.positions import Region, SequenceAxis

rng = np.random.default_rng(0)
TRUTH = rng.random(60) < 0.4
SCORES = {"cnn": TRUTH + rng.normal(0, 1, 60), "logistic": rng.normal(0, 1, 60)}
AXIS = SequenceAxis("nt", -5, (Region("box", 1, 4),))
MANY = rng.normal(0, 1, 2500)
MATRIX = rng.normal(0, 1, (4, 12))
BARS = (
    bars.Bar("cnn", 0.8, 0.7, 0.9, strong=True),
    bars.Bar("training mean", float("nan")),
    bars.Bar("x", -0.2),
)

FIGURES: dict[str, Callable[[], Figure]] = {
    "logo": lambda: logos.logo(MATRIX, "ACGT", logos.NUCLEOTIDES, title="A & <b>", axis=AXIS),
    "heatmap": lambda: heatmap.heatmap(MATRIX, "ACGT", observed="ACGTACGTACGT", axis=AXIS),
    "profile": lambda: profile.profile(np.abs(MATRIX[0]), axis=AXIS),
    "scatter": lambda: scatter.scatter(MATRIX[0], MATRIX[1], target="growth", unit="1/h"),
    "density": lambda: scatter.scatter(MANY, MANY[::-1]),
    "roc": lambda: curves.roc(TRUTH, SCORES),
    "precision_recall": lambda: curves.precision_recall(TRUTH, SCORES),
    "training": lambda: curves.training([1.0, 0.5, 0.4], [1.1, 0.7, 0.8], best=1),
    "comparison": lambda: bars.comparison(BARS, metric="Spearman", chance=0.0),
    "attributions": lambda: bars.attributions(BARS),
    "confusion": lambda: confusion.confusion(np.array([[8, 2], [1, 9]]), ["no", "yes"]),
    "distribution": lambda: histogram.distribution({"train": MATRIX[0], "test": MATRIX[1]}, label="growth"),
    "class_shares": lambda: histogram.class_shares({"train": {"a": 5, "b": 7}, "test": {"a": 1}}),
    "reliability": lambda: reliability.reliability(
        [reliability.Point(0.2, 0.25, 0.1, 0.4, 0.1, 0.3), reliability.Point(0.8, 0.7, 0.6, 0.8, 0.7, 0.9)],
        [5, 0, 9],
    ),
    "dependences": lambda: dependence.dependences(
        [
            dependence.Curve("pH", (5.0, 6.0, 7.0), np.abs(MANY[:150].reshape(50, 3)), np.linspace(5, 7, 50)),
            dependence.Curve(
                "strain", ("K12", "a strain of a long name"), MANY[150:250].reshape(50, 2), np.empty(0)
            ),
        ],
        label="Predicted growth",
    ),
    "nearness": lambda: histogram.nearness(np.array([50.0, 90.0, 100.0]), threshold=80),
}


@cache
def figure_of(name: str) -> Figure:
    return FIGURES[name]()


@cache
def svg_of(name: str) -> str:
    return style.svg(figure_of(name))


every_figure = pytest.mark.parametrize("name", sorted(FIGURES))


@every_figure
def test_every_figure_says_in_words_what_it_shows(name: str) -> None:
    assert len(style.alt_text(figure_of(name))) > 40
    assert style.alt_text(figure_of(name)).endswith(".")


@every_figure
def test_every_axis_has_a_label(name: str) -> None:
    axes = figure_of(name).axes[0]
    assert axes.get_xlabel()
    named_rows = all(not re.fullmatch(r"[−\d.]*", tick.get_text()) for tick in axes.get_yticklabels())
    assert axes.get_ylabel() or named_rows


@every_figure
def test_svg_is_well_formed_and_carries_its_description(name: str) -> None:
    root = ElementTree.fromstring(svg_of(name))
    assert root.tag.endswith("svg")
    assert root.get("role") == "img"
    assert root.get("aria-label") == style.alt_text(figure_of(name))


@every_figure
def test_svg_keeps_text_as_text_and_holds_no_date_and_no_script(name: str) -> None:
    text = svg_of(name)
    assert "<text" in text
    assert not re.search(r"<metadata|<script|<style|<!DOCTYPE|dc:date", text)


@every_figure
def test_every_reference_inside_an_svg_leads_somewhere(name: str) -> None:
    text = svg_of(name)
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) <= set(ids)


@pytest.mark.parametrize("name", ["scatter", "logo", "confusion"])
def test_drawing_twice_gives_the_same_svg(name: str) -> None:
    assert svg_of(name) == style.svg(figure_of(name)) == style.svg(FIGURES[name]())


def test_many_figures_fit_in_one_page() -> None:
    page = "".join(svg_of(name) for name in ("roc", "scatter", "logo"))
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_drawing_leaves_the_users_settings_alone() -> None:
    before = dict(mpl.rcParams)
    with mpl.rc_context({"font.size": 30, "axes.grid": True, "text.usetex": False}):
        inside = dict(mpl.rcParams)
        style.svg(FIGURES["comparison"]())
        assert dict(mpl.rcParams) == inside
    assert dict(mpl.rcParams) == before


def test_the_users_settings_do_not_change_the_figure() -> None:
    with mpl.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "path"}):
        assert style.svg(FIGURES["training"]()) == svg_of("training")


def test_another_process_writes_the_same_bytes_and_makes_no_state_of_pyplot() -> None:
    code = (
        "import sys; from bioloom.figures import bars, curves, logos, scatter, style;"
        "print(style.svg(curves.training([1.0, 0.5, 0.4], [1.1, 0.7, 0.8], best=1)),"
        "'matplotlib.pyplot' in sys.modules, end='')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == svg_of("training") + " False"


@pytest.mark.parametrize(("ending", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_files_are_written_whole_and_always_the_same(tmp_path: Path, ending: str, start: bytes) -> None:
    figure = figure_of("training")
    for name in ("one", "two"):
        style.save(figure, tmp_path / (name + ending))
    content = (tmp_path / f"one{ending}").read_bytes()
    assert content.startswith(start)
    assert content == (tmp_path / f"two{ending}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"one{ending}", f"two{ending}"]


def test_an_unknown_ending_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'not written as "\.gif"') as error:
        style.save(figure_of("training"), tmp_path / "figure.gif")
    assert ".svg" in error.value.fix


def test_a_dollar_sign_is_a_dollar_sign() -> None:
    figure = scatter.scatter(MATRIX[0], MATRIX[1], target="$price_a$ and $b")
    assert "Measured $price_a$ and $b" in style.svg(figure)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.123"), (-12.5, "−12.5"), (0.0, "0"), (1234.5, "1,234"), (1e-7, "1.00e−07"), (999.0, "999")],
)
def test_numbers_are_written_as_people_write_them(value: float, text: str) -> None:
    assert style.number(value) == text


def test_a_number_that_is_not_defined_says_so() -> None:
    assert style.number(float("nan")) == "not defined"
    assert style.fixed(float("nan"), 3) == "not defined"


@pytest.mark.parametrize(
    ("value", "places"), [(0.65, 3), (0.065, 4), (1.5, 3), (15.0, 2), (1500.0, 0), (0.0, 3)]
)
def test_places_after_the_point_suit_the_size(value: float, places: int) -> None:
    assert style.decimals(value) == places


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2.1."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))


def test_text_has_enough_contrast_on_white() -> None:
    for colour in (style.INK, style.MUTED):
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5


def deficient(colour: tuple[float, float, float], kind: str) -> np.ndarray:
    """How a dichromat sees a colour: Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB."""
    matrix = {
        "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    }[kind]  # fmt: skip
    linear = np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour])
    return np.clip(np.array(matrix) @ linear, 0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_colours_that_stand_together_differ_for_colour_blind_readers(kind: str) -> None:
    for group in (
        [logos.NUCLEOTIDES[letter] for letter in "ACGT"],
        [logos.AMINO_ACIDS[letter] for letter in "AKDS"],
        list(style.PALETTE[:3]),
        [style.SIGNED(0.0)[:3], style.SIGNED(0.5)[:3], style.SIGNED(1.0)[:3]],
    ):
        seen = [deficient(to_rgb(colour), kind) for colour in group]
        nearest = min(np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i])
        assert nearest > 0.15


def test_a_figure_that_cannot_be_drawn_says_why() -> None:
    figure = style.nothing("all records are of one class")
    assert "all records are of one class" in style.svg(figure)
    assert style.alt_text(figure).startswith("No figure")


def test_short_names_can_be_told_apart() -> None:
    cold, warm, other = (
        f"Escherichia coli K-12 MG1655 {end}" for end in ("at 37 degrees", "at 42 degrees", "x" * 30)
    )
    assert style.short_names(["pH", cold, warm], 28) == [
        "pH",
        "Escherichia co…at 37 degrees",
        "Escherichia co…at 42 degrees",
    ]
    strains = [f"condition: Escherichia coli {strain} at 42 degrees" for strain in ("K-12 MG1655", "O157")]
    assert style.short_names(strains, 28) == ["…K-12 MG1655 at 42 degrees", "…O157 at 42 degrees"]
    middles = ["a" * 40 + middle + "z" * 40 for middle in ("c" * 60 + "1", "c" * 60 + "2")]
    named = style.short_names([*middles, cold, other], 24)
    assert len(set(named)) == 4
    assert max(map(len, named)) <= 24
    assert style.short_names([cold, cold], 28) == ["Escherichia co…at 37 degrees"] * 2, "one name is one name"
