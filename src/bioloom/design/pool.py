"""A list of oligos that can be ordered: designs with primers and barcodes, controls beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from bioloom.data.similarity.copies import reverse_complement
from bioloom.design.barcodes import barcodes
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
    controls = shuffled_texts(
        [designs[number % len(designs)] for number in range(order.shuffles)], order.seed + 1
    )
    named = [(f"design_{number + 1}", "design", text) for number, text in enumerate(designs)]
    named += [("wild_type", "wild type", order.wild_type)] if order.wild_type else []
    named += [(f"shuffle_{number + 1}", "shuffle", text) for number, text in enumerate(controls)]
    _refuse_primers(order, [text for _, _, text in named])
    count = len(named) * order.replicates
    primers = [word for word in (order.forward, order.reverse) if word]
    words = [""] * count
    if order.barcode:
        words = barcodes(count, order.barcode, order.apart, avoid=[*avoid, *primers], seed=order.seed)
    rows = []
    for number, (name, kind, text) in enumerate(named):
        for replicate in range(order.replicates):
            word = words[number * order.replicates + replicate]
            whole = order.forward + text + word + reverse_complement(order.reverse)
            shown = name if order.replicates == 1 else f"{name}_{replicate + 1}"
            rows.append((shown, kind, text, word, whole, len(whole)))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    long = table[table["length"] > order.longest]
    if len(long):
        raise UserError(
            f"{len(long)} oligos are longer than {order.longest} letters; the longest has {table['length'].max()}.",
            fix="shorten designs, barcodes or primers, or say what can be ordered",
        )
    return table


def _refuse_primers(order: Order, texts: Sequence[str]) -> None:
    """A primer that binds inside of an oligo amplifies a piece of it."""
    for primer in filter(None, (order.forward, order.reverse)):
        for strand in (primer, reverse_complement(primer)):
            found = next((text for text in texts if strand in text), None)
            if found is not None:
                raise UserError(
                    f"The primer {primer} also binds within a design.",
                    where=found[:60],
                    fix="choose another primer",
                )


def as_fasta(table: pd.DataFrame) -> str:
    """The oligos as FASTA."""
    rows = zip(table["name"], table["kind"], table["oligo"], strict=True)
    return "".join(f">{name} {kind}\n{oligo}\n" for name, kind, oligo in rows)
