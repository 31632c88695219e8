"""What every engine is given: the same entries, read lazily, and the time in which it may read them."""

import math
import time
from collections.abc import Iterator
from typing import Any

TASKS = ("Fetch", "Check", "Send")
"""The tasks of an entry, in order. None of them does anything: what is measured is all that the engine does."""


class TimeIsUp(KeyboardInterrupt):
    """Stops an engine that reads all of its entries before it executes a task. They all let this one through."""


class Entries:
    """`size` raw entries; no more of them once they have been read for `seconds`.

    The clock starts at the first entry, and so behind imports, connections and worker processes.
    """

    def __init__(self, size: int, seconds: float = math.inf) -> None:
        self.size = size
        self.seconds = seconds
        self.began = 0.0
        self.began_cpu = 0.0
        self.is_stopped = False

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.began, self.began_cpu = time.perf_counter(), time.process_time()
        for number in range(self.size):
            if self._is_late():
                return
            yield {"key": f"order-{number:08}", "price": number % 1000}

    def check(self) -> None:
        """For a task of an engine that has read all entries: raises TimeIsUp once it has."""
        if self._is_late():
            raise TimeIsUp

    def _is_late(self) -> bool:
        self.is_stopped = time.perf_counter() - self.began > self.seconds
        return self.is_stopped
