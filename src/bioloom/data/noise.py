"""Columns that say how uncertain a target is, by their names: standard errors, bounds, reads."""

from __future__ import annotations

from collections.abc import Sequence

ERRORS = ("se", "sem", "stderr", "standard_error")
"""Endings of the column that holds the standard error of a target."""

SPREADS = ("sd", "std", "stdev", "var", "variance", "error", "err")
"""Endings of columns that say something of the noise of a target, but not for sure its standard error."""

BOUNDS = (("lower", "upper"), ("low", "high"), ("ci_low", "ci_high"), ("ci_lower", "ci_upper"))
"""Names, or endings, of the two ends of a 95 % interval."""

READS = ("reads", "read_count", "counts", "count", "coverage", "n_reads")
"""Names of the column that says from how many reads a value was worked out."""


def about_noise(columns: Sequence[str], targets: Sequence[str]) -> set[str]:
    """The columns that describe how uncertain a target is; they are no inputs, because they come with the label."""
    endings = {*ERRORS, *SPREADS, *(end for pair in BOUNDS for end in pair)}
    told = {f"{target}_{ending}".lower() for target in targets for ending in endings}
    plain = {pair for pair in BOUNDS if set(pair) <= {name.lower() for name in columns}}
    told |= {end for pair in plain for end in pair} | set(ERRORS)
    return {name for name in columns if name.lower() in told}


def error_column(columns: Sequence[str], target: str) -> tuple[str, ...]:
    """The column of standard errors of a target, or the two columns of its bounds; empty where there is none."""
    known = {name.lower(): name for name in columns}
    for prefix in (f"{target}_".lower(), ""):
        for ending in ERRORS:
            if prefix + ending in known:
                return (known[prefix + ending],)
        for low, high in BOUNDS:
            if prefix + low in known and prefix + high in known:
                return known[prefix + low], known[prefix + high]
    return ()


def reads_column(columns: Sequence[str]) -> str:
    """The column of read counts; empty where there is none."""
    known = {name.lower(): name for name in columns}
    return next((known[name] for name in READS if name in known), "")
