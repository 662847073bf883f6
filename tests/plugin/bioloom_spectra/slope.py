"""Slope: how steeply the output rises with each number of the input, times its distance from the reference."""

from __future__ import annotations

import torch

from bioloom.explanation import Explainer, Explanation, Question
from bioloom.modalities import Kind
from bioloom.models import apply


class Slope(Explainer):
    """Gradient times difference to the mean of the backgrounds: (x - b) * df/dx.

    Cost: one evaluation and its gradient for each record. Not for networks that bend between background and record: the sum
    is right for linear ones only.
    Source: Shrikumar et al. 2016, arXiv:1605.01713.
    """

    name = "slope"
    title = "slope of the output at each number (example of a plugin)"
    accepts = frozenset({Kind.VECTOR})
    needs_background = True

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """(records, features); a linear network is explained exactly."""
        signal = question.batch[question.input]
        assert question.background is not None  # needs_background
        reference = question.background.mean(dim=1)  # (records, features)
        x = signal.x.detach().clone().requires_grad_()
        batch = {**question.batch, question.input: signal._replace(x=x)}
        output = apply(question.network, batch)[:, question.output]
        (slope,) = torch.autograd.grad(output.sum(), x)
        question.progress(1.0)
        return Explanation(
            attribution=(slope * (x - reference)).detach().cpu().numpy(),
            method=cls.name,
            input=question.input,
            reference="the mean of the backgrounds",
        )
