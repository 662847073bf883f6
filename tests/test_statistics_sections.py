"""The report sections of folds, seeds, ceiling, learning curve, bounds and bias: from result to page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fake_runs
from bioloom.evaluation.bounds import Bounds, error_bound, family
from bioloom.evaluation.ceiling import class_ceiling, noise_ceiling, noise_from_errors
from bioloom.evaluation.curve import Trained, learning_curve
from bioloom.evaluation.decomposition import decompose_squared, decompose_zero_one
from bioloom.evaluation.folds import OutOfFold, fold_scores
from bioloom.evaluation.learnability import vc_linear, vc_network
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.variance import variance_components
from bioloom.report.contract import Facts, read, sections
from bioloom.tasks import TASKS

N = 300
SECTIONS = ("folds", "variance", "ceiling", "learning_curve", "bounds", "bias_variance")


def measured() -> dict[str, Any]:
    """What the statistics of a made-up regression write into result.json, and bounds as for classes."""
    random = np.random.default_rng(0)
    truth = random.normal(size=(N, 1))
    values = truth + random.normal(0, 0.4, (5, N, 1)) + random.normal(0, 0.1, (5, 1, 1))
    simple = truth + random.normal(0, 0.9, (1, N, 1))
    fold = (random.permutation(N) % 5)[None]
    plan = Resampling(N)
    noise = noise_from_errors(np.full(N, 0.3), plan)
    joined = 0.01 * random.normal(size=200)
    trained = [
        Trained(n, score, score + joined + 0.005 * random.normal(size=200), role=role)
        for role, top in (("model", 0.9), ("simple", 0.7))
        for n, score in ((n, top - 2 * n**-0.4) for n in (300, 600, 1200, 2400))
    ]
    families = (family("linear", vc_linear(20), 5000), family("this network", vc_network(131_457, 8), 5000))
    return {
        "folds": fold_scores(
            OutOfFold(TASKS["regression"], truth, {"model": values[:1], "simple": simple}, fold)
        ),
        "variance": variance_components("r2", truth, values, plan),
        "ceiling": noise_ceiling(noise, truth[:, 0], values[0, :, 0]),
        "learning_curve": learning_curve("r2", trained),
        "bounds": Bounds(error_bound(24, N), families),
        "bias_variance": decompose_squared(values[:, :, 0], truth[:, 0], 0.01),
    }


def with_keys(folder: Path, found: dict[str, Any]) -> Facts:
    folder = fake_runs.before(folder)
    path = folder / "result.json"
    result = json.loads(path.read_text()) | {name: each.to_json() for name, each in found.items()}
    path.write_text(json.dumps(result, allow_nan=False))
    return read(folder)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return with_keys(tmp_path_factory.mktemp("statistics"), measured())


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_shows_the_sentence_of_its_result_and_no_missing_number(name: str, facts: Facts) -> None:
    html = sections[name].render(facts)
    words = html.striptags().replace("\u00a0", " ")
    assert facts[name]["text"].split(",")[0].split("%")[0] in words
    assert "None" not in words
    assert "nan" not in words


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_is_left_out_where_nothing_was_measured(name: str, tmp_path: Path) -> None:
    assert sections[name].render(with_keys(tmp_path, {})) is None


def test_folds_show_what_leave_one_out_refuses(tmp_path: Path) -> None:
    truth = np.random.default_rng(1).normal(size=(30, 1))
    alone = OutOfFold(TASKS["regression"], truth, {"model": truth[None] * 0.9}, np.arange(30)[None])
    words = sections["folds"].render(with_keys(tmp_path, {"folds": fold_scores(alone)})).striptags()
    assert "a model that knows nothing would reach r = −1" in words
    assert "Spearman" in words.split("Not given")[1]


def test_classes_have_a_ceiling_and_parts_of_their_errors(tmp_path: Path) -> None:
    labels = np.random.default_rng(2).integers(0, 2, (5, 100))
    ceiling = class_ceiling(labels[0].astype(float), np.repeat(np.arange(50), 2), Resampling(100))
    parts = decompose_zero_one(labels, labels[0].astype(float))
    facts = with_keys(tmp_path, {"ceiling": ceiling, "bias_variance": parts})
    assert "repeated inputs carry different labels" in sections["ceiling"].render(facts)
    assert "Variance that helps" in sections["bias_variance"].render(facts)


def test_a_curve_that_is_not_followed_is_drawn_with_the_reason(tmp_path: Path) -> None:
    flat = [Trained(n, 0.5 - n / 1e5, np.empty(0)) for n in (100, 200, 400)]
    html = sections["learning_curve"].render(
        with_keys(tmp_path, {"learning_curve": learning_curve("r2", flat)})
    )
    assert "cannot be said" in html
    assert "data:image/svg" in html
