"""Whose turn it is to write: one thread of one process at a time, woken at once and without polling.

SQLite's own locks let writers starve each other for seconds and let its log grow without bound.
"""

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.store.locks import LockFile


class Turn:
    """The right to write one store, shared by all that this process has open on it. Get it from `turn_for`.

    `with turn.taken():` waits without a time-out and nests within its thread.
    """

    def __init__(self, lock_file: LockFile) -> None:
        self.depth = 0
        self._threads = threading.RLock()
        self._processes = lock_file

    @contextmanager
    def taken(self) -> Iterator[None]:
        with self._threads:
            self.depth += 1
            try:
                if self.depth == 1:
                    self._processes.lock()
                yield
            finally:
                self.depth -= 1
                if self.depth == 0:
                    self._processes.unlock()


def turn_for(store: Path) -> Turn:
    """The turn to write `store`, kept on the file `<store>.lock` beside it. Raises OSError if that cannot be made."""
    with _asking:
        turn = _turns.get(store)
        if turn is None:
            turn = _turns[store] = Turn(LockFile(store.with_name(store.name + ".lock")))
        return turn


_turns: weakref.WeakValueDictionary[Path, Turn] = weakref.WeakValueDictionary()
_asking = threading.Lock()


def _start_anew() -> None:
    # A turn that another thread held at the fork would never end in the child.
    global _turns, _asking
    _turns, _asking = weakref.WeakValueDictionary(), threading.Lock()


os.register_at_fork(after_in_child=_start_anew)
