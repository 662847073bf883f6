"""The command line: one file per verb. It holds no science; everything is asked of `bioloom.workflow`.

Results go to standard output, progress and messages to standard error.
Exit codes: 0 done, 1 a mistake in bioloom, 2 something the user can fix, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

from bioloom.cli.app import main

__all__ = ["main"]
