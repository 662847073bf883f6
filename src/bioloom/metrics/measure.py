"""Numbers that say how good predictions are and are no function of how often each record counts.

They cannot be worked out on bootstrap draws (a record that counts twice would be its own nearest neighbour), so
each has its own function and interval in `bioloom.evaluation`; here stands only how reports write them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """How reports call a number, how it reads, and how it is written; as in `Metric`."""

    name: str
    title: str
    plain: str
    format: str = ".3f"
    higher_is_better: bool = True


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            name="predictive_information",
            title="predictive information (bits)",
            plain="How much a prediction tells about the measurement, whatever the shape of their relation: 0 is "
            "nothing, 1 bit tells the upper half of the measurements from the lower one.",
        ),
    )
}
"""All measures by name."""
