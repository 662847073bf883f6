import pytest
import torch

from bioloom.models import build
from bioloom.models.layers import layer_table, parse_shape

LONG = {"sequence": parse_shape("101x4")}


def test_each_position_sees_21_positions_and_no_further() -> None:
    network = build("residual", LONG, 1, {}).eval()
    x = torch.rand(1, 4, 101, requires_grad=True)
    network(x)
    network.features[0, :, 50].square().sum().backward()
    assert x.grad is not None
    seen = x.grad[0].abs().sum(dim=0).nonzero().flatten()
    assert (int(seen.min()), int(seen.max())) == (50 - 10, 50 + 10)


def test_padding_on_the_right_leaves_the_maps_of_the_filled_positions_alone() -> None:
    short, long = ({"sequence": parse_shape(f"{length}x4")} for length in (30, 50))
    small, large = build("residual", short, 1, {}).eval(), build("residual", long, 1, {}).eval()
    weights = small.state_dict()
    for name, each in large.state_dict().items():
        part = weights[name] if each.shape == weights[name].shape else None
        each.copy_(part) if part is not None else each[..., :30].copy_(weights[name])
    x = torch.rand(2, 4, 30)
    padded = torch.cat([x, torch.rand(2, 4, 20)], dim=2)
    mask = torch.arange(50).expand(2, -1) < 30
    torch.testing.assert_close(large(padded, mask), small(x))


def test_it_can_tell_where_a_letter_stands() -> None:
    network = build("residual", LONG, 1, {}).eval()
    early, late = torch.zeros(1, 4, 101), torch.zeros(1, 4, 101)
    early[0, 0, 20] = late[0, 0, 80] = 1.0
    assert not torch.allclose(network(early), network(late), atol=1e-6)


def test_training_in_bfloat16_computes_nearly_the_same() -> None:
    network = build("residual", LONG, 1, {}).eval()
    x = torch.rand(4, 4, 101)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(x)
        assert network.features.dtype == torch.bfloat16, "nothing on the way falls back to float32"
    torch.testing.assert_close(rough.float(), network(x), atol=0.05, rtol=0.05)


@pytest.mark.parametrize(("blocks", "width"), [(1, 8), (5, 32)])
def test_it_is_as_deep_and_wide_as_asked(blocks: int, width: int) -> None:
    table = layer_table(build("residual", LONG, 1, {"blocks": blocks, "width": width}), LONG)
    looks = [layer for layer in table.layers if layer.name.endswith("look")]
    assert [layer.shape for layer in looks] == [(101, width)] * blocks
