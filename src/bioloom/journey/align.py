"""After a language model has learned a language: learn to respond, and what is preferred; judged on held-out prompts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from bioloom import trained
from bioloom.data.wording import counted
from bioloom.errors import UserError
from bioloom.evaluation.intervals import wilson
from bioloom.evaluation.percent import percent
from bioloom.events import Listener
from bioloom.files import write_json
from bioloom.journey.lessons import Lessons, read_lessons, responses_of
from bioloom.journey.writing import NEVER, begin_of
from bioloom.modalities import Kind, Modality
from bioloom.models.ensemble import members_of
from bioloom.models.language import LanguageNetwork
from bioloom.models.preferences import (
    Responses,
    Reward,
    bradley_terry,
    direct_preference,
    imitation,
    kept_apart,
    log_likelihood,
    read_once,
    rewarded,
    step_towards,
)
from bioloom.models.writing import Manner, Page, write
from bioloom.trained import Model
from bioloom.training.device import session
from bioloom.training.lessons import Course, Pace, learn

DRAWS = 2_000
"""Bootstrap draws of whole prompts, for intervals."""

PROMPTS, SAMPLES = 200, 4
"""Held-out prompts that are responded to at most, and responses to each, by the model before and by the one after."""

VALIDATION_DRAW = 2
"""The number of the draw of responses to validation prompts; those of the test are 0 and 1."""


@dataclass(frozen=True)
class Alignment:
    """What is asked for.

    source: a table with prompt and response, or with prompt, chosen and rejected
    beta:   how dear it is to leave the model it begins with, in nats
    pace:   of its steps
    farthest: nats per response by which it may leave that model, on validation prompts; None: as far as the pairs lead it
    judge:  a run whose prediction says how good a whole text is; None: the reward model that is learned from the pairs
    """

    source: Any
    beta: float = 0.1
    pace: Pace = field(default_factory=Pace)
    judge: Model | None = None
    farthest: float | None = None


@dataclass(frozen=True)
class Figure:
    """A mean over held-out prompts with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """Such as "0.71 (0.66 to 0.76)"."""
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Aligned:
    """The model after, and what is known of it; content as it stands in result.json; examples: a few texts it can read."""

    model: Model
    content: Mapping[str, Any]
    examples: Mapping[str, pd.DataFrame]


Drawn = tuple[list[NDArray[np.int64]], NDArray[np.int64]]
"""The tokens of the prompt of each response, and those of the responses, (responses, length)."""

Judge = Callable[[list[str], list[str]], NDArray[np.float64]]
"""(prompts, responses) -> how good each is, (records,)."""


def align(model: Model, asked: Alignment, listener: Listener) -> Aligned:
    """Learn to respond from examples, or what is preferred from pairs, beginning with a language model.

    Raises UserError for a model that is no language model, and for a file without usable rows.
    """
    network = members_of(model.network)[0]
    if not isinstance(network, LanguageNetwork):
        raise UserError(
            "This model predicts, and does not write.",
            fix="train a language model with --task language, and go on from that",
        )
    ((name, modality),) = model.modalities.items()
    lessons = read_lessons(asked.source, modality, asked.pace.seed)
    policy = copy.deepcopy(network)
    listener.stage("train", "Learning what is preferred" if lessons.paired else "Learning to respond")
    school = School(lessons, modality, network, asked)
    with session(model.threads):
        content = school.prefer(policy, listener) if lessons.paired else school.imitate(policy, listener)
    after = replace(
        model, network=policy, rival=None, delivered="network", calibration={}, conformal={}, student=None
    )
    told = {
        "source": lessons.source,
        "rows": lessons.counts,
        "dropped": lessons.dropped,
        "seed": asked.pace.seed,
    }
    first = next(iter(lessons.answers.values()))
    texts = [prompt + answer for prompt, answer in zip(lessons.prompts[:3], first[:3], strict=True)]
    examples = {name: pd.DataFrame({model.inputs[name].columns[0]: texts}, dtype=object)}
    return Aligned(after, content | told, examples)


@dataclass(frozen=True)
class School:
    """Lessons, and the network before any of them, the reference."""

    lessons: Lessons
    modality: Modality
    before: LanguageNetwork
    asked: Alignment

    def imitate(self, policy: LanguageNetwork, listener: Listener) -> dict[str, Any]:
        """Learn to respond as the examples do: the loss is that of the responses alone."""
        responses = responses_of(self.modality, self.lessons.prompts, self.lessons.answers["response"])
        course = learn(
            policy,
            lambda rows: imitation(policy, responses.take(rows)),
            self._rows(),
            self.asked.pace,
            listener.progress,
        )
        test = responses.take(self._test())
        count = test.asked.sum(dim=1).numpy().astype(float)
        nats = {
            name: -read_once(each, test).numpy().astype(float)
            for name, each in (("before", self.before), ("after", policy))
        }
        figures = {name: self._share(each, count) for name, each in nats.items()}
        figures["gain"] = self._share(nats["before"] - nats["after"], count)
        helps = "less" if figures["gain"].low > 0 else "not clearly less"
        verdict = (
            f"Each token of {self._told} surprises the model by {figures['after'].text} nats after learning to respond, and by "
            f"{figures['before'].text} before: {helps}."
        )
        return {"kind": "responses", "verdict": {"text": verdict}, "figures": _json(figures), **_of(course)}

    def prefer(self, policy: LanguageNetwork, listener: Listener) -> dict[str, Any]:
        """Learn what is preferred: a reward model, which judges, and the policy directly from the pairs."""
        chosen, rejected = (
            responses_of(self.modality, self.lessons.prompts, self.lessons.answers[name])
            for name in ("chosen", "rejected")
        )
        reward = Reward(self.before)
        learn(
            reward,
            lambda rows: bradley_terry(reward(chosen.take(rows)), reward(rejected.take(rows))),
            self._rows(),
            self.asked.pace,
        )
        reference = kept_apart(self.before)
        fixed = read_once(reference, chosen), read_once(reference, rejected)

        def loss(rows: Tensor) -> Tensor:
            now = log_likelihood(policy, chosen.take(rows)), log_likelihood(policy, rejected.take(rows))
            return direct_preference(now, (fixed[0][rows], fixed[1][rows]), self.asked.beta)

        pace = replace(self.asked.pace, silenced=False)
        course = learn(policy, loss, self._rows(), pace, listener.progress)
        listener.stage("evaluate", "Responding to held-out prompts")
        length = round(float(chosen.asked.sum(dim=1).double().median()))
        kept = self._step_back(policy, length)
        figures = self._pairs((chosen, rejected), policy, reward) | self._samples(policy, reward, length)
        return {
            "kind": "preferences",
            "beta": self.asked.beta,
            "farthest": self.asked.farthest,
            "share_of_the_way": kept,
            "judge": "reward model" if self.asked.judge is None else "run",
            "verdict": {"text": self._verdict(figures, kept)},
            "figures": _json(figures),
            **_of(course),
        }

    def _step_back(self, policy: LanguageNetwork, length: int) -> float:
        """Move the new model back towards the one before until it is near enough on validation prompts; the share of the way
        that is kept."""
        if self.asked.farthest is None:
            return 1.0
        prompts = self.lessons.prompts_of("validation")[:PROMPTS]
        begin = self.before.state_dict()
        end = {name: weights.clone() for name, weights in policy.state_dict().items()}
        for tenths in range(10, 0, -1):
            step_towards(policy, begin, end, tenths / 10)
            drawn = self._written(policy, prompts, (length, VALIDATION_DRAW))
            if self._away(policy, drawn).mean() <= self.asked.farthest:
                return tenths / 10
        step_towards(policy, begin, end, 0.0)
        return 0.0

    def _away(self, policy: LanguageNetwork, drawn: Drawn) -> NDArray[np.float64]:
        """log p - log p0 of responses that the policy wrote, (responses,).

        Over the very tokens that were drawn their mean is the Kullback-Leibler divergence without bias; a text that is read
        anew may be cut into other tokens.
        """
        likely = Responses.following(self.before, *drawn, longest=self.modality.shape.sizes[-1])
        apart = read_once(policy, likely) - read_once(self.before, likely)
        return np.asarray(apart.numpy(), dtype=np.float64)

    def _pairs(
        self, pairs: tuple[Responses, Responses], policy: LanguageNetwork, reward: Reward
    ) -> dict[str, Figure]:
        """In how many held-out pairs the preferred response is the likelier one, before and after; and has more reward."""
        test = self._test()
        chosen, rejected = (each.take(test) for each in pairs)
        apart = {
            f"pairs {name}": read_once(each, chosen) - read_once(each, rejected)
            for name, each in (("before", self.before), ("after", policy))
        }
        apart["pairs by reward"] = rewarded(reward, chosen) - rewarded(reward, rejected)
        groups, seed = self.lessons.groups("test"), self.asked.pace.seed
        wins = {name: _wins(each.numpy().astype(float)) for name, each in apart.items()}
        return {name: rate(each, groups, seed) for name, each in wins.items()}

    def _samples(self, policy: LanguageNetwork, reward: Reward, length: int) -> dict[str, Figure]:
        """How often a response after is judged better than one before, to the same held-out prompt; and how far it went.

        length: tokens of each response
        """
        prompts = self.lessons.prompts_of("test")[:PROMPTS]
        judge = self._judge(reward)
        written = {
            name: self._written(each, prompts, (length, number))
            for number, (name, each) in enumerate((("before", self.before), ("after", policy)))
        }
        asked = [prompt for prompt in prompts for _ in range(SAMPLES)]
        scores = {name: judge(asked, self._texts(each)) for name, each in written.items()}
        away = self._away(policy, written["after"])
        prompt, seed = np.arange(len(prompts)), self.asked.pace.seed
        wins = _wins(_each_with_each(scores["after"], scores["before"]))
        numbers = {"judged before": scores["before"], "judged after": scores["after"], "kl": away}
        each = np.repeat(prompt, SAMPLES)
        means = {name: interval(value, np.ones(len(value)), each, seed) for name, value in numbers.items()}
        return {"preferred": rate(wins, np.repeat(prompt, SAMPLES**2), seed)} | means

    def _judge(self, reward: Reward) -> Judge:
        """The run that was named, or the reward model."""
        model = self.asked.judge

        def by_reward(prompts: list[str], responses: list[str]) -> NDArray[np.float64]:
            found = rewarded(reward, responses_of(self.modality, prompts, responses))
            return np.asarray(found.numpy(), dtype=np.float64)

        def by_run(prompts: list[str], responses: list[str]) -> NDArray[np.float64]:
            assert model is not None
            texts = [one + other for one, other in zip(prompts, responses, strict=True)]
            values = model.values(model.frames(texts))
            return np.asarray(values[:, -1], dtype=np.float64)

        return by_reward if model is None else by_run

    def _written(self, network: LanguageNetwork, prompts: list[str], asked: tuple[int, int]) -> Drawn:
        """Responses to prompts, several to each, one after another; asked: tokens of each, and the number of the draw."""
        length, draw = asked
        never = () if self.modality.shape.kind is Kind.SEQUENCE else NEVER
        begins = [begin_of(self.modality, prompt, "text") for prompt in prompts]
        tokens = np.empty((len(prompts), SAMPLES, length), dtype=np.int64)
        for size in sorted({len(begin) for begin in begins}):  # those of one length are written together
            rows = [row for row, begin in enumerate(begins) if len(begin) == size]
            together = np.repeat([begins[row] for row in rows], SAMPLES, axis=0)
            page = Page(together.astype(np.int64).reshape(len(together), size), length, len(together), never)
            found = write(
                network, page, Manner(seed=1_000_003 * (draw + 1) + 1_009 * size + self.asked.pace.seed)
            )
            tokens[rows] = found.tokens.reshape(-1, SAMPLES, length)
        return [begin for begin in begins for _ in range(SAMPLES)], tokens.reshape(-1, length)

    def _texts(self, drawn: Drawn) -> list[str]:
        """Responses as they are read."""
        letters = np.array(self.modality.channels, dtype=object)
        return ["".join(letters[row]) for row in drawn[1]]

    def _rows(self) -> tuple[Tensor, Tensor]:
        parts = self.lessons.parts
        return torch.from_numpy(parts["train"]), torch.from_numpy(parts["validation"])

    def _test(self) -> Tensor:
        return torch.from_numpy(self.lessons.parts["test"])

    def _share(self, value: NDArray[np.float64], weight: NDArray[np.float64]) -> Figure:
        """The sum of a value over that of a weight, in the test, by prompt."""
        return interval(value, weight, self.lessons.groups("test"), self.asked.pace.seed)

    @property
    def _told(self) -> str:
        return counted(len(self.lessons.parts["test"]), "held-out response")

    def _verdict(self, figures: Mapping[str, Figure], kept: float) -> str:
        rate, kl = figures["preferred"], figures["kl"]
        judged = "the reward model" if self.asked.judge is None else "the judge"
        sure = "" if rate.low > 0.5 else ", which is not clearly more than half"
        back = f", after a step back to {percent(kept)} of the way" if kept < 1 else ""
        went = f"the model went {kl.text} nats per response away from what it was{back}"
        before, after = figures["pairs before"].text, figures["pairs after"].text
        own = f" The reward model, which judges here, agrees with {figures['pairs by reward'].text} of them."
        return (
            f"Responses to held-out prompts are preferred by {judged} to those before at a rate of {rate.text}{sure}; "
            f"{went}. Of held-out pairs the preferred response is the likelier one in {before} before and {after} after."
            + (own if self.asked.judge is None else "")
        )


def interval(
    value: NDArray[np.float64], weight: NDArray[np.float64], group: NDArray[np.int64], seed: int
) -> Figure:
    """The sum of a value over that of a weight, with a bootstrap interval over whole groups (percentiles of 2,000 draws)."""
    sums = np.stack([np.bincount(group, weights=each) for each in (value, weight)])
    drawn = np.random.default_rng(seed).multinomial(
        sums.shape[1], np.full(sums.shape[1], 1 / sums.shape[1]), DRAWS
    )
    means = (drawn @ sums[0]) / np.maximum(drawn @ sums[1], 1e-12)
    low, high = np.quantile(means, [0.025, 0.975])
    return Figure(float(value.sum() / weight.sum()), float(low), float(high))


def rate(wins: NDArray[np.float64], group: NDArray[np.int64], seed: int) -> Figure:
    """The mean of numbers from 0 to 1; where all are alike draws say nothing, and the interval is Wilson's of so many groups."""
    found = interval(wins, np.ones(len(wins)), group, seed)
    if found.low < found.high:
        return found
    groups = len(np.unique(group))
    ends = wilson(groups * found.value, groups)
    return found if ends.low is None or ends.high is None else Figure(found.value, ends.low, ends.high)


def _each_with_each(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each response of one model is judged above each of the other to the same prompt, (prompts x samples x samples,)."""
    return (one.reshape(-1, SAMPLES, 1) - other.reshape(-1, 1, SAMPLES)).ravel()


def _wins(apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where the first is better, a half where both are alike."""
    return (np.sign(apart) + 1) / 2


def _json(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {
        name: {"value": round(each.value, 6), "low": round(each.low, 6), "high": round(each.high, 6)}
        for name, each in figures.items()
    }


def _of(course: Course) -> dict[str, Any]:
    return {
        "epochs": len(course.losses) - 1,
        "best_epoch": course.best,
        "validation_losses": [round(x, 6) for x in course.losses],
    }


def store(found: Aligned, outdir: Path) -> None:
    """Write the model and what is known of it to a folder, which is then read like that of any run."""
    card = f"# A language model that went on learning\n\n{found.content['verdict']['text']}\n"
    trained.save(found.model, outdir / "model", found.examples, card)
    write_json(outdir / "result.json", dict(found.content))
