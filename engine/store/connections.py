"""The connections to one SQLite file: one for each thread, so that a long read in one never holds up another."""

import os
import sqlite3
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.exceptions import StoreError

_BUSY_SECONDS = 30.0
"""How long to wait for a program that uses the file without taking its turn."""


class Connections:
    """The connections of one process to the file `path`, which is there already.

    With `read_only` they write nothing, not even SQLite's own notes beside the file.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._process = os.getpid()
        self._file = _identity(path)
        self._is_closed = False
        self._is_damaged = False
        self._mine = _Mine()
        self._all: weakref.WeakSet[_Lease] = weakref.WeakSet()

    def mine(self) -> sqlite3.Connection:
        """This thread's connection. Raises StoreError after `close`, and in a forked child."""
        self.check_usable()
        mine = self._mine
        state = self._state() if self.read_only else None
        if mine.lease is None or mine.state != state:
            mine.lease, mine.state = self._connect(), state
        return mine.lease.connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The whole answer to a query, at one moment. Nothing stays open: an open read would let the log grow."""
        try:
            return self.mine().execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self.problem(error) from error

    def is_writing(self) -> bool:
        """Whether this thread is in a transaction: on a full disk SQLite has undone everything by itself."""
        return not self._is_closed and self._mine.lease is not None and self._mine.lease.connection.in_transaction

    @property
    def is_open(self) -> bool:
        """Whether there is anything to close. A forked child has nothing of its own: to close what it inherited could
        disturb its parent."""
        return not self._is_closed and os.getpid() == self._process

    def check_usable(self) -> None:
        """Raises StoreError after `close`, and in a forked child."""
        if self._is_closed:
            raise StoreError(f"the store {self.path} is closed: open it again")
        if os.getpid() != self._process:
            raise StoreError(f"the store {self.path} was opened before this process was forked: open it in the child")

    def check_writable(self) -> None:
        """Raises StoreError if nothing is to be written: the file is damaged, or another by now."""
        if self._is_damaged:
            raise StoreError(f"the store {self.path} is damaged, so nothing is written any more: `wfe check` tells")
        self.check_in_place()

    def check_in_place(self) -> None:
        """Raises StoreError if the path no longer leads to the file that was opened."""
        if _identity(self.path) != self._file:
            raise StoreError(f"the store {self.path} was removed or replaced while it was open: open it again")

    def problem(self, error: sqlite3.Error) -> StoreError:
        """What an error of SQLite means, for a person."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            self._is_damaged = True
        return explained(self.path, error)

    def close(self) -> None:
        """Close all of them. To be called once, in one's turn to write."""
        self._is_closed = True
        keeper = self._read_through() if self._is_damaged else None
        for lease in list(self._all):
            lease.connection.close()
        if keeper is not None:
            keeper.close()

    def _connect(self) -> "_Lease":
        # "rw" does not make the file anew if somebody removed it.
        options = reading(self.path) if self.read_only else "mode=rw"
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?{options}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        lease = _Lease(connection)
        self._all.add(lease)
        if not self.read_only:
            connection.execute("PRAGMA synchronous = NORMAL")
        return lease

    def _state(self) -> object:
        """What tells that a file that is only read has to be opened anew."""
        file = self.path.stat()
        return reading(self.path), file.st_ino, file.st_size, file.st_mtime_ns

    def _read_through(self) -> sqlite3.Connection | None:
        """A connection that reads while the others are closed, so that none of them writes its log into the file."""
        connection = sqlite3.connect(f"file:{quote(str(self.path))}?mode=ro", uri=True, isolation_level=None)
        with suppress(sqlite3.Error):
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        return connection


def reading(path: Path) -> str:
    """The options with which SQLite reads a file and writes nothing, not even beside it."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return "mode=ro&readonly_shm=1"
    # Without a log nobody writes, and it is as it is, until one is there.
    return "mode=ro&immutable=1"


_PROBLEMS = {
    sqlite3.SQLITE_NOTADB: "is not a store: name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged ({error}): put it aside and restore a backup; `wfe check` tells what is lost",
    sqlite3.SQLITE_FULL: "cannot grow, since the disk is full: make room and repeat the operation",
    sqlite3.SQLITE_BUSY: "is held by another program: close that and repeat the operation",
    sqlite3.SQLITE_READONLY: "may not be written by you: ask its owner",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened ({error}): check its folder, or name another file",
    sqlite3.SQLITE_IOERR: "cannot be read or written ({error}): check the disk",
}


def explained(path: Path, error: sqlite3.Error) -> StoreError:
    """What an error of SQLite means for a store, in a sentence."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    what = _PROBLEMS.get(code, "cannot be used ({error})")
    return StoreError(f"the store {path} " + what.format(error=error))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        file = os.stat(path)  # noqa: PTH116 - asked before every write
    except OSError:
        return None
    return file.st_dev, file.st_ino


class _Lease:
    """A thread's hold on its connection, which is closed when the thread ends.

    The connection itself stands in a cycle with its cache: it would wait for Python to look for garbage.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class _Mine(threading.local):
    """What belongs to one thread."""

    lease: _Lease | None = None
    state: object = None
