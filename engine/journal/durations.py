"""How long the executions of each task take: a histogram that stays small however many there were. Pure, no I/O."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil, floor, log
from typing import Any

WIDTH = 1.1
"""How many times as far as its beginning a bucket ends: so exact is what a histogram tells."""

SHORTEST, LONGEST = 1e-6, 1e7
"""Seconds; what is shorter or longer counts as that, so that there are some three hundred buckets at most."""


class Histogram:
    """Durations in seconds, in buckets of which each is a tenth wider than the one before."""

    __slots__ = ("_buckets", "count", "sum")

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        """Seconds of all together."""
        self._buckets: dict[int, int] = {}

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.count += 1
        self.sum += seconds
        within = seconds if SHORTEST <= seconds <= LONGEST else min(max(seconds, SHORTEST), LONGEST)
        at = floor(log(within) * _PER_E)
        self._buckets[at] = self._buckets.get(at, 0) + 1

    def merge(self, other: "Histogram") -> None:
        """Count all that another one has counted."""
        self.count += other.count
        self.sum += other.sum
        self._buckets = dict(Counter(self._buckets) + Counter(other._buckets))

    @property
    def mean(self) -> float | None:
        """Seconds on average; None of nothing."""
        return self.sum / self.count if self.count else None

    def quantile(self, part: float) -> float | None:
        """Seconds within which so great a part of all (0 to 1) was done, to a twentieth; None of nothing."""
        so_far = 0
        for at, number in sorted(self._buckets.items()):
            so_far += number
            if so_far >= part * self.count:
                return _beginning(at + 0.5)
        return None

    def bars(self, most: int) -> list[tuple[float, float, int]]:
        """The histogram as at most so many bars, from the shortest to the longest, each as much wider than the one
        before: where a bar begins and ends, in seconds, and how many are in it. Nothing is left out between them."""
        if not self._buckets:
            return []
        first, last = min(self._buckets), max(self._buckets)
        each = ceil((last - first + 1) / most)
        return [
            (
                _beginning(at),
                _beginning(at + each),
                sum(self._buckets.get(bucket, 0) for bucket in range(at, at + each)),
            )
            for at in range(first, last + 1, each)
        ]

    def to_json(self) -> dict[str, Any]:
        """`count`, `sum` in seconds, and `buckets`: `[[n, how many], …]`, where a bucket begins at `WIDTH ** n`."""
        return {"count": self.count, "sum": self.sum, "buckets": sorted(map(list, self._buckets.items()))}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Histogram":
        """The histogram that `to_json` gave."""
        made = cls()
        made.count, made.sum = stored["count"], stored["sum"]
        made._buckets = dict(stored["buckets"])
        return made


class Durations:
    """A histogram for each task."""

    def __init__(self) -> None:
        self.of: dict[str, Histogram] = {}

    def add(self, task: str, seconds: float) -> None:
        """An execution of this task took so long."""
        of = self.of.get(task)
        if of is None:
            of = self.of[task] = Histogram()
        of.add(seconds)

    def to_json(self) -> dict[str, Any]:
        """The histograms as JSON data, by the names of the tasks."""
        return {task: histogram.to_json() for task, histogram in self.of.items()}


def read_durations(run: Mapping[str, Any]) -> dict[str, Histogram]:
    """The histograms in a document of the table `runs`, by task; none in one of an older version."""
    return {task: Histogram.from_json(stored) for task, stored in (run.get("durations") or {}).items()}


def merged(all_of: Iterable[Mapping[str, Histogram]]) -> dict[str, Histogram]:
    """What several runs have measured, together."""
    together: dict[str, Histogram] = {}
    for one in all_of:
        for task, histogram in one.items():
            together.setdefault(task, Histogram()).merge(histogram)
    return together


def _beginning(bucket: float) -> float:
    """Seconds at which a bucket begins."""
    return float(WIDTH**bucket)


_PER_E = 1 / log(WIDTH)
