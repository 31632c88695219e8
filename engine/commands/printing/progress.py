"""How far something is, for people, on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.journal.base import RunResult


@contextmanager
def progress() -> Iterator[Callable[["RunResult"], None]]:
    """Shows how far a run is: a bar on a terminal, a line every five seconds elsewhere. Yields the run's observer."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}", style="red"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, rate="", failed="")
        started = time.monotonic()

        def observe(result: "RunResult") -> None:
            rate = result.considered / max(time.monotonic() - started, 1e-6)
            failed = f"{result.failed} failed" if result.failed else ""
            bar.update(task, total=result.total, completed=result.considered, rate=f"{rate:.0f}/s", failed=failed)

        yield observe


@contextmanager
def portion(unit: str) -> Iterator[Callable[[int, int], None]]:
    """Shows on a terminal how much of a known whole is done; `unit` says of what. Yields what is told of it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("")
        yield lambda done, of: bar.update(task, completed=done, total=of)


class _Lines:
    """A line of progress every five seconds."""

    def __init__(self) -> None:
        self.started = self.shown = time.monotonic()

    def __call__(self, result: "RunResult") -> None:
        now = time.monotonic()
        if now - self.shown < 5:
            return
        self.shown = now
        rate = result.considered / (now - self.started)
        of = f" of {result.total}" if result.total else ""
        left = f", {(result.total - result.considered) / rate:.0f} s left" if result.total and rate else ""
        sys.stderr.write(f"{result.considered}{of} entries, {rate:.0f}/s{left}, {result.failed} failed\n")
