"""DeepLIFT and DeepSHAP: share out how far the answer differs from that for a reference, operation by operation."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import torch

from bioloom.errors import UserError
from bioloom.explanation import Explainer, Explanation, Question, explainers
from bioloom.explanation.backgrounds import backgrounds_of, counted
from bioloom.explanation.engine import (
    ask,
    chunks,
    in_chunks,
    on_letters,
    rows_per_chunk,
    spells_letters,
    untouched,
)
from bioloom.explanation.gradients.saliency import SLOPED
from bioloom.explanation.rules import Rescale, flows, following
from bioloom.modalities import Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


SHUFFLES = MappingProxyType({Kind.SEQUENCE: 20})
"""Backgrounds that are compared with; of other kinds of input there are a few that differ."""

_NUMBERS_AT_ONCE = 2**19
"""Numbers that the widest layer holds of all backgrounds that are read at once: more fall out of the cache."""

MOST_AT_ONCE = 4096
"""Backgrounds of all records that are read at once."""


@explainers.register
class DeepLift(Explainer):
    """Share out f(x) - f(r), where r is the mean of the record's backgrounds.

    Each operation passes on the difference of its output as a multiple of that of its input (the rescale rule; see
    `bioloom.explanation.rules.rescale` for products, pools, softmax and norms), so that the attributions add up to
    f(x) - f(r) up to rounding; `delta` is what is missing.

    Cost: two evaluations and one gradient. Not where a mean of records means nothing: of sequences it is half one letter
    and half another at each position, which no sequence is; `deep_shap` compares with whole sequences instead.
    Source: Shrikumar, Greenside & Kundaje 2017, ICML, arXiv:1704.02685.
    """

    name = "deep_lift"
    title = "DeepLIFT (share out the difference from an average record)"
    accepts = SLOPED
    needs_background = True
    refuses = True

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to the parts of an input; see `deep_lift`."""
        return deep_lift(question)


@explainers.register
class DeepShap(Explainer):
    """Share out f(x) - mean f(r) over the backgrounds r of a record, each by the rules of DeepLIFT.

    The attributions add up to that difference up to rounding; `delta` is what is missing. Backgrounds of DNA are shuffles
    that keep dinucleotides, 20 of each record. A record is read once, and then only its backgrounds: multipliers between
    two inputs are the same in both directions.

    Letters: the numbers of a position are added up and put on the letter that stands there. With `hypothetical` each
    letter gets what it would contribute if it stood there, sum over b of m[b, position] (e_a - r)[b, position], averaged
    over backgrounds: the form that motif discovery asks for. `delta` is then None.

    Cost: one evaluation, and one with its gradient for each background. Not for two parts that can stand in for each
    other by other than addition: a rescaled step shares its output by the size of its inputs, and interactions inside a
    layer are seen only along the way from one background to the record.
    Sources: Lundberg & Lee 2017, NeurIPS, arXiv:1705.07874; hypothetical contributions, Shrikumar et al. 2018,
    arXiv:1811.00416.
    """

    name = "deep_shap"
    title = "DeepSHAP (share out the difference from several backgrounds)"
    accepts = SLOPED
    needs_background = True
    backgrounds = SHUFFLES
    refuses = True
    compared = True

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to the parts of an input; see `deep_shap`."""
        return deep_shap(question)


@explainers.register
class HypotheticalDeepShap(Explainer):
    """What each letter would contribute if it stood there: DeepSHAP of every letter at every position.

    h[a, position] = sum over b of m[b, position] (e_a - r)[b, position], m the multipliers and r the letters of a background,
    averaged over backgrounds: the form that motif discovery asks for. It promises no sum, so that there is no `delta`.

    Cost, and where not to use it: as `deep_shap`. Source: Shrikumar et al. 2018, arXiv:1811.00416.
    """

    name = "deep_shap_hypothetical"
    title = "DeepSHAP of all letters (what each would contribute if it stood there)"
    accepts = frozenset({Kind.SEQUENCE})
    needs_background = True
    backgrounds = SHUFFLES
    refuses = True

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to every letter at every position; see `deep_shap`."""
        return deep_shap(question, hypothetical=True)


def deep_lift(question: Question) -> Explanation:
    """Share out f(x) - f(r), where r is the mean of the record's backgrounds.

    `DeepLift` says how, at what cost, and by whom.

    Raises UserError where the question holds no background, or the network uses an operation without a rule.
    """
    x, background = backgrounds_of(question, "DeepLIFT")
    found = _compared(question, x, background.mean(dim=1, keepdim=True), False)
    return _explained(question, found, DeepLift.name, "the mean of each record's backgrounds", False)


def deep_shap(question: Question, *, hypothetical: bool = False) -> Explanation:
    """Share out f(x) - mean f(r) over the backgrounds r of a record, each by the rules of DeepLIFT.

    `DeepShap` says how, at what cost, and by whom.

    Raises UserError where the question holds no background, the network uses an operation without a rule, or hypothetical
    contributions are asked for of what is not made of letters.
    """
    x, background = backgrounds_of(question, "DeepSHAP")
    if hypothetical and not spells_letters(x):
        raise UserError(
            "Hypothetical contributions are those of letters, and this input is not made of letters.",
            where=f'input "{question.input}"',
            fix="use deep_shap",
        )
    found = _compared(question, x, background, hypothetical)
    method = HypotheticalDeepShap.name if hypothetical else DeepShap.name
    return _explained(question, found, method, counted(background), hypothetical)


def _compared(question: Question, x: Tensor, background: Tensor, hypothetical: bool) -> tuple[Tensor, Tensor]:
    """Contributions, (records, *shape), and f(x) - mean f(background), (records,)."""
    with untouched(question.network, question.seed, x.device), torch.inference_mode(False):

        def compared(part: slice) -> tuple[Tensor, Tensor]:
            records = torch.arange(part.start, part.stop, device=x.device)
            found = _with_references(question, records, background[part], hypothetical)
            question.progress(part.stop / len(x))
            return found

        parts = in_chunks(len(x), rows_per_chunk(x), compared)
    return torch.cat([each for each, _ in parts]), torch.cat([each for _, each in parts])


def _with_references(
    question: Question, records: Tensor, background: Tensor, hypothetical: bool
) -> tuple[Tensor, Tensor]:
    """The same for a few records. A record is read once, and its backgrounds a few at a time.

    background: (records, backgrounds, *shape). A network that counts the records of a batch is shown as many backgrounds as
    records: then its steps can be compared.
    """
    try:
        return _by_steps(question, records, background, hypothetical)
    except UserError:
        if background.shape[1] == 1:
            raise
        return _by_steps(question, records, background, hypothetical, most=1)


def _by_steps(
    question: Question, records: Tensor, background: Tensor, hypothetical: bool, most: int = MOST_AT_ONCE
) -> tuple[Tensor, Tensor]:
    """The same; most: backgrounds of each record that are read at once."""
    count, rules = background.shape[1], Rescale()
    x = question.batch[question.input].x[records].detach()
    with torch.enable_grad(), following(rules, question.network):
        at_x = ask(question, x.clone().requires_grad_(), records).detach()
    total, at_references = torch.zeros_like(x), torch.zeros_like(at_x)
    for part in chunks(count, min(most, _together(rules.widest, x))):
        several = part.stop - part.start
        reference = background[:, part].transpose(0, 1).flatten(0, 1)  # the first ones of all records first
        rules.rewind()
        multiplier, at_reference = flows(question, reference, records.repeat(several), rules)
        apart = (several, len(records), *x.shape[1:])
        multiplier, reference = multiplier.reshape(apart), reference.view(apart)
        found = _hypothetical(multiplier, reference) if hypothetical else multiplier * (x - reference)
        total += found.sum(dim=0) / count
        at_references += at_reference.view(several, len(records)).sum(dim=0) / count
    return total, at_x - at_references


def _together(widest: int, x: Tensor) -> int:
    """How many backgrounds of each record are read at once, so that what a layer holds of them fits the cache.

    widest: numbers of the widest layer for all records
    """
    larger = 1 if x.device.type == "cpu" else 16
    return max(1, larger * min(_NUMBERS_AT_ONCE // max(1, widest), MOST_AT_ONCE // len(x)))


def _hypothetical(multiplier: Tensor, reference: Tensor) -> Tensor:
    """What each letter would contribute if it stood there: sum over b of m_b (e_a - r)_b = m_a - sum over b of m_b r_b."""
    return multiplier - (multiplier * reference).sum(dim=-2, keepdim=True)


def _explained(
    question: Question, found: tuple[Tensor, Tensor], method: str, reference: str, hypothetical: bool
) -> Explanation:
    """The contributions as an explanation."""
    total, difference = found
    x, mask = question.batch[question.input]
    letters = spells_letters(x)
    if hypothetical:
        value = total if mask is None else total * mask[:, None]
    else:
        value = on_letters(total.sum(dim=1), x) if letters else total
    question.progress(1.0)
    return Explanation(
        attribution=value.float().cpu().numpy(),
        method=method,
        input=question.input,
        reference=reference,
        delta=None if hypothetical else _gap(total, difference),
        settings={"hypothetical": hypothetical},
        effect="Contribution to {} if this letter stood there" if hypothetical else "Contribution to {}",
    )


def _gap(total: Tensor, difference: Tensor) -> NDArray[np.float32]:
    """Sum of the contributions minus what they should add up to, (records,)."""
    gap: NDArray[np.float32] = (
        (total.double().flatten(1).sum(dim=1) - difference.double()).float().cpu().numpy()
    )
    return gap
