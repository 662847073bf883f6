"""From records to a split, and an audit of what stands on both sides of it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bioloom import tasks
from bioloom.data.leakage import Leakage, audit
from bioloom.data.split import Split, SplitRequest, make_split
from bioloom.journey.prepare import Prepared
from bioloom.modalities import Clusters, modalities


def divide(prepared: Prepared) -> tuple[Split, Leakage]:
    """Split the records as the recipe says, or as the data ask for, and look for copies across the split."""
    raise NotImplementedError
