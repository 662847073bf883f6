"""What the filters of a network's first layer look for, and what the answers lose without each of them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bioloom.data.wording import counted
from bioloom.errors import UserError
from bioloom.events import Listener
from bioloom.inquiry.discovered import Discovered, sequences_of, told
from bioloom.inquiry.model import SequenceModel
from bioloom.modalities import Signal
from bioloom.models import Network, apply
from bioloom.models.ensemble import members_of
from bioloom.motifs.filters import filter_motifs

MOST = 20
"""Filters that are told: those without which the answers change most."""


TOGETHER = 256
"""Sequences that are asked about at once."""


@dataclass(frozen=True)
class Filters:
    """What is looked at.

    run:      the folder of a run whose network begins with a convolution over nucleotides
    file:     sequences; test records of the run if left out
    records:  how many are taken
    output:   number of the target or class
    database: motifs that those of the filters are compared with; none if left out
    member:   which of several networks, from 0
    """

    run: Path
    file: str = ""
    records: int = 500
    output: int = 0
    database: str = ""
    member: int = 0


def filters(wanted: Filters, listener: Listener) -> Discovered:
    """The motifs of the filters that matter most, those whose loss changes the answers most first.

    The effect of a filter is the mean of answer - answer without it, over the sequences with a site of it; without it means
    that it says at every place what it says on average. Target in its unit, or log-odds of a class.
    Raises UserError for a network that begins with no convolution, and for anything but nucleotides.
    """
    asked = SequenceModel(wanted.run)
    texts, ids = sequences_of(asked, wanted.file, wanted.records, listener)
    network, path = _first(asked, wanted.member)
    encoded = asked.model.modalities[asked.name].encode(asked.model.frames({asked.column: texts})[asked.name])
    signal = encoded.on("cpu").batch(asked.model.index(len(texts)))
    layer = network.get_submodule(path)
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    weights = layer.weight.detach().reshape(len(layer.weight), len(asked.letters), -1)
    listener.stage("filters", f"Silencing each of {len(weights)} filters in {len(texts):,} sequences")
    motifs = filter_motifs(signal.x.numpy(), weights.numpy())
    whole, found = _answer(asked, network, signal), []
    for done, (number, each) in enumerate(motifs.items()):
        loss = whole - _answer(asked, _without(network, path, number, signal), signal)
        found.append(replace(each, effect=float(loss[each.sites["record"].unique()].mean())))
        listener.progress((done + 1) / len(motifs))
    found.sort(key=lambda each: -abs(each.effect))
    listener.message(
        f"{len(found)} of {counted(len(weights), 'filter')} answer to words that stand in these sequences; "
        f"the {min(MOST, len(found))} that matter most are told"
    )
    return told(found[:MOST], ids, len(texts), wanted.database, kind="weights")


def _first(asked: SequenceModel, member: int) -> tuple[Network, str]:
    """One network, and the name of its first layer where that is a convolution over letters."""
    members = members_of(asked.model.network)
    if not 0 <= member < len(members):
        raise UserError(
            f"The model has {counted(len(members), 'network')}.", where="--member", fix="count from 1"
        )
    network = members[member]
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            if (
                not isinstance(module, nn.Linear)
                and module.in_channels == len(asked.letters)
                and module.groups == 1
            ):
                return network, name
            break
    raise UserError(
        f'The network "{network.name}" does not begin with a convolution over letters.',
        where=str(asked.run.folder),
        fix="find motifs in what its letters contribute: bioloom motifs discover",
    )


def _without(network: Network, path: str, number: int, signal: Signal) -> Network:
    """The network with one filter that says at every place what it says on average."""
    changed = deepcopy(network)
    layer = changed.get_submodule(path)
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    with torch.no_grad():
        x = signal.x if isinstance(layer, nn.Conv1d) else signal.x.unsqueeze(2)
        usual = layer(x)[:, number].mean()
        layer.weight[number] = 0
        if layer.bias is not None:
            layer.bias[number] = usual
    return changed


def _answer(asked: SequenceModel, network: Network, signal: Signal) -> NDArray[np.float64]:
    """What one network says of all sequences, (records,)."""
    found: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(signal.x), TOGETHER):
            rows = slice(start, start + TOGETHER)
            mask = None if signal.mask is None else signal.mask[rows]
            raw = apply(network, {asked.name: Signal(signal.x[rows], mask)})
            found.append(asked.smooth(raw))
    return torch.cat(found).double().numpy()
