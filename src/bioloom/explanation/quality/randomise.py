"""Whether a map depends on what the network has learned: maps of networks whose weights were drawn anew.

A map that stays as it is when the weights are random shows the record, and not what the network learned of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from bioloom.explanation.quality.masking import by_part
from bioloom.explanation.quality.measures import agreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.explanation import Explainer, Question
    from bioloom.explanation.quality.masking import Ground
    from bioloom.models import Network

    Floats = NDArray[np.float64]

STAGES = 4
"""Networks of a cascade: the last layers are drawn anew first, all of them in the last stage."""

BINS = 32
"""Of the histogram whose entropy is measured."""


@dataclass(frozen=True)
class Randomised:
    """What becomes of a map when weights are drawn anew.

    layers:   names of the layers that are random from each stage on, the last ones of the network first
    alike:    (stages,) Spearman's correlation with the map of the trained network, signs included; near 1 is bad
    entropy:  relative rise of the entropy of the map when all weights are random; above 0 is good
    """

    layers: tuple[str, ...]
    alike: tuple[float, ...]
    entropy: float


def randomised(
    explainer: type[Explainer], question: Question, ground: Ground, *, stages: int = STAGES
) -> Randomised:
    """Explain again with more and more layers drawn anew, from the last to the first.

    Sources: cascading randomisation, Adebayo et al. 2018, NeurIPS, arXiv:1810.03292; the entropy of the map before and
    after full randomisation (eMPRT), Hedström, Weber, Lapuschkin & Höhne 2024, arXiv:2401.06465.
    Cost: one explanation for each stage.
    """
    x = ground.x.cpu().numpy()

    def explained(asked: Question) -> Floats:
        return by_part(explainer.explain(asked).attribution, x, ground.letters)

    own = explained(question)
    names, alike, last = [], [], own
    for name, network in cascade(question.network, question.seed, stages):
        last = explained(replace(question, network=network))
        names.append(name)
        alike.append(agreement(own, last, ground.filled))
    before, after = entropy(own, ground.filled), entropy(last, ground.filled)
    rise = (after - before) / before if before > 0 else float("nan")
    return Randomised(tuple(names), tuple(alike), rise)


def cascade(network: Network, seed: int, stages: int) -> Iterator[tuple[str, Network]]:
    """Copies of a network whose last layers are drawn anew, more from stage to stage, and all in the last one."""
    layers = [name for name, module in network.named_modules() if _has_weights(module)]
    backwards = list(reversed(layers))
    for size in _sizes(len(backwards), stages):
        copy = deepcopy(network)
        with torch.random.fork_rng([]), torch.no_grad():
            torch.default_generator.manual_seed(seed + 1)
            for name in backwards[:size]:
                draw_anew(copy.get_submodule(name))
        yield backwards[size - 1], copy


def _sizes(layers: int, stages: int) -> Sequence[int]:
    return (
        sorted({max(1, round(layers * stage / stages)) for stage in range(1, stages + 1)}) if layers else []
    )


def _has_weights(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))


def draw_anew(module: nn.Module) -> None:
    """Give a layer random weights of the size that it has: its own way to begin, or the same numbers in another order."""
    begin = getattr(module, "reset_parameters", None)
    own = [weight for weight in module.parameters(recurse=False)]
    if begin is not None:
        begin()
        return
    for weight in own:
        flat = weight.reshape(-1)
        weight.copy_(flat[torch.randperm(len(flat))].view_as(weight))


def entropy(values: Floats, filled: NDArray[np.bool_]) -> float:
    """Mean over records of the entropy of the histogram of a map, in nats."""
    found = []
    for each, there in zip(np.abs(values), filled, strict=True):
        counts, _ = np.histogram(each[there], bins=BINS)
        share = counts[counts > 0] / counts.sum()
        found.append(float(-(share * np.log(share)).sum()))
    return float(np.mean(found)) if found else float("nan")
