"""Optimisation: the settings of the training, how the loss went, and why it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bioloom.figures.curves import training as draw
from bioloom.report.contract import Facts, Section, sections
from bioloom.report.images import Image, from_figure
from bioloom.report.numbers import count, duration, number, plural, short
from bioloom.report.templating import fill

SETTINGS = {
    "optimiser": "Optimiser",
    "schedule": "Schedule",
    "epochs": "Epochs at most",
    "batch_size": "Records per step",
    "learning_rate": "Peak learning rate",
    "weight_decay": "Weight decay",
    "patience": "Patience (epochs)",
    "clip": "Largest gradient norm",
    "precision": "Precision",
    "accumulate": "Batches per step",
    "average": "Average of the weights",
}
"""The settings of a training in the order of the page, as people call them."""

CHANGES = {
    "l1": "L1 penalty",
    "l2": "L2 penalty",
    "loss": "Loss",
    "label_smoothing": "Label smoothing",
    "focal": "Focal exponent",
    "class_weights": "Class weights",
    "lora": "Rank of changes beside learned layers (LoRA)",
}
"""Settings that are shown only where they change something."""

AUGMENTED = {
    "reverse_complement": "Both strands of DNA",
    "shift": "Shift (positions at most)",
    "mutation": "Share of mutated letters",
    "noise": "Noise (standard deviations)",
    "mixing": "Mixing of records (beta distribution)",
    "mirror": "Mirrored left to right",
    "upside_down": "Mirrored top to bottom",
    "rotation": "Turned (degrees at most)",
    "crop": "Share cut away (at most)",
    "colour": "Colours changed (standard deviations at most)",
    "elastic": "Elastic changes (pixels at most)",
}
"""How training records were changed at random, where they were."""

UNCHANGED = (0, "auto", "none")

CAPTION = (
    "The loss is what training makes small. Both curves falling together: the model learns what holds for other "
    "records too. Training falling while validation rises: it begins to learn the training records by heart, and "
    "the weights from before are kept."
)


def render(facts: Facts) -> Markup:
    """How training went."""
    training = facts["training"]
    history = training["history"]
    stages = facts.part("timing").get("stages") or {}
    values = {
        "run": training["epochs_run"],
        "best": training["best_epoch"],
        "stopped": str(training.get("stopped") or "").rstrip("."),
        "notes": list(training.get("notes") or ()),
        "settings": _settings(training["plan"]) + _augmented(training.get("augmentation") or {}),
        "where": _where(training, facts, stages),
        "image": _image(history, training["best_epoch"]),
        "history": [_epoch(row) for row in history],
        "members": [_member(place, each) for place, each in enumerate(training.get("members") or ())],
    }
    return fill("training.html", values)


def _settings(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = [key for key in SETTINGS if key in plan]
    known += [key for key in CHANGES if plan.get(key, 0) not in UNCHANGED]
    others = [key for key in plan if key not in SETTINGS | CHANGES]
    names = SETTINGS | CHANGES
    return [(names.get(key, key.replace("_", " ")), _setting(plan[key])) for key in (*known, *others)]


def _augmented(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (AUGMENTED.get(key, key), "yes" if value is True else _setting(value)) for key, value in told.items()
    ]


def _setting(value: Any) -> str:
    return short(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _where(training: Mapping[str, Any], facts: Facts, stages: Mapping[str, float]) -> list[tuple[str, str]]:
    rows = []
    if training.get("device"):
        threads = training.get("threads")
        rows.append(
            ("Device", f"{training['device']}" + (f", {plural(threads, 'thread')}" if threads else ""))
        )
    if "seed" in facts.result:
        rows.append(("Seed", str(facts["seed"])))
    if stages.get("train") is not None:
        rows.append(("Time", duration(stages["train"])))
    return rows


def _image(history: Sequence[Mapping[str, Any]], best_epoch: int) -> Image | None:
    rows = [
        row for row in history if row.get("train_loss") is not None and row.get("validation_loss") is not None
    ]
    kept = [place for place, row in enumerate(rows) if row["epoch"] == best_epoch]
    if not rows:
        return None
    train = [float(row["train_loss"]) for row in rows]
    validation = [float(row["validation_loss"]) for row in rows]
    return from_figure(draw(train, validation, best=kept[0] if kept else len(rows) - 1), caption=CAPTION)


def _member(place: int, each: Mapping[str, Any]) -> tuple[str, ...]:
    loss = number(each.get("validation_loss"), 4)
    return str(place + 1), str(each["seed"]), count(each["epochs_run"]), count(each["best_epoch"]), loss


def _epoch(row: Mapping[str, Any]) -> tuple[str, ...]:
    losses = (number(row.get("train_loss"), 4), number(row.get("validation_loss"), 4))
    return count(row["epoch"]), *losses, number(row.get("learning_rate"))


training = sections.register(Section("training", "optimisation", 10, "Training", render))
