"""How many results a run had when: a curve of few points however long it takes. Pure, no I/O."""

MOST_POINTS = 120
FIRST_INTERVAL = 0.25
"""Seconds of each interval of a run that takes no longer than so many of them; else they are doubled, and again."""


class Pace:
    """Counts results in intervals of equal length, from the start of a run."""

    def __init__(self) -> None:
        self.interval = FIRST_INTERVAL
        """Seconds of each."""
        self._ended: list[int] = []
        self._failed: list[int] = []

    def add(self, at_seconds: float, failed: bool) -> None:
        """A result so long after the start; whether it was a failure."""
        place = int(at_seconds / self.interval)
        if place >= len(self._ended):
            place = self._reach(at_seconds)
        self._ended[place] += 1
        if failed:
            self._failed[place] += 1

    def to_json(self) -> list[list[float]]:
        """`[[seconds, results, failures], …]`, at most 120: what ended, and what of it failed, between the seconds of
        the point before (0 before the first) and its own, counted from the start of the run."""
        counted = zip(self._ended, self._failed, strict=True)
        return [[self.interval * number, *counts] for number, counts in enumerate(counted, 1)]

    def _reach(self, at_seconds: float) -> int:
        """Have an interval for this moment; its place."""
        while (place := int(at_seconds / self.interval)) >= MOST_POINTS:
            self.interval *= 2
            self._ended, self._failed = _paired(self._ended), _paired(self._failed)
        missing = [0] * (place + 1 - len(self._ended))
        self._ended += missing
        self._failed += missing
        return place


def _paired(counts: list[int]) -> list[int]:
    return [sum(counts[at : at + 2]) for at in range(0, len(counts), 2)]
