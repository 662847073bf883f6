"""What the sections of a recipe share, and the longest of them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A section of a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AugmentationRecipe(Part):
    """How records are changed at random while they are learned from; all of it is off unless it is asked for."""

    reverse_complement: bool = Field(
        default=False, description="DNA: learn from both strands, and predict with the mean of both"
    )
    shift: int = Field(
        default=0,
        ge=0,
        description="sequences: positions by which they are moved at most, to either side; pictures: pixels, to any side",
    )
    mutation: float = Field(
        default=0.0, ge=0, le=0.5, description="sequences: share of letters that become another letter"
    )
    noise: float = Field(
        default=0.0,
        ge=0,
        description="tables, pictures: random numbers added, in standard deviations of each column or channel",
    )
    mixing: float = Field(
        default=0.0,
        ge=0,
        description="pairs of records are mixed, input and target; 0.2 mixes most of them little, 1 in any share",
    )
    mirror: bool = Field(default=False, description="pictures: half of them are mirrored left to right")
    upside_down: bool = Field(default=False, description="pictures: half of them are mirrored top to bottom")
    rotation: float = Field(
        default=0.0,
        ge=0,
        le=180,
        description="pictures: degrees by which they are turned at most, to either side",
    )
    crop: float = Field(
        default=0.0, ge=0, le=0.9, description="pictures: share of height and width cut away at most"
    )
    colour: float = Field(
        default=0.0,
        ge=0,
        le=2,
        description="pictures: brightness, contrast and colours changed by so many standard deviations at most",
    )
    elastic: float = Field(
        default=0.0, ge=0, description="pictures: pixels by which parts are moved against each other"
    )
