"""The motifs that a model of a run uses: where its contributions are larger than by chance, grouped and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.wording import counted
from bioloom.errors import UserError
from bioloom.events import Listener
from bioloom.figures import style
from bioloom.figures.motifs import logos
from bioloom.files import write_text
from bioloom.inquiry.model import SequenceModel
from bioloom.journey.predicted import read_records
from bioloom.motifs.compare import compare
from bioloom.motifs.database import find_motifs
from bioloom.motifs.discover import FEWEST, Chance, Found, discover
from bioloom.motifs.formats import write_motifs
from bioloom.motifs.seqlets import Seqlets, find_seqlets
from bioloom.trained import Asked

HEIGHTS = {"contributions": "Mean contribution", "weights": "Weight, less the mean of letters"}

MATCHED = 0.1
"""E-value up to which a motif of the database is named."""


@dataclass(frozen=True)
class Wanted:
    """What is looked for.

    run:      the folder of a run whose model reads one sequence of DNA or RNA
    file:     sequences; test records of the run if left out, and others where these are fewer
    records:  how many are taken
    output:   number of the target or class
    method:   how contributions are found: an explainer for sequences
    database: motifs that the found ones are compared with; none if left out
    width:    letters of a stretch
    fdr:      the highest false-discovery rate of a stretch
    """

    run: Path
    file: str = ""
    records: int = 500
    output: int = 0
    method: str = "mutagenesis"
    database: str = ""
    width: int = 11
    fdr: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class Discovered:
    """Motifs, one row for each in `table`, and one row for each of their sites.

    kind: what the heights of letters beside the motifs are, "contributions" or "weights"
    """

    motifs: tuple[Found, ...]
    table: pd.DataFrame
    sites: pd.DataFrame
    kind: str = "contributions"


def discover_motifs(wanted: Wanted, listener: Listener) -> Discovered:
    """Find the motifs that a model uses in sequences; none is an answer too, with what it means.

    Raises UserError for a model that reads anything but one sequence of nucleotides.
    """
    asked = SequenceModel(wanted.run)
    texts, ids = sequences_of(asked, wanted.file, wanted.records, listener)
    listener.stage("discover", f"Asking what matters in {len(texts):,} sequences")
    letters, contributed = _contributions(asked, texts, wanted)
    chance = Chance.of(letters, contributed, wanted.seed)
    every = find_seqlets(contributed.sum(axis=1), chance.contributions.sum(axis=1), wanted.width, fdr=1.0)
    found = discover(letters, contributed, every.up_to(wanted.fdr), asked.strands, chance)
    listener.message(words(found, every, wanted.fdr))
    verdict = asked.run.result["verdict"]
    if verdict["prefer"] != "model":
        listener.message(f"they are those of the network, of which the run says: {verdict['text']}")
    return told(found, ids, len(texts), wanted.database)


def sequences_of(
    asked: SequenceModel, file: str, records: int, listener: Listener
) -> tuple[list[str], list[str]]:
    """So many sequences of a file, or test records of the run (others behind them, where these are fewer), and their names.

    Raises UserError for a model that reads anything but nucleotides.
    """
    if len(asked.letters) != len("ACGT"):
        raise UserError("Motifs are found in DNA and RNA.", fix="choose a run on sequences of nucleotides")
    if file:
        frames, ids = read_records(asked.model, file, listener)
    else:
        frames, ids = asked.run.test_records(records, others=True)
    texts = [str(text).upper() for text in frames[asked.name][asked.column].head(records)]
    return texts, list(ids)


def told(
    found: Sequence[Found], ids: Sequence[str], records: int, database: str = "", kind: str = "contributions"
) -> Discovered:
    """Motifs with their tables, named by a database where there is one."""
    table = _table(found, database, records)
    if kind == "weights":
        table = table.drop(columns="by_chance")  # filters are not compared with chance
    return Discovered(tuple(found), table, _sites(found, ids), kind)


def _contributions(
    asked: SequenceModel, texts: Sequence[str], wanted: Wanted
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One-hot letters, and what each letter that is there adds, (records, 4, positions)."""
    model, name = asked.model, asked.name
    frames = model.frames({asked.column: list(texts)})
    question = Asked(wanted.method, name, wanted.output, seed=wanted.seed)
    attribution = model.explain(frames, question).attribution.astype(np.float64)
    encoded = model.modalities[name].encode(frames[name])
    one_hot = encoded.on("cpu").batch(model.index(len(texts))).x.numpy().astype(np.float64)
    return one_hot, attribution * one_hot


def words(found: Sequence[Found], every: Seqlets, fdr: float) -> str:
    """What was found; where that is nothing, what it means and what can be done."""
    stretches = len(every.up_to(fdr))
    if found:
        return f"{counted(len(found), 'motif')} of {counted(stretches, 'stretch')} that matter"
    if stretches:
        return (
            f"of {counted(stretches, 'stretch')} that matter, fewer than {FEWEST} are alike, or letters in random order have "
            "half as many like them: give more sequences with --records"
        )
    least = float(every.fdr.min(initial=1.0))
    strongest = len(every.up_to(least)) if least < 1 else 0
    nearly = (
        f"of the {counted(strongest, 'stretch')} that matter most, chance gives {least:.0%}, and {fdr:.0%} are allowed (--fdr); "
        if strongest
        else ""
    )
    return (
        f"no stretch matters more than letters in random order: {nearly}more sequences (--records) or a better "
        "model may tell them apart; a model of composition has no motifs"
    )


def _table(found: Sequence[Found], database: str, records: int) -> pd.DataFrame:
    rows = [
        (
            each.motif.name,
            each.motif.consensus,
            len(each.sites),
            each.sites["record"].nunique() / records,
            each.by_chance,
            each.effect,
            float(each.motif.information().sum()),
        )
        for each in found
    ]
    table = pd.DataFrame(
        rows, columns=["motif", "consensus", "sites", "share_of_sequences", "by_chance", "effect", "bits"]
    )
    if not database:
        return table
    matches = [("", "", float("nan"))] * len(found)
    if found:
        alike = compare([each.motif for each in found], find_motifs(database))
        best = alike.groupby("query", sort=False).first().loc[[each.motif.name for each in found]]
        named = zip(best["target"].tolist(), best["title"].tolist(), best["e_value"].tolist(), strict=True)
        matches = [(name, title, e) if e <= MATCHED else ("", "", e) for name, title, e in named]
    return table.assign(
        match=[match for match, _, _ in matches],
        match_title=[title for _, title, _ in matches],
        e_value=[e_value for _, _, e_value in matches],
    )


def _sites(found: Sequence[Found], ids: Sequence[str]) -> pd.DataFrame:
    columns = ["motif", "sequence", "start", "end", "strand", "score"]
    parts = [
        each.sites.assign(motif=each.motif.name, sequence=[ids[record] for record in each.sites["record"]])[
            columns
        ]
        for each in found
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def write(found: Discovered, folder: Path) -> list[Path]:
    """Write motifs.tsv, sites.tsv, motifs.meme and two figures of logos; returns the files."""
    paths = [folder / "motifs.tsv", folder / "sites.tsv"]
    for path, frame in zip(paths, (found.table, found.sites), strict=True):
        write_text(path, frame.to_csv(sep="\t", index=False, float_format="%.4g", lineterminator="\n"))
    if found.motifs:
        paths += [folder / "motifs.meme", folder / f"{found.kind}.svg", folder / "information.svg"]
        write_text(paths[2], write_motifs([each.motif for each in found.motifs]))
        named = [(_heading(found, number), each) for number, each in enumerate(found.motifs)]
        style.save(logos([(name, each.contributions) for name, each in named], HEIGHTS[found.kind]), paths[3])
        style.save(logos([(name, each.motif.logo()) for name, each in named], "Bits"), paths[4])
    return paths


def _heading(found: Discovered, number: int) -> str:
    row = found.table.iloc[number]
    match = str(row["match_title"] or row["match"]) if "match" in found.table else ""
    return f"{row['motif']}: {row['sites']} sites" + (f", like {match}" if match else "")
