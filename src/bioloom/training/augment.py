"""Records changed at random while they are learned from, so that a network sees more than the files hold.

All is done on the device, on batches, with the random numbers of the epoch; without augmentation nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor

from bioloom.data.wording import listed
from bioloom.errors import UserError
from bioloom.losses import Loss
from bioloom.modalities import Batch, Encoded, Signal
from bioloom.models.strands import moved, other_strand
from bioloom.recipe_parts import AugmentationRecipe
from bioloom.training.pictures import Moves, mirrored, moved_about, recoloured


@dataclass(frozen=True)
class Changes:
    """What happens to the records of one input at random while they are learned from.

    reverse_complement: half of them, drawn anew in every batch, are read from the other strand
    shift:              positions by which a sequence is moved at most, to either side
    mutation:           share of letters that become another letter
    noise:              standard deviation of what is added to each standardised number
    mirror, upside_down, rotation, crop, colour, elastic: of pictures, see `bioloom.training.pictures`
    """

    reverse_complement: bool = False
    shift: int = 0
    mutation: float = 0.0
    noise: float = 0.0
    mirror: bool = False
    upside_down: bool = False
    rotation: float = 0.0
    crop: float = 0.0
    colour: float = 0.0
    elastic: float = 0.0

    @property
    def moves(self) -> Moves:
        """How the places of a picture move."""
        return Moves(self.rotation, self.crop, self.shift, self.elastic)


@dataclass(frozen=True)
class Augmentation:
    """What happens to records at random while they are learned from.

    inputs: by name
    mixing: both parameters of the beta distribution from which the shares of a mixture are drawn; 0: none is mixed
    """

    inputs: Mapping[str, Changes] = field(default_factory=dict)
    mixing: float = 0.0

    @property
    def strands(self) -> tuple[str, ...]:
        """The inputs of which both strands are read."""
        return tuple(name for name, each in self.inputs.items() if each.reverse_complement)

    def __bool__(self) -> bool:
        return self.mixing > 0 or any(each != Changes() for each in self.inputs.values())


@dataclass(frozen=True)
class Mixture:
    """Each record of a batch mixed with another one.

    share:  of the record itself, the same for all of a batch
    others: (records,) positions of the other ones in the batch
    """

    share: float
    others: Tensor

    def input(self, signal: Signal) -> Signal:
        """The mixed records; where either of both has a letter, there is something."""
        x = torch.lerp(signal.x[self.others], signal.x, self.share)
        return Signal(x, None if signal.mask is None else signal.mask | signal.mask[self.others])

    def loss(self, loss: Loss, raw: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
        """The loss against both truths by their shares.

        For the squared error and cross-entropy its gradient is that of the mixed targets, as in the paper; and it
        is defined for every loss, for unknown targets, and for records with weights.
        """
        own, other = (
            loss(raw, each, ~each.isnan(), counted)
            for each, counted in ((truth, weight), (truth[self.others], weight[self.others]))
        )
        return self.share * own + (1 - self.share) * other


def augment(batch: Batch, told: Augmentation) -> tuple[Batch, Mixture | None]:
    """Change the records of a batch at random; how they were mixed, where they were.

    Sources: both strands, Shrikumar et al. (2017) doi:10.1101/103663; mixing, Zhang et al. (2018) arXiv:1710.09412.
    """
    strand = _drawn_strand(batch) if told.strands else None
    changed = {
        name: _changed(signal, told.inputs.get(name, Changes()), strand) for name, signal in batch.items()
    }
    if not told.mixing:
        return changed, None
    x = next(iter(batch.values())).x
    share = float(torch.distributions.Beta(told.mixing, told.mixing).sample())  # on the processor
    mixture = Mixture(share, torch.randperm(len(x)).to(x.device))
    return {name: mixture.input(signal) for name, signal in changed.items()}, mixture


def _drawn_strand(batch: Batch) -> Tensor:
    """Which records are read from the other strand, in all inputs of DNA alike, (records,)."""
    x = next(iter(batch.values())).x
    return torch.rand(len(x), device=x.device) < 0.5


def _changed(signal: Signal, changes: Changes, strand: Tensor | None) -> Signal:
    if signal.x.dim() == 4:
        return _changed_pictures(signal, changes)
    if changes.reverse_complement and strand is not None:
        signal = Signal(torch.where(strand[:, None, None], other_strand(signal).x, signal.x), signal.mask)
    if changes.shift:
        signal = shifted(signal, changes.shift)
    if changes.mutation:
        signal = Signal(mutated(signal.x, changes.mutation), signal.mask)
    if changes.noise:
        signal = Signal(signal.x + changes.noise * torch.randn_like(signal.x), signal.mask)
    return signal


def _changed_pictures(signal: Signal, changes: Changes) -> Signal:
    x = mirrored(signal.x, sideways=changes.mirror, upside_down=changes.upside_down)
    if changes.moves != Moves():
        x = moved_about(x, changes.moves)
    if changes.colour:
        x = recoloured(x, changes.colour)
    if changes.noise:
        x = x + changes.noise * torch.randn_like(x)
    return Signal(x, signal.mask)


def shifted(signal: Signal, most: int) -> Signal:
    """Each sequence moved by up to so many positions to either side, at most by half of its length.

    What leaves at an end is lost, and what enters is empty. signal: x (records, letters, positions)
    """
    x, size = signal.x, signal.x.shape[2]
    length = x.new_full((len(x),), size) if signal.mask is None else signal.mask.sum(dim=1)
    reach = (length // 2).clamp(max=most)
    places = (torch.rand(len(x), device=x.device) * (2 * reach + 1)).floor() - reach  # to the left
    first = -places[:, None]  # (records, 1), where the sequence begins now
    positions = torch.arange(size, device=x.device)
    filled = (positions >= first) & (positions < first + length[:, None])
    return Signal(moved(x, places.long()) * filled[:, None], filled)


def mutated(x: Tensor, share: float) -> Tensor:
    """This share of letters replaced by one of the others, (records, letters, positions).

    The shares of a mixture change places as well; empty positions stay empty.
    """
    records, letters, positions = x.shape
    hit = torch.rand(records, positions, device=x.device) < share
    step = torch.randint(1, letters, (records, positions), device=x.device) * hit
    index = (torch.arange(letters, device=x.device)[:, None] + step[:, None]) % letters
    return x.gather(1, index)


# ---- what a recipe asks for --------------------------------------------------------------------------------


def augmentation(
    recipe: AugmentationRecipe, able: Mapping[str, Collection[str]], inputs: Mapping[str, Encoded]
) -> Augmentation:
    """What a recipe asks for, for these inputs; each does what its modality can.

    able: by input, the changes that its modality allows
    Raises UserError for a change that none of the inputs allows, and for one too large.
    """
    asked = {key: value for key, value in recipe.model_dump().items() if value}
    for key in asked:
        _refuse(key, [key in each for each in able.values()], able)
    for name, encoded in inputs.items():
        if "shift" in able[name] and asked.get("shift", 0) >= encoded.shape.sizes[-1]:
            raise UserError(
                f'A shift of {asked["shift"]} moves the input "{name}" of {encoded.shape.sizes[-1]} positions away.',
                where="augmentation.shift",
                fix="choose a shift of a few positions",
            )
    mixing = asked.pop("mixing", 0.0)
    known = {each.name for each in fields(Changes)}
    changes = {
        name: replace(Changes(), **{key: asked[key] for key in known & asked.keys() if key in able[name]})
        for name in inputs
    }
    return Augmentation({name: each for name, each in changes.items() if each != Changes()}, mixing)


def _refuse(key: str, allowed: list[bool], able: Mapping[str, Collection[str]]) -> None:
    """Refuse what no input allows; records are mixed only where all inputs allow it."""
    if all(allowed) if key == "mixing" else any(allowed):
        return
    inputs = listed([f'"{name}"' for name in able])
    possible = list(dict.fromkeys(each for changes in able.values() for each in changes if each != key))
    raise UserError(
        f"augmentation.{key} does not go with the {'input' if len(able) == 1 else 'inputs'} {inputs}.",
        where=f"augmentation.{key}",
        fix="leave it out"
        + (
            f"; what goes with them: {', '.join(f'augmentation.{each}' for each in possible)}"
            if possible
            else ""
        ),
    )
