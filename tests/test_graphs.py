"""Graphs as inputs: neighbours, storage, batches."""

from __future__ import annotations

import numpy as np
import torch

from bioloom.modalities import Kind
from bioloom.modalities.graphs import STEPS, Graph, GraphEncoded, Layout, nearest_neighbours

LAYOUT = Layout(nodes=6, features=2, neighbours=2, numbers=1)


def line(nodes: int, seed: int = 0) -> Graph:
    """Nodes in a row, each with the one before and the one after it."""
    random = np.random.default_rng(seed)
    neighbours = np.array(
        [[node, node + 2 if node + 1 < nodes else 0] for node in range(nodes)], dtype=np.int32
    )
    edges = (neighbours > 0)[..., None] * random.random((nodes, 2, 1))
    return Graph(random.random((nodes, 2)).astype(np.float32), neighbours, edges.astype(np.float32))


def test_neighbours_are_the_nearest_ones_in_order() -> None:
    random = np.random.default_rng(1)
    pairs = np.array(
        [(i, j) for i in range(7) for j in range(i + 1, 7) if random.random() < 0.6], dtype=np.int32
    )
    distance = random.random(len(pairs)).astype(np.float32)
    neighbours, which = nearest_neighbours((pairs[:, 0], pairs[:, 1]), distance, 7, 3)
    for node in range(7):
        mine = [row for row in range(len(pairs)) if node in pairs[row]]
        mine = sorted(mine, key=lambda row: distance[row])[:3]
        others = [int(pairs[row].sum()) - node + 1 for row in mine]
        assert neighbours[node].tolist() == others + [0] * (3 - len(others))
        assert which[node].tolist() == mine + [-1] * (3 - len(mine))


def test_a_batch_holds_what_was_stored() -> None:
    graphs = [line(3), line(6, 1), line(1, 2)]
    x, mask = GraphEncoded.of(graphs, LAYOUT).on("cpu").batch(torch.tensor([2, 0, 1]))
    assert x.shape == (3, 2 + 2 * 2, 6)
    assert mask.sum(dim=1).tolist() == [1, 3, 6]
    for row, graph in zip((0, 1, 2), (graphs[2], graphs[0], graphs[1]), strict=True):
        count = len(graph)
        np.testing.assert_allclose(x[row, :2, :count].T, graph.nodes, atol=0.5 / STEPS + 1e-6)
        np.testing.assert_array_equal(x[row, 2::2, :count].T, graph.neighbours)
        np.testing.assert_allclose(x[row, 3::2, :count].T, graph.edges[..., 0], atol=0.5 / STEPS + 1e-6)
        assert not x[row, :, count:].any()


def test_taking_records_copies_their_nodes() -> None:
    encoded = GraphEncoded.of([line(3), line(6, 1), line(1, 2)], LAYOUT)
    taken = encoded.take(np.array([1, 1, 0]))
    assert taken.starts.tolist() == [0, 6, 12, 15]
    index = torch.arange(3)
    expected = encoded.on("cpu").batch(torch.tensor([1, 1, 0]))
    assert torch.equal(taken.on("cpu").batch(index).x, expected.x)


def test_a_part_of_a_graph_keeps_the_edges_within_it() -> None:
    kept = line(5).kept(np.array([1, 2, 4]))
    assert kept.neighbours.tolist() == [[0, 2], [1, 0], [0, 0]]


def test_a_shape_knows_its_layout() -> None:
    assert LAYOUT.shape.kind is Kind.GRAPH
    assert Layout.of(LAYOUT.shape) == LAYOUT
    channels = LAYOUT.channels(("size", "charge"), ("bond",))
    assert channels == ("size", "charge", "neighbour 1", "bond 1", "neighbour 2", "bond 2")
