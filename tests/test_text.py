"""Text as an input: detection, near copies, tokens, features beside scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from bioloom.data.records import Table
from bioloom.data.similarity.shingles import compare_texts, families, runs
from bioloom.errors import UserError
from bioloom.journey.roles import propose
from bioloom.modalities import Similarity
from bioloom.modalities.pieces import UNKNOWN
from bioloom.modalities.text import Text, whole_words
from bioloom.modalities.words import Words

DEMO = Text.demo(60, 0).records.inputs["note"]


def frame(*texts: object) -> pd.DataFrame:
    return pd.DataFrame({"note": np.array(texts, dtype=object)})


def table(columns: dict[str, object]) -> Table:
    data = pd.DataFrame(columns)
    return Table(data, np.arange(len(data), dtype=np.int64), "a.csv", "CSV", "0")


# ---- when a column is text -------------------------------------------------------------------------------------


def test_text_is_an_input_where_no_other_column_can_be_one() -> None:
    inputs, reasons = propose(table({"note": DEMO["note"]}), ["note"])
    assert inputs["note"].modality == "text"
    assert "no other column" in reasons["note"]


def test_beside_columns_of_numbers_text_is_left_out() -> None:
    both = table({"note": DEMO["note"], "ph": np.linspace(6, 8, len(DEMO))})
    assert {name: each.columns for name, each in propose(both, ["note", "ph"])[0].items()} == {
        "table": ("ph",)
    }


def test_a_sequence_comes_before_text() -> None:
    dna = ["ACGTACGTTGCA" + "ACGT"[number % 4] for number in range(len(DEMO))]
    assert list(propose(table({"note": DEMO["note"], "dna": dna}), ["note", "dna"])[0]) == ["dna"]


def test_names_are_no_text() -> None:
    assert Text.detect(pd.Series([f"sample {number}" for number in range(50)])) == 0


# ---- what is wrong with it, and what is changed -------------------------------------------------------------------


def test_missing_and_empty_texts_are_dropped() -> None:
    found = {each.code: each.rows.tolist() for each in Text.check(frame("a b c", None, "  \n", "d"))}
    assert found == {"text.missing": [1], "text.empty": [2]}


def test_encoding_a_row_without_text_is_refused() -> None:
    fitted = Text.fit(DEMO)
    with pytest.raises(UserError, match="Record 2 has no text"):
        fitted.encode(frame("warm broth", " "))


def test_long_texts_are_cropped_and_unknown_characters_noted() -> None:
    fitted = Text.fit(DEMO)
    new = frame("the culture " * 200, "the culture \N{SNOWMAN}", "the culture")
    assert {each.code: each.rows.tolist() for each in fitted.notes(new)} == {
        "text.cropped": [0],
        "text.unknown": [1],
    }
    assert fitted.encode(new).lengths[0] == fitted.length
    assert (fitted.encode(new).tokens[1] == UNKNOWN).sum() == 1


def test_white_space_counts_only_where_it_is_asked_to() -> None:
    one, other = frame("the culture  grew\n"), frame("the culture grew")
    plain = Text.fit(DEMO)
    exact = Text.fit_as(DEMO, Text.Settings(white_space="exact", tokens="characters"))
    assert (plain.encode(one).tokens == plain.encode(other).tokens).all()
    assert exact.encode(one).lengths[0] == exact.encode(other).lengths[0] + 2
    assert exact.pieces.decode(exact.encode(other).tokens[0][:16]) == "the culture grew"


# ---- near copies ---------------------------------------------------------------------------------------------------


def test_resemblance_is_shared_runs_over_all_runs() -> None:
    one, other, third = "a b c d e f", "a b c d e g", "x y z"
    shared, every = set(runs(one)) & set(runs(other)), set(runs(one)) | set(runs(other))
    alike = compare_texts(np.array([one, other, third], dtype=object), np.array([0, 2]), np.array([1]))
    assert alike.identity[0] == pytest.approx(len(shared) / len(every))
    assert alike.identity[1] == 0
    assert list(alike.kind) == ["near", ""]


def test_near_copies_and_what_they_link_are_one_family() -> None:
    texts = np.array(
        ["a b c d e f g h", "a b c d e f g x", "b c d e f g x y", "p q r s t", "p q r s t"], dtype=object
    )
    labels = families(texts, 0.5)
    assert labels[0] == labels[1] == labels[2]
    assert labels[3] == labels[4] != labels[0]


def test_copies_differ_in_white_space_and_capitals_at_most() -> None:
    values = frame("The  flask\n", "the flask", "the flasks")
    assert Text.copies(values).tolist() == [0, 0, 1]
    hashes = Text.fit(DEMO).hashes(values)
    assert hashes[0] == hashes[1] != hashes[2]


def test_what_counts_as_near_may_be_asked_for() -> None:
    values = frame("a b c d e f", "a b c d e g")
    assert len(set(Text.clusters(values, Similarity(0.9)).labels)) == 2
    assert len(set(Text.clusters(values, Similarity(0.5)).labels)) == 1


# ---- what simple models and people see ---------------------------------------------------------------------------


def test_words_are_weighed_as_scikit_learn_does() -> None:
    texts = DEMO["note"].tolist()
    words = Words.learn(texts, spaced=True)
    oracle = TfidfVectorizer(
        token_pattern=r"\w+", ngram_range=(1, 2), sublinear_tf=True, vocabulary=list(words.names)
    ).fit_transform(texts)
    np.testing.assert_allclose(words.weigh(texts), oracle.toarray(), atol=1e-5)


def test_texts_without_spaces_are_described_by_runs_of_characters() -> None:
    fitted = Text.fit(frame("CCO", "CCN", "C=O", "CC=O"))
    assert '"CC"' in fitted.features(frame("CCO")).names


def test_tokens_belong_to_words() -> None:
    assert whole_words([" cul", "ture", " grew", ".", " It"]) == [0, 0, 1, 2, 3]


def test_backgrounds_hold_the_tokens_of_the_record_in_another_order() -> None:
    import torch

    fitted = Text.fit(DEMO)
    signal = fitted.encode(DEMO).on("cpu").batch(torch.arange(5))
    drawn = fitted.background(signal, 0, 2)
    torch.testing.assert_close(drawn[:, 1].sort(dim=1).values, signal.x.sort(dim=1).values)
    assert not torch.equal(drawn[:, 0], signal.x)
