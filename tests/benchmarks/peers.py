"""The ways to keep entries that are compared: TinyDB as it comes, the store, and SQL written by hand.

All have the methods of `OnTinyDB`; `Ours` and `Raw` also tell a follower what changed.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import orjson
from entries import Content
from tinydb import Query, TinyDB
from tinydb.queries import QueryInstance

from engine.store import Store
from engine.store.durability import Durability


@dataclass(frozen=True)
class Selection:
    """Which entries: as a TinyDB query (None is all of them), and as the same thing in SQL."""

    cond: QueryInstance | None = None
    sql: str = "true"
    values: tuple[str, ...] = ()


def where(**values: str) -> Selection:
    """The entries whose fields have these values."""
    conds = [Query()[field] == value for field, value in values.items()]
    return Selection(reduce(and_, conds), " AND ".join(f"{field} = ?" for field in values), tuple(values.values()))


@dataclass(frozen=True)
class Window:
    """Fifty entries of a sorted list."""

    order_by: str
    reverse: bool = False
    offset: int = 0
    limit: int = 50


class OnTinyDB:
    """What TinyDB offers by itself, whatever lies beneath; sorting and counting are the caller's work."""

    def __init__(self, db: TinyDB) -> None:
        self._db = db
        self._entries: Any = db.table("entries", cache_size=0)

    def insert(self, document: Content) -> None:
        self._entries.insert(document)

    def update(self, doc_id: int, fields: Content) -> None:
        self._entries.update(fields, doc_ids=[doc_id])

    def upsert(self, document: Content) -> None:
        self._entries.upsert(document, Query().key == document["key"])

    def get(self, doc_id: int) -> Content:
        return self._entries.get(doc_id=doc_id)

    def first(self, selection: Selection) -> Content:
        return self._entries.get(selection.cond)

    def search(self, selection: Selection) -> list[Content]:
        return self._entries.all() if selection.cond is None else self._entries.search(selection.cond)

    def window(self, selection: Selection, window: Window) -> list[Content]:
        found = sorted(self.search(selection), key=lambda found: found[window.order_by], reverse=window.reverse)
        return found[window.offset : window.offset + window.limit]

    def counts(self, selection: Selection) -> Mapping[str, int]:
        return Counter(found["state"] for found in self.search(selection))

    def close(self) -> None:
        self._db.close()


class Ours(OnTinyDB):
    """`engine.Store`, with what its tables add to TinyDB's."""

    def __init__(self, path: Path, durability: Durability) -> None:
        self._store = Store(path, durability=durability)
        super().__init__(self._store.db)

    def window(self, selection: Selection, window: Window) -> list[Content]:
        ids = self._entries.ids(
            selection.cond, order_by=window.order_by, reverse=window.reverse, offset=window.offset, limit=window.limit
        )
        return self._entries.get(doc_ids=ids)

    def counts(self, selection: Selection) -> Mapping[str, int]:
        return self._entries.counts("state", selection.cond)

    def seq(self) -> int:
        return self._store.seq()

    def changes(self, since: int) -> list[int]:
        return self._store.changes(since).changed["entries"]

    def close(self) -> None:
        self._store.close()


class Raw:
    """What a programmer would write who knows the file's tables, with nothing between them and SQLite."""

    _COLUMNS = ("key", "processor", "state", "urgency", "updated", "error_id", "due", "owner")
    _INSERT = f"INSERT INTO entries(seq, doc, {', '.join(_COLUMNS)}) VALUES (?, ?{', ?' * len(_COLUMNS)})"

    def __init__(self, path: Path, synchronous: str) -> None:
        self._path = path
        self._synchronous = synchronous
        self._mine = threading.local()

    def insert(self, document: Content) -> None:
        with self._transaction() as seq:
            self._add(seq, document)

    def update(self, doc_id: int, fields: Content) -> None:
        with self._transaction() as seq:
            [(text,)] = self._rows("SELECT doc FROM entries WHERE id = ?", (doc_id,))
            self._change(seq, doc_id, text, fields)

    def upsert(self, document: Content) -> None:
        with self._transaction() as seq:
            found = self._rows("SELECT id, doc FROM entries WHERE key = ?", (document["key"],))
            for doc_id, text in found:
                self._change(seq, doc_id, text, document)
            if not found:
                self._add(seq, document)

    def get(self, doc_id: int) -> Content:
        [(text,)] = self._rows("SELECT doc FROM entries WHERE id = ?", (doc_id,))
        return orjson.loads(text)

    def first(self, selection: Selection) -> Content:
        [(text,)] = self._rows(f"SELECT doc FROM entries WHERE {selection.sql} LIMIT 1", selection.values)
        return orjson.loads(text)

    def search(self, selection: Selection) -> list[Content]:
        found = self._rows(f"SELECT id, doc FROM entries WHERE {selection.sql}", selection.values)
        return [orjson.loads(text) for _, text in sorted(found)]

    def window(self, selection: Selection, window: Window) -> list[Content]:
        order = f"{window.order_by} {'DESC' if window.reverse else 'ASC'}"
        found = self._rows(
            f"SELECT doc FROM entries WHERE {selection.sql} ORDER BY {order} LIMIT ? OFFSET ?",
            (*selection.values, window.limit, window.offset),
        )
        return [orjson.loads(text) for (text,) in found]

    def counts(self, selection: Selection) -> Mapping[str, int]:
        sql = f"SELECT state, sum(n) FROM tally WHERE {selection.sql} GROUP BY state HAVING sum(n) > 0"
        return dict(self._rows(sql, selection.values))

    def seq(self) -> int:
        return self._rows("SELECT seq FROM about")[0][0]

    def changes(self, since: int) -> list[int]:
        found = self._rows(
            "SELECT seq, id FROM entries WHERE seq > ?1"
            " UNION ALL SELECT seq, id FROM gone WHERE tbl = 'entries' AND seq > ?1 ORDER BY seq",
            (since,),
        )
        return [doc_id for _, doc_id in found]

    def close(self) -> None:
        self._connection.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        """One for each thread, as SQLite wants it."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = sqlite3.connect(self._path, timeout=60, isolation_level=None)
            self._mine.connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        return self._mine.connection

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[int]:
        self._rows("BEGIN IMMEDIATE")
        [(seq,)] = self._rows("UPDATE about SET seq = seq + 1 RETURNING seq")
        yield seq
        self._rows("COMMIT")

    def _add(self, seq: int, document: Content) -> None:
        self._rows(self._INSERT, (seq, orjson.dumps(document).decode(), *map(document.get, self._COLUMNS)))
        self._count(document, 1)

    def _change(self, seq: int, doc_id: int, text: str, fields: Content) -> None:
        changed = [column for column in self._COLUMNS if column in fields]
        before = orjson.loads(text)
        after = before | fields
        self._rows(
            f"UPDATE entries SET seq = ?, doc = ?, {', '.join(f'{column} = ?' for column in changed)} WHERE id = ?",
            (seq, orjson.dumps(after).decode(), *map(fields.get, changed), doc_id),
        )
        if (before["processor"], before["state"]) != (after["processor"], after["state"]):
            self._count(before, -1)
            self._count(after, 1)

    def _count(self, document: Content, step: int) -> None:
        sql = "UPDATE tally SET n = n + ? WHERE processor = ? AND state = ?"
        found = self._connection.execute(sql, (step, document["processor"], document["state"]))
        if not found.rowcount:
            self._rows("INSERT INTO tally VALUES(?, ?, ?)", (document["processor"], document["state"], step))


Peer = OnTinyDB | Raw
Follower = Ours | Raw
