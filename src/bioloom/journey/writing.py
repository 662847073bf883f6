"""New texts and sequences, written by a trained language model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.wording import counted
from bioloom.errors import UserError
from bioloom.files import write_text
from bioloom.modalities import Kind, Modality
from bioloom.models.ensemble import members_of
from bioloom.models.language import LanguageNetwork
from bioloom.models.writing import Manner, Page, write
from bioloom.trained import Model

USUAL_LENGTH = 500
"""Tokens of a text where nobody says how many."""

TASTE, TASTE_LENGTH = 3, 300
"""Texts that the report shows of a language model, and tokens of each; sequences are as long as those that were learned."""

AT_MOST = 1_000_000
"""Tokens that are written at most, all texts together."""

FASTA = (".fa", ".fasta", ".faa", ".fna")
LINE = 60
"""Letters of a line of FASTA."""

NEVER = (0, 1)
"""Of texts: the empty token, and that of unknown characters."""


@dataclass(frozen=True)
class Assignment:
    """What is to be written.

    prompt: what each text begins with
    length: tokens behind it; 0: 500 of a text, and of sequences as many as the longest that was learned from has
    count:  how many texts
    """

    prompt: str = ""
    length: int = 0
    count: int = 1
    manner: Manner = field(default_factory=Manner)


@dataclass(frozen=True)
class NewTexts:
    """What was written.

    frame:    one row per text: id, the text with its prompt, nats_per_token of what was written
    sequence: whether these are sequences
    notes:    what the user should know, such as copies of records that were learned from
    """

    frame: pd.DataFrame
    sequence: bool
    notes: tuple[str, ...] = ()

    def as_text(self) -> str:
        """FASTA of sequences; texts one after another, with a line between them."""
        column = self.frame.columns[1]
        if not self.sequence:
            return "\n\n----\n\n".join(self.frame[column]) + "\n"
        entries = [
            "\n".join(
                [f">{row.id} nats_per_token={row.nats_per_token:.4f}", *wrap(getattr(row, column), LINE)]
            )
            for row in self.frame.itertuples()
        ]
        return "\n".join(entries) + "\n"


def new_texts(model: Model, asked: Assignment) -> NewTexts:
    """Write with a language model. Raises UserError for any other model, and for a asked that cannot be met."""
    network = members_of(model.network)[0]
    if not isinstance(network, LanguageNetwork):
        raise UserError(
            "This model predicts, and does not write.",
            fix="train a language model with --task language, and write with that",
        )
    ((name, modality),) = model.modalities.items()
    column = model.inputs[name].columns[0]
    sequence = modality.shape.kind is Kind.SEQUENCE
    begin = begin_of(modality, asked.prompt, column)
    length = asked.length or (max(modality.shape.sizes[-1] - len(begin), 1) if sequence else USUAL_LENGTH)
    _refuse_impossible(asked, length)
    page = Page(begin, length, asked.count, () if sequence else NEVER)
    found = write(network, page, asked.manner)
    letters = np.array(modality.channels, dtype=object)
    texts = [asked.prompt + "".join(letters[row]) for row in found.tokens]
    frame = pd.DataFrame(
        {
            "id": [f"written{number + 1}" for number in range(asked.count)],
            column: texts,
            "nats_per_token": np.round(-found.likelihood, 6),
        }
    )
    return NewTexts(frame, sequence, _copies(model, frame[[column]], name) if sequence else ())


def taste(model: Model) -> dict[str, Any]:
    """A few texts that a language model writes from nothing, as they stand in result.json; of other models there are none."""
    if not isinstance(members_of(model.network)[0], LanguageNetwork):
        return {}
    (modality,) = model.modalities.values()
    length = 0 if modality.shape.kind is Kind.SEQUENCE else TASTE_LENGTH
    found = new_texts(model, Assignment(length=length, count=TASTE))
    texts = found.frame.iloc[:, 1].tolist()
    judged = found.frame["nats_per_token"].tolist()
    entries = [{"text": text, "nats_per_token": nats} for text, nats in zip(texts, judged, strict=True)]
    return {"written": {"sequence": found.sequence, "texts": entries, "notes": list(found.notes)}}


def begin_of(modality: Modality, prompt: str, column: str) -> NDArray[np.int64]:
    """The tokens of a prompt, (tokens,): those of its end, where it is longer than a network is given."""
    if not prompt:
        return np.zeros(0, dtype=np.int64)
    values = pd.DataFrame({column: [prompt[-modality.shape.sizes[-1] :]]}, dtype=object)
    problems = [each for each in modality.check(values) if each.severity == "drop"]
    if problems and prompt.strip():
        raise UserError(
            f"The prompt cannot be used: {problems[0].message}.", where="--prompt", fix=problems[0].fix
        )
    if not prompt.strip():  # white space alone is no record, but may begin one
        return np.array([number for number, name in enumerate(modality.channels) if name == prompt[-1]])
    encoded = modality.encode(values).on("cpu")
    x, mask = encoded.batch(Model.index(1))
    tokens = x[0] if x.ndim == 2 else x[0].argmax(dim=0)
    filled = tokens if mask is None else tokens[mask[0]]
    return filled.long().numpy()


def _refuse_impossible(asked: Assignment, length: int) -> None:
    manner = asked.manner
    if asked.count < 1 or length * asked.count > AT_MOST:
        raise UserError(
            f"{asked.count:,} texts of {length:,} tokens cannot be written at once.",
            where="--length, -n",
            fix=f"ask for at least one, and for at most {AT_MOST:,} tokens together",
        )
    if not 0.01 <= manner.temperature <= 100:
        raise UserError(
            f"A temperature of {manner.temperature:g} has no use.",
            where="--temperature",
            fix="0.5 to 1.2 is usual; --greedy takes the likeliest token each time",
        )


def _copies(model: Model, values: pd.DataFrame, name: str) -> tuple[str, ...]:
    """A note on texts that are exact copies of records that the model learned from."""
    if model.learned is None:
        return ()
    seen = np.isin(model.modalities[name].hashes(values), model.learned.train)
    if not seen.any():
        return (f"none of {counted(len(seen), 'sequence')} is a copy of one that was learned from",)
    return (
        f"{int(seen.sum())} of {counted(len(seen), 'sequence')} are exact copies of ones that were learned from",
    )


def write_out(found: NewTexts, path: Path) -> None:
    """Write to a file: .csv a table, .fa or .fasta FASTA, anything else the texts themselves."""
    if path.suffix.lower() == ".csv":
        write_text(path, found.frame.to_csv(index=False, lineterminator="\n"))
        return
    if path.suffix.lower() in FASTA and not found.sequence:
        raise UserError(
            "Texts are no sequences, and FASTA holds sequences.",
            where=str(path),
            fix="write to a .txt or .csv file",
        )
    write_text(path, found.as_text())
