"""Graphs as first-class inputs: nodes with features, each with its nearest neighbours and what is known of each edge.

A network receives one tensor, (records, channels, nodes), as for a sequence: the features of each node, then for each
of its neighbours the number of that node (0 for none, 1 for the first) and the numbers of the edge. So whatever works on
positions (masks, means of networks, Integrated Gradients, occlusion) works on nodes, and memory grows with nodes, not
with their square. Places in space are never told, only distances: turning or moving a structure changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.modalities import Encoded, Kind, Resident, Shape, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

STEPS = 255
"""Features and numbers of edges lie between 0 and 1 and are stored in so many steps, one byte each."""

ROOM = 1.25
"""Nodes that there is room for, times those of the largest training record; larger records are cut, and listed."""


@dataclass(frozen=True)
class Graph:
    """One record.

    nodes:      (nodes, features) between 0 and 1
    neighbours: (nodes, neighbours) 1 + the position of each neighbour, nearest first, 0 for none
    edges:      (nodes, neighbours, numbers) between 0 and 1
    """

    nodes: NDArray[np.float32]
    neighbours: NDArray[np.int32]
    edges: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.nodes)

    def kept(self, chosen: NDArray[np.int64]) -> Graph:
        """The part of a graph that some of its nodes, in rising order, span."""
        number = np.zeros(len(self) + 1, dtype=np.int32)
        number[chosen + 1] = np.arange(1, len(chosen) + 1)
        return Graph(self.nodes[chosen], number[self.neighbours[chosen]], self.edges[chosen])


@dataclass(frozen=True)
class Layout:
    """The sizes of a graph input.

    nodes:      there is room for so many
    features:   of a node
    neighbours: of a node, at most
    numbers:    of an edge
    """

    nodes: int
    features: int
    neighbours: int
    numbers: int

    @property
    def shape(self) -> Shape:
        """(channels, nodes), with the neighbours and the numbers of an edge beside."""
        channels = self.features + self.neighbours * (1 + self.numbers)
        return Shape(Kind.GRAPH, (channels, self.nodes), edges=(self.neighbours, self.numbers))

    @classmethod
    def of(cls, shape: Shape) -> Layout:
        """The inverse of `shape`."""
        neighbours, numbers = shape.edges
        return cls(shape.sizes[1], shape.sizes[0] - neighbours * (1 + numbers), neighbours, numbers)

    def channels(self, features: Sequence[str], numbers: Sequence[str]) -> tuple[str, ...]:
        """A name for each channel, from those of the features of a node and of the numbers of an edge."""
        edges = [
            f"{name} {place}" for place in range(1, self.neighbours + 1) for name in ("neighbour", *numbers)
        ]
        return (*features, *edges)


def nearest_neighbours(
    ends: tuple[NDArray[np.int32], NDArray[np.int32]], distance: NDArray[np.float32], nodes: int, most: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The nearest neighbours of each node among pairs, and which pair each is, (nodes, most) both; 0 and -1 for none.

    ends: the two nodes of each pair, (pairs,) each
    """
    here = np.concatenate(ends)
    there = np.concatenate(ends[::-1])
    pair = np.tile(np.arange(len(distance)), 2)
    order = np.lexsort((there, np.concatenate([distance, distance]), here))
    here, there, pair = here[order], there[order], pair[order]
    rank = np.arange(len(here)) - np.searchsorted(here, here, side="left")
    near = rank < most
    neighbours = np.zeros((nodes, most), dtype=np.int32)
    which = np.full((nodes, most), -1, dtype=np.int64)
    neighbours[here[near], rank[near]] = there[near] + 1
    which[here[near], rank[near]] = pair[near]
    return neighbours, which


@dataclass(frozen=True)
class GraphEncoded(Encoded):
    """Graphs end to end, one byte for each feature and each number of an edge.

    layout:     the sizes that a network is promised
    starts:     (records + 1,) where the nodes of each record begin
    nodes:      (all nodes, features) uint8
    neighbours: (all nodes, neighbours) int16 or int32, 1 + position in the record, 0 for none
    edges:      (all nodes, neighbours, numbers) uint8
    """

    layout: Layout
    starts: NDArray[np.int64]
    nodes: NDArray[np.uint8]
    neighbours: NDArray[np.int16] | NDArray[np.int32]
    edges: NDArray[np.uint8]

    @classmethod
    def of(cls, graphs: Iterable[Graph], layout: Layout) -> GraphEncoded:
        """Store graphs of at most `layout.nodes` nodes each, one after the other, so that few are in memory at once."""
        number = np.int16 if layout.nodes < np.iinfo(np.int16).max else np.int32
        sizes = [0]
        nodes = [np.zeros((0, layout.features), dtype=np.uint8)]
        neighbours = [np.zeros((0, layout.neighbours), dtype=number)]
        edges = [np.zeros((0, layout.neighbours, layout.numbers), dtype=np.uint8)]
        for graph in graphs:
            sizes.append(len(graph))
            nodes.append(_bytes(graph.nodes))
            neighbours.append(graph.neighbours.astype(number))
            edges.append(_bytes(graph.edges))
        starts = np.cumsum(sizes, dtype=np.int64)
        return cls(layout, starts, np.concatenate(nodes), np.concatenate(neighbours), np.concatenate(edges))

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        """(channels, nodes)."""
        return self.layout.shape

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, index: NDArray[np.int64]) -> GraphEncoded:
        """The chosen records, in the order of the index."""
        sizes = np.diff(self.starts)[index]
        ends = np.cumsum(sizes)
        rows = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(
            self.starts[index] - ends + sizes, sizes
        )
        starts = np.concatenate([[0], ends])
        return GraphEncoded(self.layout, starts, self.nodes[rows], self.neighbours[rows], self.edges[rows])

    def on(self, device: str) -> ResidentGraphs:
        """The same records with their storage on a device (no copy on the CPU)."""
        import torch

        def moved(values: NDArray[Any]) -> Tensor:
            tensor = torch.from_numpy(np.require(values, requirements=["C", "W"]))
            return tensor if device == "cpu" else tensor.to(device)

        return ResidentGraphs(
            self.layout, moved(self.starts), moved(self.nodes), moved(self.neighbours), moved(self.edges)
        )

    def told(self, index: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """What is stored of some records."""
        taken = self.take(index)
        yield from (taken.starts, taken.nodes, taken.neighbours, taken.edges)


@dataclass(frozen=True)
class ResidentGraphs(Resident):
    """Graphs on a device; see `GraphEncoded`."""

    layout: Layout
    starts: Tensor
    nodes: Tensor
    neighbours: Tensor
    edges: Tensor

    def batch(self, index: Tensor) -> Signal:
        """Lay out the records at an integer index, (batch,), as (batch, channels, nodes) with a mask."""
        import torch

        layout = self.layout
        first = self.starts[index]
        sizes = self.starts[index + 1] - first
        mask = torch.arange(layout.nodes, device=index.device) < sizes[:, None]  # (batch, nodes)
        record, node = torch.nonzero(mask, as_tuple=True)
        row = first[record] + node
        # (filled nodes, neighbours, 1 + numbers)
        edges = torch.cat([self.neighbours[row].float()[..., None], self.edges[row].float() / STEPS], dim=2)
        filled = torch.cat([self.nodes[row].float() / STEPS, edges.flatten(1)], dim=1)
        x = filled.new_zeros(len(index), layout.nodes, filled.shape[1])
        x[record, node] = filled
        return Signal(x.transpose(1, 2).contiguous(), mask)


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(np.clip(values, 0, 1) * STEPS).astype(np.uint8)
