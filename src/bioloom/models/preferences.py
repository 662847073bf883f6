"""Learning from what people prefer: how likely a response is, a reward from pairs, and preferences learned without it.

A response y follows a prompt x. All sums are over the tokens of the response; those of the prompt are read and not judged.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from bioloom.models.language import LanguageNetwork
from bioloom.models.writing import as_input


@dataclass(frozen=True)
class Responses:
    """Prompts with their responses, as a language network reads them.

    x:     (records, positions) tokens or (records, channels, positions), prompt and response together
    mask:  (records, positions) True where something stands
    asked: (records, positions) True where a token of the response stands
    """

    x: Tensor
    mask: Tensor
    asked: Tensor

    @classmethod
    def following(
        cls,
        network: LanguageNetwork,
        prompts: Sequence[NDArray[np.int64]],
        tokens: NDArray[np.int64],
        longest: int,
    ) -> Self:
        """Responses as they were drawn token by token, (responses, length), each behind the tokens of its prompt.

        longest: positions that are read at most; what stands behind them is left out
        """
        begins = torch.tensor([len(each) for each in prompts])
        ends = begins + tokens.shape[1]
        grid = torch.zeros(len(prompts), int(ends.max()), dtype=torch.long)
        for row, (prompt, response) in enumerate(zip(prompts, tokens, strict=True)):
            grid[row, : int(ends[row])] = torch.from_numpy(np.concatenate([prompt, response]))
        place = torch.arange(grid.shape[1])
        mask = place < ends[:, None]
        kept = slice(0, longest)
        x = as_input(network, grid[:, kept])
        return cls(x, mask[:, kept], (mask & (place >= begins[:, None]))[:, kept])

    def __len__(self) -> int:
        return len(self.x)

    def take(self, index: Tensor) -> Self:
        """The chosen records."""
        return type(self)(self.x[index], self.mask[index], self.asked[index])


def log_likelihood(network: LanguageNetwork, responses: Responses) -> Tensor:
    """log p(y | x), the sum over the tokens of each response, (records,)."""
    judged = network.judge(responses.x, responses.mask)
    return (judged.likelihood * responses.asked).sum(dim=1)


def imitation(network: LanguageNetwork, responses: Responses) -> Tensor:
    """Mean of -log p over the tokens of all responses (instruction fine-tuning; Ouyang et al. 2022 arXiv:2203.02155)."""
    return -log_likelihood(network, responses).sum() / responses.asked.sum().clamp(min=1)


def bradley_terry(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Mean of -log sigmoid(r(chosen) - r(rejected)): the odds of being preferred are those of e to the reward.

    Source: Bradley & Terry (1952) doi:10.2307/2334029; as a reward model, Christiano et al. (2017) arXiv:1706.03741.
    """
    return -logsigmoid(chosen - rejected).mean()


def direct_preference(policy: tuple[Tensor, Tensor], reference: tuple[Tensor, Tensor], beta: float) -> Tensor:
    """Mean of -log sigmoid(beta [(log p - log p0)(chosen) - (log p - log p0)(rejected)]), (records,) log-likelihoods each.

    policy, reference: of the chosen and of the rejected response. The reward that the policy then maximises is
    beta (log p - log p0), so that beta says how dear it is to leave the reference.
    Source: Rafailov et al. (2023) arXiv:2305.18290, equation 7.
    """
    gain = (policy[0] - reference[0]) - (policy[1] - reference[1])
    return -logsigmoid(beta * gain).mean()


class Reward(nn.Module):
    """One number for a response: a language network without its last layer, the mean over the response, and a dense layer."""

    def __init__(self, network: LanguageNetwork) -> None:
        super().__init__()
        self.body = copy.deepcopy(network)
        self.value = nn.Linear(network.head.in_features, 1)
        nn.init.zeros_(self.value.weight)
        nn.init.zeros_(self.value.bias)

    def forward(self, responses: Responses) -> Tensor:
        """(records,) rewards; only differences between responses to one prompt have a meaning."""
        read = self.body.hidden(responses.x, responses.mask)  # the last position has read the last token
        weight = responses.asked.to(read.dtype)
        mean = (read * weight[:, :, None]).sum(dim=1) / weight.sum(dim=1, keepdim=True).clamp(min=1)
        found: Tensor = self.value(mean).squeeze(1)
        return found


def kept_apart(network: LanguageNetwork) -> LanguageNetwork:
    """A copy that stays as it is: the reference."""
    reference = copy.deepcopy(network).eval()
    for weights in reference.parameters():
        weights.requires_grad_(False)
    return reference


def step_towards(
    network: nn.Module, begin: Mapping[str, Tensor], end: Mapping[str, Tensor], share: float
) -> None:
    """Give a network the weights at this share of the straight way from one set of weights to another, 0 to 1.

    What was learned is lost more slowly along it than the distance shrinks: linear interpolation towards initialization,
    Rame et al. (2024) WARP, arXiv:2406.16768, section 3.3.
    """
    network.load_state_dict({name: torch.lerp(first, end[name], share) for name, first in begin.items()})


def read_once(network: LanguageNetwork, responses: Responses, size: int = 256) -> Tensor:
    """log p(y | x) of all responses, in parts, without gradients."""
    return _in_parts(network, lambda part: log_likelihood(network, part), responses, size)


def rewarded(reward: Reward, responses: Responses, size: int = 256) -> Tensor:
    """The rewards of all responses, in parts, without gradients."""
    return _in_parts(reward, reward, responses, size)


def _in_parts(
    network: nn.Module, says: Callable[[Responses], Tensor], responses: Responses, size: int
) -> Tensor:
    network.eval()
    with torch.inference_mode():
        parts = [says(responses.take(index)) for index in torch.split(torch.arange(len(responses)), size)]
    return torch.cat(parts).clone() if parts else torch.zeros(0)
