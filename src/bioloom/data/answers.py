"""Answers that are written token by token: a protein, a caption, a word; their tokens, and how they become numbers.

The number 0 stands at empty places and before the first token, 1 is the end of an answer; tokens follow from 2 on. In known
answers -1 is what no model with these tokens can write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ANSWER = "(answer)"
"""What answers are called among the inputs of a network, which learns each next token from those before it."""

END = 1
"""The token behind the last one of an answer."""

OTHER = -1
"""In a known answer: a token that is none of the model's, and, in the last place, all that is left of an answer longer than any
that the model can write. Nothing that is written equals it, so that such an answer is never taken for a right one."""

SAID = 3
"""Numbers that stand before the tokens of an answer: nats per token, share of tokens right, and how many tokens."""

MOST_TOKENS, LONGEST = 5_000, 256
"""Different tokens, and tokens of one answer, at most."""


def tokens_of(column: pd.Series[Any]) -> tuple[str, ...]:
    """The tokens of answers: what stands between two of them, the end, and then the tokens in order.

    Answers with white space in them are read as words, all others letter by letter.
    Raises UserError for answers that are too long or too varied to be written token by token.
    """
    cells = [str(cell).strip() for cell in column.dropna()]
    between = " " if any(len(cell.split()) > 1 for cell in cells) or _one_word_each(cells) else ""
    found = sorted({token for cell in cells for token in cut(cell, between)})
    longest = max((len(cut(cell, between)) for cell in cells), default=0)
    if len(found) > MOST_TOKENS or longest > LONGEST:
        raise UserError(
            f'The answers in "{column.name}" hold {len(found):,} different tokens, and up to {longest:,} each.',
            where="--target",
            fix=f"give answers of at most {MOST_TOKENS:,} different tokens and {LONGEST} tokens each",
        )
    return (between, "(end)", *found)


FEW_WORDS = 50
"""No more different answers than this, each many times, are words and not spellings: "red", "blue"."""


def _one_word_each(cells: list[str]) -> bool:
    different = len(set(cells))
    return different <= FEW_WORDS and different * 5 <= len(cells)


def cut(cell: str, between: str) -> list[str]:
    """The tokens of one answer: words, or letters."""
    return cell.split() if between else list("".join(cell.split()))


def longest_of(column: pd.Series[Any], tokens: tuple[str, ...]) -> int:
    """Tokens of the longest answer, its end counted."""
    return max((len(cut(str(cell), tokens[0])) for cell in column.dropna()), default=0) + 1


def answer_grid(column: pd.Series[Any], tokens: tuple[str, ...], longest: int) -> NDArray[np.int16]:
    """The numbers of the tokens of each answer and its end, (records, longest), 0 behind it and where there is none.

    Unknown tokens, and the rest of an answer that has more tokens than `longest` with its end, are `OTHER`.
    """
    numbers = {token: number for number, token in enumerate(tokens) if number > END}
    grid = np.zeros((len(column), longest), dtype=np.int16)
    for row, (cell, missing) in enumerate(zip(column, column.isna(), strict=True)):
        if missing:
            continue
        found = [*(numbers.get(token, OTHER) for token in cut(str(cell), tokens[0])), END]
        kept = found if len(found) <= longest else [*found[: longest - 1], OTHER]
        grid[row, : len(kept)] = kept
    return grid


def answer_truth(column: pd.Series[Any], tokens: tuple[str, ...], longest: int) -> NDArray[np.float32]:
    """The best that could be said of each record, (records, 3 + longest): no surprise, all right, so many tokens, and these."""
    grid = answer_grid(column, tokens, longest)
    count = (grid != 0).sum(axis=1)
    best = np.column_stack([np.zeros(len(grid)), np.ones(len(grid)), count, grid]).astype(np.float32)
    best[column.isna().to_numpy()] = np.nan
    return best


def lengths_of(written: NDArray[Any]) -> NDArray[np.int64]:
    """Tokens before the end of each answer, (records,), from (records, longest) numbers; all where there is no end."""
    over = (written == END) | (written == 0)
    return np.asarray(np.where(over.any(axis=1), over.argmax(axis=1), written.shape[1]), dtype=np.int64)


def texts_of(written: NDArray[Any], tokens: tuple[str, ...]) -> list[str]:
    """Answers as they are read, from (records, longest) numbers of tokens; `OTHER` is an ellipsis."""
    rows = zip(np.asarray(written).astype(np.int64), lengths_of(written).tolist(), strict=True)
    return [
        tokens[0].join("…" if number == OTHER else tokens[number] for number in row[:length])
        for row, length in rows
    ]
