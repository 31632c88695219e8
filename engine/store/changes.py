"""What was written since a moment: a follower pays for the changes alone, and is told when too much is forgotten.

`Changes` name what is to be read anew, in whatever order that is done; `Writes` are the documents themselves, in the
order in which they were written, from any place in it on.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from tinydb.table import Document

from engine.store.schema import SOURCES, layout, quoted


@dataclass(frozen=True)
class Changes:
    """What was written after a transaction, by table: the ids of documents added or `changed`, and of those `removed`.

    A table without any is not named. Ids stand in the order of the transactions, each once. `seq` is what to ask with
    the next time. If not `is_complete`, the moment is too long ago for all removals since to be known: whatever one
    keeps of the store is to be loaded anew.
    """

    seq: int
    changed: dict[str, list[int]]
    removed: dict[str, list[int]]
    is_complete: bool = True

    def concern(self, table: str) -> bool:
        """Whether documents of a table were written, or may have been."""
        return not self.is_complete or table in self.changed or table in self.removed


class Place(NamedTuple):
    """A place in the order of what was written: the transaction's number `seq`, a `table`, an `id`. `Place(n + 1)` is
    behind all of the n-th."""

    seq: int
    table: str = ""
    id: int = 0


class Write(NamedTuple):
    """One `document` as it was written last, or None if it was removed, and its `place`."""

    place: Place
    document: Document | None


@dataclass(frozen=True)
class Writes:
    """What was written behind a place, in order, as far as it was `found`. `seq` is the number of the last transaction,
    `forgotten` that of the last one of which removals may be unknown by now."""

    found: list[Write]
    seq: int
    forgotten: int


Query = Callable[..., list[Any]]
"""Takes SQL and its parameters, answers the rows."""


def read_changes(rows: Query, since: int) -> Changes:
    """What was written after the transaction `since`."""
    changed: dict[str, list[int]] = {}
    removed: dict[str, list[int]] = {}
    (_, _, forgotten, seq), *written = rows(_CHANGES, (since,))
    for _, table, doc_id, is_there in written:
        (changed if is_there else removed).setdefault(table, []).append(doc_id)
    return Changes(seq, changed, removed, is_complete=forgotten <= since <= seq)


def read_writes(rows: Query, after: Place, tables: Collection[str], limit: int) -> Writes:
    """What was written behind a place to some tables, at most `limit` documents of it."""
    names = ", ".join(map(quoted, tables))
    pieces = [
        *(f"SELECT seq, {quoted(t)} AS tbl, id, doc FROM {layout(t).sql} WHERE {layout(t).where}" for t in tables),
        f"SELECT seq, tbl, id, NULL FROM gone WHERE tbl IN ({names}) AND {_IS_GONE}",
    ]
    # Each is read along its index no further than to the limit.
    cut = (f"SELECT * FROM ({piece} AND seq >= ?1 AND (seq, tbl, id) > (?1, ?2, ?3)" for piece in pieces)
    order = f"ORDER BY seq, tbl, id LIMIT {limit}"
    found = rows(f"{f' {order}) UNION ALL '.join(cut)} {order}) {order}", after)
    ((forgotten, seq),) = rows("SELECT forgotten, seq FROM about")
    writes = [
        Write(Place(seq, table, doc_id), None if text is None else Document(orjson.loads(text), doc_id))
        for seq, table, doc_id, text in found
    ]
    return Writes(writes, seq, forgotten)


def forget_old_removals(rows: Query) -> None:
    """Keep the newest removals alone. To be called in a transaction that removed something."""
    ((first, last),) = rows("SELECT ifnull(min(n), 0), ifnull(max(n), 0) FROM gone")
    if last - first > 2 * REMEMBERED:
        rows("UPDATE about SET forgotten = (SELECT seq FROM gone WHERE n = ?)", (last - REMEMBERED,))
        rows("DELETE FROM gone WHERE n <= ?", (last - REMEMBERED,))


REMEMBERED = 100_000
"""So many removals are known to followers at least."""

_IS_BACK = " ".join(
    f"WHEN {table} THEN EXISTS(SELECT 1 FROM {sql} WHERE id = gone.id)" for table, sql in SOURCES if sql != "others"
)

_IS_GONE = f"""NOT CASE tbl {_IS_BACK}
    ELSE EXISTS(SELECT 1 FROM others WHERE others.tbl = gone.tbl AND others.id = gone.id) END"""
"""The condition that a document that was removed has not come back."""

_CHANGES = f"""
    SELECT -1 AS seq, '' AS tbl, forgotten AS id, seq AS is_there FROM about
    UNION ALL
    {" UNION ALL ".join(f"SELECT seq, {table}, id, 1 FROM {sql} WHERE seq > ?1" for table, sql in SOURCES)}
    UNION ALL
    SELECT max(seq), tbl, id, 0 FROM gone WHERE seq > ?1 AND {_IS_GONE} GROUP BY tbl, id
    ORDER BY 1, 2, 3
"""
"""Before all that was written, a row that says how far the store is, and what it has forgotten."""
