"""Answers written token by token: their tokens, their scores beside slow oracles, and simulated pairs."""

from __future__ import annotations

import tracemalloc
from functools import cache

import numpy as np
import pandas as pd
import pytest

from bioloom.data.answers import END, OTHER, SAID, answer_grid, answer_truth, longest_of, texts_of, tokens_of
from bioloom.data.simulate import simulate
from bioloom.data.simulate.codons import CODE, translated
from bioloom.errors import UserError
from bioloom.evaluation.told import written_columns, written_table
from bioloom.metrics.answers import alike, in_place, whole
from bioloom.models import TrainingData
from bioloom.models.answers import CommonestAnswer, NearestAnswer
from bioloom.targets import Targets

PROTEINS = pd.Series(["MKV", "MA", None, "MKVAA"], name="protein")


def test_letters_and_words_become_numbers_and_come_back() -> None:
    tokens = tokens_of(PROTEINS)
    assert tokens == ("", "(end)", "A", "K", "M", "V")
    grid = answer_grid(PROTEINS, tokens, longest_of(PROTEINS, tokens))
    assert grid.tolist() == [[4, 3, 5, 1, 0, 0], [4, 2, 1, 0, 0, 0], [0] * 6, [4, 3, 5, 2, 2, 1]]
    assert texts_of(grid, tokens) == ["MKV", "MA", "", "MKVAA"]
    captions = pd.Series(["a red ring", "a cross"])
    words = tokens_of(captions)
    assert words[0] == " "
    assert texts_of(answer_grid(captions, words, 4), words) == captions.tolist()


def test_few_answers_that_come_again_and_again_are_words() -> None:
    assert tokens_of(pd.Series(["small", "large"] * 20))[2:] == ("large", "small")
    assert set(tokens_of(pd.Series(["MKV", "MAV", "MKK"]))[2:]) == {"A", "K", "M", "V"}


def test_answers_that_are_too_long_are_refused() -> None:
    with pytest.raises(UserError, match="300 each"):
        tokens_of(pd.Series(["A" * 300, "AC"], name="dna"))


def test_answers_that_cannot_be_written_are_never_right() -> None:
    tokens = tokens_of(PROTEINS)  # A, K, M and V
    known = pd.Series(["MKVA", "MKVAA", "MKVAAA", "MWV", "M"], name="protein")
    truth = answer_truth(known, tokens, 4)[:, SAID:].astype(np.int64)
    assert truth.tolist() == [
        [4, 3, 5, OTHER],  # its end would be the fifth
        [4, 3, 5, OTHER],
        [4, 3, 5, OTHER],
        [4, OTHER, 5, 1],
        [4, 1, 0, 0],
    ]
    assert answer_truth(known, tokens, 4)[:, 2].tolist() == [4, 4, 4, 4, 2]
    for written in ([4, 3, 5, 2], [4, 3, 5, 1], [4, 1, 0, 0], [4, 2, 5, 1]):
        right = whole(np.array([written] * 5), truth)[0].tolist()
        assert right == [0, 0, 0, 0, float(written == [4, 1, 0, 0])]
    assert texts_of(truth, tokens) == ["MKV…", "MKV…", "MKV…", "M…V", "M"]


def test_unknown_answers_have_no_truth() -> None:
    tokens = tokens_of(PROTEINS)
    truth = answer_truth(PROTEINS, tokens, 6)
    assert np.isnan(truth[2]).all()
    assert truth[0, :SAID].tolist() == [0, 1, 4]


# ---- scores --------------------------------------------------------------------------------------------------------------


@cache
def levenshtein(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    if not one or not other:
        return len(one) + len(other)
    return min(
        levenshtein(one[1:], other) + 1,
        levenshtein(one, other[1:]) + 1,
        levenshtein(one[1:], other[1:]) + (one[0] != other[0]),
    )


def some_answers(seed: int) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    random = np.random.default_rng(seed)
    rows = [tuple(random.integers(2, 5, random.integers(1, 6)).tolist()) for _ in range(40)]
    grid = np.zeros((40, 7), dtype=np.int64)
    for number, row in enumerate(rows):
        grid[number, : len(row) + 1] = [*row, END]
    return grid, rows


def test_scores_are_those_of_a_slow_oracle() -> None:
    (written, one), (true, other) = some_answers(0), some_answers(1)
    longer = [max(len(a), len(b)) for a, b in zip(one, other, strict=True)]
    hits, among = in_place(written, true)
    assert among.tolist() == longer
    assert hits.tolist() == [
        sum(x == y for x, y in zip(a, b, strict=False)) for a, b in zip(one, other, strict=True)
    ]
    kept, _ = alike(written, true)
    assert kept.tolist() == [n - levenshtein(a, b) for n, a, b in zip(longer, one, other, strict=True)]
    assert whole(written, true)[0].tolist() == [float(a == b) for a, b in zip(one, other, strict=True)]


def test_the_likeness_of_long_answers_does_not_hold_all_columns_at_once() -> None:
    answers = np.full((500, 100), 2)
    tracemalloc.start()
    kept, among = alike(answers, np.roll(answers, 1, axis=0))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (kept == among).all()
    assert most < 4_000_000  # all columns would be 20 MB
    assert alike(answers[:0], answers[:0])[0].tolist() == []


# ---- models that remember ------------------------------------------------------------------------------------------------


def data(answers: pd.Series) -> tuple[TrainingData, Targets]:
    tokens = tokens_of(answers)
    longest = longest_of(answers, tokens)
    truth = answer_truth(answers, tokens, longest)
    features = np.arange(len(answers), dtype=np.float32)[:, None] * [1, 0.5]
    features = features.astype(np.float32)
    rows = TrainingData(features, truth, np.ones(len(answers), np.float32), features[:1], truth[:1])
    return rows, Targets("translation", ("protein",), tokens=tokens, longest=longest)


def test_the_commonest_answer_is_a_whole_one_where_answers_repeat() -> None:
    rows, targets = data(pd.Series(["MKV", "MA", "MA", "MA"]))
    found = CommonestAnswer.fit(rows, targets, 0).predict(rows.features[:2])
    assert written_table(targets, found)["protein"].tolist() == ["MA", "MA"]
    rows, targets = data(pd.Series(["MKV", "MAV", "MKA"]))
    found = CommonestAnswer.fit(rows, targets, 0).predict(rows.features[:1])
    assert written_table(targets, found)["protein"].tolist() == ["MKV"]


def test_the_nearest_record_gives_its_answer() -> None:
    rows, targets = data(pd.Series(["MKV", "MA", "MVV"]))
    found = NearestAnswer.fit(rows, targets, 0).predict(np.array([[1.9, 0.9], [-3, -1]], dtype=np.float32))
    columns = written_columns(targets, found, rows.truth[[2, 1]])
    assert columns["protein predicted"] == ["MVV", "MKV"]
    assert columns["right"] == ["yes", "no"]


# ---- simulated pairs -----------------------------------------------------------------------------------------------------


def test_the_genetic_code_is_the_standard_one() -> None:
    assert translated("ATGTGGTTTTAA") == "MWF"
    assert [CODE.count(letter) for letter in "MWLSR*"] == [1, 1, 6, 6, 6, 3]
    frame = simulate("codons", 30).frame
    assert frame["protein"].str.startswith("M").all()
    assert (frame["gene"].str.len() == 3 * frame["protein"].str.len() + 3).all()


def test_captions_and_questions_fit_their_pictures() -> None:
    captions = simulate("captions", 60).frame
    assert captions["caption"].str.fullmatch(r"a (small|large) \w+ (left of|above) a (small|large) \w+").all()
    questions = simulate("questions", 60).frame
    sized = questions["question"].str.startswith("how large")
    assert questions.loc[sized, "answer"].isin(["small", "large"]).all()
    assert not questions.loc[~sized, "answer"].isin(["small", "large"]).any()
    pixels = captions.filter(like="pixel").to_numpy().reshape(-1, 20, 20)
    above = captions["caption"].str.contains("above").to_numpy()
    bright = pixels > 120
    assert bright[above][:, :8].any(axis=(1, 2)).all()  # something stands in the upper part
    assert bright[~above][:, :, :8].any(axis=(1, 2)).all()
