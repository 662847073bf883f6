"""MMseqs2 behind the same interface, against planted relatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bioloom.data.similarity import mmseqs
from bioloom.data.similarity.letters import read_letters
from bioloom.data.similarity.near import clusters, neighbours
from bioloom.data.similarity.notion import Notion, Settings, notion_of
from bioloom.errors import UserError
from planted import DNA, ONE_STRAND, PROTEIN, RESIDUES, Alphabet, substituted, texts, turned, unrelated


def installed() -> bool:
    try:
        return mmseqs.program().is_file()
    except UserError:
        return False


needed = pytest.mark.skipif(not installed(), reason="MMseqs2 is not installed")


def notion(sequences: np.ndarray, alphabet: Alphabet) -> Notion:
    settings = replace(Settings.suited_to(alphabet), engine="mmseqs2")
    return notion_of(read_letters(sequences, alphabet), settings)


@needed
@pytest.mark.parametrize(("alphabet", "letters", "changed"), [(DNA, "ACGT", 30), (PROTEIN, RESIDUES, 80)])
def test_planted_relatives_are_found_and_nothing_else(alphabet: Alphabet, letters: str, changed: int) -> None:
    random = np.random.default_rng(0)
    targets = unrelated(random, 60, 200, letters)
    queries = [substituted(random, one, changed, letters) for one in targets[:40]]
    if alphabet.both_strands:
        queries[::2] = [turned(one) for one in queries[::2]]
    queries += unrelated(random, 20, 200, letters)
    everything = texts(targets + queries)
    found = neighbours(texts(queries), texts(targets), alphabet, notion(everything, alphabet))
    assert (found.left == found.right).all()
    assert len(found) >= 39
    assert found.identity == pytest.approx(1 - changed / 200, abs=0.05)
    if alphabet.both_strands:
        assert (found.reverse == (found.left % 2 == 0)).all()


@needed
def test_the_other_strand_of_rna_is_no_copy() -> None:
    random = np.random.default_rng(1)
    targets = unrelated(random, 30, 150)
    queries = [turned(one) for one in targets]
    assert not len(
        mmseqs.search(texts(queries), texts(targets), ONE_STRAND, notion(texts(targets), ONE_STRAND))
    )


@needed
def test_families_are_those_of_the_engine_of_bioloom() -> None:
    random = np.random.default_rng(2)
    parents = unrelated(random, 30, 200)
    children = [substituted(random, parent, 20) for parent in parents[:20]]
    sequences = texts([*parents, *children, turned(parents[3]), parents[25][40:100]])
    ours = clusters(sequences, DNA, notion_of(read_letters(sequences, DNA), Settings.suited_to(DNA)))
    theirs = clusters(sequences, DNA, notion(sequences, DNA))
    assert theirs.tolist() == ours.tolist()


def test_asked_for_and_missing_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmseqs, "find_spec", lambda name: None)
    monkeypatch.setattr(mmseqs, "which", lambda name: None)
    with pytest.raises(UserError) as told:
        mmseqs.program()
    assert "bioloom[homology]" in str(told.value.fix)
