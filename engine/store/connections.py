"""The connections to one SQLite file: one for each thread, so that a long read in one never holds up another."""

import os
import sqlite3
import threading
import weakref
from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from engine.exceptions import StoreError, StoreLost

_T = TypeVar("_T")

_LOG_BYTES = 16_000_000
"""What the log is cut back to after a great transaction; it grows with the next one."""

_LOG_PAGES = 3_000
"""At how many pages, of 4 kB, the log is written back: most of them it holds many times over, and one counts."""

_PIECE = 2_000
"""Rows that are taken at once where there may be a million of them."""

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
        if self._file in _inherited:
            raise StoreError(
                f"the store {path} was being written when this process was forked, so it cannot be used here:"
                " start the process by spawn, or fork at another moment"
            )
        _everywhere.add(self)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The whole answer to a query, at one moment. Nothing stays open: an open read would let the log grow."""
        return self._do(lambda connection: connection.execute(sql, parameters).fetchall())

    def numbers(self, sql: str, parameters: Sequence[Any] = ()) -> "array[int]":
        """The whole answer to a query for one whole number a row. It is read piece by piece, so that a million of them
        neither stand in memory as rows, nor keep other threads waiting."""

        def ask(connection: sqlite3.Connection) -> "array[int]":
            found, cursor = array("q"), connection.execute(sql, parameters)
            while piece := cursor.fetchmany(_PIECE):
                found.extend([number for (number,) in piece])
            return found

        return self._do(ask)

    def write_rows(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement for each of these rows."""
        self._do(lambda connection: connection.executemany(sql, rows))

    def read(self, ask: Callable[[sqlite3.Connection], _T]) -> _T:
        """What `ask` makes of this thread's connection."""
        return self._do(ask)

    def is_writing(self) -> bool:
        """Whether this thread is in a transaction: on a full disk SQLite has undone everything by itself."""
        lease = self._mine.lease
        return lease is not None and not lease.is_closed and lease.connection.in_transaction

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
            raise StoreLost(f"the store {self.path} is damaged, so nothing is written any more: `wfe check` tells")
        self.check_in_place()

    def check_in_place(self) -> None:
        """Raises StoreError if the path no longer leads to the file that was opened."""
        if _identity(self.path) != self._file:
            raise StoreLost(f"the store {self.path} was removed or replaced while it was open: open it again")

    def close(self, *, wait: bool) -> None:
        """Close all of them, once. Without `wait`, those that are just asked something by another thread stay open."""
        self._is_closed = True
        keeper = self._read_through() if self._is_damaged else None
        for lease in list(self._all):
            if wait:
                lease.interrupt()
            lease.close(wait=wait)
        if keeper is not None:
            keeper.close()

    def _do(self, ask: Callable[[sqlite3.Connection], _T]) -> _T:
        while True:
            lease = self._lease()
            with lease.lock:
                if lease.is_closed:
                    continue  # by a fork in another thread, or for good
                try:
                    answer = ask(lease.connection)
                except sqlite3.Error as error:
                    self.check_usable()
                    if self._has_moved():
                        continue
                    if code_of(error) in _DAMAGE:
                        self._is_damaged = True
                    raise explained(self.path, error) from error
                if not self._has_moved():
                    return answer

    def _has_moved(self) -> bool:
        """Whether somebody wrote to a file that was read as if nobody did."""
        return self.read_only and self._mine.state != self._state()

    def _lease(self) -> "_Lease":
        """This thread's connection."""
        self.check_usable()
        mine = self._mine
        state = self._state() if self.read_only else None
        if mine.lease is None or mine.lease.is_closed or mine.state != state:
            mine.lease, mine.state = self._connect(), state
        return mine.lease

    def _connect(self) -> "_Lease":
        # "rw" does not make the file anew if somebody removed it.
        options = reading(self.path) if self.read_only else "mode=rw"
        with _connecting:
            self.check_usable()
            if not self.read_only:
                self._close_readers()
            try:
                connection = sqlite3.connect(
                    address(self.path, options),
                    uri=True,
                    timeout=_BUSY_SECONDS,
                    isolation_level=None,
                    check_same_thread=False,
                )
                lease = _Lease(connection)
                if not self.read_only:
                    connection.execute("PRAGMA synchronous = NORMAL")
                    connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
                    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
                    connection.execute("SELECT 1 FROM sqlite_master").fetchall()
            except sqlite3.Error as error:
                raise explained(self.path, error) from error
            self._all.add(lease)
        return lease

    def _close_readers(self) -> None:
        """Where this process has opened the file to read only, SQLite would keep it from writing its index: so those
        who read open it anew, after this one."""
        for other in list(_everywhere):
            if other.read_only and other._file == self._file:
                other._close_idle()

    def _close_idle(self) -> None:
        if self.is_open:
            for lease in list(self._all):
                with lease.lock:
                    if lease.connection.in_transaction:
                        _inherited.add(self._file)
                    else:
                        lease.close()

    def _state(self) -> object:
        """What tells that a file that is only read has to be opened anew."""
        file, how = self.path.stat(), reading(self.path)
        return (how, file.st_ino) if how == READING_LIVE else (how, file.st_ino, file.st_size, file.st_mtime_ns)

    def _read_through(self) -> sqlite3.Connection | None:
        """A connection that reads while the others are closed, so that none of them writes its log into the file."""
        connection = sqlite3.connect(address(self.path, "mode=ro"), uri=True, isolation_level=None)
        with suppress(sqlite3.Error):
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        return connection


READING_LIVE = "mode=ro&readonly_shm=1"


def address(path: Path, options: str) -> str:
    """How SQLite is asked to open a file in a certain way; a path may hold any byte."""
    return f"file:{quote(os.fsencode(path))}?{options}"


def reading(path: Path) -> str:
    """The options with which SQLite reads a file and writes nothing, not even beside it."""
    with suppress(FileNotFoundError):  # whoever closes the store last removes it
        if path.with_name(path.name + "-wal").stat().st_size:
            return READING_LIVE
    # Without a log nobody writes, and it is as it is, until one is there.
    return "mode=ro&immutable=1"


_PROBLEMS = {
    sqlite3.SQLITE_NOTADB: "is not a store: name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged ({error}): put it aside with its -wal and restore a backup; see `wfe check`",
    sqlite3.SQLITE_FULL: "cannot grow, since the disk is full: make room and repeat the operation",
    sqlite3.SQLITE_BUSY: "is held by another program: close that and repeat the operation",
    sqlite3.SQLITE_READONLY: "may not be written by you: ask its owner",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened ({error}): check its folder, or name another file",
    sqlite3.SQLITE_IOERR: "cannot be read or written ({error}): check the disk",
}


_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary code of an error."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def explained(path: Path, error: sqlite3.Error) -> StoreError:
    """What an error of SQLite means for a store, in a sentence."""
    code = code_of(error)
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_full(path.parent):
        code = sqlite3.SQLITE_FULL
    what = _PROBLEMS.get(code, "cannot be used ({error})")
    kind = StoreLost if code in _DAMAGE else StoreError
    return kind(f"the store {path} " + what.format(error=error))


def _is_full(folder: Path) -> bool:
    try:
        return os.statvfs(folder).f_bavail == 0
    except OSError:
        return False


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        file = os.stat(path)  # noqa: PTH116 - asked before every write
    except OSError:
        return None
    return file.st_dev, file.st_ino


class _Lease:
    """A thread's hold on its connection, which is closed when the thread ends.

    The connection itself stands in a cycle with its cache: it would wait for Python to look for garbage. `lock` is held
    while it is asked something, since another thread may close it, which SQLite does not survive in the middle.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.lock = threading.RLock()
        self.is_closed = False
        self._process = os.getpid()

    def interrupt(self) -> None:
        """End what is being asked in another thread."""
        if self.lock.acquire(blocking=False):
            self.lock.release()
            return
        with suppress(sqlite3.ProgrammingError):  # that thread has just closed it
            self.connection.interrupt()
            with self.lock:
                self.connection.execute("SELECT 1")  # else it would stay interrupted, and not write its log back

    def close(self, *, wait: bool = True) -> None:
        if self.lock.acquire(blocking=wait):
            self.is_closed = True
            self.connection.close()
            self.lock.release()

    def __del__(self) -> None:
        if os.getpid() == self._process:
            self.close()
        else:
            # A fork ends the other threads in the child. To close what one of them was writing would take it back in
            # the memory that the parent shares.
            _left_to_parent.append(self.connection)


class _Mine(threading.local):
    """What belongs to one thread."""

    lease: _Lease | None = None
    state: object = None


# SQLite knows in the child of a fork which locks its parent held, and takes them for its own: it would take none where
# it has to. So nothing is open at a fork, but what a thread is writing just then: that file is closed to the child.
_everywhere: weakref.WeakSet[Connections] = weakref.WeakSet()
_connecting = threading.RLock()
_left_to_parent: list[sqlite3.Connection] = []
_inherited: set[tuple[int, int] | None] = set()


def _before_fork() -> None:
    _connecting.acquire()
    for connections in list(_everywhere):
        connections._close_idle()


def _after_fork_in_parent() -> None:
    _inherited.clear()
    _connecting.release()


def _after_fork_in_child() -> None:
    global _connecting
    _connecting = threading.RLock()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
