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

    It is waited for without a time-out, and nests within its thread.
    """

    def __init__(self, lock_file: LockFile) -> None:
        self.depth = 0
        self._threads = threading.RLock()
        self._processes = lock_file

    @contextmanager
    def taken(self) -> Iterator[None]:
        self.take()
        try:
            yield
        finally:
            self.give()

    def take(self) -> None:
        """Wait for one's turn. Raises OSError if the file system knows no locks; it is not taken then."""
        self._threads.acquire()
        # Counted before it is locked: to close another store may fall into this thread meanwhile.
        self.depth += 1
        if self.depth == 1:
            try:
                self._processes = _locked(self._processes)
            except BaseException:
                self.depth = 0
                self._threads.release()
                raise

    def give(self) -> None:
        """Let the next one have it, once this thread has given as often as it took."""
        self.depth -= 1
        if self.depth == 0:
            self._processes.unlock()
        self._threads.release()

    @contextmanager
    def taken_if_free(self, *, wait_for_threads: bool) -> Iterator[None]:
        """As `taken`, yet it is not waited for while another process has it, nor, as asked, another thread."""
        if not self._threads.acquire(blocking=wait_for_threads):
            yield
            return
        try:
            is_taken = self.depth == 0 and self._processes.lock_if_free()
            try:
                yield
            finally:
                if is_taken:
                    self._processes.unlock()
        finally:
            self._threads.release()


def _locked(file: LockFile) -> LockFile:
    """The lock file, locked; another if somebody removed it, since others then lock a new one."""
    while True:
        file.lock()
        if file.is_in_place():
            return file
        newer = LockFile(file.path)
        file.close()
        file = newer


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
