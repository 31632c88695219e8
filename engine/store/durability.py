"""What a write survives, and the wait for the disk that the stronger promise costs."""

import os
import sys
import threading
from enum import StrEnum
from pathlib import Path

from engine.exceptions import StoreError


class Durability(StrEnum):
    """What a write survives once it is acknowledged."""

    PROCESS = "process"
    """The end of any process, kill -9 included. A power cut may take back the last moments, whole transactions each."""
    POWER = "power"
    """A power cut, too: the disk has it. Those who write at the same time share one wait for the disk."""


def named_durability(name: str) -> Durability:
    """The durability of a name. Raises StoreError if there is none."""
    try:
        return Durability(name)
    except ValueError:
        raise StoreError(f"there is no durability {name!r}: it is {' or '.join(Durability)}") from None


class Log:
    """SQLite's log of one store, to be forced to the disk."""

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(store.name + "-wal")
        self._begun = 0
        self._ended = 0
        self._flushing = threading.Lock()
        self._known: int | None = None

    def flush(self) -> None:
        """Return when the disk has all that was committed before. Raises OSError if it refuses.

        A flush that began after one's commit serves as well as one's own, so those who wait behind one share the next.
        """
        sufficient = self._begun + 1
        with self._flushing:
            if self._ended < sufficient:
                self._begun += 1
                self._to_disk()
                self._ended = self._begun

    def _to_disk(self) -> None:
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # written back by whoever closed last, who waited for the disk
        try:
            force(file)
            if self._known != (number := os.fstat(file).st_ino):
                force_path(self._path.parent)  # a new file is safe when its name is
                self._known = number
        finally:
            os.close(file)


def force_path(path: Path) -> None:
    """Have the disk take what a file, or a folder of names, holds. Raises OSError if it refuses."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def force(file: int) -> None:
    """Have the disk take the data of an open file. Raises OSError if it refuses."""
    if sys.platform == "darwin":
        import fcntl  # its fsync leaves the data in the drive's own memory

        fcntl.fcntl(file, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(file)
