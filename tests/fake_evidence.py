"""What honest evaluation writes into `result.json` beyond the score, made up: for run folders of `fake_runs`."""

from __future__ import annotations

from typing import Any

Result = dict[str, Any]


def regression(n: int) -> Result:
    """The keys of one split of a regression, as a thorough run has them."""
    return {
        "variance": {
            "metric": "spearman", "scores": [0.742, 0.738, 0.745], "n": n, "data": 0.0056, "seeds": 0.0035,
            "seeds_low": 0.0018, "seeds_high": 0.022, "total": 0.0066,
            "text": "Another choice of test records would move the score by 0.006, another seed by 0.004 (standard deviations).",
        },
        "identity": {
            "metric": "spearman", "notion": "identity of a test record to the nearest record the model learned from",
            "guessing": 0.0,
            "bins": [likeness("80 to 90 %", 0.8, 0.9, n // 2, (0.70, 0.68, 0.72)),
                     likeness("90 % and above", 0.9, 1.0, n - n // 2, (0.77, 0.75, 0.79))],
            "text": "The score falls for records less alike: Spearman correlation 0.700 for the least alike.",
        },
        "ceiling": {
            "noise": 0.36, "source": "errors", "n": n, "r2": 0.912, "low": 0.901, "high": 0.921, "pearson": 0.955,
            "reached": 0.561, "explained": 0.615, "explained_low": 0.59, "explained_high": 0.64, "excess": -0.351,
            "excess_low": -0.37, "excess_high": -0.33, "above": False,
            "text": "Judged by the standard error of each record, the measurement allows an R² of at most 0.912 (0.901 to "
                    "0.921); the model, at 0.561, explains 62 % of what can be explained.",
        },
        "learning_curve": {
            "metric": "spearman",
            "points": [point(88, 0.42), point(350, 0.61), point(1400, 0.742), point(88, 0.4, "simple"),
                       point(350, 0.58, "simple"), point(1400, 0.683, "simple")],
            "a": 2.4, "b": 0.31, "c": 0.0, "doubling": {"gain": 0.05, "low": 0.03, "high": 0.07},
            "curve": [[100.0, 0.44, 0.42, 0.46], [700.0, 0.68, 0.66, 0.7], [1400.0, 0.742, 0.73, 0.75],
                      [2800.0, 0.79, 0.77, 0.81], [5600.0, 0.83, 0.8, 0.86]],
            "text": "Twice the data would add about 0.05 (0.03 to 0.07) in Spearman correlation. With so few sizes a floor of "
                    "the error was not looked for; this is the hopeful side.",
            "unsupported": None,
        },
        "calibration": {
            "text": "Where predictions of expression differ by 1, measured values differ by 0.97 (0.94 to 1.00) on average: "
                    "their differences can be taken at face value.",
            "numbers": [{"name": "expression", "n": n, "text": "", "intercept": ends(0.11, -0.02, 0.24),
                         "slope": ends(0.97, 0.94, 1.0), "spread_ratio": 0.77}],
        },
        "pretraining": [
            {"file": "others.csv", "input": "sequence", "several": False, "rows": 5_000, "used": 4_980, "copies": 12, "near": 8,
             "unusable": 0, "kept_from": "test and validation records", "notion": "at least 80 % identical",
             "folder": "pretraining", "verdict": "From 32 numbers the network restores 41.0 % of the differences.",
             "text": "Before it saw a label, the network learned from 4,980 records of others.csv without labels."}
        ],
        "pretrained": {
            "metric": "spearman", "with": {"value": 0.742}, "without": {"value": 0.721},
            "difference": {"difference": 0.021, "low": 0.01, "high": 0.03},
            "text": "Learning without labels first helps: Spearman correlation is 0.742 with it and 0.721 without.",
        },
        "uncertainty": intervals(["expression"], n),
        "capacity": {
            "metric": "spearman", "setting": "width",
            "text": "On the test records Spearman correlation is highest, 0.650, with width 32 (23,429 parameters); larger "
                    "networks fit the training records better and new ones no better.",
            "sizes": [
                {"value": value, "parameters": parameters, "fitted": fitted,
                 "score": {"value": score, "low": score - 0.02, "high": score + 0.02, "n": n, "interval": "bootstrap"}}
                for value, parameters, fitted, score in
                ((8, 2_101, 0.61, 0.60), (32, 23_429, 0.70, 0.65), (64, 90_461, 0.74, 0.648))
            ],
        },
        "bias_variance": {
            "kind": "squared", "n": n, "trainings": 3, "loss": 2.35, "bias": 2.2, "variance": 0.15, "unbiased": 0.15,
            "biased": 0.0, "net": 0.15, "noise": 0.36,
            "text": "Most of the error is the same in every training, so averaging several of them would help little.",
        },
    }  # fmt: skip


def classes(n: int) -> Result:
    """The keys of a cross-validation of two classes."""
    stated = ((0.02, 0.06), (0.15, 0.2), (0.48, 0.4), (0.8, 0.78), (0.97, 0.93))
    text = "When the model says 97 %, it is right about 93 % of the time (84 % to 97 %, 60 test records)."
    bound = "With 95 % confidence the error on new records of this kind is at most 28.4 %."
    return {
        "folds": folds(n),
        "ceiling": {"accuracy": 0.981, "low": 0.95, "high": 1.0, "n": 62, "conflicting": 4, "source": "labels",
                    "text": "4 of 31 repeated inputs carry different labels, so no model can name more than 98.1 % of such "
                            "records correctly."},
        "calibration": {
            "text": text,
            "fitted": {"temperature": 1.32, "threshold": 0.3, "records": 45, "before": 0.55, "after": 0.51, "reason": ""},
            "probability": {
                "event": 'the record is "+"', "n": n, "text": text, "error": 0.041,
                "expected_error": {"low": 0.012, "median": 0.026, "high": 0.051}, "p": 0.14, "debiased_error": 0.015,
                "brier": 0.17, "log_loss": 0.51,
                "recalibration": {"intercept": ends(0.02, -0.25, 0.29), "slope": ends(0.91, 0.72, 1.1)},
                "bins": [{"stated": at, "happened": seen, "low": max(0.0, seen - 0.1), "high": min(1.0, seen + 0.1),
                          "null_low": max(0.0, at - 0.09), "null_high": min(1.0, at + 0.09), "n": n // 5}
                         for at, seen in stated],
                "counts": [n // 20] * 20,
            },
            "operating": {"cost": 5.0, "prevalence": 0.01}, "precision_at_prevalence": 0.04, "numbers": [],
        },
        "uncertainty": {
            "kind": "sets", "level": 0.9, "half": [0.72, 0.81], "names": ["no", "yes"], "classes": 2, "records": n, "groups": 210,
            "reason": "", "coverage": [{"name": "", "size": 1.31, "value": 0.873, "low": 0.831, "high": 0.907, "n": n,
                                        "interval": "Wilson"}],
            "text": "The set of classes was promised to hold the truth for 90 % of new records; on the test records it does "
                    "so for 87.3 % (83.1 % to 90.7 %), 1.31 classes on average.",
        },
        "bounds": {
            "test": {"errors": 72, "tested": n, "effective": float(n), "error": 0.24, "bound": 0.284, "hoeffding": 0.31,
                     "delta": 0.05, "text": bound},
            "families": [{"title": "weighted sums of 340 features", "dimension": 341.0, "records": 240, "gap": None,
                          "vacuous": True}],
            "text": bound,
        },
    }  # fmt: skip


def folds(n: int) -> Result:
    """Five folds of a classification, none of which differs much."""
    means = {"roc_auc": 0.806, "average_precision": 0.69, "mcc": 0.44}
    each = [
        {"fold": fold, "repeat": 0, "n_test": n // 5, "n_train": 4 * n // 5,
         "values": {name: round(mean + 0.02 * (fold - 2), 3) for name, mean in means.items()}}
        for fold in range(5)
    ]  # fmt: skip
    difference = {"metric": "roc_auc", "mean": -0.014, "low": -0.06, "high": 0.032, "p": 0.45,
                  "method": "corrected resampled t over folds"}  # fmt: skip
    return {
        "folds": each,
        "mean": means,
        "interval": {name: [mean - 0.05, mean + 0.05] for name, mean in means.items()},
        "sd": dict.fromkeys(means, 0.032),
        "pooled": {"roc_auc": 0.812, "average_precision": 0.701, "mcc": 0.45},
        "differences": {"simple": difference},
        "refused": {},
        "text": "Over 5 folds the ROC AUC is 0.806 (0.756 to 0.856) on average.",
    }


def intervals(names: list[str], n: int) -> Result:
    """Prediction intervals of one or more targets that kept their promise."""
    held = {"size": 4.9, "value": 0.913, "low": 0.881, "high": 0.937, "n": n, "interval": "Wilson"}
    return {
        "kind": "intervals", "level": 0.9, "half": [2.45] * len(names), "names": names, "classes": 0, "records": 300,
        "groups": 0, "reason": "", "coverage": [{"name": name} | held for name in names],
        "text": "The interval around each prediction was promised to hold the truth for 90 % of new records; on the test "
                "records it does so for 91.3 % (88.1 % to 93.7 %), 4.9 wide.",
    }  # fmt: skip


def others(metric: str, network: float, n: int) -> list[Result]:
    """Both models that know little: one clearly worse than the network, one that has no interval."""
    why = "no interval, because the value is not defined in 11% of the bootstrap draws"
    score = {"value": 0.31, "low": 0.25, "high": 0.37, "n": n, "interval": "DeLong, logit scale"}
    unsure = {"value": 0.05, "low": None, "high": None, "n": n, "interval": "none", "undefined": why}
    ahead = {"metric": metric, "against": "untrained", "difference": network - 0.31, "low": 0.1, "high": 0.5}
    unknown = {"metric": metric, "against": "properties", "difference": network - 0.05, "low": None, "high": None,
               "undefined": why}  # fmt: skip
    return [
        {"name": "untrained", "title": "the untrained network with a simple model on top", "score": score,
         "difference": ahead},
        {"name": "properties", "title": "length, composition and missing cells alone", "score": unsure,
         "difference": unknown},
    ]  # fmt: skip


def likeness(label: str, low: float, high: float, n: int, score: tuple[float, float, float]) -> Result:
    value, low95, high95 = score
    return {"label": label, "low": low, "high": high, "n": n, "value": value, "low95": low95, "high95": high95,
            "undefined": None}  # fmt: skip


def point(n: int, value: float, role: str = "model") -> Result:
    return {"n": n, "value": value, "low": value - 0.02, "high": value + 0.02, "role": role}


def ends(value: float, low: float, high: float) -> Result:
    return {"value": value, "low": low, "high": high}


def searched() -> dict[str, Any]:
    """Three candidates, of which one is taken and one failed; anew in five folds."""

    def tried(
        name: str, changes: dict[str, Any], scores: list[float | None], failed: str = ""
    ) -> dict[str, Any]:
        rounds = [{"records": 250, "epochs": 4 + 8 * n, "score": score} for n, score in enumerate(scores)]
        return {
            "name": name, "network": name.split(maxsplit=1)[0], "changes": changes, "why": "few records",
            "chosen": name == "residual small", "rounds": rounds, "failed": failed,
            "validation_loss": [] if failed else [0.9 / epoch for epoch in range(1, 5)],
        }  # fmt: skip

    return {
        "text": "3 candidates were compared on 50 validation records: residual small was better than the default by 0.03 "
        "(ROC AUC), more than the 0.02 that luck might explain, and was trained.",
        "metric": "roc_auc", "chosen": "residual small", "best": "residual small", "difference": 0.03,
        "standard_error": 0.015, "needed": 0.02, "tried": 2, "default": "residual", "records": 50,
        "candidates": [
            tried("residual", {}, [0.8, 0.81]),
            tried("residual small", {"model.settings.width": 32, "training.weight_decay": 0.1, "rate": 0.5}, [0.79, 0.84]),
            tried("mlp", {"model.settings.hidden": [64, 64]}, [None], "The loss left the finite numbers."),
        ],
        "unfit": {"cnn": "Sequences of 3 positions are too short."},
        "trained": 0.85, "simple": {"simple": 0.83, "trivial": 0.5}, "folds": {"residual small": 4, "residual": 1},
    }  # fmt: skip
