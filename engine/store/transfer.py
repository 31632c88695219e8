"""A store to and from TinyDB's stock JSON file, and copied while others write: each result is whole or not there."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import TypeVar

import orjson
from tinydb.table import Document

from engine.exceptions import InputError, StoreError
from engine.store.connections import address, explained
from engine.store.database import Database
from engine.store.durability import force_path
from engine.store.schema import LAYOUTS, layout
from engine.store.stock import StockFile
from engine.store.storage import SqliteStorage

Progress = Callable[[int, int], None]
"""Told every now and then how much is done, and of how much."""

_T = TypeVar("_T")

_BATCH, _BATCH_SIZE = 1_000, 4_000_000
"""How many documents, and how many characters of them, are held at once (or one document, however long it is)."""


def export_json(storage: SqliteStorage, target: Path, progress: Progress | None = None) -> int:
    """See `Store.export`."""
    with _becoming(target) as file:
        return _read(storage, lambda connection: _write_stock(connection, file, progress))


def import_json(source: Path, target: Path, progress: Progress | None = None) -> int:
    """See `Store.import_`."""
    try:
        file = source.open(encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(f"{source} cannot be read ({error.strerror}): name TinyDB's JSON file") from error
    with file, _becoming(target) as building:
        with Database(building) as database:
            done = _fill(database, StockFile(file, source), source, progress)
        _settle(building)
    return done


def back_up(storage: SqliteStorage, target: Path) -> None:
    """See `Store.backup`."""
    with _becoming(target) as file:
        _read(storage, lambda connection: _copy(connection, file))


def duplicate(storage: SqliteStorage, target: Path) -> None:
    """The same for a use that ends with this process: page by page as it lies there, which is several times as fast,
    and not forced to the disk.

    Args:
        storage: the store.
        target: the copy's file (mode 0600), which must not exist; its folder must.

    Raises:
        StoreError: the store cannot be read, or the copy not written.
    """

    def copy(connection: sqlite3.Connection) -> None:
        with closing(sqlite3.connect(target)) as new:
            connection.backup(new)

    try:
        target.touch(mode=0o600, exist_ok=False)
        _read(storage, copy)
    except OSError as error:
        raise StoreError(
            f"there is no room in {target.parent} for a copy of {storage.path} ({error.strerror}): make some, or set"
            " $TMPDIR to a folder that has it"
        ) from error


def at_one_moment(store: Path, read: Callable[[sqlite3.Connection], _T]) -> _T:
    """What `read` makes of a store, which it sees in a transaction, through a connection that cannot write.

    It is called again if somebody began to write where nobody was. Raises what it raises, and sqlite3.Error.
    """
    while True:
        log, _ = before = _state(store)
        # Without a log nobody has it open, and SQLite would make one, and leave it there, to look out for others.
        options = "mode=ro" if log else "mode=ro&immutable=1"
        with closing(sqlite3.connect(address(store, options), uri=True, isolation_level=None)) as connection:
            try:
                found = read(connection)
            except sqlite3.DatabaseError:
                if log or _state(store) == before:
                    raise
                continue
        if log or _state(store) == before:
            return found


def _state(store: Path) -> tuple[bool, tuple[int, int, int]]:
    """Whether a log is beside a store, and what tells that its file is another than before."""
    file = store.stat()
    return store.with_name(store.name + "-wal").exists(), (file.st_ino, file.st_size, file.st_mtime_ns)


def _read(storage: SqliteStorage, read: Callable[[sqlite3.Connection], _T]) -> _T:
    storage.seq()  # it is usable, and has its log, which goes when it is closed
    try:
        return at_one_moment(storage.path, read)
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            raise OSError(ENOSPC, os.strerror(ENOSPC)) from error
        raise explained(storage.path, error) from error


@contextmanager
def _becoming(target: Path) -> Iterator[Path]:
    """An empty file (mode 0600) to fill, which gets the name `target` when it is whole; else nothing is left of it."""
    target = target.expanduser().absolute()
    if os.path.lexists(target):
        raise InputError(f"{target} is there already: name another file")
    for left in (target.with_name(target.name + end) for end in ("-wal", "-shm")):
        if os.path.lexists(left):
            raise InputError(f"{left} was left by another store and would be taken for the new one's: remove it first")
    try:
        # In a folder of its own, with all that SQLite puts beside it meanwhile.
        with tempfile.TemporaryDirectory(prefix=".wfe-", dir=target.parent.resolve()) as folder:
            file = Path(folder, "new")
            file.touch(mode=0o600)
            try:
                yield file
            except StoreError as error:
                raise StoreError(str(error).replace(str(file), str(target))) from error
            force_path(file)
            try:
                os.link(file, target)  # which, unlike a renaming, overwrites nothing
            except FileExistsError:
                raise InputError(f"{target} was made by somebody else meanwhile: name another file") from None
            force_path(target.parent)
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise StoreError(f"{target} was not written, since its disk is full: make room, or name another") from error
        raise StoreError(f"{target} cannot be written ({error.strerror}): name another file") from error


def _write_stock(connection: sqlite3.Connection, file: Path, progress: Progress | None) -> int:
    connection.text_factory = bytes  # what is JSON already is not decoded
    connection.execute("BEGIN")
    counts = _counts(connection)
    total, done = sum(counts.values()), 0
    with file.open("wb") as out:
        for table in counts:
            out.write((b",\n" if done else b"{") + orjson.dumps(table) + b": {")
            at = layout(table)
            rows = connection.execute(f"SELECT id, doc FROM {at.sql} WHERE {at.where} ORDER BY id")
            for n, (doc_id, text) in enumerate(rows):
                out.write(b'%b\n"%d": %b' % (b"," if n else b"", doc_id, text))
                done += 1
                if progress and done % _BATCH == 0 and done < total:
                    progress(done, total)
            out.write(b"\n}")
        out.write(b"}\n" if counts else b"{}\n")
    if progress:
        progress(done, total)
    return done


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many documents each table has; one without any is no table to TinyDB."""
    counts = {at.name: connection.execute(f"SELECT count(*) FROM {at.sql}").fetchone()[0] for at in LAYOUTS.values()}
    for name, count in connection.execute("SELECT tbl, count(*) FROM others GROUP BY tbl ORDER BY tbl"):
        counts[name.decode()] = count
    return {name: count for name, count in counts.items() if count}


def _copy(connection: sqlite3.Connection, file: Path) -> None:
    os.truncate(file, 0)
    connection.execute("VACUUM INTO ?", (str(file),))
    _settle(file)


def _settle(file: Path) -> None:
    """Have a whole database in its file alone, ready for the log that lets many processes share it."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        (is_busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            raise StoreError(f"{file} is held open by something, so it was not made: repeat this")


def _fill(database: Database, text: StockFile, source: Path, progress: Progress | None) -> int:
    size, done = text.size, 0
    for table, documents in _batches(text):
        try:
            done += len(database.table(table).insert_multiple(documents))
        except ValueError as error:
            raise InputError(
                f"{source} has two documents of one id in the table {table!r} ({error}): remove one"
            ) from error
        if progress and text.read < size:
            progress(text.read, size)
    if progress:
        progress(size, size)
    return done


def _batches(text: StockFile) -> Iterator[tuple[str, list[Document]]]:
    """The documents of a stock file with their table's name, some at a time."""
    for table in text.tables():
        batch: list[Document] = []
        began = text.position
        for document in text.documents(table):
            batch.append(document)
            if len(batch) == _BATCH or text.position - began > _BATCH_SIZE:
                yield table, batch
                batch, began = [], text.position
        if batch:
            yield table, batch
    text.end()
