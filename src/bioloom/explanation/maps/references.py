"""References of Libra-CAM: maps of training records that the network rightly and surely takes for something else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from bioloom.errors import UserError
from bioloom.explanation import Question
from bioloom.explanation.engine import in_chunks, rows_per_chunk, untouched
from bioloom.explanation.maps.look import readings
from bioloom.files import write_bytes
from bioloom.models import apply

if TYPE_CHECKING:
    from bioloom.modalities import Batch
    from bioloom.models import Network

AGAIN = "leave the library out, so that it is built from the training records"


@dataclass(frozen=True)
class Pool:
    """Training records that references are chosen from.

    take:  the batch of some of them, by their numbers, (some,)
    truth: (records,) the number of the class that each is
    """

    take: Callable[[Tensor], Batch]
    truth: Tensor


@dataclass(frozen=True)
class Scan:
    """How references are chosen.

    per_class: references of each class, at most
    records:   records that are looked at, at most; drawn at random where there are more
    layer:     whose maps are kept; empty: the last maps (`bioloom.explanation.maps.look.Look`)
    half:      whether maps are rounded to half precision (float16), in which a file takes half the room
    rightly:   whether references have to be classified rightly; those of a network with random weights cannot be
    """

    per_class: int = 30
    records: int = 4096
    layer: str = ""
    half: bool = True
    rightly: bool = True
    seed: int = 0


class Library(Protocol):
    """What gives references for a network."""

    def of(self, network: Network, layer: str = "") -> ReferenceLibrary:
        """The library of this network and layer; UserError where there is none."""


@dataclass(frozen=True, eq=False)
class ReferenceLibrary:
    """Maps of training records, by the class that they are contrasted with.

    maps:        for each network of a mean and each strand it reads, (references, maps, *places) float32
    chosen:      for each class, which references are contrasted with it, (some,), the least likely members first
    probability: for each class, its probability for these references, (some,)
    outputs:     raw outputs of the network
    model:       hash of its weights
    layer:       whose maps they are
    encoding:    hash of how records are encoded, where it is known
    input:       the name of the input whose maps they are
    """

    maps: tuple[Tensor, ...]
    chosen: Mapping[int, Tensor]
    probability: Mapping[int, Tensor]
    outputs: int
    model: str
    layer: str = ""
    encoding: str = ""
    input: str = ""

    @classmethod
    def build(
        cls, network: Network, pool: Pool, name: str, scan: Scan | None = None, encoding: str = ""
    ) -> ReferenceLibrary:
        """Choose for each class the records of other classes, rightly classified, that it is least likely for.

        One pass over the records, and one more for those that are chosen.
        name: of the input whose maps are kept
        Raises UserError where the network classifies nothing at all rightly, or keeps no maps of places.
        """
        scan = scan or Scan()
        rows = drawn(len(pool.truth), scan)
        first = pool.take(rows[:1])
        device = first[name].x.device
        if network.everywhere:
            raise UserError(
                "Libra-CAM compares with records of another class, and this model gives a class to every place.",
                fix="use another method, such as grad_cam or occlusion",
            )
        with untouched(network, scan.seed, device), torch.inference_mode(False):
            probability, outputs = _probabilities(network, pool, rows, first[name].x)
            chosen = _contrasted(probability, pool.truth[rows.cpu()], scan)
            used = torch.unique(torch.cat([torch.empty(0, dtype=torch.long), *chosen.values()]))
            if not len(used):
                raise UserError(
                    "No training record is classified rightly, so there is nothing to compare with.",
                    fix="use another method, such as grad_cam or occlusion",
                )
            kept = _maps_of(Question(network, pool.take(rows[used.to(rows.device)]), name, 0), scan)
        return cls(
            maps=kept,
            chosen={number: torch.searchsorted(used, each) for number, each in chosen.items()},
            probability={number: probability[each, number] for number, each in chosen.items()},
            outputs=outputs,
            model=hash_of(network),
            layer=scan.layer,
            encoding=encoding,
            input=name,
        )

    def of(self, network: Network, layer: str = "") -> ReferenceLibrary:
        """The library itself; UserError where the network, or a layer that is named, is another one."""
        self.refuse_other(network, layer or self.layer, self.input)
        return self

    def refuse_other(self, network: Network, layer: str, name: str) -> None:
        """Raise UserError where the library is not that of this network, this layer and this input."""
        for what, own, asked in (
            ("network", self.model, hash_of(network)),
            ("layer", self.layer or "the last maps", layer or "the last maps"),
            ("input", self.input, name),
        ):
            if own != asked:
                raise UserError(
                    f"The library of references is that of another {what}: {own[:16]}, not {asked[:16]}.",
                    fix=AGAIN,
                )

    def refuse_encoding(self, encoding: str) -> None:
        """Raise UserError where records were encoded in another way when the library was built."""
        if self.encoding != encoding:
            raise UserError(
                "The library of references holds records that were encoded differently.", fix=AGAIN
            )

    def contrasted_with(self, number: int) -> Tensor:
        """Which references are contrasted with a class; UserError where there are none."""
        found = self.chosen.get(number)
        if found is None or not len(found):
            raise UserError(
                "No training record of another class is classified rightly, so there is nothing to compare with.",
                where=f"class number {number}",
                fix="use another method, such as grad_cam or occlusion",
            )
        return found

    def save(self, path: Path) -> None:
        """Write it to a `.safetensors` file."""
        tensors = {f"maps.{number}": _small(maps.cpu()) for number, maps in enumerate(self.maps)}
        for number, chosen in self.chosen.items():
            tensors |= {
                f"chosen.{number}": chosen.cpu(),
                f"probability.{number}": self.probability[number].cpu(),
            }
        told = {key: str(getattr(self, key)) for key in ("outputs", "model", "layer", "encoding", "input")}
        about = {"references": json.dumps(told, sort_keys=True)}
        write_bytes(path, save({name: each.contiguous() for name, each in tensors.items()}, about))

    @classmethod
    def load(cls, path: Path) -> ReferenceLibrary:
        """Read it again; UserError where the file is none."""
        try:
            with safe_open(path, framework="pt") as file:
                told = json.loads(file.metadata()["references"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- it is no mapping
            classes = [int(name.split(".")[1]) for name in tensors if name.startswith("chosen.")]
            return cls(
                maps=tuple(
                    tensors[f"maps.{n}"].float()
                    for n in range(sum(name.startswith("maps.") for name in tensors))
                ),
                chosen={number: tensors[f"chosen.{number}"] for number in classes},
                probability={number: tensors[f"probability.{number}"] for number in classes},
                outputs=int(told["outputs"]),
                **{key: told[key] for key in ("model", "layer", "encoding", "input")},
            )
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise UserError(
                "This file holds no library of references.", where=str(path), fix=AGAIN
            ) from error


def _small(maps: Tensor) -> Tensor:
    """The same numbers in half precision, where nothing is lost by that."""
    return maps.half() if torch.equal(maps.half().float(), maps) else maps


def hash_of(network: Network) -> str:
    """A hash of all weights and stored numbers of a network, and their names."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        told = value.detach().cpu().contiguous()
        digest.update(f"{name} {told.dtype} {tuple(told.shape)}".encode())
        digest.update(told.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def drawn(count: int, scan: Scan) -> Tensor:
    """The numbers of the records that are looked at, in their order."""
    if count <= scan.records:
        return torch.arange(count)
    generator = torch.Generator().manual_seed(scan.seed)
    return torch.randperm(count, generator=generator)[: scan.records].sort().values


def _probabilities(network: Network, pool: Pool, rows: Tensor, example: Tensor) -> tuple[Tensor, int]:
    """The probability of each class for each record, (records, classes), and how many raw outputs there are."""

    def asked(part: slice) -> Tensor:
        with torch.no_grad():
            return apply(network, pool.take(rows[part])).cpu()

    raw = torch.cat(in_chunks(len(rows), rows_per_chunk(example), asked))
    if raw.shape[1] > 1:
        return raw.softmax(dim=1), raw.shape[1]
    positive = raw.sigmoid()
    return torch.cat([1 - positive, positive], dim=1), 1


def _contrasted(probability: Tensor, truth: Tensor, scan: Scan) -> dict[int, Tensor]:
    """For each class the records of others, rightly classified, with its smallest probabilities, smallest first."""
    right = (probability.argmax(dim=1) == truth) | (not scan.rightly)
    found = {}
    for number in range(probability.shape[1]):
        others = torch.nonzero(right & (truth != number))[:, 0]
        order = probability[others, number].argsort(stable=True)[: scan.per_class]
        found[number] = others[order]
    return found


def _maps_of(question: Question, scan: Scan) -> tuple[Tensor, ...]:
    """The maps of all records in each reading, (records, maps, *places), one record at a time.

    A network that leaves out empty places gives narrower maps for shorter records: zeros are put there.
    """
    x = question.batch[question.input].x
    found = []
    with torch.no_grad():
        for reading in readings(question, scan.layer):
            own = reading.question.batch[question.input].x
            each = [reading.see(own[n : n + 1], torch.tensor([n], device=x.device))[1] for n in range(len(x))]
            width = max(maps.shape[-1] for maps in each)
            maps = torch.cat([fitted(maps, width) for maps in each])
            half = scan.half and bool(maps.abs().max() < torch.finfo(torch.float16).max)
            found.append(maps.half().float() if half else maps)
    return tuple(found)


def fitted(maps: Tensor, width: int) -> Tensor:
    """Maps with so many places along their last axis: cut, or filled up with zeros, at the end."""
    return torch.nn.functional.pad(maps[..., :width], (0, max(0, width - maps.shape[-1])))
