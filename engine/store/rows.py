"""The documents of one table, read from the file: only those that are asked for, and each time anew."""

from array import array
from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import Any

import orjson
from tinydb.queries import QueryLike

from engine.store.conditions import Narrowing, narrow
from engine.store.schema import field_value, quoted
from engine.store.storage import SqliteStorage

Content = dict[str, Any]

_PAGE = 1_000
_BEFORE_ALL = -(2**63)


class Rows(Mapping[str, Content]):
    """One table of a storage, as TinyDB reads it: documents by their id as text."""

    def __init__(self, storage: SqliteStorage, table: str) -> None:
        self.storage = storage
        self.table = table
        self._all = f"tbl = {quoted(table)}"

    def __getitem__(self, doc_id: str) -> Content:
        text = self.text(int(doc_id))
        if text is None:
            raise KeyError(doc_id)
        return _content(text)

    def __iter__(self) -> Iterator[str]:
        return map(str, self.ids())

    def __len__(self) -> int:
        count: int = self.storage.rows(f"SELECT count(*) FROM docs WHERE {self._all}")[0][0]
        return count

    def items(self) -> ItemsView[str, Content]:
        return _Items(self)

    def text(self, doc_id: int) -> str | None:
        """A document as it is stored, None if there is none."""
        found = self.storage.rows(f"SELECT doc FROM docs WHERE {self._all} AND id = ?", (doc_id,))
        return found[0][0] if found else None

    def highest(self) -> int:
        """The highest id in use, 0 if there is none."""
        return self.storage.rows(f"SELECT max(id) FROM docs WHERE {self._all}")[0][0] or 0

    def chosen(self, ids: list[int]) -> dict[int, Content]:
        """The documents with these ids, in this order; those that are not there are left out."""
        found = dict(
            self.storage.rows(
                f"SELECT id, doc FROM docs WHERE {self._all} AND id IN (SELECT value FROM json_each(?))", (_json(ids),)
            )
        )
        return {doc_id: _content(found[doc_id]) for doc_id in ids if doc_id in found}

    def first(self, cond: QueryLike) -> tuple[int, Content] | None:
        """The first document, by id, that answers a condition."""
        since = self.storage.seq()
        found = next(self.scan(cond), None)
        if found is None and self.storage.seq() != since:
            # Others wrote between the pages, and what is sought may have gone from one that was not yet read.
            found = next(iter(self.matching(cond, keep=lambda content: content).items()), None)
        return found

    def scan(self, cond: QueryLike | None = None) -> Iterator[tuple[int, Content]]:
        """The documents that answer a condition, by id, page by page: each page is of its own moment."""
        narrowing = self._narrowing(cond)
        candidates = self._pages() if narrowing is None else self._narrowed(narrowing)
        return ((doc_id, content) for doc_id, content in candidates if cond is None or cond(content))

    def matching(self, cond: QueryLike | None, keep: Callable[[Content], Any]) -> dict[int, Any]:
        """What to `keep` of each document that answers a condition, by id, all of one moment."""
        since = self.storage.seq()
        found = {doc_id: keep(content) for doc_id, content in self.scan(cond)}
        if self.storage.seq() == since:
            return found
        # Others wrote between the pages. What they wrote is read at once, so that no half of a transaction is seen.
        for doc_id, text in self.storage.rows(
            f"SELECT id, doc FROM docs WHERE +{self._all} AND seq > ?1"
            f" UNION ALL SELECT id, NULL FROM gone WHERE {self._all} AND seq > ?1"
            " AND NOT EXISTS (SELECT 1 FROM docs WHERE docs.tbl = gone.tbl AND docs.id = gone.id)",
            (since,),
        ):
            found.pop(doc_id, None)
            if text is not None:
                content = _content(text)
                if cond is None or cond(content):
                    found[doc_id] = keep(content)
        return dict(sorted(found.items()))

    def ids(
        self,
        cond: QueryLike | None = None,
        *,
        order_by: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> "array[int]":
        """The ids of the documents that answer a condition; see `DocumentTable.ids`."""
        if cond is not None and order_by is None:
            # Sorted here: asked for an order, SQLite would rather read the whole table in it than use the index.
            found = array("q", sorted(self._matching_ids(cond), reverse=reverse))
            return found[offset : None if limit is None else offset + limit]
        direction = "DESC" if reverse else "ASC"
        order = f"id {direction}"
        if order_by is not None:
            # NULL is SQLite's least value, so it is last by itself when the order is reversed.
            order = f"{field_value(order_by)} {direction}{'' if reverse else ' NULLS LAST'}, {order}"
        sql, parameters = self._where(cond)
        rows = self.storage.rows(
            f"SELECT id FROM docs WHERE {sql} ORDER BY {order} LIMIT ? OFFSET ?",
            (*parameters, -1 if limit is None else limit, offset),
        )
        return array("q", (doc_id for (doc_id,) in rows))

    def count(self, cond: QueryLike) -> int:
        """How many documents answer a condition."""
        return len(self._matching_ids(cond))

    def counts(self, field: str, cond: QueryLike | None = None) -> dict[Any, int]:
        """How many documents have each value of a field; see `DocumentTable.counts`."""
        sql, parameters = self._where(cond)
        return dict(
            self.storage.rows(f"SELECT {field_value(field)}, count(*) FROM docs WHERE {sql} GROUP BY 1", parameters)
        )

    def _where(self, cond: QueryLike | None) -> tuple[str, tuple[Any, ...]]:
        """The SQL of a condition: by the index alone if it can answer, else by the ids of those that do."""
        if cond is None:
            return self._all, ()
        narrowing = self._narrowing(cond)
        if narrowing is not None and narrowing.is_exact:
            return f"{self._all} AND {narrowing.sql}", narrowing.parameters
        return f"{self._all} AND id IN (SELECT value FROM json_each(?))", (_json(self._matching_ids(cond)),)

    def _matching_ids(self, cond: QueryLike) -> list[int]:
        narrowing = self._narrowing(cond)
        if narrowing is not None and narrowing.is_exact:
            return self._narrowed_ids(narrowing)
        return list(self.matching(cond, keep=lambda content: None))

    def _narrowed_ids(self, narrowing: Narrowing) -> list[int]:
        found = self.storage.rows(f"SELECT id FROM docs WHERE {self._all} AND {narrowing.sql}", narrowing.parameters)
        return [doc_id for (doc_id,) in found]

    def _narrowing(self, cond: QueryLike | None) -> Narrowing | None:
        return None if cond is None else narrow(cond, self.table, self.storage.indexes.get(self.table, ()))

    def _narrowed(self, narrowing: Narrowing) -> Iterator[tuple[int, Content]]:
        ids = sorted(self._narrowed_ids(narrowing))
        for start in range(0, len(ids), _PAGE):
            yield from self.chosen(ids[start : start + _PAGE]).items()

    def _pages(self) -> Iterator[tuple[int, Content]]:
        last = _BEFORE_ALL
        while page := self.storage.rows(
            f"SELECT id, doc FROM docs WHERE {self._all} AND id > ? ORDER BY id LIMIT {_PAGE}", (last,)
        ):
            last = page[-1][0]
            yield from ((doc_id, _content(text)) for doc_id, text in page)


class _Items(ItemsView[str, Content]):
    """By pages, where Python's own would ask for each document by itself."""

    _mapping: Rows

    def __iter__(self) -> Iterator[tuple[str, Content]]:
        return ((str(doc_id), content) for doc_id, content in self._mapping.scan())


def _content(text: str) -> Content:
    content: Content = orjson.loads(text)
    return content


def _json(ids: list[int]) -> str:
    return orjson.dumps(ids).decode()
