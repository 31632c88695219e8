"""How documents lie in the SQLite file: its tables, columns and indexes, their version, and whether a file is ours.

Each document is a row with its JSON text. What lists ask for stands beside it in columns, exact copies of top-level
fields (see `values`), so that an index answers without reading the text.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.exceptions import StoreError

VERSION = 4


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the documents of one TinyDB table lie.

    `sql` is the SQL table, `where` the condition of its rows; `fields` have columns of their own name. `indexes` are
    the columns of each index, with the number of documents that share a value of the first, of the first two, …, as
    SQLite's planner is told: it takes no statistics here, so its choice never depends on when they were taken.
    """

    name: str
    sql: str
    where: str = "true"
    fields: tuple[str, ...] = ()
    indexes: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...] = ()
    sparse: frozenset[str] = frozenset()
    """Fields that are null in nearly all documents: their index leaves these out, so most writes do not touch it."""
    tallied: tuple[str, ...] = ()
    """Fields of few values, by all of which together the number of documents is kept: see `tally`."""


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(
            "entries",
            "entries",
            fields=("key", "processor", "state", "urgency", "updated", "error_id", "due", "owner"),
            # What a list is filtered by stands first, then what it is sorted by, then the id, in whose order equals
            # come. What else it may be filtered by is last, so that the index alone can tell; yet where what changes
            # with every task can be told by another index, it is left out, for to write it costs more than to read it.
            indexes=(
                (("id",), (1,)),
                (("processor", "id"), (300_000, 1)),
                (("key", "id", "processor"), (2, 1, 1)),
                (("updated", "id", "processor"), (1, 1, 1)),
                (("urgency", "id", "processor", "state"), (100_000, 1, 1, 1)),
                (("state", "id", "processor", "due"), (100_000, 1, 1, 1)),
                (("state", "updated", "id", "processor"), (100_000, 1, 1, 1)),
                (("state", "key", "id", "processor"), (100_000, 1, 1, 1)),
                (("error_id", "state"), (2, 1)),
                (("due", "state"), (10, 1)),
                (("owner",), (1_000,)),
            ),
            sparse=frozenset({"error_id", "due", "owner"}),
            tallied=("processor", "state"),
        ),
        Layout(
            "errors",
            "errors",
            fields=("error_id", "fingerprint", "key", "time"),
            indexes=(
                (("error_id", "fingerprint"), (1, 1)),
                (("fingerprint", "time"), (10_000, 1)),
                (("key",), (5,)),
                (("time",), (1,)),
            ),
        ),
        Layout(
            "runs",
            "runs",
            fields=("processor", "started"),
            indexes=((("processor", "started"), (10_000, 1)), (("started",), (1,))),
        ),
        Layout(
            "actions",
            "actions",
            fields=("open", "when"),
            indexes=((("open",), (500_000,)), (("when",), (1,))),
        ),
        Layout(
            "verdicts",
            "verdicts",
            fields=("action", "entry", "fingerprint", "executes", "verdict", "settled"),
            indexes=(
                (("action", "verdict"), (100, 50)),
                (("verdict", "action", "entry"), (200_000, 50, 1)),
                (("entry",), (3,)),
                (("executes", "fingerprint", "verdict"), (800_000, 10_000, 3_000)),
                (("settled",), (1,)),
            ),
        ),
        Layout("groups", "groups", fields=("fingerprint",), indexes=((("fingerprint",), (1,)),)),
    )
}

_TYPICAL = 1_000_000
"""How many documents the planner is told that a table has."""


@cache
def layout(table: str) -> Layout:
    """Where the documents of a TinyDB table lie: a user's own tables share one SQL table and have no index."""
    return LAYOUTS.get(table) or Layout(table, "others", f"tbl = {quoted(table)}")


def is_ready(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is a store of this version; False for a new, unfinished or older one, which is to be prepared.

    Raises StoreError if the file is a newer version's or another program's, sqlite3.Error if it is no database.
    """
    version = version_of(connection)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if names and "gone" not in names:
        raise StoreError(f"{path} is a database of another program, not a store: name another file")
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer version of this program (schema {version}, this one knows {VERSION}):"
            " upgrade this installation, or name another file"
        )
    return version == VERSION


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a file's schema; 0 if it has none yet."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def create(connection: sqlite3.Connection) -> None:
    """Create all that a store needs. To be called in a transaction, on a file without these tables."""
    for statement in _tables():
        connection.execute(statement)
    arrange(connection)


def arrange(connection: sqlite3.Connection) -> None:
    """Make the indexes, what SQLite's planner is told of them, and the version what they are to be.

    To be called in a transaction, on a file with all tables, whatever indexes there are.
    """
    wanted = dict(_indexes())
    found = dict(connection.execute("SELECT sql, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    for statement, name in found.items():
        if statement not in wanted:
            connection.execute(f"DROP INDEX {named(name)}")
    for statement in wanted:
        if statement not in found:
            connection.execute(statement)
    connection.execute("ANALYZE about")
    connection.execute("DELETE FROM sqlite_stat1")
    connection.executemany("INSERT INTO sqlite_stat1 VALUES(?, ?, ?)", filter(None, wanted.values()))
    connection.execute(f"PRAGMA user_version = {VERSION}")


def quoted(text: str) -> str:
    """Text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """A name as SQL; some columns are called as its own words are."""
    return f'"{name}"'


SOURCES = [(quoted(at.name), at.sql) for at in LAYOUTS.values()] + [("tbl", "others")]
"""Each SQL table, with the SQL of the name that TinyDB has for a row's table."""

EVERYTHING = " UNION ALL ".join(f"SELECT {table}, id, doc FROM {sql}" for table, sql in SOURCES)
"""Every document, with its table and its id."""


def tally_key(at: Layout) -> str:
    """The SQL of what is there once in the tally: by itself, NULL would not be equal to NULL."""
    return ", ".join(f"ifnull({named(name)}, x'00')" for name in at.tallied)


def _tables() -> list[str]:
    statements = [
        "CREATE TABLE about(seq INTEGER NOT NULL, forgotten INTEGER NOT NULL, durability TEXT NOT NULL)",
        "INSERT INTO about VALUES(0, 0, 'process')",
        "CREATE TABLE gone(n INTEGER PRIMARY KEY, seq INTEGER NOT NULL, tbl TEXT NOT NULL, id INTEGER NOT NULL)",
        "CREATE TABLE others(tbl TEXT NOT NULL, id INTEGER NOT NULL, seq INTEGER NOT NULL, doc TEXT NOT NULL,"
        " PRIMARY KEY(tbl, id))",
    ]
    for at in LAYOUTS.values():
        statements.append(table_of(at))
        if at.tallied:
            statements.append(f"CREATE TABLE tally({', '.join(map(named, at.tallied))}, n INTEGER NOT NULL)")
    return statements


def table_of(at: Layout) -> str:
    """The SQL that creates the table of a layout."""
    # Without a type, so that SQLite converts nothing.
    columns = "".join(f", {named(field)}" for field in at.fields)
    # The columns stand before the text, which may go on over several pages.
    return f"CREATE TABLE {at.sql}(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL{columns}, doc TEXT NOT NULL)"


def _indexes() -> Iterator[tuple[str, tuple[str, str, str] | None]]:
    """The SQL of each index, and the row that tells SQLite's planner of it, if it has a choice there."""
    yield "CREATE INDEX gone_seq ON gone(seq)", None
    yield "CREATE INDEX others_seq ON others(seq)", None
    for at in LAYOUTS.values():
        if at.tallied:
            yield f"CREATE UNIQUE INDEX tally_by ON tally({tally_key(at)})", None
        for fields, shared in ((("seq",), (2,)), *at.indexes):
            name = f"{at.sql}_{'_'.join(fields)}"
            without = f" WHERE {named(fields[0])} IS NOT NULL" if fields[0] in at.sparse else ""
            estimate = (at.sql, name, " ".join(map(str, (_TYPICAL, *shared))))
            yield f"CREATE INDEX {name} ON {at.sql}({', '.join(map(named, fields))}){without}", estimate
