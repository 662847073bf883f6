"""Settings of methods: each method declares its own, they are checked, and they change what is explained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bioloom.errors import UserError
from bioloom.explanation import Question, explainers
from bioloom.explanation.settings import checked, refuse_layer, settings_of_methods
from bioloom.modalities import Signal
from toy_networks import Conv, letters, shuffles

USED = ["lrp", "grad_cam", "deep_shap"]


def question() -> Question:
    x = letters(3, 20)
    return Question(Conv(), {"x": Signal(x)}, "x", 0, shuffles(x, 3), effort=0.05)


def test_dotted_settings_become_those_of_each_method() -> None:
    found = settings_of_methods({"lrp.composite": "gamma", "lrp.gamma": 1, "grad_cam.relu": True}, USED)
    assert found["lrp"].composite == "gamma"
    assert found["lrp"].gamma == 1
    assert found["lrp"].epsilon == 1e-6
    assert found["grad_cam"].relu
    assert set(found) == {"lrp", "grad_cam"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"composite": "gamma"}, "does not say which method"),
        ({"lpr.composite": "gamma"}, 'Did you mean "lrp"'),
        ({"lrp.composit": "gamma"}, 'Did you mean "composite"'),
        ({"lrp.gamma": "much"}, "gamma"),
        ({"lime.samples": 100}, "not used here"),
    ],
)
def test_what_no_method_would_read_is_refused(asked: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        settings_of_methods(asked, USED)


def test_a_layer_is_refused_where_nothing_looks_at_one() -> None:
    refuse_layer("convolution", USED)
    refuse_layer("", ["lrp"])
    with pytest.raises(UserError, match="looks at the maps of a layer"):
        refuse_layer("convolution", ["lrp"])


@pytest.mark.parametrize("name", list(explainers))
def test_every_setting_is_described_and_has_a_usual_value(name: str) -> None:
    settings = explainers[name].Settings
    assert settings()
    assert all(field.description for field in settings.model_fields.values())


CHANGES = {
    "lrp": {"composite": "epsilon"},
    "contrastive_lrp": {"rectify": False},
    "saliency": {"absolute": True},
    "smoothgrad": {"rate": 0.5},
    "vargrad": {"samples": 7},
    "integrated_gradients": {"steps": 2, "most_steps": 2},
    "guided_ig": {"steps": 10, "apart": 1.0},
    "expected_gradients": {"samples": 30},
    "occlusion": {"window": 2},
    "mutagenesis": {"centred": False},
    "lime": {"window": 2},
    "kernel_shap": {"window": 2},
    "permutation_shap": {"window": 2},
    "rise": {"cell": 2},
    "grad_cam": {"relu": True},
    "hires_cam": {"relu": True},
    "layer_cam": {"normalised": True},
    "grad_cam_plus_plus": {"normalised": True},
    "score_cam": {"normalised": True},
    "ablation_cam": {"divided": "none"},
    "meaningful_perturbation": {"area": 0.1},
    "extremal_perturbation": {"areas": (0.3,)},
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_setting_changes_the_map_and_none_leaves_it(name: str) -> None:
    explainer, asked = explainers[name], question()
    usual = explainer.explain(asked).attribution
    told = explainer.explain(replace(asked, settings=checked(explainer, {}))).attribution
    other = explainer.explain(replace(asked, settings=checked(explainer, CHANGES[name]))).attribution
    assert np.array_equal(usual, told)
    assert not np.allclose(usual, other, atol=1e-6)


def test_settings_of_another_method_are_not_read() -> None:
    other = checked(explainers["grad_cam"], {"relu": True})
    found = explainers["lrp"].explain(replace(question(), settings=other))
    assert found.settings["composite"] == "epsilon_plus"


def test_what_shows_where_maps_hide_letters_may_be_a_background() -> None:
    explainer = explainers["score_cam"]
    blended = checked(explainer, {"blended": True})
    assert explainer.compares(blended)
    assert not explainer.compares(None)
    found = explainer.explain(replace(question(), settings=blended))
    assert found.reference == "the first background of each record"
    assert torch.isfinite(torch.from_numpy(found.attribution)).all()
