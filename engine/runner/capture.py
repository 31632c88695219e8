"""Keeps what tasks log through Python's `logging`, with the execution in whose context they did.

One handler at the root logger does it, so what counts is what the user's loggers let through: their levels, their
filters, and that they propagate. A thread that a task starts by itself has no context of it, so what that logs is not
known to be the task's; `asyncio.to_thread` and `contextvars.copy_context` give it one.

While a run goes on the root logger so has a handler: who calls `logging.basicConfig` does it before, since it leaves a
logger alone that has one.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.attempt import CURRENT
from engine.clock import to_text
from engine.errors import one_line
from engine.text import encodable

MOST_LINES = 200
"""Of an execution's lines, the newest so many are kept."""
MOST_CHARACTERS = 1_000
"""Of each line."""

Line = tuple[str, str, str, str]
"""Its moment (UTC, as the store holds it), level, logger, and message."""


@dataclass(frozen=True, slots=True)
class Logged:
    """What an execution has logged: its newest lines, oldest first, and how many that came before were dropped."""

    lines: list[Line]
    dropped: int


class Log:
    """The log of one execution while it grows."""

    __slots__ = ("_count", "_lines")

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=MOST_LINES)
        self._count = 0

    def add(self, line: Line) -> None:
        """One more line."""
        self._lines.append(line)
        self._count += 1

    def taken(self) -> Logged:
        """What is in it by now; what a thread that was left behind adds later is not."""
        lines = list(self._lines)
        return Logged(lines, self._count - len(lines))


@contextmanager
def capturing() -> Iterator[None]:
    """As long as it is open, in any thread, the lines of executions are kept."""
    global _open
    with _lock:
        _open += 1
        logging.getLogger().addHandler(_handler)
    try:
        yield
    finally:
        with _lock:
            _open -= 1
            if not _open:
                logging.getLogger().removeHandler(_handler)


class _Handler(logging.Handler):
    """Called by one thread at a time, as every handler is."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            current = CURRENT.get(None)
            if current is not None and record.name != "engine":
                current.log(_line(record))
            self._stand_in(record)
        except Exception:
            self.handleError(record)

    def _stand_in(self, record: logging.LogRecord) -> None:
        """Where nobody has configured logging, Python writes warnings to standard error: this handler is no reason not
        to."""
        last = logging.lastResort
        if last is None or record.levelno < last.level:
            return
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None:
            if any(handler is not self for handler in logger.handlers):
                return
            logger = logger.parent if logger.propagate else None
        last.handle(record)


def _line(record: logging.LogRecord) -> Line:
    at = datetime.fromtimestamp(record.created, UTC)
    try:
        message = record.getMessage()
    except Exception as error:
        message = f"{record.msg!r:.200} <its arguments do not fit: {one_line(error)}>"
    if record.exc_info and record.exc_info[1]:
        message += f"\n{one_line(record.exc_info[1])}"
    return to_text(at), encodable(record.levelname), encodable(record.name), encodable(_cut(message))


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


_handler = _Handler()
_lock = threading.Lock()
_open = 0
