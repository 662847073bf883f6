"""`python -m bioloom` is the same as `bioloom`."""

from __future__ import annotations

import sys

from bioloom.cli import main

if __name__ == "__main__":
    sys.exit(main())
