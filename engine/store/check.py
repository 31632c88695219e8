"""Finds what is damaged in a store and which documents are lost by it, without writing to the store's file."""

import os
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from engine.exceptions import StoreError
from engine.store import schema
from engine.store.schema import LAYOUTS, named, quoted
from engine.store.transfer import at_one_moment
from engine.store.values import columns


@dataclass(frozen=True)
class Report:
    """What a check found.

    `documents` is how many can be read, `problems` are sentences for a person, `lost` holds by table the ids of those
    documents that cannot be read; a problem says so where there may be more.
    """

    documents: int
    problems: tuple[str, ...]
    lost: Mapping[str, list[int]]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(path: Path) -> Report:
    """Read the whole store, as it is at one moment and while others may write, and say what is wrong with it.

    Args:
        path: the store's file. Nothing is written to it.

    Returns:
        What was found. What was never committed is no damage.

    Raises:
        StoreError: there is no such file, it may not be read, or it is no store of this version.
    """
    path = path.expanduser().resolve()
    _refuse_at_sight(path)
    try:
        return at_one_moment(path, lambda connection: _report(connection, path))
    except sqlite3.DatabaseError as error:
        return Report(0, (_unreadable(path, error),), {})


def _report(connection: sqlite3.Connection, path: Path) -> Report:
    # A text that is damaged must not end the reading.
    connection.text_factory = lambda text: text.decode(errors="surrogateescape")
    # Else SQLite reads nothing of a file that is shorter than it ought to be.
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("BEGIN")
    if not schema.is_ready(connection, path):
        raise StoreError(f"{path} is of an older version, or not finished: open it once as a store, which sees to that")
    names = {page: name for name, page in connection.execute("SELECT name, rootpage FROM sqlite_master")}
    damage = _damage(connection, names)
    there = [part for part in _PARTS if part.sql in names.values()]
    found = [_examine(connection, part, is_damaged=bool(damage)) for part in there]
    problems = [
        *damage,
        *(f"{part.sql}: the table is gone with all its documents" for part in _PARTS if part not in there),
        *(problem for each in found for problem in each.problems),
        *([] if damage else _miscounts(connection)),
    ]
    lost = {table: ids for each in found for table, ids in each.lost.items()}
    printable = tuple(problem.encode(errors="replace").decode() for problem in problems)
    return Report(sum(each.documents for each in found), printable, lost)


def _refuse_at_sight(path: Path) -> None:
    # Not opened here: to close it would let go all locks that this process has on it through SQLite.
    if not path.exists():
        raise StoreError(f"there is no store {path}: name another file")
    if not path.is_file():
        raise StoreError(f"{path} is a folder or a device, not a store: name a file")
    if not os.access(path, os.R_OK):
        raise StoreError(f"the store {path} may not be read by you: ask its owner")
    if not path.stat().st_size:
        raise StoreError(f"{path} is empty, so there is nothing to check: name another file")


def _unreadable(path: Path, error: sqlite3.DatabaseError) -> str:
    """What is wrong with a file of which SQLite cannot read even the list of its tables; raises if it is no store's."""
    code = error.sqlite_errorcode & 0xFF
    if code == sqlite3.SQLITE_CORRUPT:
        return f"the list of the tables in {path} is damaged, so nothing of it can be read: restore a backup"
    if code != sqlite3.SQLITE_NOTADB:
        raise StoreError(f"the store {path} cannot be read ({error}): check its folder and its disk") from error
    with path.open("rb") as file:
        if _SIGN not in file.read(_BEGINNING):
            raise StoreError(
                f"{path} is not a store, or one whose beginning was overwritten: name another file, or restore a backup"
            ) from error
    return f"the header of {path} is gone, so nothing of it can be read: restore a backup"


def _damage(connection: sqlite3.Connection, names: Mapping[int, str]) -> list[str]:
    """What SQLite finds wrong, whatever the documents say; `names` tells what begins on a page."""
    found, is_end = _rows(connection, "PRAGMA integrity_check")
    lines = [line for (text,) in found for line in text.splitlines() if line != "ok" and not line.startswith("***")]
    if not is_end and not lines:
        lines = ["it cannot be examined to its end"]
    return [f"SQLite finds: {_TREE.sub(lambda tree: f'in {names.get(int(tree[1]), tree[0])}', line)}" for line in lines]


@dataclass(frozen=True)
class _Part:
    """An SQL table that holds documents; `table` is the SQL of the name that TinyDB gives theirs."""

    sql: str
    table: str
    fields: tuple[str, ...]

    @property
    def row(self) -> str:
        """The SQL of a row as it is examined."""
        return ", ".join((self.table, "id", "doc", *map(named, self.fields)))


_Key = tuple[str, int]
"""The name of a document's table, and its id."""

_PARTS = (
    *(_Part(at.sql, quoted(at.name), at.fields) for at in LAYOUTS.values()),
    _Part("others", "tbl", ()),
)


@dataclass(frozen=True)
class _Found:
    """What was found in one SQL table."""

    documents: int
    problems: list[str]
    lost: dict[str, list[int]]


def _examine(connection: sqlite3.Connection, part: _Part, *, is_damaged: bool) -> _Found:
    """Read all documents of a table: one after another if the file is whole, else each by itself."""
    are_all_known = True
    rows: Iterable[Sequence[Any]]
    if is_damaged:
        keys, are_all_known = _keys(connection, part)
        rows = (_row(connection, part, key) for key in sorted(keys))
    else:
        rows = connection.execute(f"SELECT {part.row} FROM {part.sql}")
    documents = 0
    flawed: dict[tuple[str, str], list[int]] = defaultdict(list)
    lost: dict[str, list[int]] = defaultdict(list)
    for table, doc_id, *stored in rows:
        flaws = _flaws(part.fields, stored)
        for flaw in flaws:
            flawed[table, flaw].append(doc_id)
        if _LOST.isdisjoint(flaws):
            documents += 1
        else:
            lost[table].append(doc_id)
    problems = [f"{table}: {_listed(ids)} {flaw}" for (table, flaw), ids in flawed.items()]
    if not are_all_known:
        problems.append(f"{part.sql}: at least what is named is lost, for no list of its documents has an end any more")
    return _Found(documents, problems, dict(lost))


_UNREADABLE = "cannot be read any more"
_NO_OBJECT = "cannot be understood any more, being no JSON object"
_LOST = frozenset((_UNREADABLE, _NO_OBJECT))


def _flaws(fields: tuple[str, ...], stored: Sequence[Any]) -> list[str]:
    """What is wrong with a document; `stored` is its text and its columns, or nothing if it cannot be read."""
    if not stored:
        return [_UNREADABLE]
    text, *found = stored
    try:
        content = orjson.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return [_NO_OBJECT]
    expected = columns(fields, content, text)
    return [
        f"cannot be found by the field {field}, whose column says something else"
        for field, one, other in zip(fields, found, expected, strict=True)
        if one != other
    ]


def _row(connection: sqlite3.Connection, part: _Part, key: _Key) -> Sequence[Any]:
    """A document's name, id, text and columns; only the first two if it cannot be read."""
    rows, _ = _rows(connection, f"SELECT {part.row} FROM {part.sql} WHERE {part.table} = ? AND id = ?", *key)
    return rows[0] if rows else key


def _keys(connection: sqlite3.Connection, part: _Part) -> tuple[set[_Key], bool]:
    """The document's names and ids that the table or any of its indexes still tells, and whether those are all."""
    keys, is_whole = _keys_in_table(connection, part)
    for (index,) in _rows(connection, "SELECT name FROM pragma_index_list(?)", part.sql)[0]:
        order, _ = _rows(connection, "SELECT name FROM pragma_index_info(?) LIMIT 1", index)
        for direction in ("ASC", "DESC"):  # from either end to the damage
            found, is_end = _rows(
                connection,
                f"SELECT {part.table}, id FROM {part.sql} INDEXED BY {named(index)}"
                f" ORDER BY {named(order[0][0]) if order else 1} {direction}",
            )
            keys.update(found)
            is_whole |= is_end
    # What is damaged may give anything for a name or an id.
    return {(table, doc_id) for table, doc_id in keys if _is_text(table) and isinstance(doc_id, int)}, is_whole


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _keys_in_table(connection: sqlite3.Connection, part: _Part) -> tuple[set[_Key], bool]:
    """The same from the table alone, before, between and behind what is damaged."""
    keys: set[_Key] = set()
    start, step, is_whole = -(2**63), 1, True
    sql = f"SELECT {part.table}, id, rowid FROM {part.sql} NOT INDEXED WHERE rowid >= ? ORDER BY rowid"
    while start < 2**63:
        rows, is_end = _rows(connection, sql, start)
        keys.update((table, doc_id) for table, doc_id, _ in rows)
        if is_end:
            return keys, is_whole
        is_whole = False
        reached = max((rowid for _, _, rowid in rows), default=start)
        start, step = (reached + 1, 1) if reached > start else (max(start, 0) + step, 2 * step)
    return keys, False


def _rows(connection: sqlite3.Connection, sql: str, *parameters: str | int) -> tuple[list[Any], bool]:
    """The answer to a query as far as it can be read, and whether that is to its end."""
    rows: dict[Any, None] = {}
    try:
        cursor = connection.execute(sql, parameters)
        while (row := cursor.fetchone()) is not None:
            if row in rows:  # damaged pages may lead in a circle
                return list(rows), False
            rows[row] = None
    except (sqlite3.DatabaseError, UnicodeError):  # the latter of a damaged name, in `parameters`
        return list(rows), False
    return list(rows), True


def _miscounts(connection: sqlite3.Connection) -> list[str]:
    """Where the numbers of entries that are kept are not those of the entries."""
    counted = {row[:2]: row[2] for row in connection.execute(_COUNTED)}
    kept = {row[:2]: row[2] for row in connection.execute("SELECT processor, state, n FROM tally WHERE n <> 0")}
    return [
        f"entries: the count of processor {key[0]!r} in state {key[1]!r} is kept as {kept.get(key, 0)},"
        f" and there are {counted.get(key, 0)}"
        for key in counted.keys() | kept.keys()
        if counted.get(key) != kept.get(key)
    ]


def _listed(ids: list[int]) -> str:
    """Ids in words, neighbours together, not more of them than a line holds."""
    ranges: list[list[int]] = []
    for doc_id in sorted(ids):
        if ranges and doc_id == ranges[-1][-1] + 1:
            ranges[-1][1:] = [doc_id]
        else:
            ranges.append([doc_id])
    shown = ", ".join("-".join(map(str, ends)) for ends in ranges[:_SHOWN])
    more = f" and {len(ranges) - _SHOWN} more ranges" if len(ranges) > _SHOWN else ""
    return f"{len(ids)} documents ({shown}{more})" if len(ids) > 1 else f"document {shown}"


_COUNTED = "SELECT processor, state, count(*) FROM entries GROUP BY 1, 2"

_TREE = re.compile(r"(?:On tree page|Tree) (\d+)")
"""How versions of SQLite name what a damaged page belongs to, by its first page."""

_SIGN, _BEGINNING = b"entries_seq", 1_000_000
"""What stands in so many bytes at the beginning of every store: in the list of its tables, and in what the planner is
told of them."""

_SHOWN = 10
