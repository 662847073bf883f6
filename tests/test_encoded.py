"""Compact storage and its expansion into batches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from bioloom.modalities import Kind
from bioloom.modalities.dna import ALPHABET
from bioloom.modalities.encoded import ColumnEncoded, TokenEncoded
from bioloom.modalities.letters import tokenise


def encoded(*sequences: str, width: int = 0) -> TokenEncoded:
    tokens = tokenise(pd.Series(sequences, name="s"), ALPHABET)
    width = width or int(tokens.lengths.max())
    lengths = np.minimum(tokens.lengths, width).astype(np.int32)
    return TokenEncoded(tokens.matrix(width, ALPHABET.padding), lengths, ALPHABET.channels)


def all_of(storage: TokenEncoded):
    return storage.on("cpu").batch(torch.arange(len(storage)))


def test_letters_become_one_hot_in_the_order_of_the_channels():
    x, mask = all_of(encoded("ACGT"))
    assert mask is None
    assert x.dtype == torch.float32
    assert torch.equal(x[0], torch.eye(4))


def test_mixtures_are_equal_shares_of_their_letters():
    x = all_of(encoded("RNA")).x[0]
    assert x[:, 0].tolist() == [0.5, 0, 0.5, 0]
    assert x[:, 1].tolist() == [0.25] * 4
    assert x[:, 2].tolist() == [1, 0, 0, 0]


def test_gaps_are_zeros_that_count_and_padding_is_zeros_that_do_not():
    x, mask = all_of(encoded("A-.C", "AC"))
    assert x[0].sum(dim=0).tolist() == [1, 0, 0, 1]
    assert x[1].sum(dim=0).tolist() == [1, 1, 0, 0]
    assert mask is not None
    assert mask.tolist() == [[True] * 4, [True, True, False, False]]


def test_the_fast_expansion_equals_looking_every_token_up_in_the_table():
    random = np.random.default_rng(0)
    sequences = ["".join(random.choice(list("ACGTRYSWKMBDHVN-"), size=n)) for n in random.integers(1, 40, 50)]
    storage = encoded(*sequences)
    by_table = ALPHABET.channels[storage.tokens].transpose(0, 2, 1)  # (records, letters, positions)
    np.testing.assert_array_equal(all_of(storage).x.numpy(), by_table)


def test_a_batch_holds_the_asked_records_in_the_asked_order():
    storage = encoded("AA", "CC", "GG")
    x = storage.on("cpu").batch(torch.tensor([2, 0, 2])).x
    assert x.argmax(dim=1).tolist() == [[2, 2], [0, 0], [2, 2]]
    assert len(storage.take(np.array([2, 0]))) == 2
    assert all_of(storage.take(np.array([2]))).x.argmax(dim=1).tolist() == [[2, 2]]


def test_an_empty_batch_is_possible():
    storage = encoded("ACGT", "AC")
    x, mask = storage.on("cpu").batch(torch.zeros(0, dtype=torch.int64))
    assert x.shape == (0, 4, 4)
    assert mask is not None
    assert mask.shape == (0, 4)


def test_longer_records_are_cropped_around_their_centre():
    storage = encoded("AACCA", "GGGGT", "TT", width=3)
    assert all_of(storage).x.argmax(dim=1)[:2].tolist() == [[0, 1, 1], [2, 2, 2]]
    assert storage.lengths.tolist() == [3, 3, 2]


def test_ragged_records_are_laid_out_as_one_by_one():
    random = np.random.default_rng(1)
    sequences = ["".join(random.choice(list("ACGT"), size=n)) for n in random.integers(1, 30, 10_000)]
    storage = encoded(*sequences, width=20)
    for row in (0, 1, 4095, 4096, 9999):
        np.testing.assert_array_equal(storage.tokens[row], encoded(sequences[row], width=20).tokens[0])


def test_storage_on_the_processor_is_shared_and_not_copied():
    storage = encoded("ACGT", "AC")
    resident = storage.on("cpu")
    assert resident.tokens.data_ptr() == storage.tokens.ctypes.data
    values = np.zeros((2, 3), dtype=np.float32)
    assert ColumnEncoded(values).on("cpu").values.data_ptr() == values.ctypes.data


def test_one_letter_takes_one_byte():
    storage = encoded("ACGT", "AC")
    assert storage.tokens.dtype == np.uint8
    assert storage.shape.kind is Kind.SEQUENCE
    assert str(storage.shape) == "4x4"


def test_columns_come_as_they_are():
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    storage = ColumnEncoded(values)
    x, mask = storage.on("cpu").batch(torch.tensor([2, 0]))
    assert mask is None
    np.testing.assert_array_equal(x.numpy(), values[[2, 0]])
    np.testing.assert_array_equal(storage.take(np.array([1])).values, values[1:2])
    assert storage.shape.sizes == (2,)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_batches_on_a_gpu_equal_those_on_the_processor():
    storage = encoded("ACGTN", "AC", "R-T")
    index = torch.tensor([2, 1, 0])
    here, there = storage.on("cpu").batch(index), storage.on("cuda").batch(index.cuda())
    assert torch.equal(here.x, there.x.cpu())
    assert here.mask is not None
    assert there.mask is not None
    assert torch.equal(here.mask, there.mask.cpu())
