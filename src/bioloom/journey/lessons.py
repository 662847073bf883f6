"""Prompts and responses from a file, as a language model reads them, and which of them are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from bioloom.data import readers
from bioloom.data.records import Table
from bioloom.data.wording import counted
from bioloom.errors import UserError
from bioloom.modalities import Modality
from bioloom.models.preferences import Responses

FEWEST = 40
"""With fewer usable rows nothing is learned."""

SHARES = (0.7, 0.15)
"""Of the prompts that are learned from, and by which it is decided when to stop; the others are the test."""


@dataclass(frozen=True)
class Lessons:
    """Rows of a file that can be used.

    prompts:  (rows,) texts
    answers:  the columns of responses by name: "response", or "chosen" and "rejected"
    parts:    rows of "train", "validation" and "test"; rows of one prompt stay together
    dropped:  rows that cannot be used
    """

    source: str
    prompts: list[str]
    answers: dict[str, list[str]]
    parts: dict[str, NDArray[np.int64]]
    dropped: int

    @property
    def paired(self) -> bool:
        """Whether there are two responses, of which one is preferred."""
        return "chosen" in self.answers

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each part."""
        return {part: len(rows) for part, rows in self.parts.items()}

    def groups(self, part: str) -> NDArray[np.int64]:
        """The number of the prompt of each row of a part; rows without a prompt are each by themselves."""
        return np.unique(_apart(self.prompts)[self.parts[part]].astype(str), return_inverse=True)[1]

    def prompts_of(self, part: str) -> list[str]:
        """The prompts of a part, each once, and an empty one for each row without a prompt."""
        return [
            name if name[0] != NONE else "" for name in dict.fromkeys(_apart(self.prompts)[self.parts[part]])
        ]


def read_lessons(source: Any, modality: Modality, seed: int) -> Lessons:
    """Read prompts with a response each, or with a chosen and a rejected one. A file without a column "prompt" has empty ones.

    Raises UserError where the columns are missing, and where too few rows can be used.
    """
    table = readers.read(source)
    names = _columns(table)
    frame = table.frame
    prompts = _texts(frame["prompt"]) if "prompt" in frame.columns else [""] * len(frame)
    answers = {name: _texts(frame[name]) for name in names}
    usable = np.array([all(row) for row in zip(*answers.values(), strict=True)], dtype=bool)
    if len(names) == 2:
        usable &= frame["chosen"].astype(str).to_numpy() != frame["rejected"].astype(str).to_numpy()
    for each in answers.values():
        usable &= _readable(modality, prompts, each)
    rows = np.flatnonzero(usable)
    if len(rows) < FEWEST:
        raise UserError(
            f"Only {counted(len(rows), 'row')} of {len(frame):,} can be used.",
            where=table.source,
            fix=f"give at least {FEWEST} rows that the language model can read, none longer than "
            f"{modality.shape.sizes[-1]:,} tokens",
        )
    kept = [prompts[row] for row in rows]
    chosen = {name: [each[row] for row in rows] for name, each in answers.items()}
    return Lessons(table.source, kept, chosen, _parts(kept, seed), len(frame) - len(rows))


def _columns(table: Table) -> tuple[str, ...]:
    for names in (("chosen", "rejected"), ("response",)):
        if set(names) <= set(map(str, table.frame.columns)):
            return names
    raise UserError(
        'There is neither a column "response" nor are there columns "chosen" and "rejected".',
        where=table.source,
        fix="give a table with the columns prompt and response to learn to respond, or prompt, chosen and rejected to learn "
        "what is preferred",
    )


def _texts(column: pd.Series[Any]) -> list[str]:
    return ["" if missing else str(cell) for cell, missing in zip(column, column.isna(), strict=True)]


def _readable(modality: Modality, prompts: list[str], answers: list[str]) -> NDArray[np.bool_]:
    """Which rows the language model can read as a whole, (rows,)."""
    texts = pd.DataFrame(
        {"text": [one + other for one, other in zip(prompts, answers, strict=True)]}, dtype=object
    )
    fits = np.ones(len(texts), dtype=bool)
    for problem in modality.check(texts):
        if problem.severity in ("drop", "fatal"):
            fits[problem.rows] = False
    longest = modality.shape.sizes[-1]
    return fits & (texts["text"].str.len().to_numpy() <= longest)


NONE = "\0"
"""Begins the names of rows without a prompt."""


def _apart(prompts: list[str]) -> NDArray[np.object_]:
    """A name for each row, (rows,), equal for rows of one prompt."""
    return np.array([each or f"{NONE}{row}" for row, each in enumerate(prompts)], dtype=object)


def _parts(prompts: list[str], seed: int) -> dict[str, NDArray[np.int64]]:
    """Rows by part; all rows of a prompt in one, and rows without a prompt each by itself."""
    _, group = np.unique(_apart(prompts).astype(str), return_inverse=True)
    order = np.random.default_rng(seed).permutation(group.max() + 1)
    ends = np.round(np.cumsum(SHARES) * len(order)).astype(int)
    pieces = dict(zip(("train", "validation", "test"), np.split(order, ends), strict=True))
    return {part: np.flatnonzero(np.isin(group, piece)) for part, piece in pieces.items()}


def responses_of(modality: Modality, prompts: list[str], answers: list[str]) -> Responses:
    """Prompts and responses as a language network reads them, the tokens of the responses being asked for."""
    whole = _encoded(modality, [one + other for one, other in zip(prompts, answers, strict=True)])
    begins = torch.tensor([_tokens(modality, each) for each in prompts])
    place = torch.arange(whole[1].shape[1])
    return Responses(*whole, whole[1] & (place >= begins[:, None]))


def _tokens(modality: Modality, prompt: str) -> int:
    """How many tokens a prompt has."""
    return int(_encoded(modality, [prompt])[1].sum()) if prompt.strip() else len(prompt)


def _encoded(modality: Modality, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    encoded = modality.encode(pd.DataFrame({"text": texts}, dtype=object))
    x, mask = encoded.on("cpu").batch(torch.arange(len(texts)))
    return x, torch.ones(len(x), x.shape[-1], dtype=torch.bool) if mask is None else mask
