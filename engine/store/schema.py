"""How documents lie in the SQLite file: its tables, columns and indexes, their version, and whether a file is ours.

Each document is a row with its JSON text. What lists ask for stands beside it in columns, exact copies of top-level
fields (see `values`), so that an index answers without reading the text.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from engine.exceptions import StoreError

VERSION = 2


@dataclass(frozen=True)
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
    """Fields of few values, for which triggers keep the number of documents, by all of them together."""


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(
            "entries",
            "entries",
            fields=("key", "processor", "state", "urgency", "updated", "error_id", "due", "owner"),
            # What a list is filtered by stands first, then what it is sorted by, then the id, in whose order equals
            # come. What else it may be filtered by is last, so that the index alone can tell.
            indexes=(
                (("id", "processor", "state"), (1, 1, 1)),
                (("key", "id", "processor", "state"), (2, 1, 1, 1)),
                (("updated", "id", "processor", "state"), (1, 1, 1, 1)),
                (("urgency", "id", "processor", "state"), (100_000, 1, 1, 1)),
                (("state", "id", "processor"), (100_000, 1, 1)),
                (("processor", "updated", "id", "state"), (300_000, 1, 1, 1)),
                (("state", "updated", "id", "processor"), (100_000, 1, 1, 1)),
                (("state", "key", "id", "processor"), (100_000, 1, 1, 1)),
                (("error_id",), (2,)),
                (("due", "state"), (10, 1)),
                (("owner",), (1_000,)),
            ),
            sparse=frozenset({"owner"}),
            tallied=("processor", "state"),
        ),
        Layout(
            "errors",
            "errors",
            fields=("error_id", "fingerprint", "key", "time"),
            indexes=(
                (("error_id",), (1,)),
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
    )
}

_TYPICAL = 1_000_000
"""How many documents the planner is told that a table has."""


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
    """Create all that a store needs. To be called in a transaction, on a file without tables."""
    for statement in _statements():
        connection.execute(statement)


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


def _statements() -> list[str]:
    statements = [
        "CREATE TABLE about(seq INTEGER NOT NULL, forgotten INTEGER NOT NULL, durability TEXT NOT NULL)",
        "INSERT INTO about VALUES(0, 0, 'process')",
        "CREATE TABLE gone(n INTEGER PRIMARY KEY, seq INTEGER NOT NULL, tbl TEXT NOT NULL, id INTEGER NOT NULL)",
        "CREATE INDEX gone_seq ON gone(seq)",
        "CREATE TABLE others(tbl TEXT NOT NULL, id INTEGER NOT NULL, seq INTEGER NOT NULL, doc TEXT NOT NULL,"
        " PRIMARY KEY(tbl, id))",
        "CREATE INDEX others_seq ON others(seq)",
    ]
    estimates: list[tuple[str, str, tuple[int, ...]]] = []
    for at in LAYOUTS.values():
        # Without a type, so that SQLite converts nothing.
        columns = "".join(f", {named(field)}" for field in at.fields)
        # The columns stand before the text, which may go on over several pages.
        statements.append(
            f"CREATE TABLE {at.sql}(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL{columns}, doc TEXT NOT NULL)"
        )
        statements.append(f"CREATE INDEX {at.sql}_seq ON {at.sql}(seq)")
        estimates.append((at.sql, f"{at.sql}_seq", (2,)))
        for fields, shared in at.indexes:
            name = f"{at.sql}_{'_'.join(fields)}"
            without = f" WHERE {named(fields[0])} IS NOT NULL" if fields[0] in at.sparse else ""
            statements.append(f"CREATE INDEX {name} ON {at.sql}({', '.join(map(named, fields))}){without}")
            estimates.append((at.sql, name, shared))
        if at.tallied:
            statements.extend(_tally(at))
    statements.append("ANALYZE about")
    statements.append("DELETE FROM sqlite_stat1")
    statements.extend(
        f"INSERT INTO sqlite_stat1 VALUES('{table}', '{name}', '{' '.join(map(str, (_TYPICAL, *shared)))}')"
        for table, name, shared in estimates
    )
    statements.append(f"PRAGMA user_version = {VERSION}")
    return statements


def _tally(at: Layout) -> list[str]:
    """The table of numbers, and the triggers that keep it right whoever writes."""
    names = ", ".join(at.tallied)
    # As a key, NULL would not be equal to itself.
    key = ", ".join(f"ifnull({name}, x'00')" for name in at.tallied)

    def count(row: str, step: int) -> str:
        values = ", ".join(f"{row}.{name}" for name in at.tallied)
        return f"INSERT INTO tally VALUES({values}, {step}) ON CONFLICT({key}) DO UPDATE SET n = n + excluded.n; "

    changed = " OR ".join(f"old.{name} IS NOT new.{name}" for name in at.tallied)
    head = f"CREATE TRIGGER {at.sql}_tally"
    return [
        f"CREATE TABLE tally({names}, n INTEGER NOT NULL)",
        f"CREATE UNIQUE INDEX tally_by ON tally({key})",
        f"{head}_insert AFTER INSERT ON {at.sql} BEGIN {count('new', 1)}END",
        f"{head}_delete AFTER DELETE ON {at.sql} BEGIN {count('old', -1)}END",
        f"{head}_update AFTER UPDATE OF {names} ON {at.sql} WHEN {changed}"
        f" BEGIN {count('old', -1)}{count('new', 1)}END",
    ]
