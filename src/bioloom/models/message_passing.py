"""The default for graphs: neighbours tell each other what they are and how far apart, and all nodes are added up."""

from __future__ import annotations

from typing import ClassVar, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind
from bioloom.modalities.graphs import Layout
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space


class Spread(nn.Module):
    """Spread each number of an edge, 0 to 1, over bells along the way, so that near may count for and far against.

    Source: the radial basis of Schütt et al. (2018) SchNet, doi:10.1063/1.5019779; bells have no weights.
    """

    centres: Tensor

    def __init__(self, bells: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.linspace(0, 1, bells), persistent=False)
        self.sharpness = (bells - 1) ** 2 / 2

    def forward(self, edges: Tensor) -> Tensor:
        """(records, nodes, neighbours, numbers) -> (records, nodes, neighbours, numbers x bells)."""
        bells: Tensor = torch.exp(-self.sharpness * (edges[..., None] - self.centres).square())
        return bells.flatten(3)


class Exchange(nn.Module):
    """node + dropout(mix(GELU(what the node is x sum over neighbours of (what they are x how they lie)))).

    The product of both ends and the edge says at once what a contact is: this charge, near that one.
    """

    def __init__(self, width: int, numbers: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.own = nn.Linear(width, width)
        self.other = nn.Linear(width, width, bias=False)
        self.edge = nn.Linear(numbers, width, bias=False)
        self.activation = nn.GELU(approximate="tanh")
        self.mix = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, nodes: Tensor, edges: Tensor, sources: Tensor, there: Tensor) -> Tensor:
        """Let every node hear its neighbours once.

        nodes:   (records, nodes, width)
        edges:   (records, nodes, neighbours, numbers)
        sources: (records, nodes, neighbours) where each neighbour stands among the nodes of all records
        there:   (records, nodes, neighbours, 1) 1 where there is a neighbour, else 0
        """
        y = self.norm(nodes)
        heard = self.other(y).flatten(0, 1)[sources]  # (records, nodes, neighbours, width)
        told = (heard * self.edge(edges) * there).sum(dim=2) / sources.shape[2] ** 0.5
        change: Tensor = self.dropout(self.mix(self.activation(self.own(y) * told)))
        return nodes + change


@networks.register
class MessagePassing(Network):
    """Read a graph of residues or atoms by what lies next to what.

    Dense 32 of each node's features; 3 rounds in which each node adds up what its neighbours are, filtered by how they lie
    (the numbers of each edge, distances or bonds, spread over 8 bells), times what it is itself; the sum, the mean and an
    attention-weighted mean of all nodes; dense 32 - GELU - dense. It is told distances and never places, so turning or
    moving a structure changes nothing, and neither does the order of its nodes.
    17,474 parameters for an input of 100x24x16x5 and 1 output (nodes, features, neighbours, numbers of an edge).
    Sources: Gilmer et al. (2017) arXiv:1704.01212; filters of the distance: Schütt et al. (2018) SchNet,
    doi:10.1063/1.5019779; products with the node itself: Schütt et al. (2021) PaiNN, arXiv:2102.03150; attention pooling:
    Ilse et al. (2018) arXiv:1802.04712.
    """

    name = "message_passing"
    title = "message passing between neighbours in a graph"
    accepts = frozenset({Kind.GRAPH})
    default_for = frozenset({Kind.GRAPH})
    learning_rate = 6e-3
    candidates = (
        DEFAULT,
        Candidate(
            "small", {"width": 16, "rounds": 2, "dropout": 0.2}, {"weight_decay": 0.1}, why="few records"
        ),
        Candidate("wide", {"width": 64, "rounds": 4}, why="many records and many rules"),
    )
    space: ClassVar[Space] = {
        "settings.width": Choice((16, 32, 64, 96)),
        "settings.rounds": Range(1, 6, step=1),
        "settings.dropout": Range(0.0, 0.4),
        "training.weight_decay": Range(1e-3, 0.3, log=True),
        "rate": Range(0.25, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of message passing."""

        width: int = Field(default=32, ge=4, description="numbers that are kept of each node")
        rounds: int = Field(
            default=3,
            ge=0,
            le=12,
            description="layers of message passing: how often neighbours tell each other",
        )
        bells: int = Field(
            default=8,
            ge=2,
            description="bell curves (radial basis functions) that each number of an edge is spread over",
        )
        dropout: float = Field(default=0.1, ge=0, lt=1, description="share of numbers silenced per step")

    def __init__(self, layout: Layout, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        width = settings.width
        self.layout = layout
        self.spread = Spread(settings.bells)
        self.first = nn.Linear(layout.features, width)
        self.rounds = nn.ModuleList(
            Exchange(width, layout.numbers * settings.bells, settings.dropout) for _ in range(settings.rounds)
        )
        self.norm = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 1)
        self.head = nn.Sequential(
            nn.Linear(3 * width, width),
            nn.GELU(approximate="tanh"),
            nn.Dropout(settings.dropout),
            nn.Linear(width, n_outputs),
        )
        self.features: Tensor | None = None  # (records, width, nodes)

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(Layout.of(shape), n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, nodes) -> (records, outputs); nodes outside of the mask count for nothing."""
        x, filled = _trimmed(x, mask)
        own, edges, sources, there = self._read(x, filled)
        nodes = self.first(own)
        for exchange in self.rounds:
            nodes = exchange(nodes, edges, sources, there)
        self.features = nodes.transpose(1, 2)
        nodes = self.norm(self.features.transpose(1, 2)) * filled[..., None]
        total = nodes.sum(dim=1)
        score = self.attention(nodes).masked_fill(filled[..., None] == 0, -1e4)
        weighted = (score.softmax(dim=1) * nodes).sum(dim=1)
        mean = total / filled.sum(dim=1, keepdim=True).clamp(min=1)
        raw: Tensor = self.head(torch.cat([total / self.layout.nodes, mean, weighted], dim=1))
        return raw

    def _read(self, x: Tensor, filled: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Take apart what the channels hold: see `Exchange.forward`, features of nodes first."""
        layout, (records, _, count) = self.layout, x.shape
        own = x[:, : layout.features].transpose(1, 2)  # (records, nodes, features)
        told = x[:, layout.features :].view(records, layout.neighbours, 1 + layout.numbers, count)
        told = told.permute(0, 3, 1, 2)  # (records, nodes, neighbours, 1 + numbers)
        number = (told[..., 0].detach() + 0.5).long().clamp(0, count)
        there = (number > 0) & (filled[..., None] > 0)
        before = torch.arange(records, device=x.device)[:, None, None] * count
        sources = before + (number - 1).clamp(min=0)
        return own, self.spread(told[..., 1:]), sources, there[..., None].to(x.dtype)


def _trimmed(x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Without the nodes that no record fills, and 1 where there is a node, (records, nodes); the rest is 0."""
    if mask is None:
        return x, x.new_ones(x.shape[0], x.shape[2])
    most = max(1, int(mask.sum(dim=1).max()))
    filled = mask[:, :most].to(x.dtype)
    return torch.where(mask[:, None, :most], x[:, :, :most], 0.0), filled
