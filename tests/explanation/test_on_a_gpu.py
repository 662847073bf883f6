"""Slopes and maps are the same on a graphics card as on a processor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bioloom.explanation import Question, Scale, Target, explainers
from bioloom.explanation.engine import predicted
from bioloom.explanation.maps.references import Pool, ReferenceLibrary, Scan
from bioloom.modalities import Signal
from toy_networks import SIZES, Averaging, letters, signal

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")

NAMES = [
    "saliency", "input_x_gradient", "smoothgrad", "vargrad", "guided_ig", "expected_gradients", "integrated_gradients",
    "cam", "grad_cam", "hires_cam", "grad_cam_plus_plus", "layer_cam", "score_cam", "ablation_cam", "libra_cam",
]  # fmt: skip


def question(device: str, axes: int) -> Question:
    generator = torch.Generator().manual_seed(0)
    if axes == 1:
        x, other = letters(3, 12), letters(40, 12, seed=1)
        shown = signal(x, [12, 12, 12])
    else:
        x = torch.randn(3, 3, *SIZES[axes], generator=generator)
        other = torch.randn(40, 3, *SIZES[axes], generator=generator)
        shown = Signal(x)
    network = Averaging(axes, channels=x.shape[1]).to(device)
    pool = Pool(lambda rows: {"x": Signal(other[rows].to(device))}, torch.arange(40) % 3)
    return Question(
        network,
        {"x": Signal(shown.x.to(device), None if shown.mask is None else shown.mask.to(device))},
        "x",
        Target(torch.tensor([2, 0, 1]), Scale.RAW, against=torch.tensor([0, 1, 2])),
        background=x.flip(0)[:, None].to(device),
        library=ReferenceLibrary.build(network, pool, "x", Scan(rightly=False)),
    )


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_what_a_processor_says(name: str, axes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in (torch.backends.cuda.matmul, torch.backends.cudnn):
        monkeypatch.setattr(part, "allow_tf32", False)
    here, there = (explainers[name].explain(question(device, axes)).attribution for device in ("cpu", "cuda"))
    np.testing.assert_allclose(there, here, rtol=1e-3, atol=1e-4)


def test_the_predicted_class_may_be_asked_about() -> None:
    asked = question("cuda", 2)
    own = Target(predicted(asked), Scale.PROBABILITY, classes=True)
    assert explainers["hires_cam"].explain(replace(asked, output=own)).attribution.any()
