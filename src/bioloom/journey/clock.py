"""How long each stage of a run took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bioloom.events import Listener


class Clock:
    """Announces stages to a listener and measures them."""

    def __init__(self, listener: Listener, seconds: dict[str, float] | None = None) -> None:
        self.listener = listener
        self.seconds: dict[str, float] = {} if seconds is None else seconds

    def heard_by(self, listener: Listener) -> Clock:
        """The same clock with another listener."""
        return Clock(listener, self.seconds)

    @contextmanager
    def stage(self, name: str, title: str) -> Iterator[None]:
        """Announce a stage and add the time it takes to `seconds`."""
        self.listener.stage(name, title)
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
