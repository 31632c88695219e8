"""How a run is asked to end: by a program, or by a signal."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType


class Stop:
    """A wish that work should end, from any thread or signal handler; it is not taken back.

    What is under way may go on for a time of grace, then it is broken off.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        """The signal that asked for it, if one did."""
        self.is_asked = False
        """Whether to take nothing more."""
        self.is_shielded = False
        """Whether what runs now must not be interrupted; see `shield`."""
        self._deadline: float | None = None
        self._bell: SimpleQueue[None] = SimpleQueue()  # which a signal handler may ring, where an Event might hang

    @property
    def is_over(self) -> bool:
        """Whether to wait for nothing more: what is under way is to be broken off."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def ask(self, grace: float | None = None) -> None:
        """Ask for it; the first one counts.

        Args:
            grace: seconds that what is under way may go on; None is as long as it takes.
        """
        if not self.is_asked:
            self._deadline = None if grace is None else time.monotonic() + grace
            self._ask()

    def break_off(self) -> None:
        """Grant nothing more to what is under way, either."""
        self._deadline = time.monotonic()
        self._ask()

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or until it is asked for; whether it is."""
        try:
            self._bell.get(timeout=max(seconds, 0))
            self._bell.put(None)  # for the next who waits
        except Empty:
            pass
        return self.is_asked

    @contextmanager
    def shield(self) -> Iterator[None]:
        """No signal interrupts what runs inside: it is through in a moment, or looks at `is_over` by itself."""
        self.is_shielded = True
        try:
            yield
        finally:
            self.is_shielded = False

    def _ask(self) -> None:
        self.is_asked = True
        self._bell.put(None)


SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_signals(stop: Stop, grace: float) -> Iterator[None]:
    """The first SIGINT or SIGTERM asks for `stop`; the second, and the end of `grace` (seconds), breaks off: unless it
    is shielded, what the main thread executes just then is ended by a KeyboardInterrupt.

    To be called from the main thread.
    """
    main, bell = threading.main_thread().ident, SimpleQueue[int | None]()
    assert main is not None

    def handle(number: int, frame: FrameType | None) -> None:
        stop.signal = stop.signal or number
        if not stop.is_asked and grace > 0:
            stop.ask(grace)
            bell.put(number)
            return
        stop.break_off()
        if not stop.is_shielded:
            raise KeyboardInterrupt

    def watch() -> None:
        """Repeat the signal at the end of the grace, unless all has ended before."""
        if (number := bell.get()) is None:
            return
        try:
            bell.get(timeout=grace)
        except Empty:
            signal.pthread_kill(main, number)

    watcher = threading.Thread(target=watch, name="wfe-grace", daemon=True)
    watcher.start()
    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        bell.put(None)
        watcher.join()
        for number, handler in before.items():
            signal.signal(number, handler)
