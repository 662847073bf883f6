"""What is predicted: one row per task, carrying everything about itself.

A task says how a raw output is scored during training, how it becomes a prediction in the target's units, and
which metrics are reported; how labels become numbers is in `bioloom.targets`. Losses use tensor methods only,
so that this module (and everything that only looks at data) works without torch.

Conventions: raw outputs and truths are (records, outputs); a mask is True where a target is known (None: all are);
a loss is the weighted mean over known targets. Where an answer is given everywhere, at every position of a sequence or
pixel of a picture, places follow as further axes: raw outputs are (records, outputs, *places), truths and masks
(records, targets, *places), and each known place counts alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bioloom.activations import as_it_is, in_units, probability, softmax
from bioloom.errors import UserError, did_you_mean
from bioloom.heads import HEADS, Head
from bioloom.losses import (
    Loss,
    LossOptions,
    area_loss,
    binary_cross_entropy,
    binary_with,
    classes_with,
    cross_entropy,
    number_with,
    squared_error,
)
from bioloom.made import asked_of_all, input_itself, per_token, surprise, surprise_with, tokens_themselves
from bioloom.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


Made = Callable[["NDArray[np.float32]", "NDArray[np.bool_] | None"], "NDArray[np.float32]"]
"""(an input as networks see it, where there is something in it) -> truth, (records, targets), unknown ones NaN.

The input is (records, *sizes), the mask (records, positions), or None where every position is filled.
"""


@dataclass(frozen=True)
class Task:
    """One kind of prediction.

    name:     what users type
    title:    how reports call it
    loss:     (raw, standardised truth, mask, weight) -> mean loss
    options:  what a recipe may change about the loss
    changed:  (options, raw, standardised truth, mask, weight) -> mean loss with such changes
    activate: (raw, targets) -> predictions in the target's units, (records, targets or classes)
    metrics:  what is reported, the first being the one that decides
    simple:   name of the simple model to compare with
    rivals:   the baselines that make sense, by role
    made:     how the truth is made from the input, for a task without labels; None where columns hold the truth
    network:  the usual choice; empty where the kind of input decides
    trivial:  name of the model that guesses
    seen:     what simple models see of an input, for a task without labels, (records, numbers); None: the truth
    names:    of what is said of a record, where the task says it itself
    encoding: usual settings of modalities by name, where they differ from those of other tasks
    restores: whether records are described by few numbers and restored from them
    everywhere: whether there is an answer at every place of the input: position of a sequence, pixel of a picture
    place:    what such a place is called in sentences
    written:  whether the answer in the target column is written token by token, such as a protein or a caption; what asks
              for one value of each record, such as a shuffle of labels, is then left out
    """

    name: str
    title: str
    loss: Loss
    options: tuple[str, ...]
    changed: Callable[[LossOptions, Tensor, Tensor, Tensor | None, Tensor | None], Tensor]
    activate: Callable[[NDArray[np.float32], Targets], NDArray[np.float32]]
    metrics: tuple[str, ...]
    simple: str
    rivals: tuple[str, ...] = ("trivial", "nearest", "simple", "boosting")
    made: Made | None = None
    network: str = ""
    trivial: str = "trivial"
    seen: Made | None = None
    names: tuple[str, ...] = ()
    encoding: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    restores: bool = False
    everywhere: bool = False
    place: str = ""
    written: bool = False

    @property
    def labelled(self) -> bool:
        """Whether people gave values or classes: else there is nothing to shuffle, because the truth is made from the input,
        or is a text."""
        return self.made is None and not self.written

    @property
    def has_target(self) -> bool:
        """Whether a column holds what is predicted."""
        return self.made is None

    @property
    def why(self) -> str:
        """Why a network of its own is the usual choice, in words."""
        return "answers are written token by token" if self.written else "there are no labels"

    @property
    def by_record(self) -> bool:
        """Whether people gave each record a label, one for the whole of it."""
        return self.labelled and not self.everywhere

    @property
    def primary(self) -> str:
        """The metric that decides."""
        return self.metrics[0]

    def loss_with(self, options: LossOptions) -> Loss:
        """The loss with what the recipe changes about it."""
        return self.loss if options == LossOptions() else partial(self.changed, options)

    def head(self, loss: str) -> Head | None:
        """What a network says beside its predictions with this loss; None where it says nothing."""
        return HEADS.get(loss) if "loss" in self.options else None

    def raw_outputs(self, targets: Targets, loss: str) -> int:
        """How many numbers a network gives for one record."""
        head = self.head(loss)
        return targets.outputs * (1 if head is None else head.per_target)

    def reach(self, raw: NDArray[np.float32], targets: Targets, loss: str) -> NDArray[np.float32] | None:
        """How far below its predictions, then how far above, a network expects the truths, (records, 2 x targets).

        In the target's units; None where it says nothing of that.
        """
        head = self.head(loss)
        if head is None:
            return None
        scale = np.array(targets.scale)
        return np.column_stack([side * scale for side in head.reach(raw, len(scale))]).astype(np.float32)

    def refuse_others(self, keys: Iterable[str]) -> None:
        """UserError for a key of the recipe that changes a loss of another kind of task."""
        for key in keys:
            if key not in self.options:
                others = ", ".join(f"training.{each}" for each in self.options)
                raise UserError(
                    f"training.{key} does not go with {self.title}.",
                    where=f"training.{key}",
                    fix=f"leave it out; what goes with it: {others}",
                )


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="regression",
            title="regression (predict a number)",
            loss=squared_error,
            options=("loss",),
            changed=number_with,
            activate=in_units,
            metrics=("spearman", "r2", "pearson", "concordance", "rmse", "mae"),
            simple="ridge",
        ),
        Task(
            name="binary",
            title="binary classification (predict one of two classes)",
            loss=binary_cross_entropy,
            options=("label_smoothing", "focal", "class_weights"),
            changed=binary_with,
            activate=probability,
            metrics=(
                "roc_auc", "average_precision", "mcc", "balanced_accuracy", "accuracy", "error_rate",
                "sensitivity", "specificity", "precision", "f1", "log_loss", "brier",
            ),
            simple="logistic",
        ),
        Task(
            name="multiclass",
            title="classification (predict one of several classes)",
            loss=cross_entropy,
            options=("label_smoothing", "focal", "class_weights"),
            changed=classes_with,
            activate=softmax,
            metrics=("balanced_accuracy", "macro_f1", "accuracy", "error_rate", "mcc", "macro_roc_auc", "log_loss"),
            simple="logistic",
        ),
        Task(
            name="reconstruct",
            title="reconstruction (learn what is usual, without labels)",
            loss=squared_error,
            options=(),
            changed=number_with,
            activate=as_it_is,
            metrics=("variance_explained", "rmse", "mae"),
            simple="pca",
            rivals=("trivial", "simple"),
            made=input_itself,
            network="autoencoder",
            restores=True,
        ),
        Task(
            name="language",
            title="language model (predict the next token from those before it)",
            loss=surprise,
            options=(),
            changed=surprise_with,
            activate=per_token,
            metrics=("nats", "perplexity", "next_right"),
            simple="kgram",
            rivals=("trivial", "simple"),
            made=asked_of_all,
            network="rnn_language",
            trivial="token_shares",
            seen=tokens_themselves,
            names=("nats_per_token", "share_right", "tokens"),
            encoding={"text": {"tokens": "characters", "white_space": "exact"}},
        ),
        Task(
            name="masked",
            title="masked language model (predict hidden tokens from those on both sides)",
            loss=surprise,
            options=(),
            changed=surprise_with,
            activate=per_token,
            metrics=("masked_nats", "masked_perplexity", "masked_right"),
            simple="kgram_around",
            rivals=("trivial", "simple"),
            made=asked_of_all,
            network="transformer_masked",
            trivial="token_shares",
            seen=tokens_themselves,
            names=("nats_per_token", "share_right", "tokens"),
        ),
        Task(
            name="translation",
            title="translation (write a sequence or a text for each record)",
            loss=surprise,
            options=(),
            changed=surprise_with,
            activate=per_token,
            metrics=("tokens_right", "exact_match", "edit_similarity", "answer_nats"),
            simple="nearest_answer",
            rivals=("trivial", "simple"),
            network="encoder_decoder",
            trivial="commonest_answer",
            written=True,
        ),
        Task(
            name="position_classes",
            title="a class at every position",
            loss=cross_entropy,
            options=("label_smoothing", "focal", "class_weights"),
            changed=classes_with,
            activate=softmax,
            metrics=(
                "position_accuracy", "position_macro_f1", "position_balanced_accuracy", "position_mcc", "position_log_loss",
            ),
            simple="logistic",
            rivals=("trivial", "nearest", "simple"),
            everywhere=True,
            place="position",
        ),
        Task(
            name="segmentation",
            title="a class at every pixel (segmentation)",
            loss=area_loss,
            options=(),
            changed=classes_with,
            activate=softmax,
            metrics=("dice", "iou", "pixel_accuracy", "pixel_log_loss"),
            simple="logistic",
            rivals=("trivial", "simple"),
            everywhere=True,
            place="pixel",
        ),
        Task(
            name="position_values",
            title="a number at every position",
            loss=squared_error,
            options=(),
            changed=number_with,
            activate=in_units,
            metrics=("position_r2", "position_rmse", "position_mae", "position_pearson"),
            simple="ridge",
            rivals=("trivial", "nearest", "simple"),
            everywhere=True,
            place="position",
        ),
    )
}  # fmt: skip


def task(name: str) -> Task:
    """The task of that name."""
    if name not in TASKS:
        raise UserError(
            f'There is no task called "{name}".{did_you_mean(name, TASKS)}',
            fix=f"use one of: {', '.join(TASKS)}",
        )
    return TASKS[name]
