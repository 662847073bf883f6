"""Each record by itself, or with its exact copies: right where records have little to do with each other."""

from __future__ import annotations

import numpy as np

from bioloom.data.deal import Deal
from bioloom.data.split import Split, SplitRequest, Splitter, as_parts, dealt, splitters


def at_random(request: SplitRequest) -> Split:
    """Each record by itself; right only where records have nothing to do with each other."""
    records = np.arange(len(request.labels))
    part = as_parts(Deal(records, np.zeros_like(records), request.shares, request.seed))
    return Split(part, "random", "Records were divided at random.")


def stratified(request: SplitRequest) -> Split:
    """Each record by itself, with the same mix of labels in each part."""
    what = "class" if request.classes else "tenth of the target's distribution"
    return Split(
        dealt(request, np.arange(len(request.labels))),
        "stratified",
        f"Records were divided at random within each {what}.",
    )


def by_copies(request: SplitRequest) -> Split:
    """Exact copies together, everything else by itself, with the same mix of labels in each part."""
    copies = request.copies()
    reason = "Records were divided at random, exact copies together."
    return Split(dealt(request, copies), "copies", reason, units=copies)


splitters.register(Splitter("random", "each record by itself", at_random))
splitters.register(Splitter("stratified", "each record by itself, labels balanced", stratified))
splitters.register(Splitter("copies", "exact copies together, else each record by itself", by_copies))
