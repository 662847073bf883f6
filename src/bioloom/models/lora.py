"""Fine-tuning with few numbers: dense layers stay as they were learned, and a small change is learned beside each.

Hu et al. (2022) LoRA, arXiv:2106.09685: the weights of a layer become W + B A with B (outputs, rank) and A (inputs, rank)
transposed. B begins at 0, so that the network begins as it was; when it is stored, B A is added to W and nothing is left of it.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bioloom.models import Network


class LowRank(nn.Module):
    """A change of a matrix that is the product of two thin ones, (outputs, rank) and (rank, inputs)."""

    def __init__(self, outputs: int, inputs: int, rank: int) -> None:
        super().__init__()
        self.before = nn.Parameter(torch.empty(rank, inputs))
        self.after = nn.Parameter(torch.zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.before, a=5**0.5)  # as dense layers begin

    def forward(self, weight: Tensor) -> Tensor:
        """The matrix with the change added, (outputs, inputs)."""
        return weight + self.after @ self.before


def adapted(network: Network, rank: int, learned: Collection[str]) -> Network:
    """The same network, of which only small changes of dense layers are learned, and what had not been learned before.

    rank:    of the changes; where a layer is not larger, it is learned whole
    learned: names of the weights that were learned before; all others are learned as usual
    """
    for name, weights in list(network.named_parameters()):
        weights.requires_grad_(name not in learned)
    for name, layer in list(network.named_modules()):
        if not isinstance(layer, nn.Linear) or f"{name}.weight" not in learned:
            continue
        if min(layer.weight.shape) > rank:
            outputs, inputs = layer.weight.shape
            change = LowRank(outputs, inputs, rank).to(layer.weight.device)
            parametrize.register_parametrization(layer, "weight", change)
        else:
            layer.weight.requires_grad_(True)
    return network


def merged(network: Network) -> Network:
    """The same network with the changes added to its weights; an ordinary network stays what it is."""
    for layer in list(network.modules()):
        if parametrize.is_parametrized(layer, "weight"):
            with torch.no_grad():
                parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    for weights in network.parameters():
        weights.requires_grad_(True)
    return network
