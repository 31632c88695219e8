"""Counters and timers of a processor: a tree of numbers, and durations of named blocks."""

import copy
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

from engine.exceptions import InputError


class TimeBlock:
    """Measures how long a block of code takes, each time it is entered; threads and nesting do not disturb it.

    Args:
        exit_callable: called at each exit with the seconds taken and this block.

    Its measures: `measure_count`, and in seconds `overall_time`, `average_time`, `minimum_time` and `maximum_time`, of
    which the last two are None before the first.

    Example::

        with TimeBlock() as block:
            sum(range(1_000))
        print(block.dict()["average_time"])
    """

    def __init__(self, exit_callable: "Callable[[float, TimeBlock], None] | None" = None) -> None:
        self.exit_callable = exit_callable
        self.overall_time = 0.0
        self.average_time = 0.0
        self.measure_count = 0
        self.minimum_time: float | None = None
        self.maximum_time: float | None = None
        self._lock = threading.Lock()
        self._entered = threading.local()

    def __enter__(self) -> "TimeBlock":
        starts: list[float] = self._entered.__dict__.setdefault("starts", [])
        starts.append(time.perf_counter())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.add(time.perf_counter() - self._entered.starts.pop())

    def add(self, elapsed: float) -> None:
        """Count one more measure, of so many seconds."""
        with self._lock:
            self._count(1, elapsed, elapsed, elapsed)
        if self.exit_callable:
            self.exit_callable(elapsed, self)

    def merge(self, other: Mapping[str, Any]) -> None:
        """Count the measures that another one took, elsewhere, given as its `dict`."""
        if other["measure_count"]:
            with self._lock:
                self._count(other["measure_count"], other["overall_time"], other["minimum_time"], other["maximum_time"])

    def _count(self, measures: int, together: float, shortest: float, longest: float) -> None:
        self.measure_count += measures
        self.overall_time += together
        self.average_time = self.overall_time / self.measure_count
        if self.minimum_time is None or shortest < self.minimum_time:
            self.minimum_time = shortest
        if self.maximum_time is None or longest > self.maximum_time:
            self.maximum_time = longest

    def dict(self) -> dict[str, float | int | None]:
        """The measures so far by their names; times in seconds."""
        return {
            "overall_time": self.overall_time,
            "average_time": self.average_time,
            "measure_count": self.measure_count,
            "minimum_time": self.minimum_time,
            "maximum_time": self.maximum_time,
        }


class Statistics(dict[str, Any]):
    """A tree of counters. It is a plain dictionary to read; `increment` may be called by many threads."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def increment(self, *subs: str, by: int = 1) -> None:
        """Add one, or `by`, to the counter at this path; what is missing on the way is created.

        Raises:
            InputError: the path runs through a counter, or ends at a branch.
        """
        with self._lock:
            branch: dict[str, Any] = self
            for sub in subs[:-1]:
                branch = branch.setdefault(sub, {})
                if not isinstance(branch, dict):
                    raise InputError(
                        f"the statistic {'.'.join(subs)!r} runs through {sub!r}, which is a counter: rename one"
                    )
            if isinstance(branch.get(subs[-1]), dict):
                raise InputError(f"the statistic {'.'.join(subs)!r} already has counters below it: rename one")
            branch[subs[-1]] = branch.get(subs[-1], 0) + by

    def merge(self, other: Mapping[str, Any]) -> None:
        """Add the counters of another tree, as those of a worker process.

        Raises:
            InputError: a branch here is a counter there, or the other way round.
        """
        for path, number in _leaves(other):
            self.increment(*path, by=number)

    def snapshot(self) -> dict[str, Any]:
        """A copy of the tree that later counts do not change."""
        with self._lock:
            return copy.deepcopy(dict(self))


def _leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value
