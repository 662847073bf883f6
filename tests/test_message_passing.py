"""Message passing on graphs: what it may not depend on, and that it learns what contacts decide."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from bioloom.modalities import Signal
from bioloom.modalities.graphs import Graph, GraphEncoded, Layout, nearest_neighbours
from bioloom.modalities.structure import Structure
from bioloom.modalities.structure_demo import hairpin, pdb_text, turned
from bioloom.models import build
from bioloom.models.message_passing import MessagePassing

LAYOUT = Layout(nodes=9, features=4, neighbours=3, numbers=2)


def random_graph(nodes: int, seed: int) -> Graph:
    random = np.random.default_rng(seed)
    pairs = np.array([(i, j) for i in range(nodes) for j in range(i + 1, nodes)], dtype=np.int32)
    distance = random.random(len(pairs)).astype(np.float32)
    neighbours, which = nearest_neighbours((pairs[:, 0], pairs[:, 1]), distance, nodes, LAYOUT.neighbours)
    edges = np.stack([distance, distance**2], axis=1)[which]
    return Graph(random.random((nodes, LAYOUT.features)).astype(np.float32), neighbours, edges)


def fresh() -> MessagePassing:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build("message_passing", {"input": LAYOUT.shape}, 2, {}).eval()


def answers(graphs: list[Graph]) -> torch.Tensor:
    signal = GraphEncoded.of(graphs, LAYOUT).on("cpu").batch(torch.arange(len(graphs)))
    with torch.inference_mode():
        return fresh()(*signal)


def shuffled(graph: Graph, order: np.ndarray) -> Graph:
    place = np.zeros(len(order) + 1, dtype=np.int32)
    place[order + 1] = np.arange(1, len(order) + 1)
    return Graph(graph.nodes[order], place[graph.neighbours[order]], graph.edges[order])


def test_the_order_of_nodes_does_not_matter() -> None:
    graph = random_graph(8, 1)
    order = np.random.default_rng(2).permutation(8)
    torch.testing.assert_close(answers([graph]), answers([shuffled(graph, order)]))


def test_a_graph_says_the_same_alone_and_beside_a_larger_one() -> None:
    small, large = random_graph(4, 1), random_graph(9, 2)
    torch.testing.assert_close(answers([small])[0], answers([large, small])[1])


def test_what_stands_in_empty_nodes_changes_nothing() -> None:
    x, mask = GraphEncoded.of([random_graph(5, 3)], LAYOUT).on("cpu").batch(torch.arange(1))
    scribbled = torch.where(mask[:, None], x, 3.0)
    assert torch.equal(fresh()(x, mask), fresh()(scribbled, mask))


def test_an_edge_and_a_neighbour_change_the_answer() -> None:
    x, mask = GraphEncoded.of([random_graph(6, 3)], LAYOUT).on("cpu").batch(torch.arange(1))
    plain = fresh()(x, mask)
    for channel in (LAYOUT.features, LAYOUT.features + 1, 0):
        other = x.clone()
        other[0, channel, 2] = 1.0 if channel != LAYOUT.features else 0.0
        assert not torch.equal(fresh()(other, mask), plain)


def test_it_is_what_its_formula_says() -> None:
    """One round by loops over nodes and neighbours."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = build("message_passing", {"input": LAYOUT.shape}, 1, {"rounds": 1, "width": 4}).eval()
    graph = random_graph(5, 4)
    signal = GraphEncoded.of([graph], LAYOUT).on("cpu").batch(torch.arange(1))
    with torch.inference_mode():
        network(*signal)
        x = signal.x[0, :, :5].T
        nodes = network.first(x[:, :4])
        exchange, told = network.rounds[0], x[:, 4:].reshape(5, 3, 3)
        y = exchange.norm(nodes)
        expected = []
        for node in range(5):
            total = torch.zeros(4)
            for number, *edge in told[node]:
                if number > 0:
                    bells = [torch.exp(-24.5 * (value - torch.linspace(0, 1, 8)) ** 2) for value in edge]
                    total += exchange.other(y[int(number) - 1]) * exchange.edge(torch.cat(bells))
            heard = exchange.activation(exchange.own(y[node]) * total / 3**0.5)
            expected.append(nodes[node] + exchange.mix(heard))
    torch.testing.assert_close(network.features[0].T, torch.stack(expected), rtol=1e-4, atol=1e-5)


LETTERS = "ACDEFGHIKLMNPQRSTVWYKE"


def of(places: np.ndarray) -> pd.DataFrame:
    from bioloom.data.stores import as_text

    text = as_text(pdb_text(LETTERS, places).encode())
    return pd.DataFrame({"structure": pd.Series([text], dtype=object)})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_turning_and_moving_a_structure_changes_no_output(seed: int) -> None:
    places = hairpin(10) + np.random.default_rng(0).normal(0, 0.3, size=(22, 4, 3))
    modality = Structure.fit(of(places))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("message_passing", {"input": modality.shape}, 3, {}).eval()

    def said(where: np.ndarray) -> torch.Tensor:
        with torch.inference_mode():
            return network(*modality.encode(of(where)).on("cpu").batch(torch.arange(1)))

    moved = turned(places, np.random.default_rng(seed))
    torch.testing.assert_close(said(places), said(moved), atol=2e-3, rtol=0)  # files hold 0.001 Å
    quarter = places @ np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).T + 10.0
    torch.testing.assert_close(said(places), said(quarter), atol=2e-3, rtol=0)
    mirrored = places * np.array([1.0, 1.0, -1.0])
    assert said(mirrored).shape == (1, 3)


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_it_learns_salt_bridges_from_a_few_structures() -> None:
    records = Structure.demo(232, 0).records
    values, truth = (
        records.inputs["structure"],
        torch.tensor(records.targets["stability"].to_numpy(), dtype=torch.float32),
    )
    truth = (truth - truth.mean()) / truth.std()
    modality = Structure.fit(values)
    resident = modality.encode(values).on("cpu")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("message_passing", {"input": modality.shape}, 1, {"rounds": 2})
        optimiser = torch.optim.AdamW(network.parameters(), lr=6e-3)
        for _ in range(20):
            for part in torch.randperm(200).split(16):
                loss = (network(*resident.batch(part))[:, 0] - truth[part]).square().mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
    with torch.inference_mode():
        said = network.eval()(*resident.batch(torch.arange(200, 232)))[:, 0]
    assert np.corrcoef(said.numpy(), truth[200:].numpy())[0, 1] > 0.8


def test_signals_without_a_mask_are_full() -> None:
    x, mask = GraphEncoded.of([random_graph(9, 5)], LAYOUT).on("cpu").batch(torch.arange(1))
    assert mask.all()
    assert torch.equal(fresh()(x), fresh()(*Signal(x, mask)))
