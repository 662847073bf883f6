"""What every network promises, checked for each one that is registered."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor

from bioloom.errors import UserError
from bioloom.modalities import Batch, Kind, Shape, Signal
from bioloom.modalities.graphs import Layout
from bioloom.models import Network, Shapes, apply, build, networks
from bioloom.models.candidates import Choice, Range
from bioloom.models.layers import layer_table, parse_shape, table_of
from bioloom.recipe import TrainingRecipe
from bioloom.tasks import TASKS

SHAPES = {
    Kind.SEQUENCE: Shape(Kind.SEQUENCE, (4, 24)),
    Kind.VECTOR: Shape(Kind.VECTOR, (7,)),
    Kind.IMAGE: Shape(Kind.IMAGE, (3, 16, 16)),
    Kind.TOKENS: Shape(Kind.TOKENS, (24,), 5),
    Kind.GRAPH: Layout(nodes=24, features=6, neighbours=3, numbers=2).shape,
}


SMALLER = {"esm2": {"layers": 2, "width": 40}}
"""Settings of networks that are too large as they are for so many tests."""


def buildable(name: str) -> list[Shapes]:
    """Inputs that a network accepts: one of each kind, and for a joining network two of those with an encoder."""
    kinds = [kind for kind in SHAPES if kind in networks[name].accepts]
    if networks[name].several:
        encoded = {kind for other in networks.values() for kind in other.default_for}
        return [{"first": SHAPES[a], "second": SHAPES[b]} for a in kinds for b in kinds if {a, b} <= encoded]
    return [{"input": SHAPES[kind]} for kind in kinds]


CASES = [
    pytest.param(name, shapes, id=f"{name}-{'+'.join(shape.kind for shape in shapes.values())}")
    for name in networks
    for shapes in buildable(name)
]
SMOOTH = [  # which token is the likeliest changes in jumps
    case for case in CASES if not TASKS[networks[case.values[0]].only_for or "regression"].written
]
ALONG = (Kind.SEQUENCE, Kind.TOKENS, Kind.GRAPH)  # kinds of several lengths
MASKED = [case for case in CASES if any(shape.kind in ALONG for shape in case.values[1].values())]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def fresh(name: str, shapes: Shapes, outputs: int = 2, seed: int = 0) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build(name, shapes, outputs, SMALLER.get(name, {}))


def batch_of(shapes: Shapes, records: int, seed: int = 1, lengths: list[int] | None = None) -> Batch:
    """Random signals; sequences are filled from the left up to their length."""
    random = torch.Generator().manual_seed(seed)

    def signal(shape: Shape) -> Signal:
        if shape.kind is Kind.TOKENS:
            x = torch.randint(1, shape.tokens, (records, *shape.sizes), generator=random).float()
        else:
            x = torch.rand((records, *shape.sizes), generator=random)
        if shape.kind is Kind.GRAPH:  # numbers of neighbours among the first nodes, 0 for none
            x[:, 6::3] = torch.randint(0, 10, x[:, 6::3].shape, generator=random).float()
        if lengths is None or shape.kind not in ALONG:
            return Signal(x)
        return Signal(x, torch.arange(shape.sizes[-1]) < torch.tensor(lengths)[:, None])

    return {name: signal(shape) for name, shape in shapes.items()}


def outputs_of(network: Network, batch: Batch) -> Tensor:
    with torch.inference_mode():
        return apply(network.eval(), batch)


def places_of(name: str, shapes: Shapes) -> tuple[int, ...]:
    """The places at which a network answers: all of its input where it answers everywhere."""
    if not networks[name].everywhere:
        return ()
    ((kind, sizes),) = ((shape.kind, shape.sizes) for shape in shapes.values())
    return sizes if kind is Kind.TOKENS else sizes[1:]


@pytest.mark.parametrize(
    ("name", "shapes"), SMOOTH
)  # others go on writing unless only their layers are asked for
def test_its_layers_are_the_same_whether_it_is_made_or_not(name: str, shapes: Shapes) -> None:
    before = torch.get_rng_state()
    settings = SMALLER.get(name, {})
    assert table_of(name, shapes, 2, settings) == layer_table(fresh(name, shapes), shapes)
    assert torch.equal(torch.get_rng_state(), before), "no random number is drawn"


@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_outputs_are_records_by_outputs(name: str, shapes: Shapes) -> None:
    for outputs, records in ((1, 5), (3, 1)):
        raw = outputs_of(fresh(name, shapes, outputs), batch_of(shapes, records))
        assert raw.shape == (records, outputs, *places_of(name, shapes))
        assert raw.dtype == torch.float32
        assert raw.isfinite().all()


@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_one_record_does_not_depend_on_another(name: str, shapes: Shapes) -> None:
    network, batch = fresh(name, shapes), batch_of(shapes, 6)
    alone = {key: Signal(x[2:3]) for key, (x, _) in batch.items()}
    torch.testing.assert_close(outputs_of(network, batch)[2:3], outputs_of(network, alone))


@pytest.mark.parametrize(("name", "shapes"), MASKED)
def test_what_stands_at_empty_positions_changes_nothing(name: str, shapes: Shapes) -> None:
    network = fresh(name, shapes)
    batch = batch_of(shapes, 3, lengths=[24, 9, 15])
    scribbled = {
        key: Signal(x if mask is None else _scribbled(x, mask), mask) for key, (x, mask) in batch.items()
    }
    assert torch.equal(outputs_of(network, batch), outputs_of(network, scribbled))


def _scribbled(x: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask[:, None], x, 7.0) if x.ndim == 3 else torch.where(mask, x, 2.0)


@pytest.mark.parametrize(("name", "shapes"), MASKED)
def test_a_mask_without_empty_positions_is_as_none(name: str, shapes: Shapes) -> None:
    network, batch = fresh(name, shapes), batch_of(shapes, 3)
    full = {
        key: Signal(x, torch.ones(3, 24, dtype=torch.bool) if shapes[key].kind in ALONG else None)
        for key, (x, _) in batch.items()
    }
    torch.testing.assert_close(outputs_of(network, batch), outputs_of(network, full))


@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_every_parameter_has_a_gradient(name: str, shapes: Shapes) -> None:
    network = fresh(name, shapes).eval()
    loss = apply(network, batch_of(shapes, 8)).square().sum()
    (loss if network.penalty is None else loss + network.penalty).backward()
    without = [key for key, weights in network.named_parameters() if weights.grad is None]
    assert without == []
    assert sum(weights.grad.abs().sum() for weights in network.parameters()) > 0  # type: ignore[union-attr, misc]


@pytest.mark.parametrize(("name", "shapes"), SMOOTH)
def test_a_small_step_downhill_lowers_the_loss(name: str, shapes: Shapes) -> None:
    network, batch = fresh(name, shapes, outputs=1).eval(), batch_of(shapes, 16)
    truth = torch.linspace(-1, 1, 16).reshape(16, 1, *[1] * len(places_of(name, shapes)))

    def loss() -> Tensor:
        error = (apply(network, batch) - truth).square().mean()
        return error if network.penalty is None else error + network.penalty

    before = loss()
    before.backward()
    with torch.no_grad():
        for weights in network.parameters():
            assert weights.grad is not None
            weights.sub_(1e-4 * weights.grad)
    assert loss() < before


@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_the_seed_decides_the_first_weights(name: str, shapes: Shapes) -> None:
    first, same, other = (fresh(name, shapes, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_weights_survive_a_safetensors_file(name: str, shapes: Shapes) -> None:
    network, batch = fresh(name, shapes, seed=1), batch_of(shapes, 4)
    stored = to_bytes(network.state_dict())
    restored = fresh(name, shapes, seed=2)
    restored.load_state_dict(from_bytes(stored))
    assert torch.equal(outputs_of(network, batch), outputs_of(restored, batch))


@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_maps_keep_positions_and_lead_to_the_output(name: str, shapes: Shapes) -> None:
    network = fresh(name, shapes, outputs=1).eval()
    raw = apply(network, batch_of(shapes, 2))
    maps = getattr(network, "features", None)
    if maps is None:
        return
    (shape,) = shapes.values()
    places = {Kind.IMAGE: shape.sizes[1:]}.get(shape.kind, shape.sizes[-1:])
    assert maps.ndim == 2 + len(places), "(records, channels, *places)"
    assert maps.shape[0] == 2
    (gradient,) = torch.autograd.grad(raw.sum(), maps)
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize(("name", "shapes"), CASES)
def test_the_layer_table_counts_every_parameter(name: str, shapes: Shapes) -> None:
    network = fresh(name, shapes).train()
    table = layer_table(network, shapes)
    assert table.parameters == sum(weights.numel() for weights in network.parameters())
    assert all(layer.parameters >= 0 for layer in table.layers)
    assert network.training, "the network is left as it was"
    if not network.only_for:  # a language model ends with one logit for each token
        assert table.layers[-1].shape == (*places_of(name, shapes), 2)


@pytest.mark.parametrize("name", list(networks))
def test_the_documented_number_of_parameters_is_true(name: str) -> None:
    text = " ".join((networks[name].__doc__ or "").split())
    found = re.search(
        r"([\d,]+) parameters for inputs? of ([\dx]+(?: and [\dx]+)*) and (\d+) outputs?", text
    ) or (re.search(r"([\d,]+) parameters for an input of ([\dx]+) and (\d+) outputs?", text))
    assert found, "the docstring says how many parameters there are for which input and outputs"
    count, inputs, outputs = found.groups()
    shapes = {f"input{number}": parse_shape(word) for number, word in enumerate(inputs.split(" and "))}
    with torch.device("meta"):  # shapes without numbers: some have a hundred million
        network = build(name, shapes, int(outputs), {})
    assert sum(weights.numel() for weights in network.parameters()) == int(count.replace(",", ""))


@pytest.mark.parametrize("name", list(networks))
def test_settings_are_described_and_closed(name: str) -> None:
    settings = networks[name].Settings
    assert all(field.description for field in settings.model_fields.values())
    with pytest.raises(ValidationError):
        settings(no_such_setting=1)  # type: ignore[call-arg]
    with pytest.raises(UserError, match="is no setting"):
        build(name, next(iter(buildable(name)), {"input": SHAPES[Kind.VECTOR]}), 1, {"no_such_setting": 1})


@pytest.mark.parametrize("name", list(networks))
def test_an_input_of_another_kind_is_refused(name: str) -> None:
    refused = [kind for kind in SHAPES if kind not in networks[name].accepts]
    for kind in refused:
        with pytest.raises(UserError, match="does not understand"):
            build(name, {"input": SHAPES[kind]}, 1, {})


def test_every_kind_has_at_most_one_usual_network() -> None:
    usual = [(network.everywhere, kind) for network in networks.values() for kind in network.default_for]
    assert len(usual) == len(set(usual)), "one for records, and one for answers at every place"


@pytest.mark.parametrize("name", [name for name in networks if not networks[name].several])
def test_two_inputs_need_a_network_that_joins(name: str) -> None:
    with pytest.raises(UserError, match="takes one input, and there are 2: a and b"):
        build(name, {"a": SHAPES[Kind.SEQUENCE], "b": SHAPES[Kind.VECTOR]}, 1, {})


def test_lengths_hold_for_a_batch_of_several_lengths() -> None:
    batch = batch_of({"input": SHAPES[Kind.SEQUENCE]}, 2, lengths=[3, 24])
    mask = batch["input"].mask
    assert mask is not None
    np.testing.assert_array_equal(mask.sum(dim=1).numpy(), [3, 24])


@pytest.mark.parametrize("name", list(networks))
def test_candidates_are_settings_that_the_network_and_the_recipe_know(name: str) -> None:
    first, *others = networks[name].candidates
    assert (first.name, dict(first.settings), dict(first.training), first.rate) == ("default", {}, {}, 1.0)
    names = [each.name for each in networks[name].candidates]
    assert len(set(names)) == len(names)
    for each in others:
        networks[name].Settings(**each.settings)
        TrainingRecipe(**each.training)
        assert each.rate > 0
        assert each.why, "when it may be the better choice"
        assert each.settings or each.training or each.rate != 1.0, "something differs from the default"


@pytest.mark.parametrize("name", list(networks))
def test_everything_that_a_space_holds_is_a_setting_of_the_network_or_the_recipe(name: str) -> None:
    for key, values in networks[name].space.items():
        section, _, setting = key.rpartition(".")
        ends = values.values if isinstance(values, Choice) else (values.low, values.high)
        for end in (int(end) if isinstance(values, Range) and values.step else end for end in ends):
            if section == "settings":
                networks[name].Settings(**{setting: end})
            elif section == "training":
                TrainingRecipe(**{setting: end})
            else:
                assert key == "rate"
                assert end > 0
