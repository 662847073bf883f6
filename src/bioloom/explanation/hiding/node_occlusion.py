"""Occlusion of nodes: take what one residue or atom is away, leave its place, and see what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bioloom.explanation import Explainer, Explanation, Question, explainers
from bioloom.explanation.engine import ask_all, chunks, untouched
from bioloom.explanation.hiding.segments import backgrounds
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from torch import Tensor

_NODES_PER_BLOCK = 2**12


@explainers.register
class NodeOcclusion(Explainer):
    """Replace each node by the mean node and record how much of the output is lost.

    effect = f(x) - mean over backgrounds of f(x with the node taken from the background); a background of the same
    graph changes features and leaves edges, so that a residue becomes an average one at the same place. The effect of a
    node is shared among its features by how far each is from the background, so that they add up to it. Nodes
    outside the mask get 0. Cost: one evaluation for each node and different background. Not for bonds or contacts, which
    stay, nor where nodes can stand in for each other.
    Source: Zeiler & Fergus 2014, ECCV, https://doi.org/10.1007/978-3-319-10590-1_53, for nodes in place of patches.
    """

    name = "node_occlusion"
    title = "Occlusion (replace one residue or atom at a time by an average one)"
    accepts = frozenset({Kind.GRAPH})
    needs_background = True
    compared = True

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to the nodes of a graph; see `node_occlusion`."""
        return node_occlusion(question)


def node_occlusion(question: Question) -> Explanation:
    """Replace each node by the mean node and record how much of the output is lost.

    `NodeOcclusion` says how, at what cost, and by whom.
    """
    x, mask = question.batch[question.input]
    background = backgrounds(question)
    filled = torch.ones_like(x[:, 0], dtype=torch.bool) if mask is None else mask
    with untouched(question.network, question.seed, x.device):
        effect = _effects(question, x, background, filled)
    apart = (x[:, None] - background).abs().mean(dim=1)  # (records, channels, nodes)
    total = apart.sum(dim=1, keepdim=True)
    share = torch.where(total > 0, apart / total.clamp(min=1e-12), 1 / x.shape[1])
    question.progress(1.0)
    return Explanation(
        attribution=(share * (effect * filled)[:, None]).float().cpu().numpy(),
        method=NodeOcclusion.name,
        input=question.input,
        reference="the mean node of the training records at the same place",
        settings={"backgrounds": background.shape[1]},
    )


def _effects(question: Question, x: Tensor, background: Tensor, filled: Tensor) -> Tensor:
    """What hiding each node costs, (records, nodes)."""
    count = background.shape[1]
    records = torch.arange(len(x), device=x.device)
    plain = ask_all(question, len(x), lambda part: (x[part], records[part]))
    effect = torch.zeros_like(x[:, 0])
    who, node = torch.nonzero(filled, as_tuple=True)
    for block in chunks(len(who), _NODES_PER_BLOCK):
        own, place = who[block].repeat_interleave(count), node[block].repeat_interleave(count)
        which = torch.arange(count, device=x.device).repeat(len(who[block]))

        def hidden(
            part: slice, own: Tensor = own, place: Tensor = place, which: Tensor = which
        ) -> tuple[Tensor, Tensor]:
            variants = x[own[part]]
            row = torch.arange(len(variants), device=x.device)
            variants[row, :, place[part]] = background[own[part], which[part], :, place[part]]
            return variants, own[part]

        lost = plain[own] - ask_all(question, len(own), hidden)
        effect.index_put_((own, place), lost / count, accumulate=True)
        question.progress(block.stop / max(1, len(who)))
    return effect
