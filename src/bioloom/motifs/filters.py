"""What the first layer of a network looks for: the words that its filters answer to most, counted.

The way is that of Basset (Kelley 2016, doi:10.1101/gr.200535.115): windows whose answer is above half of the filter's
highest one are laid over each other.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.motifs.discover import FEWEST, Found
from bioloom.motifs.motif import Motif

SHARE = 0.5
"""Of the highest answer of a filter; windows above it are its sites."""


def filter_motifs(one_hot: NDArray[np.floating], weights: NDArray[np.floating]) -> dict[int, Found]:
    """The motif of each filter that has one, by the number of the filter; `effect` is 0, as nothing is known of it here.

    one_hot: (records, 4, positions), weights: (filters, 4, width)
    Answers are counted from that to a window in which all letters are as likely, so that the bias of a filter, and what its
    weights have in common at a position, do not matter. A window with an unknown letter is no site. Filters with fewer than
    10 sites have no motif. The score of a site is its answer; the contributions of a motif are the weights, counted so.
    """
    centred = weights - weights.mean(axis=1, keepdims=True)
    width = weights.shape[2]
    if one_hot.shape[2] < width:
        return {}
    windows = np.lib.stride_tricks.sliding_window_view(one_hot, width, axis=2)  # (records, 4, places, width)
    whole = windows.max(axis=1).min(axis=2) == 1  # (records, places)
    found = {}
    for number, filter_ in enumerate(centred):
        answer = np.einsum("rcpw,cw->rp", windows, filter_, optimize=True)
        site = _sites(np.where(whole, answer, -np.inf), number, filter_, windows)
        if site is not None:
            found[number] = site
    return found


def _sites(
    answer: NDArray[np.floating], number: int, filter_: NDArray[np.floating], windows: NDArray[np.floating]
) -> Found | None:
    """The windows above half of the highest answer as a motif; None where they are too few, or the filter answers to nothing."""
    highest = float(answer.max(initial=0.0))
    if highest <= 0:
        return None
    record, start = np.nonzero(answer > SHARE * highest)
    if len(record) < FEWEST:
        return None
    counts = windows[record, :, start].sum(axis=0, dtype=np.float64)  # (4, width)
    sites = pd.DataFrame(
        {
            "record": record,
            "start": start,
            "end": start + filter_.shape[1],
            "strand": np.full(len(record), "+", dtype=object),
            "score": answer[record, start].astype(np.float64),
        }
    )
    motif = Motif(f"filter_{number + 1}", counts, sites=float(len(record)))
    return Found(motif, np.asarray(filter_, dtype=np.float64), 0.0, sites)
