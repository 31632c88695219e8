"""Brings a store of an older version to this one, after a backup beside it."""

import sqlite3
from contextlib import suppress
from pathlib import Path

import orjson

from engine.exceptions import StoreError
from engine.store import schema
from engine.store.values import Column, columns

_PAGE = 1_000


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Migrate the store `path`, all of it or nothing. To be called in one's turn to write.

    What was there before is kept beside it, as `<store>.v2.backup` after its version. Raises StoreError if there is no
    room for that.
    """
    version = schema.version_of(connection)
    _back_up(connection, path)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if version == 1:
            _from_1(connection, path)
        else:
            if version == 2:
                _drop_triggers(connection)
            _add_tables(connection)
            schema.arrange(connection)
        _count(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if version == 1:  # the file is to shrink when documents are removed: it has to be laid out anew for that
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")


def _back_up(connection: sqlite3.Connection, path: Path) -> None:
    backup = path.with_name(f"{path.name}.v{schema.version_of(connection)}.backup")
    unfinished = backup.with_name(backup.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(mode=0o600)
        connection.execute("VACUUM INTO ?", (str(unfinished),))
        unfinished.replace(backup)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"the store {path} is of an older version and cannot be backed up to {backup} ({error}), so it was not"
            " migrated: make room there and open it again"
        ) from error


def _from_1(connection: sqlite3.Connection, path: Path) -> None:
    """Version 1 had the documents of all tables in one SQL table, without columns."""
    connection.execute("ALTER TABLE gone RENAME TO old_gone")
    schema.create(connection)
    last = ("", -(2**63))
    while page := connection.execute(
        f"SELECT seq, tbl, id, doc FROM docs WHERE (tbl, id) > (?, ?) ORDER BY tbl, id LIMIT {_PAGE}", last
    ).fetchall():
        last = page[-1][1:3]
        for seq, table, doc_id, text in page:
            at = schema.layout(table)
            try:
                values = columns(at.fields, orjson.loads(text), text)
            except orjson.JSONDecodeError as error:
                raise StoreError(
                    f"the store {path} is of an older version and document {doc_id} of {table} is no JSON, so it was"
                    " not migrated: mend that document, or restore a backup"
                ) from error
            _insert(connection, at, table, (doc_id, seq, *values, text))
    connection.execute("INSERT INTO gone(seq, tbl, id) SELECT seq, tbl, id FROM old_gone ORDER BY seq")
    connection.execute(
        "UPDATE about SET seq = max(ifnull((SELECT max(seq) FROM docs), 0), ifnull((SELECT max(seq) FROM gone), 0))"
    )
    connection.execute("DROP TABLE docs")
    connection.execute("DROP TABLE old_gone")


def _insert(connection: sqlite3.Connection, at: schema.Layout, table: str, row: tuple[Column, ...]) -> None:
    """Put a document into its table: its id, seq, columns and text."""
    names, own = (("tbl",), (table,)) if at.sql == "others" else ((), ())
    named = ", ".join(map(schema.named, (*names, "id", "seq", *at.fields, "doc")))
    places = ", ".join("?" * (len(own) + len(row)))
    connection.execute(f"INSERT INTO {at.sql}({named}) VALUES({places})", (*own, *row))


def _drop_triggers(connection: sqlite3.Connection) -> None:
    """Version 2 had other indexes, and triggers that kept the tally."""
    for event in ("insert", "delete", "update"):
        connection.execute(f"DROP TRIGGER entries_tally_{event}")


def _add_tables(connection: sqlite3.Connection) -> None:
    """Before version 4 there were no verdicts, and no word of operators on groups of errors."""
    for name in ("verdicts", "groups"):
        at = schema.layout(name)
        connection.execute(schema.table_of(at))
        # A user's own table may have had the name.
        rows = connection.execute("SELECT id, seq, doc FROM others WHERE tbl = ?", (name,)).fetchall()
        for doc_id, seq, text in rows:
            values = columns(at.fields, orjson.loads(text), text)
            _insert(connection, at, name, (doc_id, seq, *values, text))
        connection.execute("DELETE FROM others WHERE tbl = ?", (name,))


def _count(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM tally")
    connection.execute("INSERT INTO tally SELECT processor, state, count(*) FROM entries GROUP BY processor, state")
