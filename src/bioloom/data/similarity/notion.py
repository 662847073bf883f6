"""What counts as a near copy, in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from bioloom.data.similarity.letters import AMINO_ACIDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.similarity.copies import Alphabet
    from bioloom.data.similarity.letters import Letters

    Index = NDArray[np.int64]

BY_CHANCE = 0.01  # share of unrelated records that may have a near copy by chance
GAP_LETTERS = 12  # letters the shift may change by along an alignment with gaps, to either side
WHOLE = 0.9  # share of the shorter record that counts as all of it
NEVER = 1001  # thousandths: not even identical stretches are more than chance


@dataclass(frozen=True)
class Settings:
    """What a user may set about near copies.

    identity: share of equal letters in the common stretch
    coverage: length of the stretch, as a share of the shorter record
    gapped:   also try alignments with a few short gaps where the stretch without gaps is too short
    engine:   what searches: "bioloom", the same everywhere, or "mmseqs2", which must be installed
    """

    identity: float = 0.75
    coverage: float = 0.5
    gapped: bool = True
    engine: str = "bioloom"

    @classmethod
    def suited_to(cls, alphabet: Alphabet) -> Self:
        """The usual threshold: 0.75 for nucleotides, 0.40 for proteins.

        0.75: a copy made with 20 % substitutions has 0.80 give or take 0.03 at 200 nt, and must be found.
        0.40: proteins of that identity nearly always share fold and function; below 0.35 that cannot be
        told from chance (Rost 1999, Protein Eng 12:85).
        """
        return cls(identity=0.40 if set(alphabet.letters) >= AMINO_ACIDS else 0.75)


@dataclass(frozen=True)
class Criterion:
    """How long a common stretch must be and how alike, by the length of the shorter record.

    share:      of the shorter record that the stretch must cover
    thousandths: (longest + 1,) identity by the length of the shorter record; NEVER where chance gives more
    """

    share: float
    thousandths: Index

    def needed(self, shorter: Index) -> Index:
        """The fewest letters of the stretch."""
        letters: Index = np.maximum(np.ceil(self.share * shorter), 1).astype(np.int64)
        return letters

    def identity(self, shorter: Index) -> Index:
        """The lowest identity of the stretch, in thousandths."""
        bar: Index = self.thousandths[np.minimum(shorter, len(self.thousandths) - 1)]
        return bar

    def met(self, shorter: Index, length: Index, equal: Index) -> NDArray[np.bool_]:
        """Where a stretch of some letters, some of them equal, is long and alike enough."""
        alike: NDArray[np.bool_] = 1000 * equal >= self.identity(shorter) * length
        return alike & (length >= self.needed(shorter))

    def least(self, shorter: Index) -> Index:
        """The fewest equal letters that can meet the criterion, times 1000."""
        return self.needed(shorter) * self.identity(shorter)


@dataclass(frozen=True)
class Notion:
    """What counts as a near copy among the records of one data set.

    criteria: the ways to be one: alike over part of the shorter record, or over all of it
    gapped:   the same for alignments with gaps; none where they are not wanted
    chance:   the probability that two letters are equal
    A notion belongs to a data set: a part of it is searched with the notion of the whole, so that what is
    apart stays apart.
    """

    settings: Settings
    criteria: tuple[Criterion, ...]
    gapped: tuple[Criterion, ...]
    chance: float
    both_strands: bool

    @property
    def words(self) -> str:
        """The notion in words."""
        strand = " on either strand" if self.both_strands else ""
        return (
            f"at least {self.settings.identity:.0%} equal letters{strand} over at least {self.settings.coverage:.0%} of "
            "the shorter sequence, and more where chance could give that"
        )

    @property
    def lenient(self) -> float:
        """A stretch is extended as long as more letters than this are equal; its whole must have the identity.

        So a short part that is identical (a tag, a repeat) does not make a stretch of what surrounds it.
        """
        return 0.75 * self.settings.identity

    @property
    def lenient_with_gaps(self) -> float:
        """The same with gaps, by which unrelated letters come to lie opposite equal ones more often."""
        return 0.87 * self.settings.identity

    def lowest(self, shorter: Index) -> Index:
        """The lowest identity that can do, in thousandths."""
        bar: Index = np.min([criterion.identity(shorter) for criterion in self.criteria], axis=0)
        return bar


def notion_of(letters: Letters, settings: Settings) -> Notion:
    """Fit the notion to a data set: its size, its lengths and its composition.

    A stretch of m letters is alike by chance to identity t or more with a probability of at most
    exp(-m * KL(t, c)), where c is the chance of one letter (Chernoff bound). The threshold is raised where
    needed so that less than 1 in 100 unrelated records would have a near copy by chance; so short ones need
    more, as they do among proteins of known structure (Rost 1999).
    """
    mean = float(letters.lengths.mean()) if len(letters) else 1.0
    others = max(len(letters) - 1, 1) * (2 if letters.both_strands else 1)
    chance = letters.chance(letters.codes, letters.n_letters)
    length = np.arange(int(letters.lengths.max(initial=0)) + 1)

    def criterion(share: float, choices: float) -> Criterion:
        placements = (2 * (1 - share) * mean + 1) * choices
        surprise = np.log(others * placements / BY_CHANCE) / np.maximum(np.ceil(share * length), 1)
        least = np.maximum(_identity_of(surprise, chance), settings.identity)
        return Criterion(share, np.ceil(1000 * least - 1e-6).astype(np.int64))

    shares = (settings.coverage, WHOLE) if settings.coverage < WHOLE else (settings.coverage,)
    gaps = (2 * GAP_LETTERS * mean) ** 2  # an alignment may choose the place and the length of two gaps
    return Notion(
        settings=settings,
        criteria=tuple(criterion(share, 1.0) for share in shares),
        gapped=tuple(criterion(share, gaps) for share in shares) if settings.gapped else (),
        chance=chance,
        both_strands=letters.both_strands,
    )


def _identity_of(surprise: NDArray[np.float64], chance: float) -> NDArray[np.float64]:
    """The identity t with KL(t, chance) = surprise; NEVER where even identical letters surprise less."""
    grid = np.linspace(chance, 1.0, 2001)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(grid < 1, (1 - grid) * np.log((1 - grid) / (1 - chance)), 0.0)
    divergence = grid * np.log(grid / chance) + rest
    place = np.searchsorted(divergence, surprise)
    return np.where(place < len(grid), grid[np.minimum(place, len(grid) - 1)], NEVER / 1000)
