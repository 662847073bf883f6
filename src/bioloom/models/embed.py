"""The numbers by which a network describes a record: its code, or what enters its last layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.modalities import Batch, Encoded
from bioloom.models import Network, Shapes, apply
from bioloom.models.ensemble import members_of
from bioloom.models.layers import empty_batch
from bioloom.models.predict import cache_sized

if TYPE_CHECKING:
    from numpy.typing import NDArray


def embed(network: Network, encoded: Mapping[str, Encoded]) -> NDArray[np.float32]:
    """The description of each record, (records, numbers) float32; of a mean of several networks that of the first.

    Raises UserError where a network has no code and no linear layer that receives one row for each record.
    """
    network = members_of(network)[0].eval()
    residents = {name: each.on("cpu") for name, each in encoded.items()}
    index = torch.arange(len(next(iter(encoded.values()))))
    size = cache_sized(network, {name: each.shape for name, each in encoded.items()})
    parts = [
        described(network, {name: each.batch(part) for name, each in residents.items()})
        for part in torch.split(index, size)
    ]
    return torch.cat(parts).numpy()


def described(network: Network, batch: Batch) -> Tensor:
    """The code of a batch, or what enters the last linear layer, (records, numbers)."""
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    caught: list[Tensor] = []

    def catch(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        caught.append(given[0].detach())

    hook = linear[-1].register_forward_pre_hook(catch) if linear else None
    try:
        with torch.no_grad():
            raw = apply(network, batch)
    finally:
        if hook is not None:
            hook.remove()
    found = network.code.detach() if network.code is not None else caught[-1] if caught else None
    if found is None or found.dim() != 2 or len(found) != len(raw):
        raise UserError(
            f'The network "{network.name}" does not describe a record by one row of numbers.',
            fix="use another network, such as autoencoder, mlp or cnn",
        )
    return found


def code_size(network: Network, shapes: Shapes) -> int | None:
    """How many numbers describe a record; None where no row of numbers does."""
    network = members_of(network)[0]
    training = network.training
    try:
        return described(network.eval(), empty_batch(shapes, torch.device("cpu"))).shape[1]
    except UserError:
        return None
    finally:
        network.train(training)
