"""What variants change, as a model of a run sees it: from VCF and genome, mutations of a parent, or pairs of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data import readers
from bioloom.data.genome import Genome, open_genome
from bioloom.data.similarity.copies import reverse_complement
from bioloom.data.variants import Variant, mutated, read_vcf
from bioloom.data.wording import counted
from bioloom.errors import UserError, did_you_mean
from bioloom.events import Listener
from bioloom.experiments.variants import Changed, Effects, all_substitutions, effects_of, framed
from bioloom.figures import style
from bioloom.figures.heatmap import heatmap
from bioloom.files import write_text
from bioloom.inquiry.model import SequenceModel
from bioloom.motifs.stretches import from_fasta


@dataclass(frozen=True)
class Asked:
    """Whose variants, and how they are asked about.

    run:          the folder of a run whose model reads one sequence
    output:       which target or class, by name; the first or the positive one if left out
    shifts:       windows are moved by up to so many letters to either side, and the answers averaged
    both_strands: average the answers for the reverse complement too
    """

    run: Path
    output: str = ""
    shifts: int = 0
    both_strands: bool = False


ALLELES = 2_000
"""Alleles of a VCF that are held together with the windows around them."""

VCF_COLUMNS = ("line", "name", "sequence", "position", "before", "after", "problem")


class Judge(SequenceModel):
    """A model asked about sequences with and without variants."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked.run, asked.output)
        self.asked = asked
        self.protein = len(self.letters) > len("ACGT")

    def table(self, rows: pd.DataFrame, changed: Sequence[Changed | None]) -> pd.DataFrame:
        """The rows with what each variant changes; those that cannot be asked about say why in `problem`."""
        problems = rows["problem"].tolist()
        for number, each in enumerate(changed):
            if each is not None and not problems[number] and self._blind(each):
                problems[number] = (
                    f"the model reads {self.length} letters in the middle, and sees nothing of this change"
                )
        for number, each in enumerate(changed):
            if (
                each is not None
                and not problems[number]
                and not self.usable([*each.before, *each.after]).all()
            ):
                problems[number] = (
                    "the model cannot read this sequence: too short, or letters that it does not know"
                )
        asked = [n for n, each in enumerate(changed) if each is not None and not problems[n]]
        variants = [self._with_strands(each) for n in asked if (each := changed[n]) is not None]
        found = effects_of(self.of_each, variants)
        unlike = self.unlike([each.after[0] for each in variants])
        columns = _columns(found, len(rows), np.array(asked, dtype=np.int64))
        why = np.full(len(rows), "", dtype=object)
        why[asked] = unlike
        return rows.drop(columns="problem").assign(**columns, unlike=why, problem=problems)

    def _blind(self, each: Changed) -> bool:
        """Whether a change lies outside of what the model reads; the parent itself is no change."""
        if each.before == each.after:
            return False
        frames = self.model.frames({self.column: [*each.before, *each.after]})
        ((name, modality),) = self.model.modalities.items()
        x = modality.encode(frames[name]).on("cpu").batch(self.model.index(2 * len(each.before))).x
        half = len(each.before)
        return bool((x[:half] == x[half:]).all())

    def _with_strands(self, each: Changed) -> Changed:
        if not (self.asked.both_strands and self.strands):
            return each
        before, after = (tuple(map(reverse_complement, side)) for side in (each.before, each.after))
        return Changed(each.before + before, each.after + after)


def _columns(found: Effects, rows: int, asked: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    columns = {}
    for name, values in vars(found).items():
        column = np.full(rows, np.nan)
        column[asked] = values
        columns[name if name not in ("before", "after") else f"{name}_score"] = column
    return columns


def of_vcf(asked: Asked, vcf: Path, genome: Path, listener: Listener) -> pd.DataFrame:
    """One row for each allele of a VCF, in its order.

    Columns: line, name, sequence, position (from 1), before, after, before_score, after_score, effect, low, high,
    unlike, problem. An allele whose reference is not what the genome has is not asked about, and says so.
    """
    judge, known = Judge(asked), open_genome(genome)
    parts, rows = [], []
    alleles = read_vcf(vcf)
    while some := list(islice(alleles, ALLELES)):
        changed: list[Changed | None] = []
        told: list[tuple[Any, ...]] = []
        for each in some:
            problem, window = _window(each, known, judge)
            told.append(
                (each.line, each.name, each.sequence, each.position + 1, each.before, each.after, problem)
            )
            changed.append(window)
        parts.append(judge.table(pd.DataFrame(told, columns=list(VCF_COLUMNS)), changed))
        rows += told
    if not parts:
        raise UserError(
            "There are no variants in this file.", where=str(vcf), fix="give a VCF with at least one line"
        )
    wrong = sum(row[-1].startswith("the genome has ") and " here, not " in row[-1] for row in rows)
    if wrong:
        listener.message(
            f"{wrong:,} of {counted(len(rows), 'allele')} name another reference than the genome has: "
            "is it the right genome?" + (" All do." if wrong == len(rows) else "")
        )
    return pd.concat(parts, ignore_index=True)


def _window(variant: Variant, genome: Genome, judge: Judge) -> tuple[str, Changed | None]:
    """What is wrong with a variant, and the windows around it where nothing is."""
    if variant.problem:
        return variant.problem, None
    if variant.sequence not in genome:
        return f'the genome has no sequence "{variant.sequence}"', None
    end = variant.position + len(variant.before)
    if end > genome.length(variant.sequence):
        return f"the sequence has only {genome.length(variant.sequence):,} letters", None
    held = genome.fetch(variant.sequence, variant.position, end)
    if held != variant.before:
        return f"the genome has {held[:20]} here, not {variant.before[:20]}", None
    widest = max(len(variant.before), len(variant.after))
    if widest + 2 * judge.asked.shifts >= judge.length:
        return f"the model reads {judge.length} letters: too few for this allele and its shifts", None
    reach = judge.length + judge.asked.shifts + len(variant.before)
    left = genome.fetch(variant.sequence, variant.position - reach, variant.position)
    right = genome.fetch(variant.sequence, end, end + reach)
    shifts = sorted(range(-judge.asked.shifts, judge.asked.shifts + 1), key=abs)
    return "", framed((left, right), variant.before, variant.after, judge.length, shifts)


def of_mutations(asked: Asked, source: str, parent: str, column: str, first: int) -> pd.DataFrame:
    """One row for each row of a table of mutations of a parent, such as A23T or p.Ala23Thr.

    parent: its sequence, or a FASTA file with it
    column: that holds the mutations; "mutation", "mutations", "variant" or "hgvs" if left out
    first:  the number of the parent's first letter
    """
    judge = Judge(asked)
    whole = one_sequence(parent)
    table = readers.read(source)
    name = _mutation_column(table.frame, column, table.source)
    rows: list[tuple[Any, ...]] = []
    changed: list[Changed | None] = []
    for number, cell in enumerate(table.frame[name]):
        text = "" if pd.isna(cell) else str(cell)
        try:
            changed.append(Changed((whole,), (mutated(whole, text, first, protein=judge.protein),)))
            problem = ""
        except UserError as error:
            changed.append(None)
            problem = error.what
        rows.append((number + 1, text, problem))
    return judge.table(pd.DataFrame(rows, columns=["row", "mutation", "problem"]), changed)


def _mutation_column(frame: pd.DataFrame, column: str, source: str) -> str:
    names = [str(name) for name in frame.columns]
    usual = ("mutation", "mutations", "variant", "hgvs", "mutant")
    chosen = column or next((name for word in usual for name in names if name.lower() == word), "")
    if chosen not in names:
        raise UserError(
            f'There is no column "{column}".{did_you_mean(column, names)}'
            if column
            else "No column holds mutations.",
            where=source,
            fix=f"name it with --column; the columns are: {', '.join(names)}",
        )
    return chosen


def of_pairs(asked: Asked, before: Path, after: Path) -> pd.DataFrame:
    """One row for each sequence of a FASTA file, compared with the one of the same name in another."""
    judge = Judge(asked)
    others: dict[str, str] = {}
    for each in from_fasta(after):
        if each.name in others:
            raise UserError(
                f'Two sequences are called "{each.name}".',
                where=str(after),
                fix="give each a name of its own",
            )
        others[each.name] = each.text.upper()
    rows: list[tuple[Any, ...]] = []
    changed: list[Changed | None] = []
    seen: set[str] = set()
    for each in from_fasta(before):
        if each.name in seen:
            raise UserError(
                f'Two sequences are called "{each.name}".',
                where=str(before),
                fix="give each a name of its own",
            )
        seen.add(each.name)
        other = others.pop(each.name, None)
        rows.append((each.name, "" if other is not None else f"{after.name} has no sequence of this name"))
        changed.append(None if other is None else Changed((each.text.upper(),), (other,)))
    for name in others:
        rows.append((name, f"{before.name} has no sequence of this name"))
        changed.append(None)
    return judge.table(pd.DataFrame(rows, columns=["name", "problem"]), changed)


def of_all(asked: Asked, sequence: str) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Every single substitution of a sequence, one row each, and the effects as (letters, positions), 0 for its own."""
    judge = Judge(asked)
    whole = one_sequence(sequence)
    alphabet = judge.letters
    if not judge.usable([whole]).all():
        raise UserError(
            "The model cannot read this sequence.", where=whole[:60], fix="give one as it was trained on"
        )
    found = all_substitutions(whole, alphabet)
    rows = pd.DataFrame(
        [
            (place + 1, whole[place], letter, f"{whole[place]}{place + 1}{letter}", "")
            for place, letter, _ in found
        ],
        columns=["position", "before", "after", "mutation", "problem"],
    )
    table = judge.table(rows, [Changed((whole,), (text,)) for _, _, text in found])
    values = np.zeros((len(alphabet), len(whole)))
    for (place, letter, _), effect in zip(found, table["effect"], strict=True):
        values[alphabet.index(letter), place] = effect
    return table, values


def draw_all(asked: Asked, sequence: str, values: NDArray[np.float64], out: Path) -> None:
    """The map of all substitutions as a figure: blue lowers, vermillion raises."""
    judge = Judge(asked)
    label = judge.unit[:1].upper() + judge.unit[1:]
    style.save(heatmap(values, judge.letters, observed=one_sequence(sequence), label=label), out)


def one_sequence(text: str) -> str:
    """A sequence as it is written, or the first one of a FASTA file."""
    if text.isalpha() and not Path(text).exists():
        return text.upper()
    found = list(from_fasta(Path(text)))
    if len(found) != 1:
        raise UserError(
            f"One sequence is needed, and there are {len(found)}.",
            where=text,
            fix="give a FASTA with one record",
        )
    return found[0].text.upper()


def write(table: pd.DataFrame, out: Path | None) -> str:
    """The table as TSV; also into a file where it is named."""
    text = table.to_csv(sep="\t", index=False, float_format="%.5g", lineterminator="\n")
    if out is not None:
        write_text(out, text)
    return text
