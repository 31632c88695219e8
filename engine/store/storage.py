"""TinyDB's storage on SQLite: one JSON document a row, only touched rows written, shared by threads and processes.

What was committed survives kill -9 of any process. The file lies on a local disk: SQLite's log needs shared memory.
"""

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from tinydb.storages import Storage

from engine.exceptions import NotStorable, StoreConflict, StoreError
from engine.store import schema
from engine.store.turns import turn_for

_BUSY_SECONDS = 30.0
"""How long to wait for a program that uses the file without taking its turn."""


@dataclass(frozen=True)
class Changes:
    """What was written after a moment, by table: the ids of documents added or changed, and of those removed.

    A table without any is not named. Ids stand in the order of the transactions, each once. `seq` is what to ask with
    the next time.
    """

    seq: int
    changed: dict[str, list[int]]
    removed: dict[str, list[int]]


class SqliteStorage(Storage):
    """Documents in the SQLite file `path`, which is created with its folders (mode 0600) if it is missing.

    `indexes` names each table's indexed top-level fields. Use it from any thread, never in a forked child. Stock TinyDB
    tables work on it too, through `read` and `write`, at the cost of the whole store for each operation.

    Raises StoreError, here and in every method, if the file cannot be used; it is left as it was.
    """

    def __init__(self, path: str | os.PathLike[str], *, indexes: schema.Indexes | None = None) -> None:
        self.path = Path(path).expanduser().resolve()
        self.indexes: schema.Indexes = indexes or {}
        self._process = os.getpid()
        self._closed = False
        self._mine = _Mine()
        self._connections: weakref.WeakSet[_Connection] = weakref.WeakSet()
        try:
            self._open()
        except sqlite3.Error as error:
            raise self._problem(error) from error
        except OSError as error:
            raise StoreError(f"the store {self.path} cannot be opened ({error.strerror}): name another") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that this thread writes inside becomes visible and durable at the end, or nothing of it if it raises.

        It nests: an inner one that raises takes back only its own writes. It waits for its turn without a time-out, so
        keep other work out of it.
        """
        connection, mine = self._connection(), self._mine
        if mine.writing:
            with self._inner(connection):
                yield
            return
        with self._turn.taken():
            if self._turn.depth > 1:
                raise StoreError(f"this thread is already writing {self.path} as another store: use one for both")
            mine.writing, mine.seq = True, None
            try:
                self.rows("BEGIN IMMEDIATE")
                yield
                self.rows("COMMIT")
            except BaseException:
                if self._is_writing(connection):
                    self.rows("ROLLBACK")
                raise
            finally:
                mine.writing = False

    def seq(self) -> int:
        """The number of the last transaction that wrote: it rises by one with each. In one's own, it counts already."""
        last: int = self.rows(_LAST_SEQ)[0][0]
        return last

    def changes(self, since: int) -> Changes:
        """What was written after the transaction `since`, at the cost of those changes alone."""
        changed: dict[str, list[int]] = {}
        removed: dict[str, list[int]] = {}
        rows = self.rows(_CHANGES, (since,))
        for _, table, doc_id, is_there in rows:
            (changed if is_there else removed).setdefault(table, []).append(doc_id)
        return Changes(rows[-1][0] if rows else since, changed, removed)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The whole answer to a query, at one moment. Nothing stays open: an open read would let the log grow."""
        try:
            return self._connection().execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def text(self, table: str, doc_id: int, document: Mapping[str, Any]) -> str:
        """A document as it is stored. Raises NotStorable if it cannot be."""
        try:
            text = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS).decode()
        except TypeError as error:
            raise NotStorable(f"document {doc_id} of {table} cannot be stored as JSON: {error}") from error
        # Versions of SQLite differ in what they index of such a text: one would call the other's file damaged.
        if "\\u0000" in text:
            for field in self.indexes.get(table, ()):
                if isinstance(value := document.get(field), str) and "\0" in value:
                    raise NotStorable(f"document {doc_id} of {table} has a NUL character in its {field}: remove it")
        return text

    def save(self, table: str, texts: Mapping[int, str]) -> None:
        """Write documents, given as `text` made them. To be called in a transaction."""
        if texts:
            seq = self._writing_seq()
            self._write(
                "INSERT INTO docs(tbl, id, seq, doc) VALUES(?, ?, ?, ?)"
                " ON CONFLICT(tbl, id) DO UPDATE SET seq = excluded.seq, doc = excluded.doc",
                ((table, doc_id, seq, text) for doc_id, text in texts.items()),
            )

    def remove(self, table: str, ids: Iterable[int]) -> None:
        """Remove those documents that are there, and note it for followers. To be called in a transaction."""
        ids = list(ids)
        if ids:
            seq = self._writing_seq()
            self._write(
                "INSERT OR IGNORE INTO gone(seq, tbl, id) SELECT ?, tbl, id FROM docs WHERE tbl = ? AND id = ?",
                ((seq, table, doc_id) for doc_id in ids),
            )
            self._write("DELETE FROM docs WHERE tbl = ? AND id = ?", ((table, doc_id) for doc_id in ids))

    def read(self) -> dict[str, dict[str, Any]] | None:
        """The whole store, as stock tables want it; None if it is empty."""
        # Asked first: a write between the two then shows as a conflict and not as nothing.
        self._mine.seen = self.seq()
        tables: dict[str, dict[str, Any]] = {}
        for table, doc_id, text in self.rows("SELECT tbl, id, doc FROM docs ORDER BY tbl, id"):
            tables.setdefault(table, {})[str(doc_id)] = orjson.loads(text)
        return tables or None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Make the whole store what stock tables say.

        Raises StoreConflict if somebody else has written since this thread's `read`. To drop everything is no conflict.
        """
        with self.transaction():
            seen, self._mine.seen = self._mine.seen, None
            if data and seen not in (None, self.seq()):
                raise StoreConflict(
                    f"{self.path} was changed by somebody else since it was read, so nothing was written: repeat this"
                )
            stored: dict[str, dict[int, str]] = {}
            for table, doc_id, text in self.rows("SELECT tbl, id, doc FROM docs"):
                stored.setdefault(table, {})[doc_id] = text
            for table in stored.keys() | data.keys():
                before = stored.get(table, {})
                after = {int(i): self.text(table, int(i), document) for i, document in data.get(table, {}).items()}
                self.remove(table, before.keys() - after.keys())
                self.save(table, {i: text for i, text in after.items() if before.get(i) != text})

    def close(self) -> None:
        """Close the file, for all threads; more than once does not matter."""
        if self._closed:
            return
        self._closed = True
        # A forked child has nothing of its own to close, and closing what it inherited could disturb its parent.
        if os.getpid() == self._process:
            # The last one to close writes SQLite's log back, so it is done in one's turn.
            with self._turn.taken():
                for connection in list(self._connections):
                    connection.close()

    def check_usable(self) -> None:
        """Raises StoreError after `close`, and in a forked child."""
        if self._closed:
            raise StoreError(f"the store {self.path} is closed: open it again")
        if os.getpid() != self._process:
            raise StoreError(f"the store {self.path} was opened before this process was forked: open it in the child")

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_dir():
            raise StoreError(f"{self.path} is a folder, not a store: name a file in it")
        if not os.access(self.path.parent, os.W_OK | os.X_OK):
            raise StoreError(f"the store {self.path} needs a folder in which you may write: name another")
        if self.path.exists() and not os.access(self.path, os.R_OK | os.W_OK):
            raise StoreError(f"the store {self.path} may not be read and written by you: ask its owner")
        # An existing file is opened by SQLite alone: to close it would let go all locks of this process on it.
        if not self.path.exists():
            self._turn = turn_for(self.path)
            with self._turn.taken():
                self.path.touch(mode=0o600)
        self._first = self._connection()
        try:
            is_ready = schema.is_ready(self._first, self.path, self.indexes)
        except sqlite3.OperationalError:  # somebody is creating it just now
            is_ready = False
        except BaseException:
            self._first.close()
            raise
        self._turn = turn_for(self.path)
        if not is_ready:
            with self._turn.taken():
                schema.prepare(self._first, self.path, self.indexes)

    def _connection(self) -> "_Connection":
        self.check_usable()
        mine = self._mine
        if mine.connection is None:
            mine.connection = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=_Connection
            )
            mine.connection.execute("PRAGMA synchronous = NORMAL")
            self._connections.add(mine.connection)
        return mine.connection

    @contextmanager
    def _inner(self, connection: "_Connection") -> Iterator[None]:
        self.rows("SAVEPOINT step")
        try:
            yield
        except BaseException:
            if self._is_writing(connection):
                self.rows("ROLLBACK TO step")
                self.rows("RELEASE step")
            raise
        self.rows("RELEASE step")

    def _is_writing(self, connection: "_Connection") -> bool:
        # On a full disk SQLite has undone everything by itself: to do so again would hide the error.
        return not self._closed and connection.in_transaction

    def _writing_seq(self) -> int:
        if self._mine.seq is None:
            self._mine.seq = self.seq() + 1
        return self._mine.seq

    def _write(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        connection = self._connection()
        if not self._is_writing(connection):
            raise StoreError(f"the transaction on {self.path} was undone by an error: leave it and begin another")
        try:
            connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def _problem(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        what = _PROBLEMS.get(code, "cannot be used ({error})")
        return StoreError(f"the store {self.path} " + what.format(error=error))


_LAST_SEQ = "SELECT max(ifnull((SELECT max(seq) FROM docs), 0), ifnull((SELECT max(seq) FROM gone), 0))"

_CHANGES = """
    SELECT seq, tbl, id, 1 FROM docs WHERE seq > ?1
    UNION ALL
    SELECT max(seq), tbl, id, 0 FROM gone WHERE seq > ?1
    AND NOT EXISTS (SELECT 1 FROM docs WHERE docs.tbl = gone.tbl AND docs.id = gone.id)
    GROUP BY tbl, id
    ORDER BY 1, 2, 3
"""

_PROBLEMS = {
    sqlite3.SQLITE_NOTADB: "is not a store: name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged ({error}): put it aside and restore a backup",
    sqlite3.SQLITE_FULL: "cannot grow, since the disk is full: make room and repeat the operation",
    sqlite3.SQLITE_BUSY: "is held by another program: close that and repeat the operation",
    sqlite3.SQLITE_READONLY: "may not be written by you: ask its owner",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened ({error}): check its folder, or name another file",
    sqlite3.SQLITE_IOERR: "cannot be read or written ({error}): check the disk",
}


class _Connection(sqlite3.Connection):
    """Closed with the thread that it was for, and known to the storage until then."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it could not be opened
            self.close()


class _Mine(threading.local):
    """What belongs to one thread, so that a long read in one never holds up another."""

    connection: _Connection | None = None
    writing = False
    seq: int | None = None
    """The number of the transaction being written, once it has written."""
    seen: int | None = None
    """The last transaction when this thread last read the whole store."""
