"""What can go wrong, told to a person.

UserError   something the user can fix: what is wrong, where, and how to fix it (exit code 2, no traceback)
Interrupted the user pressed Ctrl-C; the run folder can be resumed (exit code 130)

Every other exception is a bug of bioloom and keeps its traceback (exit code 1).
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class UserError(Exception):
    """A mistake that the user can fix, told in three parts.

    what:  what is wrong, one sentence
    where: file, row (line of the file), column, setting; empty where there is no place to point at
    fix:   what to do about it
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.fix = what, where, fix

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            lines.append(f"  fix:   {self.fix}")
        return "\n".join(lines)


class Interrupted(Exception):  # noqa: N818 -- it is no error
    """The user stopped the run; what is done is kept, and the same command goes on from there."""


NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "STATUS_ALLOC_FAILED")
"""What torch says where memory runs out, by device, in errors of no kind of their own."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a processor or on a graphics card."""
    told = isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)
    return told or isinstance(error, MemoryError)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ' Did you mean "x"?' for the closest known word, or nothing."""
    names = list(known)
    close = [name for name in names if name.lower() == word.lower()]
    close = close or get_close_matches(word, names, n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""
