"""How a run is asked to end: by a program, by a signal, by an operator's pause."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """A wish that work should end, from any thread; it is not taken back.

    What is under way may go on for `grace` seconds (None: as long as it takes), then it is broken off.
    """

    def __init__(self) -> None:
        self.grace: float | None = None
        self.signal: int | None = None
        """The signal that asked for it, if one did."""
        self._asked = threading.Event()
        self._deadline: float | None = None

    @property
    def is_asked(self) -> bool:
        """Whether to take nothing more."""
        return self._asked.is_set()

    @property
    def is_over(self) -> bool:
        """Whether to wait for nothing more."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def ask(self, grace: float | None = None) -> None:
        """Ask for it; the first one counts."""
        if not self._asked.is_set():
            self.grace = grace
            self._deadline = None if grace is None else time.monotonic() + grace
            self._asked.set()

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or until it is asked for; whether it is."""
        return self._asked.wait(seconds)


SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_signals(stop: Stop, grace: float) -> Iterator[None]:
    """The first SIGINT or SIGTERM asks for `stop`; the second, and the end of `grace` (seconds), raises
    KeyboardInterrupt in the main thread, from which it is to be called.
    """
    main = threading.main_thread()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_asked:
            raise KeyboardInterrupt
        stop.signal = number
        stop.ask(grace)
        last = threading.Timer(grace, signal.pthread_kill, (main.ident, number))
        last.daemon = True
        last.start()

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
