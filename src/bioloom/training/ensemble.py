"""The members of an ensemble: trainings that differ in their seed only, side by side where that pays.

Each has a checkpoint of its own, so a stopped run goes on with every one of them, and those that are done are read.
On a processor they share the work so that all workers end together (McNaughton 1959, doi:10.1287/mnsc.6.1.1): five
members on two workers take two and a half times as long as one. A member that falls to two workers is begun by one of
them and, from its checkpoint, ended by the other, with the same weights as if one had done both.
On a graphics card they are trained one after another; `models.ensemble.Ensemble.apart` is where they could be stacked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from bioloom.files import write_bytes
from bioloom.models.layers import table_of
from bioloom.training.device import session, threads_for
from bioloom.training.loop import Epoch, Fitted, Job, fit, predict
from bioloom.training.members import Work, run_all

SEEDS_APART = 1000
"""Between the seeds of two members."""

RATE, OVERHEAD = 3e10, 5e-6
"""Multiplications and additions per second of one processor, and seconds that a record costs besides: about right for
networks between the smallest and the largest here. It decides where the work is done, and so no number."""

PASSES = 3
"""Forward, gradient of the inputs, gradient of the weights: each is as much work as the first."""

SECONDS_BETWEEN_LOOKS = 0.5
"""How often it is looked how far the members in other processes are."""

OnEpoch = Callable[[int, Epoch], None]
"""Told the number of the member, from 0, and what it has just done."""


@dataclass(frozen=True)
class Learned:
    """A member that is trained: what came out, and its raw outputs for all records, (records, outputs)."""

    fitted: Fitted
    raw: NDArray[np.float32]


@dataclass(frozen=True)
class Piece:
    """A part of a member's training that one worker does: up to an epoch, or to its end (0).

    saved: the checkpoint of the member; told: where it is written how far it is, None where that is told directly
    """

    member: int
    until: int
    job: Job
    saved: Path | None
    told: Path | None = None

    def __call__(self, on_epoch: OnEpoch | None = None) -> Learned | None:
        """Train; the last piece of a member gives the network and what it says of all records."""

        def tell(epoch: Epoch) -> None:
            if on_epoch is not None:
                on_epoch(self.member, epoch)
            elif self.told is not None:
                _write(self.told, epoch)

        fitted = fit(self.job, checkpoint=self.saved, on_epoch=tell, until=self.until)
        if self.until:
            return None
        with session(fitted.threads):
            return Learned(fitted, predict(fitted.network, self.job.inputs, device=self.job.device))


def seeds(job: Job, members: int) -> list[Job]:
    """The training of each member: the first has the seed of the job; several use one thread, side by side or not."""
    if members == 1:
        return [job]
    threads = 1 if job.device == "cpu" else job.threads
    return [replace(job, seed=seed, threads=threads) for seed in seeds_of(job.seed, members)]


def seeds_of(first: int, members: int) -> list[int]:
    """The seed of each member."""
    return [first + SEEDS_APART * number for number in range(members)]


def fit_members(
    jobs: Sequence[Job], saved: Path | None, on_epoch: OnEpoch, threads: int = 0
) -> list[Learned]:
    """Train the members, or read those that are done.

    saved:   the checkpoint of the first; those of the others lie beside it. None keeps nothing
    threads: that the user allows in all; 0 for as many as there are processors
    """
    work = Work(sum(map(seconds, jobs)), jobs[0].device, threads)
    workers = work.workers(len(jobs))
    if workers > 1:
        return _side_by_side(jobs, saved, on_epoch, replace(work, threads=workers))
    pieces = [Piece(number, 0, job, _beside(saved, number)) for number, job in enumerate(jobs)]
    return [learned for piece in pieces if (learned := piece(on_epoch)) is not None]


def seconds(job: Job) -> float:
    """About how long a training takes in one thread."""
    work = 2 * PASSES * _multiplications(job)
    return job.plan.epochs * len(job.train) * (work / RATE + OVERHEAD)


def threads_of(job: Job) -> int:
    """How many threads a training takes; on a graphics card one, which hands it its work."""
    if job.device != "cpu":
        return 1
    return threads_for(_multiplications(job) * job.plan.batch_size, job.threads)


def _multiplications(job: Job) -> int:
    return table_of(job.network, job.shapes, job.outputs, job.settings).multiplications


def lanes(members: int, epochs: int, workers: int) -> list[list[tuple[int, int]]]:
    """Who does what: for each worker, members with the epoch up to which they are trained, 0 for all of it.

    All workers get as many epochs, one after another along the members; the first part of a member that is cut falls
    to the beginning of one worker's list, and its second part to the end of another's, so that it comes later.
    """
    each = ceil(members * epochs / workers)
    shared: list[list[tuple[int, int]]] = []
    for begin in range(0, members * epochs, each):
        end = min(begin + each, members * epochs)
        first, past = divmod(begin, epochs)
        lane = [(first, epochs - past)] if past else []
        lane += [(number, 0) for number in range(ceil(begin / epochs), ceil(end / epochs))]
        shared.append(lane)
    return shared


def _side_by_side(jobs: Sequence[Job], saved: Path | None, on_epoch: OnEpoch, work: Work) -> list[Learned]:
    """In processes of one thread each; how far they are is read from files beside the checkpoints."""
    with TemporaryDirectory() as folder:
        places = [_beside(saved or Path(folder) / "training.safetensors", n) for n in range(len(jobs))]
        pieces = [
            [
                Piece(number, until, jobs[number], places[number], Path(folder) / str(number))
                for number, until in lane
            ]
            for lane in lanes(len(jobs), jobs[0].plan.epochs, work.threads)
        ]
        with _watched([Path(folder) / str(number) for number in range(len(jobs))], on_epoch):
            found = [
                each for lane in run_all([partial(_lane, each) for each in pieces], work) for each in lane
            ]
    return [learned for _, learned in sorted(found, key=lambda each: each[0])]


def _lane(pieces: Sequence[Piece]) -> list[tuple[int, Learned]]:
    """One worker's share, one after another."""
    done = []
    for piece in pieces:
        learned = piece()
        if learned is not None:
            if hasattr(learned.fitted.network, "features"):
                setattr(learned.fitted.network, "features", None)  # noqa: B010 -- maps of the last batch need not travel
            done.append((piece.member, learned))
    return done


def _beside(saved: Path | None, number: int) -> Path | None:
    """The checkpoint of a member."""
    return saved.with_name(f"{saved.stem} {number + 1}{saved.suffix}") if saved and number else saved


# ---- how far members in other processes are ---------------------------------------------------------------


@contextmanager
def _watched(paths: Sequence[Path], on_epoch: OnEpoch) -> Iterator[None]:
    """Within it, what members write about their last epoch is passed on."""
    over = Event()
    watcher = Thread(target=_watch, args=(paths, on_epoch, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(paths: Sequence[Path], on_epoch: OnEpoch, over: Event) -> None:
    seen = [0] * len(paths)
    while not over.wait(SECONDS_BETWEEN_LOOKS):
        for number, path in enumerate(paths):
            epoch = _read(path)
            if epoch is not None and epoch.number > seen[number]:
                seen[number] = epoch.number
                on_epoch(number, epoch)


def _write(path: Path, epoch: Epoch) -> None:
    facts = {key: value for key, value in asdict(epoch).items() if key != "raw"}
    raw = np.empty((0, 0), np.float32) if epoch.raw is None else np.ascontiguousarray(epoch.raw)
    write_bytes(path, save({"raw": raw}, metadata={"epoch": json.dumps(facts)}))


def _read(path: Path) -> Epoch | None:
    """The last epoch that was told, if there is one yet."""
    with suppress(OSError, SafetensorError), safe_open(path, framework="np") as stream:
        facts = json.loads(stream.metadata()["epoch"])
        raw = stream.get_tensor("raw")
        return Epoch(**facts, raw=raw if raw.size else None)
    return None
