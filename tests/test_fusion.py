import pytest
import torch

from bioloom.errors import UserError
from bioloom.modalities import Signal
from bioloom.models import build, check_settings, networks
from bioloom.models.layers import parse_shape
from bioloom.training.loop import fit
from simulated import STEADY, job, regression

SHAPES = {"sequence": parse_shape("16x4"), "table": parse_shape("3")}


def test_each_input_is_read_by_the_usual_network_of_its_kind() -> None:
    network = build("fusion", SHAPES, 1, {})
    assert [encoder.name for encoder in network.encoders] == ["residual", "mlp"]
    chosen = build("fusion", SHAPES, 1, {"encoders": {"sequence": "cnn"}})
    assert [encoder.name for encoder in chosen.encoders] == ["cnn", "mlp"]


def test_an_encoder_for_an_unknown_input_is_refused() -> None:
    with pytest.raises(UserError, match="no input called utr"):
        build("fusion", SHAPES, 1, {"encoders": {"utr": "cnn"}})


def test_every_input_counts() -> None:
    network = build("fusion", SHAPES, 1, {}).eval()
    batch = {"sequence": Signal(torch.rand(3, 4, 16)), "table": Signal(torch.rand(3, 3))}
    for name, signal in batch.items():
        other = {**batch, name: Signal(torch.rand_like(signal.x))}
        assert not torch.allclose(network(batch), network(other))


def test_two_inputs_explain_more_than_one() -> None:
    plan = STEADY.__class__(**{**STEADY.__dict__, "epochs": 8, "patience": 8})
    inputs, _ = regression(0)
    losses = {
        name: fit(job("fusion", inputs=chosen, plan=plan)).best.validation_loss
        for name, chosen in (("both", inputs), ("sequence", {"sequence": inputs["sequence"]}))
    }
    assert losses["both"] < 0.4 < losses["sequence"]


def test_all_settings_of_the_encoders_are_written_out() -> None:
    asked = check_settings(networks["fusion"], {"encoder_settings": {"table": {"dropout": 0.3}}})
    complete = networks["fusion"].complete(asked, SHAPES).model_dump()
    assert complete["encoders"] == {"sequence": "residual", "table": "mlp"}
    usual = check_settings(networks["residual"], {}).model_dump()
    assert complete["encoder_settings"]["sequence"] == usual
    assert complete["encoder_settings"]["table"]["dropout"] == 0.3
    built = build("fusion", SHAPES, 1, complete)
    assert [encoder.name for encoder in built.encoders] == ["residual", "mlp"]


def test_settings_that_follow_from_the_size_of_a_picture_are_written_out() -> None:
    shapes = {"picture": parse_shape("28x28x1"), "table": parse_shape("3")}
    complete = networks["fusion"].complete(networks["fusion"].Settings(), shapes)
    assert complete.encoders == {"picture": "resnet", "table": "mlp"}
    assert complete.encoder_settings["picture"]["stem"] == "pooled"
