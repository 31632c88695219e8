"""What is wanted of a run that goes on: looked for in its store now and then, while the run asks at each step."""

import time
from typing import TYPE_CHECKING

from engine.pausing import pause_of
from engine.wishes import Wish, wish_of
from engine.worker.canary import Brake

if TYPE_CHECKING:
    from engine.stored import StoredProcessor

LOOK = 0.05
"""Seconds between two looks whether an operator wants the run to end: so long after that, a task may still begin."""


class Heeding:
    """Heeds what operators want of one run of a processor; it is not taken back, as no pause is that was there once."""

    def __init__(self, processor: "StoredProcessor") -> None:
        self._processor = processor
        self._looked = -LOOK
        self._wish: Wish | None = None

    def wish(self, run: int | None, brake: Brake | None) -> Wish | None:
        """What is wanted by now.

        Args:
            run: the number of the run; None if none goes on, which a pause can still keep from beginning.
            brake: what stops a run that tries something.
        """
        now = time.monotonic()
        if brake is not None and brake.is_pulled:
            self._wish = self._wish or Wish.DRAIN
        if self._wish is not Wish.STOP and now - self._looked >= LOOK:
            self._looked = now
            store = self._processor.store
            if pause_of(store, self._processor.name) is not None:
                self._wish = Wish.STOP
            elif run is not None:
                self._wish = wish_of(store, run) or self._wish
        return self._wish
