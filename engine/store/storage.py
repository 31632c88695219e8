"""TinyDB's storage on SQLite: one JSON document a row, only touched rows written, shared by threads and processes.

What was committed survives kill -9 of any process. The file lies on a local disk: SQLite's log needs shared memory.
"""

import os
import threading
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from tinydb.storages import Storage

from engine.exceptions import NotStorable, StoreConflict, StoreError
from engine.store import schema
from engine.store.changes import Changes, Place, Writes, forget_old_removals, read_changes, read_writes
from engine.store.connections import Connections
from engine.store.durability import Durability, Log, named_durability
from engine.store.opening import check_readable, make_ready
from engine.store.schema import EVERYTHING, LAYOUTS, VERSION, Layout, layout, named
from engine.store.tally import Tally
from engine.store.turns import Turn, turn_for
from engine.store.values import Column, columns


class Encoded(NamedTuple):
    """A document as it is stored: its JSON text, and its columns in the order of its table's fields."""

    text: str
    columns: tuple[Column, ...]


class SqliteStorage(Storage):
    """Documents in the SQLite file `path`, which is created with its folders (mode 0600) if it is missing.

    Use it from any thread, never in a forked child. Stock TinyDB tables work on it too, through `read` and `write`, at
    the cost of the whole store for each operation.

    Args:
        path: the file.
        read_only: it has to be there, and nothing is written, not even beside it.
        durability: what writes survive from now on, whoever writes; None leaves it as it is (at first `PROCESS`).

    Raises StoreError, here and in every method, if the file cannot be used; it is left as it was.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, read_only: bool = False, durability: Durability | str | None = None
    ) -> None:
        wanted = None if durability is None else named_durability(durability)
        try:
            self.path = Path(path).expanduser().resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL
            raise StoreError(f"the store {str(path)!r} cannot be found ({error}): name another file") from error
        try:
            if read_only:
                check_readable(self.path)
            else:
                make_ready(self.path)
        except OSError as error:
            raise StoreError(f"the store {self.path} cannot be opened ({error.strerror}): name another") from error
        self._connections = Connections(self.path, read_only=read_only)
        self._turn = None if read_only else turn_for(self.path)
        self._log = Log(self.path)
        self._mine = _Mine()
        self._unclosed = weakref.finalize(self, _close, self._connections, self._turn, wait=False)
        self._unclosed.atexit = False  # other threads may still write then; it is as safe unclosed
        self.rows = self._connections.rows
        self.numbers = self._connections.numbers
        if read_only:
            self._check_version()
        if wanted is not None and wanted is not self.durability:
            with self.transaction():
                self._writing_seq()
                self.rows("UPDATE about SET durability = ?", (wanted.value,))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that this thread writes inside becomes visible and durable at the end, or nothing of it if it raises.

        It nests: an inner one that raises takes back only its own writes. It waits for its turn without a time-out, so
        keep other work out of it.
        """
        mine = self._mine
        if mine.writing:
            self._connections.check_usable()
            with self._inner():
                yield
            return
        self._connections.check_usable()
        turn = self._take_turn()
        try:
            mine.writing, mine.seq, mine.is_broken = True, None, False
            try:
                self._connections.check_writable()
                self.rows("BEGIN IMMEDIATE")
                yield
                if mine.is_broken:
                    raise self._undone()
                self.settle()
                self.rows("COMMIT")
            except BaseException:
                if self._connections.is_writing():
                    self.rows("ROLLBACK")
                raise
            finally:
                mine.writing = False
                mine.tally.take()
        finally:
            turn.give()
        if mine.seq is not None and mine.durability == Durability.POWER:
            self._flush()

    def writing(self) -> AbstractContextManager[None]:
        """The transaction that this thread is in, else one of its own: for what writes but once, at its end.

        To nest costs as much as to write a document.
        """
        return nullcontext() if self._mine.writing else self.transaction()

    @property
    def durability(self) -> Durability:
        """What a write survives once it is acknowledged."""
        return Durability(self.rows("SELECT durability FROM about")[0][0])

    def seq(self) -> int:
        """The number of the last transaction that wrote: it rises by one with each. In one's own, it counts already."""
        self._connections.check_in_place()
        last: int = self.rows("SELECT seq FROM about")[0][0]
        return last

    def changes(self, since: int) -> Changes:
        """What was written after the transaction `since`, at the cost of those changes alone."""
        return read_changes(self.rows, since)

    def writes(self, after: Place, tables: Collection[str], limit: int) -> Writes:
        """What was written behind a place to some tables, in order, at most `limit` documents of it."""
        return read_writes(self.rows, after, tables, limit)

    def encode(self, table: str, doc_id: int, document: Mapping[str, Any]) -> Encoded:
        """A document as it is stored. Raises NotStorable if it cannot be."""
        try:
            text = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS).decode()
        except TypeError as error:
            raise NotStorable(f"document {doc_id} of {table} cannot be stored as JSON: {error}") from error
        return Encoded(text, columns(layout(table).fields, document, text))

    def save(self, table: str, new: Mapping[int, Encoded], old: Mapping[int, Encoded]) -> None:
        """Write documents, as far as they differ from what is stored. To be called in a transaction.

        Args:
            table: TinyDB's name of it.
            new: the documents, by id.
            old: what is stored of them; those that it does not name are not there yet.
        """
        at, tally = layout(table), self._mine.tally
        fresh = [doc_id for doc_id in new if doc_id not in old]
        if fresh:
            seq = self._writing_seq()
            key = (table,) if at.sql == "others" else ()
            self._write(_insert(at), ((*key, i, seq, *new[i].columns, new[i].text) for i in fresh))
            tally.count(at, (new[i].columns for i in fresh), 1)
        for moved, ids in _moved(new, old).items():
            seq = self._writing_seq()
            rows = ((seq, *[new[i].columns[n] for n in moved], new[i].text, i) for i in ids)
            self._write(_update(at, moved), rows)
            tally.count(at, (old[i].columns for i in ids), -1)
            tally.count(at, (new[i].columns for i in ids), 1)

    def touch(self, table: str, ids: Collection[int]) -> None:
        """Tell followers of documents that are as they were. To be called in a transaction."""
        if ids:
            at, seq = layout(table), self._writing_seq()
            self._write(f"UPDATE {at.sql} SET seq = ? WHERE {at.where} AND id = ?", ((seq, i) for i in ids))

    def remove(self, table: str, ids: Iterable[int]) -> None:
        """Remove those documents that are there, and note it for followers. To be called in a transaction."""
        listed = orjson.dumps(list(ids)).decode()
        if listed == "[]":
            return
        at, seq = layout(table), self._writing_seq()
        chosen = f"{at.where} AND id IN (SELECT value FROM json_each(?))"
        if at.tallied:
            tallied = ", ".join(map(named, at.tallied))
            counted = f"SELECT {tallied}, count(*) FROM {at.sql} WHERE {chosen} GROUP BY {tallied}"
            for *values, number in self.rows(counted, (listed,)):
                self._mine.tally.add(tuple(values), -number)
        self._write(
            f"INSERT INTO gone(seq, tbl, id) SELECT ?, ?, id FROM {at.sql} WHERE {chosen} ORDER BY id",
            [(seq, table, listed)],
        )
        self._write(f"DELETE FROM {at.sql} WHERE {chosen}", [(listed,)])
        forget_old_removals(self.rows)

    def settle(self) -> None:
        """Write what this thread's transaction has changed of the tally, so that it can be read."""
        if steps := self._mine.tally.take():
            self._write(_COUNT, steps)

    def shrink(self) -> int:
        """Give the room of removed documents back to the disk, in short steps between other writers.

        Returns:
            By how many bytes the file is smaller.
        """
        before = self._size()
        if self.rows("PRAGMA auto_vacuum") != [(_INCREMENTAL,)]:  # a migration was killed before it laid the file out
            self._in_turn(f"PRAGMA auto_vacuum = {_INCREMENTAL}", "VACUUM")
        while self.rows("PRAGMA freelist_count") != [(0,)]:
            self._in_turn(f"PRAGMA incremental_vacuum({_STEP})")
        self._in_turn("PRAGMA wal_checkpoint(PASSIVE)")
        return before - self._size()

    def read(self) -> dict[str, dict[str, Any]] | None:
        """The whole store, as stock tables want it; None if it is empty."""
        # Asked first: a write between the two then shows as a conflict and not as nothing.
        self._mine.seen = self.seq()
        tables: dict[str, dict[str, Any]] = {}
        for table, doc_id, text in self.rows(EVERYTHING):
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
            for table, doc_id, text in self.rows(EVERYTHING):
                stored.setdefault(table, {})[doc_id] = text
            for table in stored.keys() | data.keys():
                before, fields = stored.get(table, {}), layout(table).fields
                after = {int(i): self.encode(table, int(i), document) for i, document in data.get(table, {}).items()}
                new = {i: encoded for i, encoded in after.items() if before.get(i) != encoded.text}
                over = {i: before[i] for i in new if i in before}
                old = {i: Encoded(text, columns(fields, orjson.loads(text), text)) for i, text in over.items()}
                self.remove(table, before.keys() - after.keys())
                self.save(table, new, old)

    def tables(self) -> set[str]:
        """The names of the tables that have documents."""
        own = (f"SELECT '{at.name}' WHERE EXISTS(SELECT 1 FROM {at.sql})" for at in LAYOUTS.values())
        return {name for (name,) in self.rows(f"SELECT DISTINCT tbl FROM others UNION ALL {' UNION ALL '.join(own)}")}

    def check_usable(self) -> None:
        """Raises StoreError after `close`, and in a forked child."""
        self._connections.check_usable()

    def close(self) -> None:
        """Close the file, for all threads; more than once does not matter."""
        if self._unclosed.detach():
            _close(self._connections, self._turn, wait=True)

    def _size(self) -> int:
        """How long the file is in bytes, once the log is written back."""
        ((pages,),), ((each,),) = self.rows("PRAGMA page_count"), self.rows("PRAGMA page_size")
        return int(pages * each)

    def _check_version(self) -> None:
        if not self._connections.read(lambda connection: schema.is_ready(connection, self.path)):
            raise StoreError(
                f"the store {self.path} is of an older version: open it once where it may be written, which migrates it"
            )

    def _take_turn(self) -> Turn:
        turn = self._turn
        if turn is None:
            raise StoreError(f"the store {self.path} is opened to be read only: nothing was written")
        try:
            turn.take()
        except OSError as error:
            self._connections.check_in_place()
            raise StoreError(
                f"the store {self.path} cannot be locked ({error.strerror}), so nothing was written:"
                " put it on a local disk, in a folder where you may write"
            ) from error
        if turn.depth > 1:
            turn.give()
            raise StoreError(f"this thread is already writing {self.path} as another store: use one for both")
        return turn

    def _in_turn(self, *statements: str) -> None:
        """What cannot stand in a transaction."""
        turn = self._take_turn()
        try:
            self._connections.check_writable()
            for statement in statements:
                self.rows(statement)
        finally:
            turn.give()

    @contextmanager
    def _inner(self) -> Iterator[None]:
        mine = self._mine
        numbered, was_broken, tally = mine.seq, mine.is_broken, mine.tally.copy()
        self.rows("SAVEPOINT step")
        try:
            yield
        except BaseException:
            if self._connections.is_writing():
                self.rows("ROLLBACK TO step")
                self.rows("RELEASE step")
            # A number that was taken inside is given back with the rest.
            mine.seq, mine.is_broken, mine.tally = numbered, was_broken, tally
            raise
        self.rows("RELEASE step")

    def _writing_seq(self) -> int:
        if self._mine.seq is None:
            self._check_undone()
            # In short statements: to return from an update, and to ask for a pragma in a query, cost ten times as much.
            if self.rows("PRAGMA user_version") != [(VERSION,)]:
                raise StoreError(
                    f"the store {self.path} was brought to a newer version while it was open:"
                    " end this program and start it anew"
                )
            ((seq, self._mine.durability),) = self.rows("SELECT seq + 1, durability FROM about")
            self.rows("UPDATE about SET seq = ?", (seq,))
            self._mine.seq = seq
        return self._mine.seq

    def _check_undone(self) -> None:
        self._connections.check_usable()
        if self._mine.is_broken or not self._connections.is_writing():
            raise self._undone()

    def _undone(self) -> StoreError:
        return StoreError(f"the transaction on {self.path} was undone by an error: leave it and begin another")

    def _write(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._check_undone()
        try:
            self._connections.write_rows(sql, rows)
        except OverflowError as error:
            self._mine.is_broken = True
            raise NotStorable(f"a document of {self.path} has an id beyond 64 bits: give it another") from error
        except BaseException:
            # Some of its rows may stand: nobody is to commit a half of it.
            self._mine.is_broken = True
            raise

    def _flush(self) -> None:
        try:
            self._log.flush()
        except OSError as error:
            raise StoreError(
                f"what was written to the store {self.path} may not survive a power cut ({error.strerror}):"
                " check the disk"
            ) from error


_STEP = 1_000
"""Pages given back at once: some milliseconds."""

_INCREMENTAL = 2


@cache
def _insert(at: Layout) -> str:
    names = [*(("tbl",) if at.sql == "others" else ()), "id", "seq", *at.fields, "doc"]
    return f"INSERT INTO {at.sql}({', '.join(map(named, names))}) VALUES({', '.join('?' * len(names))})"


@cache
def _update(at: Layout, moved: tuple[int, ...]) -> str:
    columns = "".join(f", {named(at.fields[n])} = ?" for n in moved)
    return f"UPDATE {at.sql} SET seq = ?{columns}, doc = ? WHERE {at.where} AND id = ?"


_COUNT = (
    f"INSERT INTO tally VALUES(?, ?, ?) ON CONFLICT({schema.tally_key(LAYOUTS['entries'])})"
    " DO UPDATE SET n = n + excluded.n"
)


def _moved(new: Mapping[int, Encoded], old: Mapping[int, Encoded]) -> dict[tuple[int, ...], list[int]]:
    """The documents that differ from what is stored, by the places of the columns that do: only their indexes are
    written."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for doc_id, before in old.items():
        after = new[doc_id]
        if after.text != before.text:
            pairs = enumerate(zip(after.columns, before.columns, strict=True))
            moved = tuple([n for n, (one, other) in pairs if one != other or type(one) is not type(other)])
            groups.setdefault(moved, []).append(doc_id)
    return groups


def _close(connections: Connections, turn: Turn | None, *, wait: bool) -> None:
    """Close; unless somebody is writing it, in one's turn, since the last to go writes SQLite's log back."""
    if connections.is_open:
        with nullcontext() if turn is None else turn.taken_if_free(wait_for_threads=wait):
            connections.close(wait=wait)


class _Mine(threading.local):
    """What belongs to one thread."""

    writing = False
    is_broken = False
    """A write failed in the middle, so that only to take the transaction back is left."""
    seq: int | None = None
    """The number of the transaction being written, once it has written."""
    durability: str | None = None
    """What that transaction is to survive."""
    seen: int | None = None
    """The last transaction when this thread last read the whole store."""

    def __init__(self) -> None:
        self.tally = Tally()
        """What that transaction has changed of the tally and not yet written."""
