"""Listeners that show how far a run is: a bar on a terminal, plain lines in a log or a notebook."""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from rich.padding import Padding
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
from rich.table import Column
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Task, TaskID

SECONDS_BETWEEN_LINES = 10.0

MEMORY = 0.3
"""Share of a stage over which its pace is averaged."""


def clock(seconds: float) -> str:
    """A time as people read it on a clock: 0:07, 12:30, 1:02:03."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Pace:
    """How long a stage still takes, from how fast it went lately.

    Each piece of work counts by its share of the stage, and older pieces fade, so that one slow epoch does not make the
    time left jump, and a stage that was taken up in its middle is not thought to be as fast as its first moment.
    """

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None  # seconds, share
        self._work = self._spent = 0.0

    def note(self, now: float, share: float) -> None:
        """A share of the stage is done at this time, in seconds of any clock."""
        if self._last is not None and share > self._last[1]:
            step = share - self._last[1]
            fading = max(0.0, 1.0 - step / MEMORY)
            self._work = fading * self._work + step
            self._spent = fading * self._spent + now - self._last[0]
        if self._last is None or share > self._last[1]:
            self._last = now, share

    def left(self, now: float) -> float | None:
        """Seconds that remain; None as long as too little was seen to say."""
        if self._last is None or self._work < 0.01 or self._spent < 1.0:
            return None
        when, share = self._last
        return max(0.0, (1.0 - share) * self._spent / self._work - (now - when))


class Bar:
    """A bar with the time left, the latest note below it, and one line for each stage that is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = _Screen(console)
        self._task: TaskID | None = None
        self._title, self._begun = "", 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish(done=kind is None)
        self._progress.stop()

    def stage(self, name: str, title: str) -> None:
        """Note that the stage before is done, and begin a new bar."""
        self._finish(done=True)
        self._title, self._begun = title, time.monotonic()
        self._task = self._progress.add_task(title, total=None, begun=self._begun, note="", pace=Pace())

    def progress(self, share: float, note: str = "") -> None:
        """Move the bar."""
        if self._task is None:
            return
        (task,) = (each for each in self._progress.tasks if each.id == self._task)
        task.fields["pace"].note(time.monotonic(), share)
        self._progress.update(self._task, total=1.0, completed=min(share, 1.0))
        if note:
            self._progress.update(self._task, note=note)

    def message(self, text: str) -> None:
        """Print a sentence above the bar."""
        self._console.print(Padding(Text(text), (0, 0, 0, 2), expand=False))

    def _finish(self, done: bool) -> None:
        if self._task is None:
            return
        self._progress.remove_task(self._task)
        self._task = None
        if done:
            mark = "ok" if self._console.options.ascii_only else "✓"
            spent = clock(time.monotonic() - self._begun)
            self._console.print(Text.assemble((f"{mark} ", "green"), self._title, (f"  {spent}", "dim")))


class _Screen(Progress):
    """The bar, and the note in a line of its own: it stays readable in a narrow window."""

    def __init__(self, console: Console) -> None:
        spinner = "line" if console.options.ascii_only else "dots"
        super().__init__(
            SpinnerColumn(spinner, style="cyan"),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(
                bar_width=None if console.width < 80 else 30,
                style="bright_black",
                complete_style="cyan",
                table_column=Column(ratio=1),
            ),
            _Share(),
            console=console,
            transient=True,
            expand=console.width < 80,
            refresh_per_second=4,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar first, its note below, also an empty one: there the terminal writes ^C when it is pressed."""
        tasks = self.tasks
        yield self.make_tasks_table(tasks)
        for task in tasks:
            yield Text("  " + task.fields["note"], style="dim", no_wrap=True, overflow="ellipsis")


class _Share(ProgressColumn):
    """The share done and the time left, or the time spent where no share is known."""

    def render(self, task: Task) -> Text:
        now = time.monotonic()
        if task.total is None:
            return Text(clock(now - task.fields["begun"]), style="dim")
        remaining = task.fields["pace"].left(now)
        tail = "" if remaining is None else f"  {clock(remaining)} left"
        return Text(f"{task.completed:4.0%}{tail}", no_wrap=True)


class Lines:
    """One line per stage, message, and ten seconds of progress."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last, self._pace = 0.0, Pace()

    def stage(self, name: str, title: str) -> None:
        """Name the stage that begins."""
        self._last, self._pace = time.monotonic(), Pace()
        self._write(title)

    def progress(self, share: float, note: str = "") -> None:
        """Say how far it is, from time to time."""
        now = time.monotonic()
        self._pace.note(now, share)
        if now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = now
        remaining = self._pace.left(now)
        parts = [f"{share:.0%}", "" if remaining is None else f"{clock(remaining)} left", note]
        self._write("  " + ", ".join(filter(None, parts)))

    def message(self, text: str) -> None:
        """Pass the sentence on."""
        self._write("  " + text)

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
