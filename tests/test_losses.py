from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.utils.class_weight import compute_class_weight

from bioloom.errors import UserError
from bioloom.losses import LossOptions, balanced
from bioloom.recipe import TrainingRecipe
from bioloom.tasks import TASKS
from bioloom.training.loop import fit, predict
from bioloom.training.loss import USUAL, loss_of
from simulated import STEADY, job, regression

RANDOM = torch.Generator().manual_seed(0)
LOGIT = 3 * torch.randn(50, 1, generator=RANDOM, dtype=torch.float64)
LOGITS = 3 * torch.randn(50, 4, generator=RANDOM, dtype=torch.float64)
YES = torch.randint(2, (50, 1), generator=RANDOM).double()
CLASS = torch.randint(4, (50, 1), generator=RANDOM).double()
WEIGHT = torch.rand(50, generator=RANDOM, dtype=torch.float64)
KNOWN = torch.ones(50, 1, dtype=torch.bool)
ALL = LossOptions(label_smoothing=0.1, focal=2.0, class_weights=(1.0, 2.0, 0.5, 1.5))


def loss(task: str, options: LossOptions, weight: torch.Tensor = WEIGHT) -> torch.Tensor:
    raw, truth = {"regression": (LOGIT, YES), "binary": (LOGIT, YES), "multiclass": (LOGITS, CLASS)}[task]
    return TASKS[task].loss_with(options)(raw, truth, KNOWN, weight)


def weighted(values: torch.Tensor, weight: torch.Tensor = WEIGHT) -> torch.Tensor:
    return (values.reshape(-1) * weight).sum() / weight.sum()


def test_a_recipe_that_changes_nothing_gives_the_loss_of_the_task_itself() -> None:
    for task in TASKS.values():
        assert task.loss_with(LossOptions()) is task.loss
    recipe = TrainingRecipe()
    assert {key: getattr(recipe, key) for key in USUAL} == USUAL
    assert {key for task in TASKS.values() for key in task.options} == set(USUAL)


@pytest.mark.parametrize("options", [LossOptions(), ALL, LossOptions(loss="huber")])
@pytest.mark.parametrize("task", list(TASKS))
def test_no_mask_means_that_all_is_known_and_no_weight_that_all_counts_alike(
    task: str, options: LossOptions
) -> None:
    raw, truth = (LOGIT, YES) if task in ("regression", "binary", "reconstruct") else (LOGITS, CLASS)
    if task == "language":  # of each record the mean log p, the share of hits, and how many tokens
        raw = torch.cat([LOGITS[:, :2], LOGITS[:, 2:3].abs()], dim=1)
    if task == "binary":
        options = replace(options, class_weights=options.class_weights[:2])
    told, even = TASKS[task].loss_with(options), torch.ones(50, dtype=torch.float64)
    torch.testing.assert_close(told(raw, truth, None, None), told(raw, truth, KNOWN, even))
    torch.testing.assert_close(told(raw, truth, KNOWN, None), told(raw, truth, KNOWN, even))
    torch.testing.assert_close(told(raw, truth, None, WEIGHT), told(raw, truth, KNOWN, WEIGHT))


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_changes_too_small_to_matter_do_not_matter(task: str) -> None:
    torch.testing.assert_close(loss(task, LossOptions(focal=1e-9)), loss(task, LossOptions()))


def test_label_smoothing_is_that_of_torch() -> None:
    options = LossOptions(label_smoothing=0.2)
    theirs = F.cross_entropy(LOGITS, CLASS[:, 0].long(), label_smoothing=0.2, reduction="none")
    torch.testing.assert_close(loss("multiclass", options), weighted(theirs))
    smooth = YES * 0.8 + 0.1
    theirs = F.binary_cross_entropy_with_logits(LOGIT, smooth, reduction="none")
    torch.testing.assert_close(loss("binary", options), weighted(theirs))


def test_class_weights_are_those_of_torch() -> None:
    weights = (1.0, 2.0, 0.5, 1.5)
    theirs = F.cross_entropy(LOGITS, CLASS[:, 0].long(), weight=torch.tensor(weights, dtype=torch.float64))
    options = LossOptions(class_weights=weights)
    torch.testing.assert_close(loss("multiclass", options, torch.ones_like(WEIGHT)), theirs)


def test_focal_loss_is_its_formula() -> None:
    p = LOGIT.sigmoid()
    told = torch.where(YES == 1, p, 1 - p)
    expected = weighted(-((1 - told) ** 2) * told.log())
    torch.testing.assert_close(loss("binary", LossOptions(focal=2.0)), expected)
    told = LOGITS.softmax(1).gather(1, CLASS.long())
    expected = weighted(-((1 - told) ** 0.5) * told.log())
    torch.testing.assert_close(loss("multiclass", LossOptions(focal=0.5)), expected)


def test_the_huber_loss_is_twice_that_of_torch() -> None:
    theirs = F.huber_loss(LOGIT, YES, reduction="none", delta=1.0)
    torch.testing.assert_close(loss("regression", LossOptions(loss="huber")), 2 * weighted(theirs))
    assert loss("regression", LossOptions(loss="squared")) == loss("regression", LossOptions())


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_two_classes_are_two_of_several(task: str) -> None:
    """A logit is the difference of two logits."""
    options = LossOptions(label_smoothing=0.1, focal=2.0, class_weights=(1.0, 3.0))
    both = torch.cat([-LOGIT / 2, LOGIT / 2], dim=1)
    torch.testing.assert_close(
        TASKS["multiclass"].loss_with(options)(both, YES, KNOWN, WEIGHT), loss("binary", options)
    )


@pytest.mark.parametrize(
    ("task", "options"),
    [("regression", LossOptions(loss="huber")), ("binary", ALL), ("multiclass", ALL)],
)
def test_changed_losses_keep_the_contract(task: str, options: LossOptions) -> None:
    """Unknown targets and records without weight count nothing, and extreme outputs stay finite."""
    raw, truth = {"regression": (LOGIT, YES), "binary": (LOGIT, YES), "multiclass": (LOGITS, CLASS)}[task]
    told = TASKS[task].loss_with(options)
    expected = told(raw[:30], truth[:30], KNOWN[:30], WEIGHT[:30])
    light, holes = WEIGHT.clone(), truth.clone()
    light[30:], holes[30:] = 0.0, torch.nan
    torch.testing.assert_close(told(raw, truth, KNOWN, light), expected)
    torch.testing.assert_close(told(raw, holes, ~holes.isnan(), WEIGHT), expected)
    assert told(raw, holes, torch.zeros_like(KNOWN), WEIGHT) == 0
    for power in (0.5, 2.0):
        extreme = (raw * 1e4).float().requires_grad_()
        sharp = replace(options, focal=power if task != "regression" else 0.0)
        value = TASKS[task].loss_with(sharp)(extreme, holes.float(), ~holes.isnan(), WEIGHT.float())
        value.backward()
        assert value.isfinite()
        assert extreme.grad.isfinite().all()


@pytest.mark.parametrize(
    ("task", "options"),
    [("regression", LossOptions(loss="huber")), ("binary", ALL), ("multiclass", ALL)],
)
def test_gradients_of_changed_losses_are_right(task: str, options: LossOptions) -> None:
    raw, truth = {"regression": (LOGIT, YES), "binary": (LOGIT, YES), "multiclass": (LOGITS, CLASS)}[task]
    told = TASKS[task].loss_with(options)
    assert torch.autograd.gradcheck(lambda x: told(x, truth, KNOWN, WEIGHT), raw.clone().requires_grad_())


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    truth = np.array([0, 0, 0, 0, 1, 1, 3, np.nan], dtype=np.float32)
    found = balanced(truth[:, None], np.ones(8, dtype=np.float32), 4)
    expected = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=truth[:7].astype(int))
    assert found == pytest.approx((expected[0], expected[1], 1.0, expected[2]))
    heavy = np.array([1, 1, 1, 1, 2, 2, 4, 9], dtype=np.float32)
    assert balanced(truth[:, None], heavy, 4) == pytest.approx((1.0, 1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("task", "changed"),
    [
        ("regression", {"label_smoothing": 0.1}),
        ("regression", {"focal": 1.0}),
        ("regression", {"class_weights": "balanced"}),
        ("binary", {"loss": "huber"}),
        ("multiclass", {"loss": "squared"}),
    ],
)
def test_a_change_of_another_kind_of_task_is_refused(task: str, changed: dict[str, object]) -> None:
    (key,) = changed
    small = job(task=TASKS[task], plan=replace(STEADY, **changed))
    with pytest.raises(UserError, match=f"training.{key} does not go with") as caught:
        loss_of(small)
    assert caught.value.where == f"training.{key}"


def test_balanced_classes_find_more_of_the_rare_one() -> None:
    inputs, target = regression(0)
    rare = (target > 1.3).astype(np.float32)
    found = []
    for weights in ("none", "balanced"):
        plan = replace(STEADY, epochs=8, patience=8, class_weights=weights)
        small = job(inputs={"table": inputs["table"]}, truth=rare, task=TASKS["binary"], plan=plan)
        told = fit(small).network
        found.append(predict(told, small.inputs).mean())
    assert found[1] > found[0] + 0.5, "logits of the rare class are higher"
