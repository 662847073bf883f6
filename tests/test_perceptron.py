from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from sklearn.svm import SVC

from bioloom.errors import UserError
from bioloom.journey.unlabelled import refuse_unsuited
from bioloom.modalities.encoded import ColumnEncoded
from bioloom.models.perceptron import SURE, AllOrNothing
from bioloom.tasks import TASKS
from bioloom.training import record
from bioloom.training.job import Job
from bioloom.training.plan import Plan

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)

PLAIN = Plan(
    epochs=200,
    batch_size=1,
    learning_rate=0.5,
    weight_decay=0.0,
    patience=200,
    clip=1e9,
    precision="float32",
    optimiser="sgd",
    schedule="constant",
    average="none",
)


def lesson(x: np.ndarray, labels: np.ndarray, task: str = "binary") -> Job:
    return Job(
        network="perceptron",
        settings={},
        outputs=1 if task == "binary" else int(labels.max()) + 1,
        inputs={"x": ColumnEncoded(x.astype(np.float32))},
        truth=labels.astype(np.float32)[:, None],
        weight=np.ones(len(x), dtype=np.float32),
        train=np.arange(len(x)),
        validation=np.array([], dtype=np.int64),
        task=TASKS[task],
        plan=PLAIN,
    )


def apart(seed: int, records: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Points on both sides of a line, none near it."""
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, (400, 2))
    side = x @ [1.0, -0.7] + 0.1
    chosen = np.flatnonzero(abs(side) > 0.15)[:records]
    return x[chosen], (side[chosen] > 0).astype(int)


def test_each_step_is_the_rule_of_rosenblatt() -> None:
    x, labels = apart(0)
    seen = record(lesson(x, labels), steps=120)
    weight, bias = seen.weights["dense.weight"][0, 0].copy(), float(seen.weights["dense.bias"][0, 0])
    for step, (row,) in enumerate(seen.records):
        answer = int(x[row] @ weight + bias > 0)
        weight += 0.5 * (labels[row] - answer) * x[row]
        bias += 0.5 * (labels[row] - answer)
        np.testing.assert_allclose(seen.weights["dense.weight"][step + 1, 0], weight, atol=1e-5)
        np.testing.assert_allclose(seen.weights["dense.bias"][step + 1, 0], bias, atol=1e-5)


def test_with_several_classes_the_right_one_gains_what_the_answer_loses() -> None:
    random = np.random.default_rng(1)
    x, labels = random.normal(size=(30, 4)), random.integers(0, 3, 30)
    seen = record(lesson(x, labels, "multiclass"), steps=60)
    weight, bias = seen.weights["dense.weight"][0].copy(), seen.weights["dense.bias"][0].copy()
    for step, (row,) in enumerate(seen.records):
        answer = int((weight @ x[row] + bias).argmax())
        for told, sign in ((labels[row], 0.5), (answer, -0.5)):
            weight[told] += sign * x[row]
            bias[told] += sign
        np.testing.assert_allclose(seen.weights["dense.weight"][step + 1], weight, atol=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_where_a_line_parts_the_classes_it_errs_no_more_often_than_novikoff_proved(seed: int) -> None:
    x, labels = apart(seed)
    seen = record(lesson(x, labels), steps=40 * 60)
    moved = np.abs(np.diff(seen.weights["dense.weight"], axis=0)).sum(axis=(1, 2)) > 0
    wide = np.hstack([x, np.ones((len(x), 1))])  # the bias is the weight of a constant 1
    start = np.append(seen.weights["dense.weight"][0, 0], seen.weights["dense.bias"][0, 0]) / 0.5
    best = SVC(kernel="linear", C=1e9).fit(x, labels)
    line = np.append(best.coef_[0], best.intercept_)
    margin = ((2 * labels - 1) * (wide @ line)).min() / np.linalg.norm(line)
    radius = np.linalg.norm(wide, axis=1).max()
    # |w0| adds to both sides of the proof: sqrt(|w0|^2 + k R^2) >= k margin - |w0|
    size = np.linalg.norm(start)
    most = max(k for k in range(20_000) if k * margin - size <= np.sqrt(size**2 + k * radius**2))
    assert 0 < moved.sum() <= most
    assert not moved[-40:].any(), "all are right in the last epoch, and nothing moves any more"


def test_no_line_parts_exclusive_or_and_so_it_never_stops_moving() -> None:
    labels = np.array([0, 1, 1, 0])
    signs = (2 * labels - 1)[:, None] * np.hstack([CORNERS, np.ones((4, 1))])
    no_line = linprog(np.zeros(3), A_ub=-signs, b_ub=-np.ones(4), bounds=[(None, None)] * 3)
    assert no_line.status == 2, "infeasible"
    seen = record(lesson(CORNERS, labels), steps=4 * 150)
    sums = np.einsum("sij,kj->sk", seen.weights["dense.weight"], CORNERS) + seen.weights["dense.bias"]
    right = ((sums > 0) == labels.astype(bool)).sum(axis=1)
    assert right.max() <= 3
    assert np.abs(np.diff(seen.weights["dense.weight"], axis=0))[-40:].sum() > 0


def test_and_or_are_learned() -> None:
    for labels in (np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])):
        seen = record(lesson(CORNERS, labels), steps=4 * 60)
        sums = CORNERS @ seen.weights["dense.weight"][-1, 0] + seen.weights["dense.bias"][-1]
        assert ((sums > 0) == labels.astype(bool)).all()


def test_an_answer_is_all_or_nothing_and_its_error_passes_back_unchanged() -> None:
    score = torch.tensor([[0.3, -2.0, 0.2]], requires_grad=True)
    answer = AllOrNothing.apply(score)
    assert answer.tolist() == [[SURE, -SURE, -SURE]]
    answer.backward(torch.tensor([[1.0, 2.0, 3.0]]))
    assert score.grad is not None
    assert score.grad.tolist() == [[1.0, 2.0, 3.0]]
    assert AllOrNothing.apply(torch.tensor([[0.0], [1e-9]])).tolist() == [[-SURE], [SURE]]


def test_numbers_are_refused() -> None:
    refuse_unsuited("perceptron", "binary")
    refuse_unsuited("perceptron", "multiclass")
    with pytest.raises(UserError, match="is not for the task"):
        refuse_unsuited("perceptron", "regression")


def test_a_plan_with_averaged_weights_keeps_the_averaged_perceptron() -> None:
    x, labels = apart(3)
    job = lesson(x, labels)
    seen = record(replace(job, plan=replace(PLAIN, average="ema")), steps=20)
    plain = record(job, steps=20)
    np.testing.assert_array_equal(seen.weights["dense.weight"], plain.weights["dense.weight"])
