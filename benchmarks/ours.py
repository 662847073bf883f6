"""How bioloom trains the two networks: the sides of `benchmarks.training` and `benchmarks.gpu`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch

from benchmarks import reporter as reporter_network
from benchmarks.measure import timed
from benchmarks.problems import Problem, course, reporter
from bioloom.modalities import Encoded
from bioloom.modalities.dna import Dna
from bioloom.modalities.encoded import TokenEncoded
from bioloom.models import networks
from bioloom.recipe import TrainingRecipe
from bioloom.tasks import TASKS
from bioloom.training.ensemble import fit_members, seeds
from bioloom.training.job import Job
from bioloom.training.loop import Fitted, fit
from bioloom.training.members import Member, Work, run_all
from bioloom.training.plan import plan

SEED = int(os.environ.get("BIOLOOM_ROUND", "0"))


def encoded(problem: Problem) -> Encoded:
    """The sequences as bioloom stores them."""
    full = np.full(len(problem.tokens), problem.tokens.shape[1], dtype=np.int32)
    return TokenEncoded(problem.tokens, full, np.eye(4, dtype=np.float32))


def job(problem: Problem, network: str, task: str, recipe: TrainingRecipe, device: str = "cpu") -> Job:
    """A training with the threads of the environment."""
    end = problem.train + problem.validation
    return Job(
        network=network,
        settings={},
        outputs=1,
        inputs={"sequence": encoded(problem)},
        truth=problem.truth[:, None],
        weight=np.ones(len(problem.truth), dtype=np.float32),
        train=np.arange(problem.train),
        validation=np.arange(problem.train, end),
        task=TASKS[task],
        plan=replace(plan(recipe, problem.train, networks[network], "normal", device), patience=10**6),
        seed=SEED,
        device=device,
        threads=int(os.environ.get("OMP_NUM_THREADS", "0")),
    )


def course_job() -> Job:
    return job(course(), "cnn", "binary", TrainingRecipe(batch_size=100, epochs=20, precision="float32"))


def reporter_job(precision: Literal["auto", "float32", "bf16"] = "auto", device: str = "cpu") -> Job:
    recipe = TrainingRecipe(batch_size=128, epochs=3, precision=precision)
    return job(reporter(), reporter_network.Reporter.name, "regression", recipe, device)


def loss(fitted: Fitted) -> dict[str, float]:
    """The last validation loss, as the others report it."""
    return {"loss": fitted.history[-1].validation_loss or float("nan")}


def _time(told: Job) -> None:
    fit(replace(told, plan=replace(told.plan, epochs=1)))
    timed(lambda: loss(fit(told)))


def course_fit() -> None:
    _time(course_job())


def reporter_fit() -> None:
    _time(reporter_job())


def reporter_float32() -> None:
    _time(reporter_job("float32"))


def reporter_by_itself() -> None:
    """With the number of threads that bioloom chooses."""
    _time(replace(reporter_job(), threads=0))


def folds() -> None:
    """Ten trainings as members, on all processors, from a process that has trained before."""
    one = replace(course_job(), threads=1)
    began = time.process_time()
    fit(one)
    seconds = 10 * (time.process_time() - began)
    members = [Member(replace(one, seed=seed), ()) for seed in range(10)]
    timed(lambda: list(run_all(members, Work(seconds))))


def one_member() -> None:
    """One network, with the threads that bioloom chooses."""
    timed(lambda: _members(1))


def five_members() -> None:
    """Five that differ in their seed, as a run of normal budget trains them."""
    timed(lambda: _members(5))


def _members(count: int) -> dict[str, float]:
    recipe = TrainingRecipe(batch_size=128, epochs=20)  # of a network that other processes know too
    told = replace(job(reporter(8_192), "residual", "regression", recipe), threads=0)
    losses = [loss(each.fitted)["loss"] for each in fit_members(seeds(told, count), None, lambda *_: None)]
    return {"loss": sum(losses) / count}


def batching() -> None:
    """One epoch of the second problem, and what encoding its letters and making its batches takes of it."""
    told = reporter_job()
    letters = ["".join("ACGT"[token] for token in row) for row in reporter().tokens]
    frame = pd.DataFrame({"sequence": np.array(letters, dtype=object)})
    began = time.process_time()
    Dna(length=50, aligned=True).encode(frame)
    encode = (time.process_time() - began) / told.plan.epochs
    resident = told.inputs["sequence"].on("cpu")
    began = time.process_time()
    for part in torch.split(torch.randperm(len(told.train)), 8192):
        for batch in torch.split(resident.batch(part).x, told.plan.batch_size):
            batch.unsqueeze(2).contiguous(memory_format=torch.channels_last)
    batch_seconds = time.process_time() - began
    one = replace(told, plan=replace(told.plan, epochs=1))
    fit(one)
    timed(lambda: fit(one) and {"encode": encode, "batch": batch_seconds})


def whole() -> None:
    """`bioloom train` on the course's data, report included, as a process of its own."""
    problem = course()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "course.csv"
        letters = ["".join("ACGT"[token] for token in row) for row in problem.tokens]
        pd.DataFrame({"sequence": letters, "motif": problem.truth.astype(int)}).to_csv(table, index=False)
        command = [sys.executable, "-m", "bioloom", "train", str(table), "--target", "motif", "--quiet"]
        command += ["--budget", "fast", "--set", "model.network=cnn", "--outdir", f"{folder}/run"]
        timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL) and {})


def scaling() -> None:
    """Seconds of an epoch by records and by length, and of trainings by members; printed as JSON by `timed`."""
    found: dict[str, float] = {}
    for records in (4_000, 8_000, 16_000, 32_000):
        found[f"records {records}"] = _epoch(records, 50)
    for length in (50, 100, 200, 400):
        found[f"length {length}"] = _epoch(2_000, length)
    one = course_job()
    for count in (1, 2, 4, 8):
        members = [Member(replace(one, seed=seed), ()) for seed in range(count)]
        began = time.process_time()
        list(run_all(members, Work(0.0)))
        found[f"members {count}"] = time.process_time() - began
    timed(lambda: found)


def _epoch(records: int, length: int) -> float:
    """Processor seconds of one epoch of the default network on one thread."""
    recipe = TrainingRecipe(batch_size=128, epochs=1)
    told = replace(job(reporter(records, length), "residual", "regression", recipe), threads=1)
    return timed_epoch(told)


def timed_epoch(told: Job) -> float:
    """Processor seconds of a training."""
    began = time.process_time()
    fit(told)
    return time.process_time() - began
