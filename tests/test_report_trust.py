"""The sections of the report on calibration and on single predictions, from blocks as evaluation writes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fake_runs
from bioloom.evaluation.assessment import assess
from bioloom.evaluation.calibration import Calibration, Operating, Validation
from bioloom.evaluation.conformal import Calibrating, Conformal
from bioloom.evaluation.resampling import Resampling
from bioloom.figures import style
from bioloom.figures.reliability import reliability
from bioloom.report.contract import Facts, read, sections
from bioloom.targets import Targets


def with_blocks(folder: Path, kind: str, n: int = 600) -> Facts:
    """A made-up run with both blocks."""
    run = fake_runs.RUNS[kind](folder)
    result = json.loads((run / "result.json").read_text())
    result |= blocks(kind, n)
    (run / "result.json").write_text(json.dumps(result, allow_nan=False))
    return read(run)


def blocks(kind: str, n: int) -> dict:
    random = np.random.default_rng(0)
    target = fake_targets(kind)
    plan = Resampling(n, np.arange(n) // 3 if kind == "two_inputs" else None)
    if not target.classes:
        value = random.normal(size=(n, len(target.names)))
        truth = 0.8 * value + random.normal(size=value.shape)
        made = Conformal.fit(Calibrating(value, truth, target.names, groups=plan.groups))
        return {
            "calibration": assess(truth, value, target, plan).to_json(),
            "uncertainty": made.coverage(truth, value, plan).to_json(),
        }
    raw = random.normal(0, 1.5, (n, 1 if len(target.classes) == 2 else 3))
    chance = Calibration().apply(raw)
    shares = chance if chance.shape[1] > 1 else np.column_stack([1 - chance, chance])
    truth = (random.random((n, 1)) > shares.cumsum(axis=1)).sum(axis=1).astype(float)
    operating = Operating(cost=5, prevalence=0.1)
    fitted = Calibration.fit(Validation(raw * 2, truth, np.ones(n)), operating)
    value = fitted.apply(raw * 2)
    made = Conformal.fit(Calibrating(value, truth[:, None], target.classes, len(target.classes)))
    return {
        "calibration": assess(truth[:, None], value, target, plan, (fitted, operating)).to_json(),
        "uncertainty": made.coverage(truth[:, None], value, plan).to_json(),
    }


def fake_targets(kind: str) -> Targets:
    if kind == "binary":
        return Targets("binary", ("class",), classes=("-", "+"))
    if kind == "multiclass":
        return Targets("multiclass", ("site",), classes=("EI", "IE", "neither"))
    names = ("expression",) if kind == "regression" else ("fluorescence", "growth")
    return Targets("regression", names)


@pytest.mark.parametrize("n", [600, 60, 6])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression", "two_inputs"])
def test_both_sections_say_what_was_found(kind: str, n: int, tmp_path: Path) -> None:
    facts = with_blocks(tmp_path, kind, n)
    for name in ("calibration", "uncertainty"):
        html = sections[name].render(facts)
        assert html is not None
        assert "None" not in html.striptags()
        assert "nan" not in html.striptags().lower().split()
        assert facts[name]["text"].split(" ")[0] in html


@pytest.mark.parametrize("name", ["calibration", "uncertainty"])
def test_a_run_without_the_blocks_has_no_such_section(name: str, tmp_path: Path) -> None:
    assert sections[name].render(read(fake_runs.before(tmp_path))) is None


def test_the_diagram_is_drawn_and_described() -> None:
    block = blocks("binary", 600)["calibration"]["probability"]
    points = [tuple(each[key] for key in list(each)[:6]) for each in block["bins"]]
    figure = reliability(points, block["counts"], event="the record is positive")
    assert "farthest from the diagonal" in style.alt_text(figure)
    assert "perfect models" in style.svg(figure)
    assert style.alt_text(reliability([], [])).startswith("No figure")
