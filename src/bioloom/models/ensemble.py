"""Several networks that learned from the same records with other seeds, as one: their raw outputs are averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Batch, Kind
from bioloom.models import Network, NetworkSettings, Shapes, apply, build
from bioloom.models.predict import predict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.modalities import Encoded


class Ensemble(Network):
    """Ask several networks the same, and answer with the mean of what they say.

    The mean of networks that start from other random weights errs less than one of them does on average, and how far
    they lie apart tells where none of them knows (Lakshminarayanan 2017, arXiv:1612.01474). Raw outputs are averaged:
    standardised targets, or logits. It is not trained as a whole, so users do not choose it as a network; each member is
    a training of its own (`bioloom.training.ensemble`).
    """

    name = "ensemble"
    title = "mean of several networks that differ in their seed"
    accepts = frozenset(Kind)
    several = True  # it passes the whole batch on

    class Settings(NetworkSettings):
        """Which networks, and how many."""

        network: str = Field(description="network of each member")
        settings: dict[str, Any] = Field(default_factory=dict, description="its settings")
        members: int = Field(default=5, ge=1, description="how many")

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.everywhere = members[0].everywhere

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make the members with fresh random weights, each with its own."""
        return cls(
            [build(settings.network, shapes, n_outputs, settings.settings) for _ in range(settings.members)]
        )

    def apart(self, batch: Batch) -> Tensor:
        """What each member says, (members, records, outputs).

        Networks of one kind could run as one stacked network where a graphics card gains from it: here is the place.
        """
        return torch.stack([apply(member, batch) for member in members_of(self)])

    def forward(self, batch: Batch) -> Tensor:
        """The mean of the members' raw outputs, (records, outputs)."""
        return self.apart(batch).mean(dim=0)


def members_of(network: Network) -> tuple[Network, ...]:
    """The members of an ensemble; any other network is its own only member."""
    if isinstance(network, Ensemble):
        return tuple(cast("Iterable[Network]", network.members))
    return (network,)


def together(members: Sequence[Network]) -> Network:
    """Several networks as one; a single one stays what it is."""
    return members[0] if len(members) == 1 else Ensemble(members)


def build_several(
    name: str, shapes: Shapes, n_outputs: int, settings: Mapping[str, Any], members: int
) -> Network:
    """Make an ensemble of networks of that name, or the network itself where there is to be one member."""
    return together([build(name, shapes, n_outputs, settings) for _ in range(members)])


def mean_of(raws: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean of raw outputs of several members, (records, outputs); those of a single one are left as they are."""
    return raws[0] if len(raws) == 1 else np.mean(np.stack(raws), axis=0)


def spread_of(values: Sequence[NDArray[np.float32]]) -> NDArray[np.float32] | None:
    """Standard deviation of several members' predictions (divisor members - 1), in their units; None for one."""
    if len(values) == 1:
        return None
    found: NDArray[np.float32] = np.std(np.stack(values), axis=0, ddof=1)
    return found


def predict_each(
    network: Network, encoded: Mapping[str, Encoded], *, device: str = "cpu"
) -> list[NDArray[np.float32]]:
    """Raw outputs of each member for all records in their order, (records, outputs) float32 each."""
    return [predict(member, encoded, device=device) for member in members_of(network)]
