"""What a run is worth, as it stands in result.json."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """What a run is worth.

    code:      a row of the decision table
    text:      one sentence with the figures in it
    next:      what to do now
    prefer:    which model to use, by role: "model", or the baseline that does at least as well
    """

    code: str
    text: str
    next: str
    prefer: str = "model"

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return asdict(self)
