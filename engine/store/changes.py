"""What was written since a moment: a follower pays for the changes alone, and is told when too much is forgotten."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.store.schema import SOURCES


@dataclass(frozen=True)
class Changes:
    """What was written after a moment, by table: the ids of documents added or changed, and of those removed.

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

_CHANGES = f"""
    SELECT -1 AS seq, '' AS tbl, forgotten AS id, seq AS is_there FROM about
    UNION ALL
    {" UNION ALL ".join(f"SELECT seq, {table}, id, 1 FROM {sql} WHERE seq > ?1" for table, sql in SOURCES)}
    UNION ALL
    SELECT max(seq), tbl, id, 0 FROM gone WHERE seq > ?1 AND NOT CASE tbl {_IS_BACK}
    ELSE EXISTS(SELECT 1 FROM others WHERE others.tbl = gone.tbl AND others.id = gone.id) END GROUP BY tbl, id
    ORDER BY 1, 2, 3
"""
"""Before all that was written, a row that says how far the store is, and what it has forgotten."""
