"""Ways to propose sequences: all use one objective that answers for many sequences at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from bioloom.design.goals import Objective
from bioloom.design.rules import CODONS, Rules
from bioloom.errors import UserError

Floats = NDArray[np.float64]

TRIES = 200
"""Times that a change is drawn anew before it counts as impossible."""


@dataclass(frozen=True)
class Effort:
    """How much is tried.

    steps:   rounds
    width:   sequences that are kept from round to round
    changes: letters (or codons) that are changed at once, at most
    """

    steps: int = 200
    width: int = 64
    changes: int = 2
    seed: int = 0


Method = Callable[[Rules, Objective, Effort], None]
"""Ask the objective about sequences that keep the rules; what was found best is known to the objective."""


class Changer:
    """Draws changes of sequences that keep the rules."""

    def __init__(self, rules: Rules, random: np.random.Generator) -> None:
        self.rules, self.random = rules, random
        self.refused: dict[str, int] = {}
        start, end = rules.coding or (0, 0)
        self.codons = [
            place for place in range(start, end, 3) if not {place, place + 1, place + 2} <= rules.fixed
        ]
        self.single = [place for place in rules.free.tolist() if not start <= place < end]
        self.synonyms: dict[str, list[str]] = {}
        for codon, amino_acid in CODONS.items():
            self.synonyms.setdefault(amino_acid, []).append(codon)

    def change(self, text: str, changes: int) -> str | None:
        """A sequence with up to so many changes that keeps all rules; None where none was found."""
        for _ in range(TRIES):
            new = self._changed(text, int(self.random.integers(1, changes + 1)))
            if new == text:
                continue
            broken = self.rules.broken(new)
            if not broken:
                return new
            self.refused[broken[0].split(" at ")[0]] = self.refused.get(broken[0].split(" at ")[0], 0) + 1
        return None

    def _changed(self, text: str, changes: int) -> str:
        letters = list(text)
        places = len(self.single) + len(self.codons)
        for _ in range(changes):
            number = int(self.random.integers(places))
            if number < len(self.single):
                letters[self.single[number]] = self.rules.letters[
                    int(self.random.integers(len(self.rules.letters)))
                ]
            else:
                place = self.codons[number - len(self.single)]
                others = self.synonyms[CODONS["".join(letters[place : place + 3])]]
                letters[place : place + 3] = others[int(self.random.integers(len(others)))]
        return "".join(letters)

    def cross(self, one: str, other: str) -> str | None:
        """The head of one sequence with the tail of another, where that keeps all rules."""
        place = int(self.random.integers(1, len(one)))
        new = one[:place] + other[place:]
        return None if self.rules.broken(new) else new

    def toward(self, text: str, wanted: Sequence[str], liking: Floats) -> str:
        """As many letters of another sequence as the rules allow, those that are liked most first: a projection.

        liking: (letters, positions), as the rules order letters; codons are changed as a whole, into the liked synonym
        """
        number = {letter: row for row, letter in enumerate(self.rules.letters)}

        def likes(place: int, letters: str) -> float:
            return float(sum(liking[number[letter], place + i] for i, letter in enumerate(letters)))

        changes = [(place, wanted[place]) for place in self.single if wanted[place] != text[place]]
        for place in self.codons:
            synonyms = self.synonyms[CODONS[text[place : place + 3]]]
            best = max(synonyms, key=lambda codon: likes(place, codon))
            changes += [(place, best)] if best != text[place : place + 3] else []
        gains = [likes(place, new) - likes(place, text[place : place + len(new)]) for place, new in changes]
        order = np.argsort(-np.array(gains), kind="stable").tolist() if gains else []
        return self._with_changes(text, [changes[each] for each in order])

    def _with_changes(self, text: str, changes: Sequence[tuple[int, str]]) -> str:
        """All changes where that keeps the rules, else what can be kept of the first half and then of the second."""
        if not changes:
            return text
        letters = list(text)
        for place, new in changes:
            letters[place : place + len(new)] = new
        new_text = "".join(letters)
        if not self.rules.broken(new_text):
            return new_text
        half = len(changes) // 2
        return self._with_changes(self._with_changes(text, changes[:half]), changes[half:]) if half else text

    def start(self, width: int) -> list[str]:
        """Sequences to begin with: the parent where it keeps the rules, and changes of it.

        Raises UserError with the rule that was broken most where no sequence keeps all.
        """
        begun = self.rules.parent
        if self.rules.broken(begun):
            begun = self._repaired(begun)
        found = [begun]
        for _ in range(4 * width):
            if len(found) >= width:
                break
            new = self.change(found[int(self.random.integers(len(found)))], 3)
            if new is not None:
                found.append(new)
        return found

    def _repaired(self, text: str) -> str:
        """A sequence that keeps all rules, by changes that break fewer and fewer of them."""
        text = self._with_words(text)
        broken = self.rules.broken(text)
        for _ in range(50 * TRIES):
            if not broken:
                return text
            new = self._changed(text, int(self.random.integers(1, 4)))
            now = self.rules.broken(new)
            if len(now) <= len(broken):
                text, broken = new, now
            for each in now:
                name = each.split(" at ")[0]
                self.refused[name] = self.refused.get(name, 0) + 1
        worst = max(self.refused, key=lambda name: self.refused[name])
        raise UserError(
            f"No sequence was found that keeps all rules; the best one {', '.join(broken)}.",
            fix=f"loosen a rule: what was broken most is that a sequence {worst}",
        )

    def _with_words(self, text: str) -> str:
        """Words that must occur, each put where fewest letters change, nothing is fixed and no other one stands."""
        free, meaning = set(self.single), self.rules.meaning
        for word, found in self.rules.wanted:
            if found.search(text) is None:
                starts = [s for s in range(len(text) - len(word) + 1) if set(range(s, s + len(word))) <= free]
                if not starts:
                    continue
                start = min(
                    starts,
                    key=lambda s: sum(text[s + i] not in meaning[letter] for i, letter in enumerate(word)),
                )
                kept = [
                    text[start + i] if text[start + i] in meaning[letter] else meaning[letter][0]
                    for i, letter in enumerate(word)
                ]
                text = text[:start] + "".join(kept) + text[start + len(word) :]
            match = found.search(text)
            assert match is not None
            free -= set(range(match.start(), match.end()))
        return text


def screen(rules: Rules, objective: Objective, effort: Effort) -> None:
    """Draw sequences without looking at the answers: what chance finds."""
    changer = Changer(rules, np.random.default_rng(effort.seed))
    kept = changer.start(effort.width)
    objective(kept)
    for _ in range(effort.steps):
        base = kept[int(changer.random.integers(len(kept)))]
        news = [new for new in (changer.change(base, effort.changes) for _ in range(effort.width)) if new]
        objective(news)
        kept = [*kept, *news][-10 * effort.width :]


def beam(rules: Rules, objective: Objective, effort: Effort) -> None:
    """Change the best sequences of each round, and keep the best of all: a greedy search with a width."""
    changer = Changer(rules, np.random.default_rng(effort.seed))
    kept = changer.start(effort.width)
    for _ in range(effort.steps):
        news = [new for text in kept for new in (changer.change(text, effort.changes),) if new]
        kept = _best(objective, [*kept, *news], effort.width)


def anneal(rules: Rules, objective: Objective, effort: Effort) -> None:
    """Many chains accept what is worse with a probability that falls (Kirkpatrick 1983, doi:10.1126/science.220.4598.671).

    A change by d is accepted with min(1, exp(d / T)); T falls from the spread of the first scores to a hundredth of it.
    """
    changer = Changer(rules, np.random.default_rng(effort.seed))
    chains = changer.start(effort.width)
    scores = objective(chains)
    first = max(float(np.std(scores)), 1e-6)
    for step in range(effort.steps):
        temperature = first * 0.01 ** (step / max(1, effort.steps - 1))
        news = [changer.change(text, effort.changes) or text for text in chains]
        told = objective(news)
        chance = np.exp(np.minimum(0.0, (told - scores) / temperature))
        taken = changer.random.random(len(chains)) < chance
        chains = [new if good else old for new, old, good in zip(news, chains, taken, strict=True)]
        scores = np.where(taken, told, scores)


def evolve(rules: Rules, objective: Objective, effort: Effort) -> None:
    """A genetic algorithm: parents are drawn in small tournaments, crossed and changed; the best two always stay."""
    changer = Changer(rules, np.random.default_rng(effort.seed))
    kept = changer.start(effort.width)
    for _ in range(effort.steps):
        scores = objective(kept)
        children = [kept[number] for number in np.argsort(-scores, kind="stable")[:2]]
        while len(children) < effort.width:
            one, other = (_tournament(kept, scores, changer.random) for _ in range(2))
            child = changer.cross(one, other) or one
            children.append(changer.change(child, effort.changes) or child)
        kept = children
    objective(kept)


RATE, HELD = 0.3, 0.9
"""Step of the logits in their own spread of slopes, and how much of earlier slopes is held on to."""

BEGIN = 2.0
"""Logits of the letters that a chain begins with; those of others are 0."""


def gradient(rules: Rules, objective: Objective, effort: Effort) -> None:
    """Many chains follow the slope of the models through letters that are drawn (straight-through Gumbel softmax).

    Each chain holds a logit for every letter at every position. A sequence is drawn from them, brought back into the rules,
    and asked about; the slope of the score by its letters climbs the logits as if the draw had been the softmax. The draw
    becomes surer from step to step. Sources: Jang, Gu, Poole (2017) arXiv:1611.01144; for sequences, Linder, Seelig (2021)
    doi:10.1186/s12859-021-04437-5; steps as Adam (Kingma, Ba 2015, arXiv:1412.6980).
    """
    changer = Changer(rules, np.random.default_rng(effort.seed))
    begun = changer.start(effort.width)
    texts = [begun[number % len(begun)] for number in range(effort.width)]
    objective(texts)
    letters = np.array(list(rules.letters))
    # (chains, letters, positions)
    logits = BEGIN * (np.array([list(text) for text in texts])[:, None] == letters[:, None])
    mean, square = np.zeros_like(logits), np.zeros_like(logits)
    for step in range(1, effort.steps + 1):
        sureness = 1 - 0.9 * step / effort.steps
        liking = logits + sureness * changer.random.gumbel(size=logits.shape)
        texts = [
            changer.toward(text, letters[each.argmax(axis=0)].tolist(), each)
            for text, each in zip(texts, liking, strict=True)
        ]
        objective(texts)
        slope, share = objective.slope(texts, rules.letters), softmax(liking, axis=1)
        climbed = share * (slope - (share * slope).sum(axis=1, keepdims=True))
        mean, square = HELD * mean + (1 - HELD) * climbed, 0.99 * square + 0.01 * climbed**2
        logits += RATE * (mean / (1 - HELD**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-12)


def _tournament(
    texts: Sequence[str], scores: np.ndarray[tuple[int], np.dtype[np.float64]], random: np.random.Generator
) -> str:
    drawn = random.integers(len(texts), size=3)
    return texts[int(drawn[np.argmax(scores[drawn])])]


def _best(objective: Objective, texts: Sequence[str], width: int) -> list[str]:
    different = list(dict.fromkeys(texts))
    order = np.argsort(-objective(different), kind="stable")[:width]
    return [different[number] for number in order]


METHODS: dict[str, Method] = {
    "screen": screen,
    "beam": beam,
    "anneal": anneal,
    "evolve": evolve,
    "gradient": gradient,
}
"""All methods by name."""
