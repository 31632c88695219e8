"""How documents lie in the SQLite file: its tables and indexes, their version, and whether a file is ours at all."""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from engine.exceptions import StoreError

Indexes = Mapping[str, tuple[str, ...]]
"""The indexed fields of each table, by the table's name."""

VERSION = 1

_TABLES = (
    "CREATE TABLE docs(tbl TEXT NOT NULL, id INTEGER NOT NULL, seq INTEGER NOT NULL, doc TEXT NOT NULL,"
    " PRIMARY KEY(tbl, id))",
    "CREATE INDEX docs_seq ON docs(seq)",
    "CREATE TABLE gone(seq INTEGER NOT NULL, tbl TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(seq, tbl, id))"
    " WITHOUT ROWID",
)


def is_ready(connection: sqlite3.Connection, path: Path, indexes: Indexes) -> bool:
    """Whether the file holds all that a store needs; False for a new or unfinished one, which `prepare` completes.

    Raises StoreError if the file is a newer version's or another program's, sqlite3.Error if it is no database.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if names and not {"docs", "gone"} <= names:
        raise StoreError(f"{path} is a database of another program, not a store: name another file")
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer version of this program (schema {version}, this one knows {VERSION}):"
            " upgrade this installation, or name another file"
        )
    return version == VERSION and names.issuperset(name for name, _ in _index_statements(indexes))


def prepare(connection: sqlite3.Connection, path: Path, indexes: Indexes) -> None:
    """Create what `is_ready` found missing, all of it or nothing. To be called in one's turn to write."""
    if is_ready(connection, path, indexes):
        return
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(
            f"{path} lies on a disk that processes cannot share memory over: put the store on a local disk"
        )
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'docs'").fetchone():
            for statement in _TABLES:
                connection.execute(statement)
        for _, statement in _index_statements(indexes):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def field_value(field: str) -> str:
    """The SQL of a document's field: text, a number (1 and 0 for true and false), or NULL if it is null or missing."""
    return f"json_extract(doc, {quoted('$.' + _json_name(field))})"


def quoted(text: str) -> str:
    """Text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _json_name(field: str) -> str:
    return field if field.isidentifier() and field.isascii() else f'"{field}"'


def _index_statements(indexes: Indexes) -> Iterable[tuple[str, str]]:
    # The table's name is both a column and the index's condition: a document pays for its own table's indexes alone,
    # and the column makes SQLite, which keeps no statistics here, prefer this index to the primary key.
    for table, fields in indexes.items():
        for field in fields:
            name = f"{table}_{field}"
            columns = f"tbl, {field_value(field)}, id"
            yield name, f'CREATE INDEX IF NOT EXISTS "{name}" ON docs({columns}) WHERE tbl = {quoted(table)}'
