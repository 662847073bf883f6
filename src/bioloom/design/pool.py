"""A list of oligos that can be ordered: designs with primers and barcodes, controls beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from bioloom.data.similarity.copies import reverse_complement
from bioloom.design.barcodes import barcodes
from bioloom.design.rules import pattern
from bioloom.errors import UserError
from bioloom.modalities.shuffles import shuffled_texts

COLUMNS = ("name", "kind", "design", "barcode", "oligo", "length")


@dataclass(frozen=True)
class Order:
    """How oligos are made of designs.

    forward, reverse: primers at both ends; the second is written as it is ordered, so its reverse complement ends the oligo
    barcode:    letters of a barcode behind the design; 0 for none
    apart:      edits between any two barcodes, at least
    replicates: oligos for each design, each with a barcode of its own
    wild_type:  the parent, as a control in as many replicates; empty for none
    shuffles:   controls that hold the letters of a design in another order
    longest:    letters that can be ordered
    """

    forward: str = ""
    reverse: str = ""
    barcode: int = 12
    apart: int = 3
    replicates: int = 1
    wild_type: str = ""
    shuffles: int = 0
    longest: int = 300
    seed: int = 0


def oligos(designs: Sequence[str], order: Order | None = None, avoid: Sequence[str] = ()) -> pd.DataFrame:
    """One row for each oligo: name, kind (design, wild type, shuffle), design, barcode, oligo and length.

    avoid: words that barcodes must not hold on either strand, such as the sites of enzymes
    Raises UserError for oligos that are too long, a design that holds a primer, and barcodes that cannot be found.
    """
    order = order or Order()
    words = [*avoid, *filter(None, (order.forward, order.reverse))]
    refuse_order(order, max(map(len, designs), default=0))
    controls = _controls(designs, order, words)
    named = [(f"design_{number + 1}", "design", text) for number, text in enumerate(designs)]
    named += [("wild_type", "wild type", order.wild_type)] if order.wild_type else []
    named += [(f"shuffle_{number + 1}", "shuffle", text) for number, text in enumerate(controls)]
    count = len(named) * order.replicates
    spare = (
        barcodes(3 * count, order.barcode, order.apart, avoid=words, seed=order.seed)
        if order.barcode
        else [""]
    )
    rows = []
    taken = iter(spare)
    for name, kind, text in named:
        for replicate in range(order.replicates):
            word, whole = _whole(text, order, taken if order.barcode else iter([""]), words)
            shown = name if order.replicates == 1 else f"{name}_{replicate + 1}"
            rows.append((shown, kind, text, word, whole, len(whole)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def refuse_order(order: Order, design: int) -> None:
    """UserError for primers with other letters than A, C, G and T, and for oligos that are too long to be ordered.

    design: letters of the longest design
    """
    for primer in (order.forward, order.reverse):
        wrong = sorted(set(primer) - set("ACGT"))
        if wrong:
            raise UserError(
                f'The primer {primer} holds "{wrong[0]}".', fix="write primers with A, C, G and T"
            )
    length = len(order.forward) + design + order.barcode + len(order.reverse)
    if length > order.longest:
        raise UserError(
            f"Oligos of {length} letters are longer than {order.longest}.",
            where=f"primers {len(order.forward)} and {len(order.reverse)}, design {design}, barcode {order.barcode}",
            fix="shorten the barcode or the primers, or say what can be ordered with --longest-oligo",
        )


def _controls(designs: Sequence[str], order: Order, words: Sequence[str]) -> list[str]:
    """Designs with their letters in another order, that hold none of the words."""
    found: list[str] = []
    for attempt in range(50):
        if len(found) >= order.shuffles:
            break
        drawn = [designs[number % len(designs)] for number in range(order.shuffles)]
        found += [text for text in shuffled_texts(drawn, order.seed + 1 + attempt) if not _holds(text, words)]
    return found[: order.shuffles]


def _holds(text: str, words: Sequence[str]) -> str:
    """The first of some words, IUPAC letters understood, that a text holds on either strand; empty for none."""
    strands = ((word, strand) for word in words for strand in (word, reverse_complement(word)))
    return next((word for word, strand in strands if pattern(strand).search(text)), "")


def _whole(text: str, order: Order, spare: Iterator[str], words: Sequence[str]) -> tuple[str, str]:
    """A barcode and the whole oligo, in which no forbidden word arises where its parts meet."""
    inner = [word for word in words if word not in (order.forward, order.reverse)]
    for word in spare:
        body = text + word
        whole = order.forward + body + reverse_complement(order.reverse)
        primer = next((each for each in (order.forward, order.reverse) if each and _holds(body, [each])), "")
        if primer:
            if _holds(text, [primer]):
                raise UserError(
                    f"The primer {primer} also binds within a design.",
                    where=text[:60],
                    fix="choose another primer",
                )
            continue
        if not _holds(whole, inner) or _holds(text, inner):
            return word, whole
    raise UserError(
        "A site that must not occur arises where a design meets a primer or barcode.",
        where=text[:60],
        fix="choose other primers, a longer barcode, or another site",
    )


def as_fasta(table: pd.DataFrame) -> str:
    """The oligos as FASTA."""
    rows = zip(table["name"], table["kind"], table["oligo"], strict=True)
    return "".join(f">{name} {kind}\n{oligo}\n" for name, kind, oligo in rows)
