"""How a run is asked to end: by a program, or by a signal."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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
        self.is_heeded = False
        """Whether what was under way has been broken off."""
        self._deadline: float | None = None
        self._is_broken_off = False
        self._bell: SimpleQueue[None] = SimpleQueue()  # which a signal handler may ring, where an Event might hang

    @property
    def is_over(self) -> bool:
        """Whether to wait for nothing more: what is under way is to be broken off."""
        return self._is_broken_off or (self._deadline is not None and time.monotonic() >= self._deadline)

    def ask(self, grace: float | None = None) -> None:
        """Ask for it; of several, the one that ends first counts.

        Args:
            grace: seconds that what is under way may go on; None is as long as it takes.
        """
        if grace is not None:
            deadline = time.monotonic() + grace
            self._deadline = deadline if self._deadline is None else min(deadline, self._deadline)
        if not self.is_asked:
            self.is_asked = True
            self._bell.put(None)

    def break_off(self) -> None:
        """Grant nothing more to what is under way, either."""
        self._is_broken_off, self.is_heeded = True, False
        self.ask()

    def heed(self) -> None:
        """End what is under way, if it is to be broken off and was not yet.

        Raises:
            KeyboardInterrupt: so it is.
        """
        if self.is_over and not self.is_heeded:
            self.is_heeded = True
            raise KeyboardInterrupt

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
        """No signal interrupts what runs inside: it is through in a moment, or heeds the stop by itself."""
        self.is_shielded = True
        try:
            yield
        finally:
            self.is_shielded = False


SIGNALS = (signal.SIGINT, signal.SIGTERM)

NUDGE = signal.SIGURG
"""Interrupts the main thread in whatever it waits for. Nobody else minds this signal: by default it does nothing, which
is why the runtime of Go has chosen it for the same purpose."""

AGAIN = 0.05
"""Seconds after which a nudge that came to nothing is repeated."""

_END, _NOTHING = 0, -1  # in place of the number of a signal

_installed = ExitStack()  # what this process is to undo, and each process that is forked from it
os.register_at_fork(after_in_child=_installed.close)


@contextmanager
def stopped_by_signals(stop: Stop, grace: float) -> Iterator[None]:
    """The first SIGINT or SIGTERM asks for `stop`; the second, and the end of `grace` (seconds), breaks off: unless it
    is shielded, what the main thread executes just then is ended by a KeyboardInterrupt.

    To be called from the main thread. In a process that a task forks, signals do what they did before.
    """

    def ask(number: int, frame: FrameType | None = None) -> None:
        stop.signal = stop.signal or number
        stop.ask(grace)

    def heed(number: int, frame: FrameType | None) -> None:
        if not stop.is_shielded:
            stop.heed()

    watcher = _Watcher(stop, grace, ask)
    try:
        _installed.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(watcher.inlet, warn_on_full_buffer=False))
        for number, handler in {**dict.fromkeys(SIGNALS, ask), NUDGE: heed}.items():
            _installed.callback(signal.signal, number, signal.signal(number, handler))
        yield
    finally:
        with stop.shield():
            _installed.close()
            watcher.end()


class _Watcher:
    """Learns of each signal at once and in order, and decides what it means.

    The main thread could do neither: Python calls a handler between two of its own steps, so not if the signal came
    just before a system call that waits, and it calls one in the middle of another.
    """

    def __init__(self, stop: Stop, grace: float, ask: Callable[[int], None]) -> None:
        self._stop, self._grace, self._ask = stop, grace, ask
        self._outlet, self.inlet = os.pipe()
        os.set_blocking(self.inlet, False)
        self._thread = threading.Thread(target=self._watch, name="wfe-signals", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Watch no more."""
        os.write(self.inlet, bytes([_END]))
        self._thread.join()
        os.close(self.inlet)
        os.close(self._outlet)

    def _watch(self) -> None:
        if (number := self._next()) == _END:
            return
        self._ask(number)
        number = self._next(self._grace)
        while number != _END:
            if number != _NOTHING:
                self._stop.break_off()
            while not self._stop.is_heeded:
                signal.pthread_kill(threading.main_thread().ident or 0, NUDGE)
                if self._next(AGAIN) == _END:
                    return
            number = self._next()

    def _next(self, timeout: float | None = None) -> int:
        """The next signal within so many seconds, but for nudges."""
        while select.select([self._outlet], [], [], timeout)[0]:
            if (number := os.read(self._outlet, 1)[0]) != NUDGE:
                return number
        return _NOTHING
