"""Limits on the calls to a fragile system: how many executions of a task are under way at once, and begin a second.

They hold across a run's workers, since the run alone says when an execution may begin.
"""

import time
from collections import Counter
from collections.abc import Callable

from engine.task import Task


class Limits:
    """Keeps `Task.max_concurrent` and `Task.rate`.

    Args:
        now: seconds of a clock that only goes forward.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._under_way: Counter[str] = Counter()
        self._next: dict[str, float] = {}

    def delay(self, task: Task) -> float | None:
        """Seconds until an execution of this task may begin: 0 is now, None when one that is under way has ended."""
        if task.max_concurrent is None and not task.rate:
            return 0.0
        name = type(task).__name__
        if task.max_concurrent is not None and self._under_way[name] >= task.max_concurrent:
            return None
        return max(0.0, self._next.get(name, 0.0) - self._now()) if task.rate else 0.0

    def begin(self, task: Task) -> None:
        """An execution begins."""
        name = type(task).__name__
        if task.max_concurrent is not None:
            self._under_way[name] += 1
        if task.rate:
            self._next[name] = max(self._next.get(name, 0.0), self._now()) + 1 / task.rate

    def end(self, task: Task) -> None:
        """An execution has ended."""
        if task.max_concurrent is not None:
            self._under_way[type(task).__name__] -= 1
