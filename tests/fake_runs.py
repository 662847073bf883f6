"""Run folders as a finished training leaves them, made up: for tests of what reads them, without training."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

import fake_evidence
from bioloom.figures import logos, style
from bioloom.figures.bars import Bar, attributions
from bioloom.metrics import METRICS

Result = dict[str, Any]

LETTERS = "ACGT"
COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
KIND = "bootstrap of 1,000 draws of records, percentile"


def regression(folder: Path, *, n: int = 400) -> Path:
    """A promoter library: one DNA input, one target, logos as explanation."""
    rng = np.random.default_rng(1)
    truth = rng.gamma(3.0, 1.3, n)
    value = 0.75 * (truth - 4) + 4 + rng.normal(0, 1.2, n)
    result = base("lac_promoter", n)
    result["data"]["target"] |= {
        "names": ["expression"],
        "task": "regression",
        "title": "regression (predict a number)",
        "reason": '"expression" holds numbers (10 distinct values)',
        "summary": {"expression": {"mean": 4.01, "sd": 2.31, "min": 1.0, "max": 10.0, "missing": 0}},
    }
    result["scores"] = {
        "primary": "spearman",
        "model": {
            "spearman": scored(0.742, 0.731, 0.753, n),
            "r2": scored(0.561, 0.541, 0.579, n),
            "pearson": scored(0.751, 0.739, 0.762, n),
            "rmse": scored(1.532, 1.5, 1.57, n),
            "mae": scored(1.18, 1.15, 1.21, n),
        },
        "baselines": {
            "trivial": {
                "title": "always the mean",
                "description": "the mean of the training records for every record",
                "scores": {
                    "spearman": undefined("every prediction is the same", n),
                    "r2": scored(-0.0004, -0.002, -0.0001, n),
                    "pearson": undefined("every prediction is the same", n),
                    "rmse": scored(2.31, 2.27, 2.35, n),
                    "mae": scored(1.96, 1.92, 2.0, n),
                },
            },
            "nearest": {
                "title": "nearest training record",
                "description": "the label of the most similar training record (Hamming distance)",
                "scores": {
                    "spearman": scored(0.498, 0.479, 0.516, n),
                    "r2": scored(0.112, 0.07, 0.15, n),
                    "pearson": scored(0.502, 0.483, 0.52, n),
                    "rmse": scored(2.18, 2.13, 2.23, n),
                    "mae": scored(1.61, 1.57, 1.65, n),
                },
            },
            "simple": {
                "title": "ridge regression",
                "description": "ridge regression on 300 positional letters, penalty 10",
                "scores": {
                    "spearman": scored(0.683, 0.67, 0.696, n),
                    "r2": scored(0.47, 0.451, 0.488, n),
                    "pearson": scored(0.686, 0.673, 0.699, n),
                    "rmse": scored(1.683, 1.65, 1.72, n),
                    "mae": scored(1.32, 1.29, 1.35, n),
                },
            },
            "boosting": {
                "title": "gradient boosting",
                "description": "gradient boosting, 200 trees grown on 1,400 records and 300 features",
                "scores": {"spearman": scored(0.691, 0.678, 0.704, n), "r2": scored(0.48, 0.46, 0.5, n)},
            },
        },
    }
    result["comparison"] = [
        {"metric": "r2", "against": "trivial", "difference": 0.561, "low": 0.541, "high": 0.58},
        {"metric": "spearman", "against": "nearest", "difference": 0.244, "low": 0.225, "high": 0.262},
        {"metric": "spearman", "against": "simple", "difference": 0.059, "low": 0.051, "high": 0.067},
        {"metric": "spearman", "against": "boosting", "difference": 0.051, "low": 0.042, "high": 0.06},
    ]
    result["model"]["delivered"] = "network"
    result["controls"]["others"] = fake_evidence.others("spearman", 0.742, n)
    result |= fake_evidence.regression(n)
    result["explanation"] = explained_sequence(folder, rng)
    table(folder, truth[:, None], value[:, None], ["expression"])
    return write(folder, result)


def binary(folder: Path, *, n: int = 300) -> Path:
    """Promoter or not: few records, problems found, a verdict that says so."""
    rng = np.random.default_rng(2)
    truth = rng.random(n) < 0.35
    value = np.clip(0.3 * truth + rng.normal(0.35, 0.22, n), 0.01, 0.99)
    result = base("ecoli_promoters", n)
    result["data"]["target"] |= {
        "names": ["class"],
        "task": "binary",
        "title": "binary classification (predict one of two classes)",
        "reason": '"class" has two distinct values',
        "classes": ["-", "+"],
        "positive": "+",
        "positive_reason": '"+" reads as the positive class; name another with --positive',
        "summary": {"-": 1300, "+": 700},
    }
    model = {
        "roc_auc": (0.812, 0.75, 0.861), "average_precision": (0.701, 0.61, 0.779), "mcc": (0.45, 0.35, 0.55),
        "balanced_accuracy": (0.72, 0.67, 0.77), "accuracy": (0.76, 0.71, 0.8), "sensitivity": (0.59, 0.49, 0.68),
        "specificity": (0.85, 0.8, 0.89), "precision": (0.68, 0.58, 0.77), "f1": (0.63, 0.55, 0.71),
        "log_loss": (0.51, 0.45, 0.57), "brier": (0.17, 0.15, 0.19),
    }  # fmt: skip
    result["scores"] = {
        "primary": "roc_auc",
        "model": {name: scored(*each, n) for name, each in model.items()},
        "baselines": {
            "trivial": {"title": "share of each class", "description": "the share of positives in training",
                        "scores": {"roc_auc": lonely(0.5, "every prediction is the same", n), "precision": undefined(
                            "no record is predicted to be positive", n), "log_loss": scored(0.65, 0.6, 0.7, n)}},
            "nearest": {"title": "nearest training record", "description": "its class",
                        "scores": {"roc_auc": scored(0.66, 0.6, 0.72, n), "log_loss": scored(4.2, 3.5, 5.0, n)}},
            "simple": {"title": "logistic regression", "description": "logistic regression on 340 k-mer counts",
                       "scores": {"roc_auc": scored(0.828, 0.77, 0.873, n), "log_loss": scored(0.49, 0.43, 0.55, n)}},
        },
    }  # fmt: skip
    result["comparison"] = [
        {"metric": "roc_auc", "against": "trivial", "difference": 0.312, "low": 0.25, "high": 0.36},
        {"metric": "roc_auc", "against": "nearest", "difference": 0.152, "low": 0.09, "high": 0.21},
        {"metric": "roc_auc", "against": "simple", "difference": -0.016, "low": -0.05, "high": 0.02},
    ]
    result["controls"]["label_shuffle"] |= {"values": [0.49, 0.53, 0.51], "mean": 0.51, "guessing": 0.5, "real": 0.79,
        "text": "On shuffled labels the ROC AUC is 0.510 on average (guessing: 0.500): as it should be."}  # fmt: skip
    result["leakage"] |= {"exact_copies": 6, "reverse_complements": 2, "near_copies": 11, "conflicting_labels": 1,
                          "repeated_in_file": 31, "groups_straddling": 3, "conflicting_in_file": 4,
                          "examples": [{"test": "seq12", "learned": "seq801", "kind": "near", "identity": 0.987}]}  # fmt: skip
    result["findings"] = [
        finding("small", "Are there enough test records?", "300 records give an interval 0.11 wide.", "note",
                "measure more records before choosing between models"),
        finding("leak.exact_copies", "Is any test record also in training?", "6 are, and 2 more as reverse complements.",
                "problem", "split with --split similarity, which keeps copies together"),
        finding("simple", "Is the network better than logistic regression?", "Not clearly: -0.016 (-0.050 to +0.020).",
                "warning", "use the simple model, or collect more records"),
        finding("constant", "Do the predictions differ?", "Yes, from 0.01 to 0.99.", "ok", ""),
    ]  # fmt: skip
    result["verdict"] = {
        "code": "leaky_test",
        "text": "Do not trust this score yet: 8 of 300 test records are also in training, and a simple model does as well.",
        "next": "split with --split similarity and train again.",
    }
    result["explanation"] = explained_sequence(folder, rng)[:1]
    table(folder, np.where(truth, "+", "-")[:, None], value[:, None], ["class"], ["p(+)"])
    return write(folder, result)


def cross_validated(folder: Path, *, n: int = 300) -> Path:
    """Promoter or not in five folds: each record tested once, and the simple model delivered."""
    run = binary(folder, n=n)
    result = json.loads((run / "result.json").read_text())
    result["split"] |= {
        "method": "similarity", "folds": 5, "repeats": 1, "counts": {"train": 250, "validation": 50, "test": 0},
        "reason": "A single test of 45 records would say little, so the records were dealt to folds.",
    }  # fmt: skip
    result["model"]["delivered"] = "simple"
    result["controls"]["others"] = fake_evidence.others("roc_auc", 0.812, n)
    result["scores"]["baselines"]["trivial"]["scores"]["roc_auc"] = scored(0.449, 0.3, 0.6, n)
    result["leakage"] |= dict.fromkeys(
        ("exact_copies", "reverse_complements", "near_copies", "conflicting_labels"), 0
    )
    result["verdict"] = {
        "code": "simple_as_good",
        "text": "The network is not clearly better than logistic regression: the difference is -0.02 (-0.05 to 0.02).",
        "next": "Prefer the simpler model.",
    }
    rows = (run / "predictions.csv").read_text().splitlines()
    numbered = [f"{row.replace(',train,', ',test,').replace(',validation,', ',test,')},{k % 5 + 1}" for k, row in
                enumerate(rows[1:])]  # fmt: skip
    (run / "predictions.csv").write_text("\n".join([f"{rows[0]},fold", *numbered]) + "\n")
    result["search"] = fake_evidence.searched()
    return write(folder, result | fake_evidence.classes(n))


def before(folder: Path, *, n: int = 400) -> Path:
    """The regression as a bioloom wrote it that knew of none of the later keys."""
    run = regression(folder, n=n)
    result = json.loads((run / "result.json").read_text())
    for key in fake_evidence.regression(n):
        del result[key]
    del result["controls"]["others"], result["model"]["delivered"], result["scores"]["baselines"]["boosting"]
    result["comparison"] = [each for each in result["comparison"] if each["against"] != "boosting"]
    return write(folder, result)


def multiclass(folder: Path, *, n: int = 300) -> Path:
    """Splice junctions: three classes; no explanation, no control, no comparison: as little as may be."""
    rng = np.random.default_rng(3)
    classes = ["EI", "IE", "neither"]
    truth = rng.choice(3, n, p=[0.25, 0.25, 0.5])
    raw = rng.normal(0, 1, (n, 3)) + 2.5 * np.eye(3)[truth]
    value = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    result = base("splice_junctions", n)
    result["data"]["target"] |= {
        "names": ["site"], "task": "multiclass", "title": "classification (predict one of several classes)",
        "reason": '"site" has 3 classes', "classes": classes, "summary": {"EI": 500, "IE": 500, "neither": 1000},
    }  # fmt: skip
    model = {
        "balanced_accuracy": (0.86, 0.82, 0.9),
        "macro_f1": (0.86, 0.81, 0.9),
        "accuracy": (0.87, 0.83, 0.91),
    }
    result["scores"] = {
        "primary": "balanced_accuracy",
        "model": {name: scored(*each, n) for name, each in model.items()},
        "baselines": {"trivial": {"title": "commonest class", "description": "the commonest class",
                                  "scores": {"balanced_accuracy": scored(1 / 3, 1 / 3, 1 / 3, n)}}},
        "per_class": {
            name: {metric: scored(0.8 + 0.05 * place, 0.7, 0.95, n // 3) for metric in ("sensitivity", "precision", "f1")}
            for place, name in enumerate(classes)
        },
    }  # fmt: skip
    for key in ("comparison", "controls", "findings", "explanation", "environment", "timing", "recipe"):
        del result[key]
    table(folder, np.array(classes)[truth][:, None], value, ["site"], [f"p({name})" for name in classes])
    return write(folder, result)


def two_inputs(folder: Path, *, n: int = 200) -> Path:
    """5' UTRs with conditions: two inputs, two targets with missing values, rows left out."""
    rng = np.random.default_rng(4)
    truth = rng.lognormal(6, 1.5, (n, 2))
    value = truth * rng.lognormal(0, 0.4, (n, 2))
    truth[::9, 1] = np.nan
    run = regression(folder)
    result = json.loads((run / "result.json").read_text())
    result["name"] = "utr5_fluorescence"
    result["data"]["inputs"] = [
        {"name": "utr5", "modality": "dna", "columns": ["utr5"], "kind": "sequence", "shape": [4, 120],
         "reason": "every cell consists of the letters A, C, G, T and N"},
        {"name": "conditions", "modality": "table", "columns": ["species", "reporter"], "kind": "vector",
         "shape": [9], "reason": "categories"},
    ]  # fmt: skip
    result["data"]["target"] |= {
        "names": ["fluorescence", "growth"],
        "summary": {
            "fluorescence": {"mean": 1240.5, "sd": 3300.2, "min": 0.3, "max": 51234.0, "missing": 0},
            "growth": {"mean": 0.000051, "sd": 0.00002, "min": 0.0, "max": 0.0003, "missing": 112},
        },
    }
    result["data"] |= {
        "rows": 2003, "used": 1991, "dropped": 12,
        "dropped_reasons": [{"reason": "the sequence is empty", "count": 10, "lines": [4, 9, 77, 120, 121]},
                            {"reason": "no target has a value", "count": 2, "lines": [300, 301]}],
        "problems": [{"code": "sequence.letters", "severity": "note", "message": "U is read as T", "fix": "",
                      "column": "utr5", "count": 31, "lines": [2, 3, 5, 8, 13]}],
        "notes": ["decoded as latin-1"],
    }  # fmt: skip
    result["explanation"].append(explained_table(folder))
    result["data"]["reserved"] = {"id": "id", "group": "paper"}
    result["uncertainty"] = fake_evidence.intervals(["fluorescence", "growth"], n)
    result["scores"]["per_target"] = {
        "fluorescence": {"spearman": scored(0.8, 0.75, 0.85, n)}, "growth": {"spearman": scored(0.51, 0.4, 0.6, n)}
    }  # fmt: skip
    result["scores"]["baselines"]["simple"]["features"] = "utr5: 340 counts of k-mers; conditions: 9 columns"
    result["training"]["notes"] = ["bf16 is not available on this processor"]
    result["scores"]["model"]["rmse"] = scored(1532.4, 1400.0, 1700.0, n)
    table(folder, truth, value, ["fluorescence", "growth"])
    return write(folder, result)


# ---- pieces ---------------------------------------------------------------------------------------------


def unlabelled(folder: Path, *, n: int = 40) -> Path:
    """A run that learned without labels: a map of the records, and features that are restored well or badly."""
    result = base("cells", n)
    result["data"]["target"] = {
        "names": ["CD4", "CD8"], "task": "reconstruct", "labelled": False, "classes": [], "positive": None,
        "title": "reconstruction (learn what is usual, without labels)", "summary": {},
    }  # fmt: skip
    result["controls"] = {"label_shuffle": None, "others": []}
    result["scores"] = {
        "primary": "variance_explained",
        "model": {"variance_explained": scored(0.71, 0.68, 0.74, n)},
        "baselines": {
            "simple": {
                "title": "principal components", "description": "2 principal components of 2 features",
                "scores": {"variance_explained": scored(0.68, 0.65, 0.71, n)},
            }
        },
        "per_target": {},
    }  # fmt: skip
    result["verdict"] = {
        "code": "network_wins",
        "text": "From 2 numbers the network restores 71.0 %.",
        "next": "",
    }
    shown = [{"feature": name, "explained": value, "low": value - 0.1, "high": value + 0.1, "simple": 0.6}
             for name, value in (("CD4", 0.8), ("CD8", 0.5))]  # fmt: skip
    result["features"] = {"file": "features.csv", "count": 3, "constant": 1, "shown": shown, "left_out": 0}
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"r{row},test,{row % 7},{row % 3},{'AB'[row % 2]}" for row in range(n)]
    (folder / "codes.csv").write_text("\n".join(["id,part,code 1,code 2,tissue", *rows]) + "\n")
    errors = [f"r{row},test,0.{row + 10}" for row in range(n)]
    (folder / "predictions.csv").write_text("\n".join(["id,part,error", *errors]) + "\n")
    return write(folder, result)


def language(folder: Path, *, n: int = 40) -> Path:
    """A run that learned to predict the next token: how surprising each record is."""
    result = base("plays", n)
    result["data"]["target"] = {
        "names": ["nats_per_token"], "task": "language", "labelled": False, "classes": [], "positive": None,
        "title": "language (predict the next token)", "summary": {},
    }  # fmt: skip
    result["controls"] = {"label_shuffle": None, "others": []}
    result["scores"] = {
        "primary": "nats", "model": {"nats": scored(1.72, 1.70, 1.74, n)}, "per_target": {},
        "baselines": {
            "simple": {
                "title": "counts of runs", "description": "runs of up to 6 tokens",
                "scores": {"nats": scored(1.75, 1.73, 1.77, n)},
            }
        },
    }  # fmt: skip
    result["verdict"] = {"code": "network_wins", "text": "The network needs 1.72 nats per token.", "next": ""}
    texts = [
        {"text": "KING:\nGood <night>,", "nats_per_token": 1.7},
        {"text": "O, no!", "nats_per_token": 2.1},
    ]
    result["written"] = {"sequence": False, "texts": texts, "notes": ["1 of 2 sequences are exact copies"]}
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"r{row},{'train' if row % 2 else 'test'},1.{row + 10}" for row in range(n)]
    (folder / "predictions.csv").write_text("\n".join(["id,part,nats_per_token", *rows]) + "\n")
    return write(folder, result)


def translation(folder: Path, *, n: int = 40) -> Path:
    """A run that learned to write a protein for each gene: what it wrote beside the truth."""
    result = base("genes", n)
    result["data"]["target"] = {
        "names": ["protein"], "task": "translation", "labelled": False, "written": True, "classes": [], "positive": None,
        "title": "translation (write a sequence or a text for each record)",
        "summary": {"tokens": 20, "shortest": 5, "longest": 12},
    }  # fmt: skip
    result["controls"] = {"label_shuffle": None, "others": []}
    result["scores"] = {
        "primary": "tokens_right", "model": {"tokens_right": scored(0.91, 0.88, 0.94, n)}, "per_target": {},
        "baselines": {
            "simple": {
                "title": "the answer of the nearest training record", "description": "the nearest of 100 answers",
                "scores": {"tokens_right": scored(0.2, 0.1, 0.3, n)},
            }
        },
    }  # fmt: skip
    result["verdict"] = {"code": "network_wins", "text": "91 % of the tokens are right.", "next": ""}
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        f"r{row},{'train' if row % 2 else 'test'},MKV,{'MKV' if row % 3 else ''},yes,0.1" for row in range(n)
    ]
    head = "id,part,protein,protein predicted,right,nats_per_token"
    (folder / "predictions.csv").write_text("\n".join([head, *rows]) + "\n")
    return write(folder, result)


def base(name: str, n: int) -> Result:
    """What every run has."""
    return {
        "format": 1,
        "bioloom": "0.1.0",
        "name": name,
        "data": {
            "source": f"{name}.csv.gz", "format": "CSV", "sha256": "5f3c" * 16, "rows": 2000, "used": 2000,
            "dropped": 0, "dropped_reasons": [], "unused_columns": ["reads", "bin_0", "bin_1"], "notes": [],
            "problems": [],
            "inputs": [{"name": "sequence", "modality": "dna", "columns": ["sequence"], "kind": "sequence",
                        "shape": [4, 75], "reason": "every cell consists of the letters A, C, G and T"}],
            "target": {"positive": None, "positive_reason": "", "classes": []},
        },
        "split": {"method": "mutation", "reason": "the records are variants of one parent sequence",
                  "counts": {"train": 1400, "validation": 300, "test": n}, "notes": []},
        "leakage": {"exact_copies": 0, "reverse_complements": 0, "near_copies": 0, "conflicting_labels": 0,
                    "groups_straddling": 0, "repeated_in_file": 0,
                    "conflicting_in_file": 0, "notion": "Near copies have at least 95 % equal letters on either "
                    "strand.", "examples": []},
        "model": {
            "network": "residual", "title": "residual dilated convolutions with masked attention pooling",
            "settings": {"channels": 64, "dilations": [1, 2, 4, 8], "dropout": 0.1}, "parameters": 131_457,
            "reason": "the default for sequences",
            "layers": [{"layer": "Conv1d(4, 64, 11)", "output": [64, 75], "parameters": 2880},
                       {"layer": "4 x residual block", "output": [64, 75], "parameters": 128_256},
                       {"layer": "attention pooling", "output": [64], "parameters": 256},
                       {"layer": "Linear(64, 1)", "output": [1], "parameters": 65}],
        },
        "training": {
            "plan": {"epochs": 30, "batch_size": 256, "learning_rate": 0.003, "weight_decay": 0.01, "patience": 6,
                     "clip": 1.0, "precision": "float32"},
            "epochs_run": 18, "best_epoch": 12, "stopped": "no better validation loss for 6 epochs",
            "history": [{"epoch": epoch, "train_loss": 0.35 + 0.6 / epoch - 0.005 * epoch,
                         "validation_loss": 0.45 + 0.5 / epoch + 0.0004 * (epoch - 12) ** 2,
                         "learning_rate": 0.003 * (1 - epoch / 20)} for epoch in range(1, 19)],
            "device": "cpu", "threads": 2,
        },
        "comparison": [],
        "controls": {"label_shuffle": {
            "values": [0.012, -0.021, 0.004], "mean": -0.0017, "p": 0.25, "guessing": 0.0, "real": 0.655,
            "reads_as_guessing": True,
            "text": "Trained on shuffled labels, the same pipeline scores -0.002 in Spearman correlation, which reads as "
                    "guessing (0.000); the same short training on the true labels scores 0.655.",
        }},
        "findings": [finding("copies", "Is any test record also in training?", "No test record is.", "ok", ""),
                     finding("order", "Does the file's order predict the target?", "No.", "ok", "")],
        "verdict": {
            "code": "network_wins",
            "text": "Useful: on new variants of this promoter the model puts expression in order with a Spearman "
                    "correlation of 0.742 (95 % interval 0.731 to 0.753), better than ridge regression by 0.059.",
            "next": "check a few predictions of new sequences in the laboratory before relying on them.",
        },
        "explanation": [],
        "recipe": {},
        "seed": 0,
        "budget": "normal",
        "timing": {"total": 143.2, "stages": {"read": 0.8, "train": 96.5, "evaluate": 12.0}},
        "environment": {"python": "3.12.3", "bioloom": "0.1.0", "packages": {"torch": "2.13.0", "numpy": "2.4.1"},
                        "platform": "Linux-6.1-x86_64", "cpu": "AMD EPYC", "threads": 2},
    }  # fmt: skip


def scored(value: float, low: float, high: float, n: int) -> Result:
    return {"value": value, "low": low, "high": high, "n": n, "interval": KIND}


def undefined(why: str, n: int) -> Result:
    reason = f"not defined, because {why}"
    return {"value": None, "low": None, "high": None, "n": n, "interval": "none", "undefined": reason}


def lonely(value: float, why: str, n: int) -> Result:
    reason = f"no interval, because {why}"
    return {"value": value, "low": None, "high": None, "n": n, "interval": "none", "undefined": reason}


def finding(code: str, question: str, answer: str, severity: str, fix: str) -> Result:
    return {"code": code, "question": question, "answer": answer, "severity": severity, "fix": fix}


def explained_sequence(folder: Path, rng: np.random.Generator) -> list[Result]:
    letters = rng.integers(0, 4, 75)
    heights = np.zeros((4, 75))
    strength = rng.normal(0, 0.06, 75)
    strength[15:31] += rng.normal(0.5, 0.25, 16)
    strength[[38, 39, 40, 41, 42, 43, 61, 62, 63, 64, 65, 66]] += rng.normal(0.8, 0.2, 12)
    heights[letters, np.arange(75)] = strength
    drawn = logos.logo(
        heights, LETTERS, COLOURS, label="Effect on expression (SD)", title="Mean of 100 records"
    )
    style.save(drawn, folder / "figures" / "explanation-mutagenesis.svg")
    figure = {"file": "figures/explanation-mutagenesis.svg", "title": "In-silico mutagenesis, mean of 100 records",
              "alt": style.alt_text(drawn)}  # fmt: skip
    shared = {"input": "sequence", "records": 100, "figures": [figure]}
    return [
        shared | {"method": "mutagenesis", "title": "In-silico mutagenesis (change each letter)",
                  "reference": "every other letter at the position",
                  "delta": None, "settings": {}, "text": "Each letter's height is how far the prediction falls "
                  "when that letter is replaced by another."},
        shared | {"method": "integrated_gradients", "title": "Integrated Gradients (follow the slope)",
                  "reference": "8 shuffles of the sequence",
                  "delta": {"median": 0.004, "worst": 0.031}, "settings": {"steps": 50}, "text": "Gradients added up "
                  "along the way from a shuffled sequence to this one."},
    ]  # fmt: skip


def explained_table(folder: Path) -> Result:
    drawn = attributions(
        [Bar("species", 0.31, 0.25, 0.36), Bar("reporter", -0.12, -0.2, -0.05)], title="Mean effect"
    )
    style.save(drawn, folder / "figures" / "explanation-conditions.svg")
    return {
        "input": "conditions", "method": "occlusion", "title": "Occlusion", "reference": "the mean of the column",
        "records": 100, "delta": None, "settings": {}, "text": "How far the prediction moves when a column is hidden.",
        "figures": [{"file": "figures/explanation-conditions.svg", "title": "Occlusion", "alt": style.alt_text(drawn)}],
    }  # fmt: skip


def table(
    folder: Path, truth: np.ndarray, value: np.ndarray, targets: list[str], outputs: list[str] | None = None
) -> None:
    """predictions.csv: the first records are the test, a few more of the other parts follow."""
    parts = np.array(["test"] * len(truth), dtype=object)
    parts[-len(truth) // 5 :] = "validation"
    parts[-len(truth) // 10 :] = "train"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "predictions.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "part", *targets, *(outputs or [f"{name} predicted" for name in targets])])
        for row, part in enumerate(parts):
            cells = ["" if cell != cell else cell for cell in (*truth[row], *value[row])]
            writer.writerow([f"r{row}", part, *cells])


def write(folder: Path, result: Result) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text(
        'budget = "normal"\nseed = 0\n\n[data]\nfile = "lac_promoter.csv.gz"\ntarget = ["expression"]\n'
    )
    (folder / "result.json").write_text(json.dumps(result, allow_nan=False), encoding="utf-8")
    return folder


RUNS = {
    "before": before,
    "binary": binary,
    "cross_validated": cross_validated,
    "language": language,
    "multiclass": multiclass,
    "regression": regression,
    "translation": translation,
    "two_inputs": two_inputs,
    "unlabelled": unlabelled,
}
"""Builders of run folders by name."""

assert set(METRICS) >= {"spearman", "roc_auc", "balanced_accuracy"}
