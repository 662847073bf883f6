"""What every simple model promises, checked for each one that is registered."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets
from bioloom.tasks import TASKS

TARGETS = {
    "regression": Targets("regression", ("a", "b"), mean=(0.0, 0.0), scale=(1.0, 1.0)),
    "binary": Targets("binary", ("a",), classes=("no", "yes")),
    "multiclass": Targets("multiclass", ("a",), classes=("x", "y", "z")),
    "reconstruct": Targets("reconstruct", tuple("abcdef")),
    "language": Targets("language", TASKS["language"].names),
    "masked": Targets("masked", TASKS["masked"].names),
}
GENERAL = ("trivial", "nearest", "boosting", "forest")
# what looks at tokens, and what tokens alone are for
OWN = {
    "language": ("token_shares", "kgram"),
    "masked": ("token_shares", "kgram_around"),
}
CASES = sorted(
    {
        (name, task.name)
        for task in TASKS.values()
        if task.name in TARGETS
        for name in OWN.get(task.name, (*GENERAL, task.simple))
    }
)


def data(task: str, signed: bool = True) -> tuple[TrainingData, np.ndarray]:
    """Training and validation rows with unknown truths and uneven weights, and features of new records."""
    random = np.random.default_rng(0)
    features = random.normal(size=(150, 6)) if signed else (random.random((150, 6)) < 0.5)
    if task in OWN:
        features = random.integers(1, 4, size=(150, 6)) * (random.random((150, 6)) < 0.9)
    features = features.astype(np.float32)
    raw = features @ random.normal(size=(6, 3))
    truth = {
        "reconstruct": features.copy(),
        "language": np.ones((150, 3)),
        "masked": np.ones((150, 3)),
        "regression": raw[:, :2],
        "binary": raw[:, :1] > 0,
        "multiclass": raw.argmax(1)[:, None],
    }[task]
    truth = truth.astype(np.float32)
    truth[5, 0] = np.nan
    weight = random.uniform(0.5, 2, 100).astype(np.float32)
    return TrainingData(features[:100], truth[:100], weight, features[100:130], truth[100:130]), features[
        130:
    ]


def fitted(name: str, task: str) -> tuple[SimpleModel, np.ndarray]:
    rows, new = data(task)
    return simple_models[name].fit(rows, TARGETS[task], seed=0), new


WRITING = {"commonest_answer", "nearest_answer"}
"""They answer with rows of tokens, and are held to that in `tests/test_answers.py`."""


def test_every_simple_model_is_tested() -> None:
    assert {name for name, _ in CASES} | WRITING == set(simple_models)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_predictions_have_a_row_per_record_and_are_finite(name: str, task: str) -> None:
    model, new = fitted(name, task)
    value = model.predict(new)
    assert value.shape == (20, 1 if task == "binary" else TARGETS[task].outputs)
    assert value.dtype == np.float32
    assert np.isfinite(value).all()
    if TARGETS[task].classes:
        assert (value >= 0).all()
        assert (value <= 1).all()
    if task == "multiclass":
        assert value.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_a_model_comes_back_from_its_state(name: str, task: str) -> None:
    model, new = fitted(name, task)
    state = {key: np.array(value) for key, value in model.state().items()}
    again = simple_models[name].from_state(state)
    assert np.array_equal(model.predict(new), again.predict(new))
    assert model.describe() == again.describe()


@pytest.mark.parametrize(("name", "task"), CASES)
def test_one_record_never_depends_on_another(name: str, task: str) -> None:
    model, new = fitted(name, task)
    alone = np.concatenate([model.predict(new[[i]]) for i in range(len(new))])
    assert model.predict(new) == pytest.approx(alone, abs=1e-5)
    assert model.predict(new[:0]).shape == (0, alone.shape[1])


@pytest.mark.parametrize(("name", "task"), CASES)
@pytest.mark.parametrize("signed", [True, False])
def test_the_data_are_left_as_they_were(name: str, task: str, signed: bool) -> None:
    rows, _ = data(task, signed)
    before = {field: getattr(rows, field).copy() for field in rows.__dataclass_fields__ if field != "size"}
    simple_models[name].fit(rows, TARGETS[task], seed=0)
    for field, value in before.items():
        assert np.array_equal(getattr(rows, field), value, equal_nan=True)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_a_model_fits_without_a_single_validation_record(name: str, task: str) -> None:
    rows, new = data(task)
    bare = TrainingData(
        rows.features, rows.truth, rows.weight, rows.validation_features[:0], rows.validation_truth[:0]
    )
    assert np.isfinite(simple_models[name].fit(bare, TARGETS[task], seed=0).predict(new)).all()


@pytest.mark.parametrize(("name", "task"), CASES)
def test_what_was_fitted_is_described_in_one_phrase(name: str, task: str) -> None:
    description = fitted(name, task)[0].describe()
    assert description
    assert not description.endswith(".")
    assert "\n" not in description


@pytest.mark.parametrize(("name", "task"), [case for case in CASES if TARGETS[case[1]].classes])
def test_a_class_that_training_never_saw_does_no_harm(name: str, task: str) -> None:
    rows, new = data(task)
    one = TrainingData(
        rows.features, np.zeros_like(rows.truth), rows.weight, rows.validation_features, rows.validation_truth
    )
    assert np.isfinite(simple_models[name].fit(one, TARGETS[task], seed=0).predict(new)).all()
