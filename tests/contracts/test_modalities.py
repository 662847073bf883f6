"""What every registered modality must keep; a new one is tested the moment it exists."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from bioloom.data.records import take_rows
from bioloom.explanation import explainers
from bioloom.modalities import Demo, Kind, Modality, Signal, modalities
from bioloom.models import networks
from bioloom.tasks import TASKS

N = 40


@pytest.fixture(params=sorted(modalities), scope="module")
def modality(request) -> type[Modality]:
    return modalities[request.param]


@pytest.fixture(scope="module")
def demo(modality) -> Demo:
    return modality.demo(N, seed=3)


@pytest.fixture(scope="module")
def values(demo):
    return demo.records.inputs[demo.input]


@pytest.fixture(scope="module")
def fitted(modality, values) -> Modality:
    return modality.fit(values)


def all_of(fitted: Modality, values) -> Signal:
    return fitted.encode(values).on("cpu").batch(torch.arange(len(values)))


def filled(signal: Signal) -> torch.Tensor:
    if signal.mask is not None:
        return signal.mask
    places = signal.x.shape[2:] if signal.x.ndim == 4 else signal.x.shape[-1:]  # of a picture, its pixels
    return torch.ones(len(signal.x), *places, dtype=torch.bool)


def same(one: Signal, other: Signal) -> bool:
    return torch.equal(one.x, other.x) and torch.equal(filled(one), filled(other))


def one_row(values, row: int):
    return take_rows(values, np.array([row]))


# ---- what it says about itself -----------------------------------------------------------------------------


def test_it_names_parts_that_exist(modality):
    assert modality.title
    assert modality.columns in ("one", "many")
    assert modality.kind in networks[modality.default_network].accepts
    for name in modality.explainers:
        assert modality.kind in explainers[name].accepts


def test_looking_at_data_waits_neither_for_torch_nor_for_matplotlib():
    code = (
        "import sys, pandas as pd\n"
        "from bioloom.modalities import modalities\n"
        "for name in ('dna', 'protein', 'rna', 'table'):\n"
        "    demo = modalities[name].demo(10, 0)\n"
        "    values = demo.records.inputs[demo.input]\n"
        "    modalities[name].check(values), modalities[name].fit(values).encode(values)\n"
        "print({'torch', 'matplotlib', 'sklearn'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_it_recognises_its_own_demo(modality, values):
    for column in values.columns:
        sure = {name: modalities[name].detect(values[column]) for name in modalities}
        assert all(0 <= number <= 1 for number in sure.values())
        recognised = max(sure, key=lambda name: sure[name])
        assert recognised == modality.name or modality.on_request


# ---- learning and its state --------------------------------------------------------------------------------------


def test_state_survives_a_trip_through_json(modality, fitted, values):
    again = modality.from_state(json.loads(json.dumps(fitted.state(), allow_nan=False)))
    assert again == fitted
    assert hash(again) == hash(fitted)
    assert same(all_of(again, values), all_of(fitted, values))
    assert again.shape == fitted.shape


def test_state_stays_small(fitted):
    assert len(json.dumps(fitted.state())) < 20_000


def test_learning_changes_nothing_in_the_values(modality, values):
    before = values.copy(deep=True)
    fitted = modality.fit(values)
    fitted.encode(values)
    fitted.features(values)
    assert values.equals(before)


# ---- encoding ----------------------------------------------------------------------------------------------------


def test_batches_have_the_shape_that_was_promised(fitted, values):
    encoded = fitted.encode(values)
    x, mask = all_of(fitted, values)
    assert len(encoded) == N
    assert encoded.shape == fitted.shape
    assert encoded.shape.kind is type(fitted).kind
    assert x.shape == (N, *fitted.shape.sizes)
    assert x.dtype == torch.float32
    assert torch.isfinite(x).all()
    if mask is not None:
        assert mask.shape == (N, fitted.shape.sizes[-1])
        assert mask.dtype == torch.bool
        assert ((x if x.ndim == 2 else x.sum(dim=1))[~mask] == 0).all()


def test_channels_name_the_first_axis(fitted):
    assert len(fitted.channels) == (fitted.shape.tokens or fitted.shape.sizes[0])
    assert len(set(fitted.channels)) == len(fitted.channels)


def test_a_record_never_depends_on_another(fitted, values):
    together = all_of(fitted, values)
    everything = filled(together)
    for row in range(0, N, 7):
        alone = all_of(fitted, one_row(values, row))
        assert torch.equal(alone.x[0], together.x[row])
        assert torch.equal(filled(alone)[0], everything[row])


def test_rows_are_encoded_whatever_their_labels(fitted, values):
    assert same(all_of(fitted, values.set_axis(range(100, 100 + N))), all_of(fitted, values))


def test_taking_records_is_the_same_before_and_after_encoding(fitted, values):
    index = np.array([5, 0, 5, 17])
    taken = fitted.encode(values).take(index)
    assert len(taken) == 4
    assert same(taken.on("cpu").batch(torch.arange(4)), all_of(fitted, take_rows(values, index)))
    assert same(
        fitted.encode(values).on("cpu").batch(torch.from_numpy(index)),
        all_of(fitted, take_rows(values, index)),
    )


def test_no_record_is_possible(fitted, values):
    nothing = take_rows(values, np.zeros(0, dtype=np.int64))
    assert len(fitted.encode(nothing)) == 0


# ---- problems ----------------------------------------------------------------------------------------------------


def test_clean_records_have_no_problem_that_drops_them(modality, fitted, values):
    for problem in (*modality.check(values), *fitted.notes(values)):
        assert problem.severity == "note"
        assert problem.message
        assert all(0 <= row < N for row in problem.rows)


def test_problems_point_at_rows_that_exist_and_say_what_to_do(modality, values):
    broken = values.astype(object)
    broken.iloc[3, 0] = None
    broken.iloc[5, 0] = "!?"
    for problem in modality.check(broken):
        assert problem.severity in ("note", "drop", "fatal")
        assert problem.rows.dtype == np.int64
        assert set(problem.rows.tolist()) <= {3, 5}
        assert problem.severity == "note" or problem.fix
        assert problem.code.count(".") == 1
        assert not problem.message.endswith(".")  # it is put into sentences


def test_notes_are_notes(fitted, values):
    assert all(problem.severity == "note" for problem in fitted.notes(values))


# ---- likeness and features ---------------------------------------------------------------------------------------


def test_copies_travel_together(modality, values):
    twice = take_rows(values, np.array([0, 1, 2, 0, 1, 2]))
    clusters = modality.clusters(twice)
    assert clusters.labels.shape == (6,)
    assert clusters.labels.dtype == np.int64
    assert (clusters.labels[:3] == clusters.labels[3:]).all()
    assert clusters.notion


def test_features_are_finite_and_named(fitted, values):
    features = fitted.features(values)
    assert features.values.shape == (N, len(features.names))
    assert features.values.dtype == np.float32
    assert np.isfinite(features.values).all()
    assert len(set(features.names)) == len(features.names)
    assert features.description


def test_features_of_a_record_never_depend_on_another(fitted, values):
    together = fitted.features(values)
    alone = fitted.features(one_row(values, 7))
    assert alone.names == together.names
    np.testing.assert_array_equal(alone.values[0], together.values[7])


# ---- explanation -------------------------------------------------------------------------------------------------


def test_parts_are_the_filled_places_of_the_last_axis(fitted, values):
    everything = filled(all_of(fitted, values))
    for row in range(0, N, 11):
        parts = fitted.parts(one_row(values, row))
        places = torch.zeros_like(everything[row])
        for part in parts:
            places[part.index[-places.ndim :]] = True
        assert torch.equal(places, everything[row])
        assert len({part.label for part in parts}) == len(parts)


def test_backgrounds_have_the_shape_of_their_records_and_keep_padding_empty(fitted, values):
    signal = all_of(fitted, values)
    background = fitted.background(signal, seed=0, count=3)
    assert background.shape == (N, 3, *fitted.shape.sizes)
    assert background.dtype == torch.float32
    assert torch.isfinite(background).all()
    if signal.mask is not None:
        mask = signal.mask[:, None] if background.ndim == 3 else signal.mask[:, None, None]
        empty = ~mask.expand_as(background)
        assert (background[empty] == 0).all()


def test_backgrounds_follow_the_seed_and_the_record_only(fitted, values):
    signal = all_of(fitted, values)
    assert torch.equal(fitted.background(signal, 7, 2), fitted.background(signal, 7, 2))
    some = Signal(signal.x[5:9], None if signal.mask is None else signal.mask[5:9])
    assert torch.equal(fitted.background(some, 7, 2), fitted.background(signal, 7, 2)[5:9])


def test_a_record_can_be_drawn(fitted, values):
    one = one_row(values, 0)
    attribution = np.random.default_rng(0).normal(size=fitted.shape.sizes).astype(np.float32)
    figure = fitted.draw(one, attribution, "Change of yield")
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    assert "Change of yield" in [text for ax in figure.axes for text in (ax.get_xlabel(), ax.get_ylabel())]


def test_nothing_at_all_can_be_drawn(fitted, values):
    fitted.draw(
        one_row(values, 0), np.zeros(fitted.shape.sizes, dtype=np.float32), ""
    ).draw_without_rendering()


# ---- the demo ----------------------------------------------------------------------------------------------------


def test_the_demo_has_labels_for_its_task_and_planted_parts(demo, fitted):
    assert len(demo.records) == N
    assert demo.task in TASKS
    assert len(set(demo.records.ids)) == N
    places = fitted.shape.sizes[1:] if fitted.kind is Kind.IMAGE else fitted.shape.sizes[-1:]
    assert demo.parts.shape == (N, *places)
    assert demo.parts.dtype == np.bool_
    assert demo.parts.any()
    assert demo.records.targets.iloc[:, 0].nunique() > 1


def test_planted_parts_lie_inside_their_records(demo, fitted, values):
    assert not (torch.from_numpy(demo.parts) & ~filled(all_of(fitted, values))).any()


def test_the_demo_is_the_same_for_the_same_seed(modality, demo):
    again, other = modality.demo(N, seed=3), modality.demo(N, seed=4)
    assert again.records.inputs[demo.input].equals(demo.records.inputs[demo.input])
    assert again.records.targets.equals(demo.records.targets)
    assert not other.records.inputs[demo.input].equals(demo.records.inputs[demo.input])
