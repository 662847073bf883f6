"""A motif: how often each letter stands at each position of the places where a protein binds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError
from bioloom.motifs.pwm import LETTERS, frequency_matrix, information_content

UNIFORM = (0.25, 0.25, 0.25, 0.25)

PSEUDOCOUNT = 0.1
"""Sites added in all to every position of a motif before logarithms are taken, as FIMO of the MEME suite does."""

USUAL_SITES = 20.0
"""How many sites stand behind a motif of which only probabilities are known, as the MEME suite takes it."""


@dataclass(frozen=True)
class Motif:
    """A short pattern in DNA, as a matrix of letter frequencies.

    name:        such as "MA0139.1"; it is how results name the motif
    frequencies: (4, positions), letters in the order A, C, G, T: counts of sites, or probabilities
    title:       a second name, such as that of the protein; may be empty
    sites:       how many sites were counted; None where only probabilities are known
    """

    name: str
    frequencies: NDArray[np.float64]
    title: str = ""
    sites: float | None = None

    def __len__(self) -> int:
        """Positions."""
        return int(self.frequencies.shape[1])

    @property
    def consensus(self) -> str:
        """The most frequent letter of each position."""
        return "".join(LETTERS[letter] for letter in self.frequencies.argmax(axis=0))

    @property
    def reverse_complement(self) -> Motif:
        """The same motif as the other strand shows it."""
        return replace(self, frequencies=np.ascontiguousarray(self.frequencies[::-1, ::-1]))

    def probabilities(
        self, pseudocount: float = PSEUDOCOUNT, background: tuple[float, ...] = UNIFORM
    ) -> NDArray[np.float64]:
        """The probability of each letter at each position, (4, positions).

        pseudocount: sites added in all to each position, in the proportions of the background
        """
        shares = self.frequencies / self.frequencies.sum(axis=0)
        sites = USUAL_SITES if self.sites is None else self.sites
        added = pseudocount * np.array(background)[:, None]
        return np.asarray((sites * shares + added) / (sites + pseudocount))

    def log_odds(
        self, pseudocount: float = PSEUDOCOUNT, background: tuple[float, ...] = UNIFORM
    ) -> NDArray[np.float64]:
        """How much more probable each letter is than in the background, in bits, (4, positions).

        log2(p / b), the weights of Stormo (2000) doi:10.1093/bioinformatics/16.1.16.
        """
        with np.errstate(divide="ignore"):  # without pseudocount a letter may be impossible
            return np.asarray(
                np.log2(self.probabilities(pseudocount, background) / np.array(background)[:, None])
            )

    def information(self, small_sample: bool = False) -> NDArray[np.float64]:
        """What each position says, in bits: 2 where one letter stands always, 0 where all are alike, (positions,).

        small_sample: subtract what few sites show by chance, 3 / (2 ln 2 sites), never below 0.
        Source: Schneider (1986) doi:10.1016/0022-2836(86)90165-8.
        """
        return np.asarray(self.logo(small_sample).sum(axis=0))

    def logo(self, small_sample: bool = False) -> NDArray[np.float64]:
        """The heights of the letters of a sequence logo in bits, (4, positions)."""
        sites = self.sites if small_sample else None
        return information_content(self.probabilities(pseudocount=0.0), sites)

    def trimmed(self, least: float = 0.25) -> Motif:
        """Without the positions at either end that say less than so many bits; at least one position stays."""
        told = np.flatnonzero(self.information() >= least)
        if not len(told):
            told = np.array([int(self.information().argmax())])
        return replace(self, frequencies=self.frequencies[:, told[0] : told[-1] + 1])


def from_sites(name: str, sites: list[str]) -> Motif:
    """The motif that aligned sites spell.

    Raises UserError where there is no site, one has another length, or a letter that is none of DNA.
    """
    return Motif(name, frequency_matrix(sites), sites=float(len(sites)))


def checked(motif: Motif, where: str) -> Motif:
    """The motif itself.

    Raises UserError for a matrix without positions, a negative number, or a position without any letter.
    """
    numbers = motif.frequencies
    if numbers.ndim != 2 or numbers.shape[0] != len(LETTERS) or not numbers.shape[1]:
        raise UserError(
            f'The motif "{motif.name}" has no positions.',
            where=where,
            fix="give four numbers (A, C, G, T) for each position",
        )
    wrong = np.flatnonzero(~np.isfinite(numbers).all(axis=0) | (numbers < 0).any(axis=0))
    empty = np.flatnonzero(numbers.sum(axis=0) <= 0)
    if len(wrong) or len(empty):
        position = int((wrong if len(wrong) else empty)[0]) + 1
        what = "a number that is negative or missing" if len(wrong) else "no letter at all"
        raise UserError(
            f'The motif "{motif.name}" has {what} at position {position}.',
            where=where,
            fix="a motif holds counts or probabilities, and each position some; weights (log odds) cannot be read",
        )
    return motif
